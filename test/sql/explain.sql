-- Explaining: the parts of a score.
CREATE TABLE reads (reader text, book text, at date);
INSERT INTO reads SELECT 'reader ' || u, 'book ' || (u % 3) * 4 + n, '2026-01-01'::date + n
  FROM generate_series(1, 60) u, generate_series(0, 3) n WHERE (u / 3) % 4 <> n;
SELECT reco_create_model('library', 'SELECT reader AS user_id, book AS item_id, at AS occurred_at FROM reads');
SELECT events FROM reco_refresh('library');
SELECT book FROM reads WHERE reader = 'reader 1' ORDER BY 1;
SELECT because, round(share::numeric, 6) AS share, round(similarity::numeric, 6) AS similarity, weight,
       (occurred_at AT TIME ZONE current_setting('TimeZone'))::date AS at
  FROM reco_why('reader 1', 'book 4') ORDER BY because;
SELECT abs(sum(share) - reco_score('reader 1', 'book 4')) < 1e-12 AS sums_up FROM reco_why('reader 1', 'book 4');
SELECT (SELECT array_agg(w) FROM reco_why('reader 1', 'book 4') w) = (SELECT array_agg(w) FROM library.why('reader 1', 'book 4') w) AS same_door;
-- nothing to explain
SELECT * FROM reco_why('reader 1', 'no such book');
SELECT * FROM reco_why('nobody', 'book 4');
SELECT * FROM reco_why(NULL::text, 'book 4');
SELECT * FROM reco_why('reader 1', NULL::text);
SELECT * FROM reco_why(1, 4);
SELECT * FROM reco_why('reader 1', 'book 4', 'nowhere');
-- dislikes speak against
INSERT INTO reads VALUES ('reader 1', 'book 9', '2026-01-05');
CREATE OR REPLACE VIEW library.events WITH (security_invoker = true) AS
  SELECT reader AS user_id, book AS item_id, at AS occurred_at, CASE WHEN book = 'book 5' THEN -1 ELSE 1 END AS weight FROM reads;
SELECT because, share < 0 AS against FROM reco_why('reader 1', 'book 4') ORDER BY share DESC, because;
SELECT reco_drop_model('library');
DROP TABLE reads;

-- What keeps an item out.
CREATE TABLE loans (reader int, book int, weight float8);
INSERT INTO loans SELECT u, (u % 3) * 4 + n, 1 FROM generate_series(1, 180) u, generate_series(0, 3) n WHERE (u / 3) % 4 <> n;
INSERT INTO loans VALUES (1, 12, 1), (2, 12, -1);
CREATE TABLE books AS SELECT n AS id FROM generate_series(0, 14) n WHERE n <> 7;
SELECT reco_create_model('library', 'SELECT reader AS user_id, book AS item_id, weight FROM loans', 'SELECT id AS item_id FROM books');
SELECT reco_configure('library', similarity => 'cosine');
SELECT events FROM reco_refresh('library');
INSERT INTO loans VALUES (200, 77, 1), (201, 0, -1), (202, 78, 1), (202, 79, 1);
SELECT * FROM library.why_not(1, 4);
SELECT * FROM library.why_not(1, 5);
SELECT * FROM library.why_not(1, 7);
SELECT * FROM library.why_not(1, 99);
SELECT * FROM library.why_not(2, 12);
SELECT * FROM library.why_not(1, 8);
SELECT * FROM library.why_not(3, 12);
SELECT * FROM library.why_not(1, 13);
SELECT * FROM library.why_not(199, 4);
SELECT * FROM library.why_not(NULL, 4);
SELECT * FROM library.why_not(200, 4);
SELECT * FROM library.why_not(202, 4);
SELECT * FROM library.why_not(201, 1);
SELECT * FROM library.why_not(1, NULL);
SELECT reco_configure('library', min_match => 99.9);
SELECT code, rank FROM library.why_not(1, 4);
SELECT regexp_replace(reason, '[0-9.]+,', 'X,') AS reason, hint FROM library.why_not(1, 4) WHERE code = 'below_min_match';
SELECT (SELECT array_agg(w) FROM reco_why_not(1, 8) w) = (SELECT array_agg(w) FROM library.why_not(1, 8) w) AS same_door;
-- a catalogue that changes while it is asked
CREATE SEQUENCE turn;
CREATE OR REPLACE VIEW library.items WITH (security_invoker = true) AS SELECT id AS item_id FROM books WHERE id <> 4 OR nextval('turn') = 1;
SELECT * FROM library.why_not(1, 4);
-- without a catalogue of its own
DROP VIEW library.items;
SELECT * FROM library.why_not(1, 99);
SELECT * FROM library.why_not(1, 7);
SELECT * FROM reco_why_not('one', 'four');
SELECT * FROM reco_why_not(1, 4, 'nowhere');
SELECT * FROM reco_typed_why_not(1, 4, 'library.model') AS t(code text, reason text);
SELECT reco_drop_model('library');
DROP TABLE loans, books;
DROP SEQUENCE turn;
