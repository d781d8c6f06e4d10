-- +goose Up
CREATE TABLE node_lease (
    id TEXT PRIMARY KEY,
    node TEXT NOT NULL,
    beat BIGINT NOT NULL,
    beat_at BIGINT NOT NULL
);
CREATE TABLE job_schedule (
    name TEXT PRIMARY KEY,
    next_at BIGINT NOT NULL
);
