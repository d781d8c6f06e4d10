-- +goose Up
-- 1: its contributor has said all that is needed; the end of the analysis submits it for review.
ALTER TABLE recording ADD COLUMN submit_when_ready BIGINT NOT NULL DEFAULT 0;
