-- +goose Up
CREATE TABLE download (
  id BIGINT NOT NULL PRIMARY KEY,
  recording_id BIGINT NOT NULL,
  account_id BIGINT NOT NULL,
  license_id BIGINT NOT NULL,
  kind TEXT NOT NULL,
  byte_size BIGINT NOT NULL,
  at BIGINT NOT NULL
);
CREATE INDEX download_recording ON download (recording_id, at);
CREATE INDEX download_account ON download (account_id, at);
