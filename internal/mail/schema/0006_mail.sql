-- +goose Up
-- Mail that goes out: written in the transaction that has something to say, sent by a job.
CREATE TABLE outgoing_mail (
  id BIGINT NOT NULL PRIMARY KEY,
  kind TEXT NOT NULL,
  account_id BIGINT,
  recipient TEXT NOT NULL,
  subject TEXT NOT NULL,
  text_body TEXT NOT NULL,
  html_body TEXT NOT NULL,
  state TEXT NOT NULL,
  attempts BIGINT NOT NULL,
  last_error TEXT NOT NULL,
  message_id TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  sent_at BIGINT
);
CREATE UNIQUE INDEX outgoing_mail_message ON outgoing_mail (message_id);
CREATE INDEX outgoing_mail_state ON outgoing_mail (state, created_at);
CREATE INDEX outgoing_mail_account ON outgoing_mail (account_id);
