-- +goose Up
-- A contributor's newest recordings, without sorting all that somebody published who published a hundred thousand.
DROP INDEX recording_owner;
CREATE INDEX recording_owner ON recording (owner_id, state, published_at);
