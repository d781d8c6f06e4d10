-- +goose Up
-- What the second, longer pass over a sound measured: descriptors that a fresh upload does not wait for.
CREATE TABLE recording_detail (
  recording_id BIGINT NOT NULL PRIMARY KEY,
  version BIGINT NOT NULL,
  descriptors TEXT NOT NULL,
  created_at BIGINT NOT NULL
);
