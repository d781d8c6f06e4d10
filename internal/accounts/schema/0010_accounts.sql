-- +goose Up
-- Who has an account. Times are unix microseconds; 0 means never.
CREATE TABLE account (
  id BIGINT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  name_folded TEXT NOT NULL UNIQUE,
  email TEXT NOT NULL,
  email_folded TEXT NOT NULL UNIQUE,
  password_hash TEXT NOT NULL,
  role TEXT NOT NULL CHECK (role IN ('member', 'moderator', 'admin')),
  state TEXT NOT NULL CHECK (state IN ('unconfirmed', 'active', 'guardian', 'suspended')),
  age_band TEXT NOT NULL CHECK (age_band IN ('adult', 'minor')),
  adult_on BIGINT NOT NULL,
  contributor_since BIGINT NOT NULL,
  contributor_terms BIGINT NOT NULL,
  theme TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  confirmed_at BIGINT NOT NULL,
  signed_in_at BIGINT NOT NULL
);

-- Names asked for in a sign-up with a known address: kept free for a while, so that a second try cannot tell the cases apart.
CREATE TABLE name_hold (
  name_folded TEXT NOT NULL PRIMARY KEY,
  until BIGINT NOT NULL
);

CREATE TABLE session (
  id BIGINT NOT NULL PRIMARY KEY,
  account_id BIGINT NOT NULL REFERENCES account (id),
  token_hash TEXT NOT NULL UNIQUE,
  created_at BIGINT NOT NULL,
  seen_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  network TEXT NOT NULL,
  browser TEXT NOT NULL,
  revoked_at BIGINT NOT NULL
);
CREATE INDEX session_account ON session (account_id);

-- One-time links. account_id is 0 for the setup link and for decoys.
CREATE TABLE account_token (
  token_hash TEXT NOT NULL PRIMARY KEY,
  purpose TEXT NOT NULL CHECK (purpose IN ('confirm', 'reset', 'email', 'setup')),
  account_id BIGINT NOT NULL,
  email TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  used_at BIGINT NOT NULL
);
CREATE INDEX account_token_account ON account_token (account_id, purpose);

CREATE TABLE api_credential (
  id BIGINT NOT NULL PRIMARY KEY,
  account_id BIGINT NOT NULL REFERENCES account (id),
  name TEXT NOT NULL,
  client_id TEXT NOT NULL UNIQUE,
  secret_hash TEXT NOT NULL UNIQUE,
  created_at BIGINT NOT NULL,
  exempt BIGINT NOT NULL,
  revoked_at BIGINT NOT NULL
);
CREATE INDEX api_credential_account ON api_credential (account_id);

CREATE TABLE access_token (
  token_hash TEXT NOT NULL PRIMARY KEY,
  credential_id BIGINT NOT NULL REFERENCES api_credential (id),
  account_id BIGINT NOT NULL REFERENCES account (id),
  scope TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);
CREATE INDEX access_token_credential ON access_token (credential_id);

-- What other domains may read: accounts in good standing, and nothing about them that is not public.
CREATE VIEW account_public AS
  SELECT id, name, name_folded, created_at AS since, contributor_since FROM account WHERE state = 'active';
