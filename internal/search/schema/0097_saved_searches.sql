-- +goose Up
-- A search that a person wants to come back to. params is the address's part behind the question mark; token is the secret name of its feed;
-- what was published after seen_at is new.
CREATE TABLE saved_search (
  id BIGINT NOT NULL PRIMARY KEY,
  account_id BIGINT NOT NULL REFERENCES account (id),
  name TEXT NOT NULL,
  params TEXT NOT NULL,
  token TEXT NOT NULL UNIQUE,
  seen_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  UNIQUE (account_id, params)
);
