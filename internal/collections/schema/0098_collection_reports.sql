-- +goose Up
-- hidden_at is not 0 when a moderator hid a collection: only its owner sees it, and reads hidden_why.
ALTER TABLE collection ADD COLUMN hidden_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE collection ADD COLUMN hidden_by BIGINT NOT NULL DEFAULT 0;
ALTER TABLE collection ADD COLUMN hidden_why TEXT NOT NULL DEFAULT '';
-- What people say is wrong with a collection, one report of each person; closed_at is not 0 when a moderator decided on it.
CREATE TABLE collection_report (
  collection_id BIGINT NOT NULL REFERENCES collection (id),
  account_id BIGINT NOT NULL REFERENCES account (id),
  why TEXT NOT NULL,
  made_at BIGINT NOT NULL,
  closed_at BIGINT NOT NULL DEFAULT 0,
  closed_by BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (collection_id, account_id)
);
CREATE INDEX collection_report_account ON collection_report (account_id);
CREATE INDEX collection_report_open ON collection_report (made_at) WHERE closed_at = 0;
