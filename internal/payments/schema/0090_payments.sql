-- +goose Up
-- One attempt to pay one order with one provider. ref is random and is what the provider knows us by.
CREATE TABLE payment (
  ref TEXT NOT NULL PRIMARY KEY,
  order_id BIGINT NOT NULL,
  provider TEXT NOT NULL,
  provider_ref TEXT NOT NULL,
  state TEXT NOT NULL,
  amount_minor BIGINT NOT NULL,
  currency TEXT NOT NULL,
  refunded_minor BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE INDEX payment_by_order ON payment (order_id);
CREATE INDEX payment_by_state ON payment (state, created_at);
-- What providers told us, as they sent it, before anything is made of it.
CREATE TABLE payment_event (
  id BIGINT NOT NULL PRIMARY KEY,
  provider TEXT NOT NULL,
  event_id TEXT NOT NULL,
  ref TEXT NOT NULL,
  state TEXT NOT NULL,
  amount_minor BIGINT NOT NULL,
  currency TEXT NOT NULL,
  raw BYTEA NOT NULL,
  received_at BIGINT NOT NULL,
  processed_at BIGINT,
  outcome TEXT NOT NULL,
  UNIQUE (provider, event_id)
);
CREATE INDEX payment_event_by_ref ON payment_event (ref);
-- Money to send back. refund_key makes the provider's call idempotent.
CREATE TABLE payment_refund (
  refund_key TEXT NOT NULL PRIMARY KEY,
  ref TEXT NOT NULL REFERENCES payment (ref),
  amount_minor BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  sent_at BIGINT,
  note TEXT NOT NULL
);
CREATE INDEX payment_refund_by_ref ON payment_refund (ref);
-- The memory of the test provider: what a real provider would keep on its own side.
CREATE TABLE test_charge (
  ref TEXT NOT NULL PRIMARY KEY,
  label TEXT NOT NULL,
  amount_minor BIGINT NOT NULL,
  currency TEXT NOT NULL,
  state TEXT NOT NULL,
  event_id TEXT NOT NULL,
  return_url TEXT NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE TABLE test_refund (
  refund_key TEXT NOT NULL PRIMARY KEY,
  ref TEXT NOT NULL REFERENCES test_charge (ref),
  amount_minor BIGINT NOT NULL,
  created_at BIGINT NOT NULL
);
