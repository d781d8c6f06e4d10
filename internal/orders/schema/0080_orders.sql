-- +goose Up
-- A cart belongs to an account or, before signing in, to a browser with a random token (kept hashed).
CREATE TABLE cart (
  id BIGINT NOT NULL PRIMARY KEY,
  account_id BIGINT UNIQUE,
  token_hash TEXT UNIQUE,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE INDEX cart_updated ON cart (updated_at);
-- price_minor is the price that the buyer saw last.
CREATE TABLE cart_line (
  id BIGINT NOT NULL PRIMARY KEY,
  cart_id BIGINT NOT NULL REFERENCES cart (id),
  recording_id BIGINT NOT NULL,
  model_code TEXT NOT NULL,
  price_minor BIGINT NOT NULL,
  currency TEXT NOT NULL,
  added_at BIGINT NOT NULL,
  UNIQUE (cart_id, recording_id)
);
-- number is the invoice's, drawn without gaps when the order is paid. place_key makes a form that is sent twice one order.
CREATE TABLE orders (
  id BIGINT NOT NULL PRIMARY KEY,
  number TEXT UNIQUE,
  account_id BIGINT NOT NULL,
  place_key TEXT NOT NULL,
  state TEXT NOT NULL,
  licensee TEXT NOT NULL,
  company TEXT NOT NULL,
  project TEXT NOT NULL,
  country TEXT NOT NULL,
  currency TEXT NOT NULL,
  subtotal_minor BIGINT NOT NULL,
  tax_name TEXT NOT NULL,
  tax_basis BIGINT NOT NULL,
  tax_minor BIGINT NOT NULL,
  total_minor BIGINT NOT NULL,
  provider TEXT NOT NULL,
  placed_at BIGINT NOT NULL,
  paid_at BIGINT,
  updated_at BIGINT NOT NULL,
  UNIQUE (account_id, place_key)
);
CREATE INDEX orders_by_account ON orders (account_id, placed_at);
CREATE INDEX orders_by_state ON orders (state, placed_at);
-- What was ordered, as it was at that moment. royalty_minor is the contributor's share of the price.
CREATE TABLE order_line (
  id BIGINT NOT NULL PRIMARY KEY,
  order_id BIGINT NOT NULL REFERENCES orders (id),
  n BIGINT NOT NULL,
  recording_id BIGINT NOT NULL,
  contributor_id BIGINT NOT NULL,
  title TEXT NOT NULL,
  model_code TEXT NOT NULL,
  model_version BIGINT NOT NULL,
  model_name TEXT NOT NULL,
  price_minor BIGINT NOT NULL,
  tax_minor BIGINT NOT NULL,
  royalty_minor BIGINT NOT NULL,
  refunded_at BIGINT,
  UNIQUE (order_id, n)
);
CREATE INDEX order_line_by_recording ON order_line (recording_id);
CREATE TABLE invoice_series (
  series TEXT NOT NULL PRIMARY KEY,
  next BIGINT NOT NULL
);
