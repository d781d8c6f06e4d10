-- +goose Up
-- A price below its model's floor, which was raised after the price was set, is not on sale: the views say what ForSale does.
DROP VIEW recording_price;
DROP VIEW offer_open;
-- The offers that can be taken now, for the search index.
CREATE VIEW offer_open AS
SELECT o.recording_id, o.model_code, o.price_minor, o.currency FROM offer o JOIN license_model m ON m.code = o.model_code
WHERE m.kind = 'free' OR (m.active = 1 AND o.price_minor > 0 AND o.price_minor >= m.floor_minor);
-- What a recording costs, for other domains. A recording without a row is not offered at all. free_code is empty without a free
-- offer; paid = 1 when there is none; min_price_minor is -1 when no paid model can be bought now; priced = 1 when it has a paid offer,
-- on sale or not.
CREATE VIEW recording_price AS
SELECT r.recording_id,
  COALESCE((SELECT o.model_code FROM offer o JOIN license_model m ON m.code = o.model_code
    WHERE o.recording_id = r.recording_id AND m.kind = 'free' ORDER BY m.position LIMIT 1), '') AS free_code,
  CASE WHEN EXISTS (SELECT 1 FROM offer o JOIN license_model m ON m.code = o.model_code
    WHERE o.recording_id = r.recording_id AND m.kind = 'free') THEN 0 ELSE 1 END AS paid,
  CASE WHEN EXISTS (SELECT 1 FROM offer o JOIN license_model m ON m.code = o.model_code
    WHERE o.recording_id = r.recording_id AND m.kind = 'paid') THEN 1 ELSE 0 END AS priced,
  COALESCE((SELECT o.price_minor FROM offer_open o JOIN license_model m ON m.code = o.model_code
    WHERE o.recording_id = r.recording_id AND m.kind = 'paid' ORDER BY o.price_minor, m.position LIMIT 1), -1) AS min_price_minor,
  COALESCE((SELECT o.currency FROM offer_open o JOIN license_model m ON m.code = o.model_code
    WHERE o.recording_id = r.recording_id AND m.kind = 'paid' ORDER BY o.price_minor, m.position LIMIT 1), '') AS currency,
  COALESCE((SELECT o.model_code FROM offer_open o JOIN license_model m ON m.code = o.model_code
    WHERE o.recording_id = r.recording_id AND m.kind = 'paid' ORDER BY o.price_minor, m.position LIMIT 1), '') AS min_model_code,
  COALESCE((SELECT t.name FROM offer_open o JOIN license_model m ON m.code = o.model_code JOIN license_text t ON t.code = m.code AND t.version = m.version
    WHERE o.recording_id = r.recording_id AND m.kind = 'paid' ORDER BY o.price_minor, m.position LIMIT 1), '') AS min_model_name
FROM (SELECT DISTINCT recording_id FROM offer) r;
