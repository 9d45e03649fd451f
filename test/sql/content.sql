-- New items: neighbours by attributes, what is an attribute, and every message.
CREATE TYPE binding AS ENUM ('soft', 'hard');
CREATE DOMAIN shelf AS text;
CREATE TABLE book (id int, isbn uuid, title text, subjects text[], author_id int, binding binding, signed boolean, pages smallint, price numeric,
  printed date, bought_at timestamptz, place shelf, cover bytea, extra jsonb, released_at timestamptz, embedding real[], codes int[]);
INSERT INTO book VALUES
  (1, gen_random_uuid(), 'The Fells', '{walking,hills}', 7, 'soft', true, 120, 9.5, '2001-01-01', '2001-01-01', 'A', '\x00', '{}', now(), '{1,2}', '{1}'),
  (2, gen_random_uuid(), 'More Fells', '{walking,hills}', 7, 'hard', false, 120, 1e400, '2001-01-01', 'infinity', 'A', '\x00', '{}', now(), '{1,2}', '{2}'),
  (3, gen_random_uuid(), 'Bread', '{baking}', 8, 'soft', true, 90, 9.5, 'infinity', '-infinity', 'B', '\x00', '{}', now(), '{1,2}', '{1,2}'),
  (4, gen_random_uuid(), 'Rye BREAD', '{baking,NULL}', 8, 'hard', false, 90, 'NaN', '2005-01-01', NULL, 'B', '\x00', '{}', now(), '{1,2}', NULL),
  (5, gen_random_uuid(), 'Fells, at last', '{hills}', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '{}'),
  (6, gen_random_uuid(), 'bread!', '{{baking},{walking}}', 9, 'soft', true, 90, 9.5, '5874897-12-31', '294276-12-31', 'C', '\x00', '{}', now(), '{1,2}', '{3}'),
  (7, gen_random_uuid(), repeat('héllo ', 2000), NULL, 10, NULL, NULL, 0, 0, NULL, NULL, '', NULL, NULL, NULL, NULL, NULL),
  (NULL, NULL, 'Fells', '{walking}', 7, 'soft', true, 1, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
CREATE TABLE loan (reader int, book int);
INSERT INTO loan VALUES (1, 1), (1, 2), (2, 1), (2, 2), (3, 3), (3, 4), (4, 3), (4, 4);
SELECT reco_create_model('books', 'SELECT reader AS user_id, book AS item_id FROM loan', 'SELECT id AS item_id, * FROM book');
SELECT events, items, neighbor_pairs, content_pairs, rows_written FROM reco_refresh('books');
SELECT item_id, round(similarity::numeric, 3) AS similarity, support FROM reco_similar_items(5, 10, 'books');
SELECT item_id, round(similarity::numeric, 3) AS similarity, support FROM reco_similar_items(6, 10, 'books');
SELECT item_id, because, source FROM reco_top_n(1, 10, 'books');
SELECT item_id, because, source FROM reco_top_n(3, 10, 'books');
SELECT item_id, source FROM reco_top_n(NULL::bigint, 10, 'books');
SELECT code, reason, hint FROM reco_why_not(3, 5, 'books');
SELECT code, reason, hint FROM reco_why_not(3, 7, 'books');

-- the setting
SELECT reco_configure('books', content => -1);
SELECT reco_configure('books', content => 'NaN');
SELECT reco_configure('books', content => 1000.5);
SELECT reco_configure('books', content => 0);
SELECT content_pairs, rows_written FROM reco_refresh('books');
SELECT item_id, support FROM reco_similar_items(5, 10, 'books');
SELECT code, hint FROM reco_why_not(3, 6, 'books') WHERE code = 'no_evidence';
SELECT reco_configure('books', content => 1000);
SELECT content_pairs > 0 AS found FROM reco_refresh('books');

-- nobody has anything yet: only what baskets hold speaks
BEGIN;
TRUNCATE loan;
SELECT events, items, neighbor_pairs, content_pairs FROM reco_refresh('books');
SELECT item_id, round(score::numeric, 3) AS score, source FROM reco_complete(ARRAY[5], 3, 'books');
SELECT item_id FROM reco_popular(3, 'books');
ROLLBACK;

-- damage: more by attributes than are scored; one with users among them; one without among the others
BEGIN;
UPDATE books.learned_item SET neighbors = overlay(neighbors placing '\x7f' from 9 for 1) WHERE item_id = 5;
SELECT count(*) FROM reco_similar_items(5, 10, 'books');
ROLLBACK;
BEGIN;
UPDATE books.learned_item SET neighbors = overlay(neighbors placing '\x01' from octet_length(neighbors) for 1) WHERE item_id = 5;
SELECT count(*) FROM reco_similar_items(5, 10, 'books');
ROLLBACK;
BEGIN;
UPDATE books.learned_item SET neighbors = overlay(neighbors placing '\x00' from 9 for 1) WHERE item_id = 5;
SELECT count(*) FROM books.similar;
ROLLBACK;

-- a catalogue without anything to tell; one whose attributes do not fit in memory
CREATE OR REPLACE VIEW books.items WITH (security_invoker = true) AS SELECT id AS item_id, * FROM book WHERE false;
SELECT content_pairs FROM reco_refresh('books');
SELECT reco_drop_model('books');
SELECT reco_create_model('books', 'SELECT reader AS user_id, book AS item_id FROM loan', 'SELECT id AS item_id FROM book');
SELECT content_pairs FROM reco_refresh('books');
SELECT reco_drop_model('books');
SELECT reco_create_model('books', 'SELECT reader AS user_id, book AS item_id FROM loan',
  $$SELECT n AS item_id, 'w' || n % 100 AS title FROM generate_series(1, 20000) n$$);
SET maintenance_work_mem = '1MB';
SELECT neighbor_pairs, content_pairs FROM reco_refresh('books');
SELECT count(*) FROM reco_top_n(1, 10, 'books');
SET maintenance_work_mem = '32MB';
SELECT neighbor_pairs, content_pairs > 0 AS found FROM reco_refresh('books');
RESET maintenance_work_mem;
SELECT reco_drop_model('books');
DROP TABLE loan, book;
DROP DOMAIN shelf;
DROP TYPE binding;
