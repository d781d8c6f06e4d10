-- +goose Up
-- Neither engine looks through a DISTINCT: whoever joined the view had every offer of the house read. The first offer of each recording
-- stands for it instead, which both engines find by its key.
DROP VIEW recording_price;
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
FROM offer r WHERE NOT EXISTS (SELECT 1 FROM offer f WHERE f.recording_id = r.recording_id AND f.model_code < r.model_code);
