-- +goose Up
CREATE TABLE profile (
  account_id BIGINT NOT NULL PRIMARY KEY,
  display_name TEXT NOT NULL,
  bio TEXT NOT NULL,
  website TEXT NOT NULL,
  picture_ref TEXT NOT NULL,
  updated_at BIGINT NOT NULL
);
