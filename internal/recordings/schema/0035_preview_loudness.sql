-- +goose Up
-- Loudness (LUFS) and true peak (dBTP) of the previews where more than two channels were folded; NULL: those of the original.
ALTER TABLE recording ADD COLUMN preview_lufs DOUBLE PRECISION;
ALTER TABLE recording ADD COLUMN preview_true_peak DOUBLE PRECISION;
