-- +goose Up
-- Clients of the Freesound API look for files that they have by their MD5.
CREATE INDEX recording_md5 ON recording (md5);
