-- +goose Up
-- The reviews of one recording stand on its page.
CREATE INDEX review_recording ON review (recording_id, submitted_at);
