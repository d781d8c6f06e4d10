-- +goose Up
-- A person's own list of recordings. shared is private, link or public; token is in the address of one that is shared by link. deleted_at is
-- not 0 while a deletion can be undone.
CREATE TABLE collection (
  id BIGINT NOT NULL PRIMARY KEY,
  account_id BIGINT NOT NULL REFERENCES account (id),
  name TEXT NOT NULL,
  name_folded TEXT NOT NULL,
  description TEXT NOT NULL DEFAULT '',
  shared TEXT NOT NULL DEFAULT 'private' CHECK (shared IN ('private', 'link', 'public')),
  token TEXT NOT NULL DEFAULT '',
  created_at BIGINT NOT NULL,
  changed_at BIGINT NOT NULL,
  deleted_at BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX collection_account ON collection (account_id, name_folded);
-- place orders the items, with room between two; removed_at is not 0 while a removal can be undone.
CREATE TABLE collection_item (
  id BIGINT NOT NULL PRIMARY KEY,
  collection_id BIGINT NOT NULL REFERENCES collection (id),
  recording_id BIGINT NOT NULL REFERENCES recording (id),
  note TEXT NOT NULL DEFAULT '',
  place BIGINT NOT NULL,
  added_at BIGINT NOT NULL,
  removed_at BIGINT NOT NULL DEFAULT 0,
  UNIQUE (collection_id, recording_id)
);
CREATE INDEX collection_item_place ON collection_item (collection_id, place);
CREATE INDEX collection_item_recording ON collection_item (recording_id);
