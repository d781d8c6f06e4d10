-- +goose Up
-- What is long enough for a spectrogram in levels (spectrum.LongSeconds): the background looks for those that have none.
CREATE INDEX recording_long ON recording (created_at) WHERE seconds > 1200;
