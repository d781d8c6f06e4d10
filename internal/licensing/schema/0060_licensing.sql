-- +goose Up
-- A kind of license, with what may change without a new version.
CREATE TABLE license_model (
  code TEXT NOT NULL PRIMARY KEY,
  kind TEXT NOT NULL,
  version BIGINT NOT NULL,
  deed TEXT NOT NULL,
  imports_only BIGINT NOT NULL,
  music_minor BIGINT NOT NULL,
  sfx_minor BIGINT NOT NULL,
  floor_minor BIGINT NOT NULL,
  active BIGINT NOT NULL,
  position BIGINT NOT NULL
);
-- Every version of what is legal in a model. Rows are never changed: a sold license keeps the text it was sold with.
CREATE TABLE license_text (
  code TEXT NOT NULL REFERENCES license_model (code),
  version BIGINT NOT NULL,
  name TEXT NOT NULL,
  summary TEXT NOT NULL,
  terms TEXT NOT NULL,
  text TEXT NOT NULL,
  text_sha256 TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (code, version)
);
-- Under which models a recording is offered, and for how much.
CREATE TABLE offer (
  recording_id BIGINT NOT NULL,
  model_code TEXT NOT NULL REFERENCES license_model (code),
  price_minor BIGINT NOT NULL,
  currency TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (recording_id, model_code)
);
-- An issued license. order_line is NULL for free ones.
CREATE TABLE license (
  id BIGINT NOT NULL PRIMARY KEY,
  number TEXT NOT NULL UNIQUE,
  recording_id BIGINT NOT NULL,
  model_code TEXT NOT NULL,
  model_version BIGINT NOT NULL,
  account_id BIGINT NOT NULL,
  order_line BIGINT UNIQUE,
  licensee TEXT NOT NULL,
  company TEXT NOT NULL,
  project TEXT NOT NULL,
  certificate TEXT NOT NULL,
  signature BYTEA NOT NULL,
  key_id TEXT NOT NULL,
  issued_at BIGINT NOT NULL,
  revoked_at BIGINT,
  revoked_why TEXT NOT NULL,
  FOREIGN KEY (model_code, model_version) REFERENCES license_text (code, version)
);
CREATE INDEX license_by_account ON license (account_id, recording_id);
CREATE INDEX license_by_recording ON license (recording_id);
CREATE UNIQUE INDEX license_free_once ON license (account_id, recording_id, model_code) WHERE order_line IS NULL AND revoked_at IS NULL;
-- Ed25519 keys. The one with current = 1 signs; the others still verify.
CREATE TABLE signing_key (
  id TEXT NOT NULL PRIMARY KEY,
  seed BYTEA NOT NULL,
  public BYTEA NOT NULL,
  current BIGINT UNIQUE,
  created_at BIGINT NOT NULL
);
-- What a recording costs, for other domains. A recording without a row is not offered at all. free_code is empty without a free
-- offer; paid = 1 when there is none; min_price_minor is -1 when no paid model can be bought now.
CREATE VIEW recording_price AS
SELECT r.recording_id,
  COALESCE((SELECT o.model_code FROM offer o JOIN license_model m ON m.code = o.model_code
    WHERE o.recording_id = r.recording_id AND m.kind = 'free' ORDER BY m.position LIMIT 1), '') AS free_code,
  CASE WHEN EXISTS (SELECT 1 FROM offer o JOIN license_model m ON m.code = o.model_code
    WHERE o.recording_id = r.recording_id AND m.kind = 'free') THEN 0 ELSE 1 END AS paid,
  COALESCE((SELECT o.price_minor FROM offer o JOIN license_model m ON m.code = o.model_code
    WHERE o.recording_id = r.recording_id AND m.kind = 'paid' AND m.active = 1 ORDER BY o.price_minor, m.position LIMIT 1), -1) AS min_price_minor,
  COALESCE((SELECT o.currency FROM offer o JOIN license_model m ON m.code = o.model_code
    WHERE o.recording_id = r.recording_id AND m.kind = 'paid' AND m.active = 1 ORDER BY o.price_minor, m.position LIMIT 1), '') AS currency,
  COALESCE((SELECT o.model_code FROM offer o JOIN license_model m ON m.code = o.model_code
    WHERE o.recording_id = r.recording_id AND m.kind = 'paid' AND m.active = 1 ORDER BY o.price_minor, m.position LIMIT 1), '') AS min_model_code,
  COALESCE((SELECT t.name FROM offer o JOIN license_model m ON m.code = o.model_code JOIN license_text t ON t.code = m.code AND t.version = m.version
    WHERE o.recording_id = r.recording_id AND m.kind = 'paid' AND m.active = 1 ORDER BY o.price_minor, m.position LIMIT 1), '') AS min_model_name
FROM (SELECT DISTINCT recording_id FROM offer) r;
-- The offers that can be taken now, for the search index.
CREATE VIEW offer_open AS
SELECT o.recording_id, o.model_code FROM offer o JOIN license_model m ON m.code = o.model_code WHERE m.active = 1 OR m.kind = 'free';
