-- +goose Up
-- Where a recording was made, as its contributor chose to tell: degrees, and from 11 on how closely a map is to show it (0: not said). NULL: not told.
ALTER TABLE recording ADD COLUMN place_lat DOUBLE PRECISION;
ALTER TABLE recording ADD COLUMN place_lon DOUBLE PRECISION;
ALTER TABLE recording ADD COLUMN place_zoom BIGINT NOT NULL DEFAULT 0;
CREATE INDEX recording_place ON recording (place_lat) WHERE place_lat IS NOT NULL;
