-- Ordering: a given list in personal order.
CREATE TABLE loans (reader text, book text);
INSERT INTO loans SELECT 'reader ' || u, 'book ' || (u % 3) * 4 + n FROM generate_series(1, 60) u, generate_series(0, 3) n WHERE (u / 3) % 4 <> n;
INSERT INTO loans SELECT 'reader 1', 'book 0';
INSERT INTO loans SELECT 'reader 100', 'book 12';
SELECT reco_create_model('library', 'SELECT reader AS user_id, book AS item_id FROM loans');
SELECT reco_configure('library', similarity => 'cosine');
SELECT events FROM reco_refresh('library');
-- reader 1 read 5, 6, 7 and 0
SELECT item_id, round(score::numeric, 4) AS score, because, source FROM reco_rank('reader 1', ARRAY['book 8', 'book 12', 'no such book', 'book 2', 'book 4', 'book 5']);
-- every item once, whatever comes
SELECT item_id, source FROM reco_rank('reader 1', ARRAY['book 4', NULL, 'book 4', 'no such book', NULL, 'no such book']);
SELECT * FROM reco_rank('reader 1', ARRAY[]::text[]);
SELECT * FROM reco_rank('reader 1', NULL::text[]);
SELECT * FROM reco_rank('reader 1', ARRAY[NULL]::text[]);
SELECT item_id, score, source FROM reco_rank('nobody', ARRAY['book 4', 'book 2', 'no such book', 'book 8']);
SELECT item_id, score, source FROM reco_rank(NULL::text, ARRAY['book 4', 'book 2']);
SELECT (SELECT array_agg(r) FROM reco_rank('reader 1', ARRAY['book 1', 'book 2', 'book 4']) r) = (SELECT array_agg(r) FROM library.rank('reader 1', ARRAY['book 1', 'book 2', 'book 4']) r) AS same_door;
-- what is not in the catalogue is ranked like the rest: the list is given
SELECT reco_drop_model('library');
CREATE TABLE books AS SELECT 'book ' || n AS id FROM generate_series(0, 3) n;
SELECT reco_create_model('library', 'SELECT reader AS user_id, book AS item_id FROM loans', 'SELECT id AS item_id FROM books');
SELECT reco_configure('library', similarity => 'cosine');
SELECT events FROM reco_refresh('library');
SELECT item_id, source FROM reco_rank('reader 1', ARRAY['book 2', 'book 4']);
-- bad input
SELECT * FROM reco_rank(1, ARRAY[4]);
SELECT * FROM reco_rank('reader 1', ARRAY['book 4'], 'nowhere');
SELECT * FROM reco_rank('reader 1', 'book 4');
SELECT * FROM reco_typed_rank('reader 1'::text, 'book 4'::text, 'library.model') AS t(item_id text, score float8, match float8, because text, source text);
SELECT * FROM reco_typed_rank('reader 1'::text, ARRAY['book 4'], 'library.model') AS t(item_id text, score float8);
SELECT * FROM reco_typed_rank('reader 1'::text, ARRAY[4], 'library.model') AS t(item_id text, score float8, match float8, because text, source text);
SELECT reco_drop_model('library');
DROP TABLE loans, books;
