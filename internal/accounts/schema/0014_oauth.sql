-- +goose Up
-- A credential is an application: where it lives, where people are sent back to, how fast it may ask. level 0 is suspended, 99 unbounded.
ALTER TABLE api_credential ADD COLUMN url TEXT NOT NULL DEFAULT '';
ALTER TABLE api_credential ADD COLUMN redirect_uri TEXT NOT NULL DEFAULT '';
ALTER TABLE api_credential ADD COLUMN description TEXT NOT NULL DEFAULT '';
ALTER TABLE api_credential ADD COLUMN level BIGINT NOT NULL DEFAULT 1;
-- 1: given to an application by OAuth2, and replaced when it asks again; 0: made with the credential for its owner.
ALTER TABLE access_token ADD COLUMN granted BIGINT NOT NULL DEFAULT 0;
CREATE INDEX access_token_account ON access_token (account_id);
-- Which applications a person lets act for them.
CREATE TABLE app_grant (
  credential_id BIGINT NOT NULL REFERENCES api_credential (id),
  account_id BIGINT NOT NULL REFERENCES account (id),
  scope TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (credential_id, account_id)
);
CREATE INDEX app_grant_account ON app_grant (account_id);
CREATE TABLE refresh_token (
  token_hash TEXT NOT NULL PRIMARY KEY,
  credential_id BIGINT NOT NULL REFERENCES api_credential (id),
  account_id BIGINT NOT NULL REFERENCES account (id),
  scope TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);
CREATE INDEX refresh_token_pair ON refresh_token (credential_id, account_id);
CREATE TABLE authorization_code (
  code_hash TEXT NOT NULL PRIMARY KEY,
  credential_id BIGINT NOT NULL REFERENCES api_credential (id),
  account_id BIGINT NOT NULL REFERENCES account (id),
  redirect_uri TEXT NOT NULL,
  scope TEXT NOT NULL,
  challenge TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  used_at BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX authorization_code_pair ON authorization_code (credential_id, account_id);
-- Requests of a credential by day: days since 1970-01-01, UTC.
CREATE TABLE api_usage (
  credential_id BIGINT NOT NULL REFERENCES api_credential (id),
  day BIGINT NOT NULL,
  reads BIGINT NOT NULL,
  writes BIGINT NOT NULL,
  PRIMARY KEY (credential_id, day)
);
