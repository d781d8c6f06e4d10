-- +goose Up
-- The newest orders, whatever their state.
CREATE INDEX orders_newest ON orders (placed_at, id);
