-- +goose Up
-- The version of the formulas by which a recording was described, beside that of its vector; 0 is of before they were counted. The
-- background finds through the indexes what is behind.
ALTER TABLE recording_analysis ADD COLUMN described BIGINT NOT NULL DEFAULT 0;
CREATE INDEX recording_analysis_described ON recording_analysis (described, created_at);
CREATE INDEX recording_detail_version ON recording_detail (version, created_at);
