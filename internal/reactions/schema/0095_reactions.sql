-- +goose Up
-- What people say about a recording. removed_at is not 0 when a moderator took the comment away; its author still reads it, with the reason.
CREATE TABLE comment (
  id BIGINT NOT NULL PRIMARY KEY,
  recording_id BIGINT NOT NULL REFERENCES recording (id),
  account_id BIGINT NOT NULL REFERENCES account (id),
  body TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  removed_at BIGINT NOT NULL DEFAULT 0,
  removed_by BIGINT NOT NULL DEFAULT 0,
  removed_why TEXT NOT NULL DEFAULT ''
);
CREATE INDEX comment_recording ON comment (recording_id, created_at);
CREATE INDEX comment_account ON comment (account_id);
-- One rating of a recording by an account, 0 to 5 stars.
CREATE TABLE rating (
  recording_id BIGINT NOT NULL REFERENCES recording (id),
  account_id BIGINT NOT NULL REFERENCES account (id),
  stars BIGINT NOT NULL CHECK (stars BETWEEN 0 AND 5),
  rated_at BIGINT NOT NULL,
  PRIMARY KEY (recording_id, account_id)
);
CREATE INDEX rating_account ON rating (account_id);
CREATE TABLE favorite_category (
  id BIGINT NOT NULL PRIMARY KEY,
  account_id BIGINT NOT NULL REFERENCES account (id),
  name TEXT NOT NULL,
  name_folded TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  UNIQUE (account_id, name_folded)
);
-- A recording may be in several of a person's categories; category 0 is none.
CREATE TABLE favorite (
  account_id BIGINT NOT NULL REFERENCES account (id),
  category_id BIGINT NOT NULL,
  recording_id BIGINT NOT NULL REFERENCES recording (id),
  added_at BIGINT NOT NULL,
  PRIMARY KEY (account_id, category_id, recording_id)
);
CREATE INDEX favorite_recording ON favorite (recording_id);
-- What other domains may read: how a recording is rated, by accounts in good standing.
CREATE VIEW recording_rating AS
  SELECT r.recording_id, count(*) AS ratings, sum(r.stars) AS stars FROM rating r JOIN account_public a ON a.id = r.account_id GROUP BY r.recording_id;
