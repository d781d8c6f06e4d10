-- +goose Up
-- An account of the book. owner_id is the person it is owed to, 0 for the house.
CREATE TABLE ledger_account (
  id BIGINT NOT NULL PRIMARY KEY,
  kind TEXT NOT NULL,
  owner_id BIGINT NOT NULL,
  currency TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  UNIQUE (kind, owner_id, currency)
);
-- One booking. (kind, ref) names what was booked, so that nothing is booked twice.
CREATE TABLE journal (
  id BIGINT NOT NULL PRIMARY KEY,
  kind TEXT NOT NULL,
  ref TEXT NOT NULL,
  at BIGINT NOT NULL,
  memo TEXT NOT NULL,
  UNIQUE (kind, ref)
);
CREATE INDEX journal_at ON journal (at);
-- Its lines. amount_minor: debits are positive, credits negative; they sum to zero per journal and currency. recording_id and
-- basis_minor say what a royalty is for: the recording, and the net price the share was taken from.
CREATE TABLE entry (
  journal_id BIGINT NOT NULL REFERENCES journal (id),
  n BIGINT NOT NULL,
  account_id BIGINT NOT NULL REFERENCES ledger_account (id),
  amount_minor BIGINT NOT NULL CHECK (amount_minor <> 0),
  recording_id BIGINT NOT NULL,
  basis_minor BIGINT NOT NULL,
  note TEXT NOT NULL,
  PRIMARY KEY (journal_id, n)
);
CREATE INDEX entry_by_account ON entry (account_id, journal_id);
