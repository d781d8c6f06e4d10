-- +goose Up
-- Recordings whose original a pass of the background could not listen to for a reason that stays. The pass counts as done for them, so that
-- they keep no other recording waiting; looked_at is when it was last asked whether that has changed.
CREATE TABLE recording_unheard (
  recording_id BIGINT NOT NULL,
  pass TEXT NOT NULL,
  reason TEXT NOT NULL,
  noted_at BIGINT NOT NULL,
  looked_at BIGINT NOT NULL,
  PRIMARY KEY (recording_id, pass)
);
CREATE INDEX recording_unheard_looked ON recording_unheard (reason, looked_at);
