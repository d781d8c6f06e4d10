-- +goose Up
-- One row per file on its way. received and the hash states are what is durable; lease names the connection that writes.
CREATE TABLE upload (
  id BIGINT NOT NULL PRIMARY KEY,
  token TEXT NOT NULL UNIQUE,
  account_id BIGINT NOT NULL,
  file_name TEXT NOT NULL,
  byte_size BIGINT NOT NULL,
  received BIGINT NOT NULL DEFAULT 0,
  sha256_state BYTEA NOT NULL,
  md5_state BYTEA NOT NULL,
  accepted BIGINT NOT NULL DEFAULT 0,
  lease TEXT NOT NULL DEFAULT '',
  lease_node TEXT NOT NULL DEFAULT '',
  lease_until BIGINT NOT NULL DEFAULT 0,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  finished_at BIGINT NOT NULL DEFAULT 0,
  sha256 TEXT NOT NULL DEFAULT '',
  recording_id BIGINT NOT NULL DEFAULT 0,
  repeated BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX upload_account ON upload (account_id, finished_at);
CREATE INDEX upload_expires ON upload (finished_at, expires_at);
