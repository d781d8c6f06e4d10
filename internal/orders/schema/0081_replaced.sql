-- +goose Up
-- The order that took this one's place: its buyer ordered the same for the same project again before this one was paid.
ALTER TABLE orders ADD COLUMN replaced_by BIGINT;
CREATE INDEX orders_by_replacement ON orders (replaced_by);
