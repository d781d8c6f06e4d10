-- +goose Up
-- The operator's list of synonyms: one row with id 1, none while the site uses the list that comes with the program.
CREATE TABLE search_synonyms (
  id BIGINT NOT NULL PRIMARY KEY,
  list TEXT NOT NULL,
  changed_at BIGINT NOT NULL
);
