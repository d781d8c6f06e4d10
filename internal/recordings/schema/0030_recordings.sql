-- +goose Up
CREATE TABLE pack (
  id BIGINT NOT NULL PRIMARY KEY,
  owner_id BIGINT NOT NULL,
  name TEXT NOT NULL,
  name_folded TEXT NOT NULL,
  description TEXT NOT NULL DEFAULT '',
  created_at BIGINT NOT NULL,
  UNIQUE (owner_id, name_folded)
);
CREATE TABLE recording (
  id BIGINT NOT NULL PRIMARY KEY,
  owner_id BIGINT NOT NULL,
  token TEXT NOT NULL UNIQUE,
  state TEXT NOT NULL,
  processing TEXT NOT NULL,
  processing_note TEXT NOT NULL DEFAULT '',
  progress BIGINT NOT NULL DEFAULT 0,
  title TEXT NOT NULL DEFAULT '',
  description TEXT NOT NULL DEFAULT '',
  category TEXT NOT NULL DEFAULT '',
  pack_id BIGINT NOT NULL DEFAULT 0,
  ai_training TEXT NOT NULL DEFAULT 'no',
  rights TEXT NOT NULL DEFAULT '',
  rights_at BIGINT NOT NULL DEFAULT 0,
  credit TEXT NOT NULL DEFAULT '',
  source_url TEXT NOT NULL DEFAULT '',
  return_note TEXT NOT NULL DEFAULT '',
  file_name TEXT NOT NULL,
  byte_size BIGINT NOT NULL,
  sha256 TEXT NOT NULL,
  md5 TEXT NOT NULL,
  container TEXT NOT NULL,
  codec TEXT NOT NULL,
  ext TEXT NOT NULL,
  sample_rate BIGINT NOT NULL DEFAULT 0,
  channels BIGINT NOT NULL DEFAULT 0,
  bit_depth BIGINT NOT NULL DEFAULT 0,
  lossless BIGINT NOT NULL DEFAULT 0,
  seconds DOUBLE PRECISION NOT NULL DEFAULT 0,
  frames BIGINT NOT NULL DEFAULT 0,
  lufs DOUBLE PRECISION,
  loudness_range DOUBLE PRECISION,
  true_peak DOUBLE PRECISION,
  tempo DOUBLE PRECISION NOT NULL DEFAULT 0,
  tempo_confidence DOUBLE PRECISION NOT NULL DEFAULT 0,
  musical_key TEXT NOT NULL DEFAULT '',
  key_confidence DOUBLE PRECISION NOT NULL DEFAULT 0,
  centroid DOUBLE PRECISION NOT NULL DEFAULT 0,
  loopable BIGINT NOT NULL DEFAULT 0,
  bars TEXT NOT NULL DEFAULT '',
  wave TEXT NOT NULL DEFAULT '',
  tones TEXT NOT NULL DEFAULT '',
  paid BIGINT NOT NULL DEFAULT 0,
  downloads BIGINT NOT NULL DEFAULT 0,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  submitted_at BIGINT NOT NULL DEFAULT 0,
  published_at BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX recording_owner ON recording (owner_id, state);
CREATE INDEX recording_state ON recording (state, published_at);
CREATE INDEX recording_sha256 ON recording (sha256);
CREATE INDEX recording_pack ON recording (pack_id);
CREATE TABLE recording_tag (
  recording_id BIGINT NOT NULL,
  tag TEXT NOT NULL,
  position BIGINT NOT NULL,
  PRIMARY KEY (recording_id, tag)
);
CREATE INDEX recording_tag_tag ON recording_tag (tag);
-- Files made from a recording: previews, peaks, images. name is the last part of its /media/ address.
CREATE TABLE recording_media (
  recording_id BIGINT NOT NULL,
  name TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  byte_size BIGINT NOT NULL,
  content_type TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (recording_id, name)
);
CREATE INDEX recording_media_sha256 ON recording_media (sha256);
CREATE TABLE recording_analysis (
  recording_id BIGINT NOT NULL PRIMARY KEY,
  version BIGINT NOT NULL,
  descriptors TEXT NOT NULL,
  vector BYTEA NOT NULL,
  fingerprint BYTEA NOT NULL,
  pcm_sha256 TEXT NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE INDEX recording_analysis_pcm ON recording_analysis (pcm_sha256);
-- What a description said before each edit after publishing.
CREATE TABLE recording_edit (
  id BIGINT NOT NULL PRIMARY KEY,
  recording_id BIGINT NOT NULL,
  editor_id BIGINT NOT NULL,
  at BIGINT NOT NULL,
  was TEXT NOT NULL
);
CREATE INDEX recording_edit_recording ON recording_edit (recording_id, at);
