-- +goose Up
-- What changed, in the order in which it was committed. feed_head has one row whose lock gives the numbers.
CREATE TABLE feed_head (
  id BIGINT NOT NULL PRIMARY KEY,
  seq BIGINT NOT NULL
);
INSERT INTO feed_head (id, seq) VALUES (1, 0);
CREATE TABLE changes (
  seq BIGINT NOT NULL PRIMARY KEY,
  kind TEXT NOT NULL,
  object_id BIGINT NOT NULL,
  at BIGINT NOT NULL
);
