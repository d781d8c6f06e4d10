-- +goose Up
-- One row per request for publication. At most one is open per recording.
CREATE TABLE review (
  id BIGINT NOT NULL PRIMARY KEY,
  recording_id BIGINT NOT NULL,
  state TEXT NOT NULL,
  submitted_at BIGINT NOT NULL,
  flag TEXT NOT NULL DEFAULT '',
  match_id BIGINT NOT NULL DEFAULT 0,
  reviewer_id BIGINT NOT NULL DEFAULT 0,
  decided_at BIGINT NOT NULL DEFAULT 0,
  reason TEXT NOT NULL DEFAULT '',
  note TEXT NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX review_open ON review (recording_id) WHERE state = 'open';
CREATE INDEX review_state ON review (state, submitted_at);
