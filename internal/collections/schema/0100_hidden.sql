-- +goose Up
-- What staff hid is listed without reading all collections.
CREATE INDEX collection_hidden ON collection (hidden_at) WHERE hidden_at <> 0;
