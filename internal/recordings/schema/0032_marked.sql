-- +goose Up
-- 1: its previews with the audible mark were made, so that a page does not name what is not there yet.
ALTER TABLE recording ADD COLUMN marked BIGINT NOT NULL DEFAULT 0;
UPDATE recording SET marked = 1 WHERE id IN (SELECT recording_id FROM recording_media WHERE name = 'marked-lq.opus');
