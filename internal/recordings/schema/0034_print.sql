-- +goose Up
-- Some items of each recording's fingerprint, to find copies by. A recording counts for few rows and an item for few recordings.
CREATE TABLE recording_print (
  item BIGINT NOT NULL,
  recording_id BIGINT NOT NULL,
  PRIMARY KEY (item, recording_id)
);
CREATE INDEX recording_print_recording ON recording_print (recording_id);
