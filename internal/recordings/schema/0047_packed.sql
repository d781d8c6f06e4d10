-- +goose Up
-- The packs with the newest recordings, without reading all recordings.
CREATE INDEX recording_packed ON recording (published_at, pack_id) WHERE state = 'published' AND pack_id <> 0;
