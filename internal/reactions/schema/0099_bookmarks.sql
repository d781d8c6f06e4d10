-- +goose Up
-- A category of favorites becomes a private collection of its owner, with its name, its dates and the order in which things were put into it.
-- A collection holds 1,000 recordings: of a fuller category the rest follows in collections "name (2)", "name (3)". What was in no category
-- stays a favorite. Collections have other numbers than categories had, for both were counted from 1.
CREATE TABLE bookmark_part (
  category_id BIGINT NOT NULL,
  part BIGINT NOT NULL,
  collection_id BIGINT NOT NULL,
  account_id BIGINT NOT NULL,
  name TEXT NOT NULL,
  name_folded TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (category_id, part)
);
CREATE TABLE bookmark (
  category_id BIGINT NOT NULL,
  recording_id BIGINT NOT NULL,
  added_at BIGINT NOT NULL,
  part BIGINT NOT NULL,
  spot BIGINT NOT NULL,
  PRIMARY KEY (category_id, recording_id)
);
INSERT INTO bookmark (category_id, recording_id, added_at, part, spot)
  SELECT category_id, recording_id, added_at, (n - 1) / 1000, (n - 1) % 1000 + 1
  FROM (SELECT f.category_id, f.recording_id, f.added_at, row_number() OVER (PARTITION BY f.category_id ORDER BY f.added_at, f.recording_id) AS n
    FROM favorite f JOIN favorite_category c ON c.id = f.category_id AND c.account_id = f.account_id) AS ordered;
INSERT INTO id_block (kind, next) VALUES ('collection', 1) ON CONFLICT (kind) DO NOTHING;
INSERT INTO id_block (kind, next) VALUES ('collection_item', 1) ON CONFLICT (kind) DO NOTHING;
INSERT INTO bookmark_part (category_id, part, collection_id, account_id, name, name_folded, created_at)
  SELECT c.id, p.part, (SELECT next FROM id_block WHERE kind = 'collection') - 1 + row_number() OVER (ORDER BY c.created_at, c.id, p.part), c.account_id,
    CASE WHEN p.part = 0 THEN c.name ELSE substr(c.name, 1, 100) || ' (' || CAST(p.part + 1 AS TEXT) || ')' END,
    CASE WHEN p.part = 0 THEN c.name_folded ELSE substr(c.name_folded, 1, 100) || ' (' || CAST(p.part + 1 AS TEXT) || ')' END, c.created_at
  FROM favorite_category c JOIN (SELECT id AS category_id, 0 AS part FROM favorite_category UNION SELECT category_id, part FROM bookmark) AS p ON p.category_id = c.id;
-- A name that a collection of the owner has already gets a word more, so that nothing comes into a list that is shared; where that is taken too, a number.
UPDATE bookmark_part SET name = substr(name, 1, 100) || ' (favorites)', name_folded = substr(name_folded, 1, 100) || ' (favorites)'
  WHERE EXISTS (SELECT 1 FROM collection c WHERE c.account_id = bookmark_part.account_id AND c.deleted_at = 0 AND c.name_folded = bookmark_part.name_folded);
UPDATE bookmark_part SET name = substr(name, 1, 100) || ' ' || CAST(collection_id AS TEXT), name_folded = substr(name_folded, 1, 100) || ' ' || CAST(collection_id AS TEXT)
  WHERE EXISTS (SELECT 1 FROM collection c WHERE c.account_id = bookmark_part.account_id AND c.deleted_at = 0 AND c.name_folded = bookmark_part.name_folded)
  OR EXISTS (SELECT 1 FROM bookmark_part o WHERE o.account_id = bookmark_part.account_id AND o.name_folded = bookmark_part.name_folded AND o.collection_id < bookmark_part.collection_id);
INSERT INTO collection (id, account_id, name, name_folded, created_at, changed_at)
  SELECT p.collection_id, p.account_id, p.name, p.name_folded, p.created_at,
    coalesce((SELECT max(b.added_at) FROM bookmark b WHERE b.category_id = p.category_id AND b.part = p.part), p.created_at)
  FROM bookmark_part p;
INSERT INTO collection_item (id, collection_id, recording_id, place, added_at)
  SELECT (SELECT next FROM id_block WHERE kind = 'collection_item') - 1 + row_number() OVER (ORDER BY p.collection_id, b.spot), p.collection_id, b.recording_id, b.spot * 1073741824, b.added_at
  FROM bookmark b JOIN bookmark_part p ON p.category_id = b.category_id AND p.part = b.part;
UPDATE id_block SET next = next + (SELECT count(*) FROM bookmark_part) WHERE kind = 'collection';
UPDATE id_block SET next = next + (SELECT count(*) FROM bookmark) WHERE kind = 'collection_item';
CREATE TABLE favorite_kept (
  account_id BIGINT NOT NULL REFERENCES account (id),
  recording_id BIGINT NOT NULL REFERENCES recording (id),
  added_at BIGINT NOT NULL,
  PRIMARY KEY (account_id, recording_id)
);
INSERT INTO favorite_kept (account_id, recording_id, added_at) SELECT account_id, recording_id, added_at FROM favorite WHERE category_id = 0;
DROP TABLE favorite;
DROP TABLE favorite_category;
DROP TABLE bookmark_part;
DROP TABLE bookmark;
DELETE FROM id_block WHERE kind = 'favorite_category';
ALTER TABLE favorite_kept RENAME TO favorite;
CREATE INDEX favorite_recording ON favorite (recording_id);
