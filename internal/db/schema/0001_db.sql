-- +goose Up
CREATE TABLE id_block (
  kind TEXT NOT NULL PRIMARY KEY,
  next BIGINT NOT NULL
);
-- One row per fact about this instance: its id, the blob marker, secrets made at the first start.
CREATE TABLE instance (
  name TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL,
  created_at BIGINT NOT NULL
);
