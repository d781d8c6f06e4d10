-- +goose Up
-- Melody and rhythm of a recording, two bytes an event, for searches by humming and beating. Both are empty where there is none.
CREATE TABLE recording_contour (
  recording_id BIGINT PRIMARY KEY,
  version BIGINT NOT NULL,
  melody BYTEA NOT NULL,
  rhythm BYTEA NOT NULL
);
