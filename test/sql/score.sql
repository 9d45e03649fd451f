-- Scoring: one number for any place in a query.
CREATE TABLE loans (reader int, book int);
INSERT INTO loans SELECT u, (u % 3) * 4 + n FROM generate_series(1, 60) u, generate_series(0, 3) n WHERE (u / 3) % 4 <> n;
SELECT reco_create_model('library', 'SELECT reader AS user_id, book AS item_id FROM loans');
SELECT reco_configure('library', similarity => 'cosine');
SELECT events FROM reco_refresh('library');
-- many calls of one query and one call of many say the same
SELECT count(*), count(DISTINCT round(score::numeric, 9)), bool_and(score = library.score(1, 4)) AS same
  FROM (SELECT reco_score(1, 4) AS score FROM generate_series(1, 1000) OFFSET 0) s;
SELECT book, round(reco_score(1, book)::numeric, 6) AS score, reco_match(1, book) AS match FROM generate_series(3, 8) book;
SELECT round(sum(reco_score(reader, book))::numeric, 3) AS all_pairs FROM generate_series(1, 60) reader, generate_series(-300, 300) book;
-- it goes anywhere
SELECT book FROM generate_series(1, 12) book WHERE reco_score(1, book) > 0 ORDER BY reco_score(1, book) DESC, book;
SELECT reader % 3 AS taste, round(avg(reco_score(reader, 4))::numeric, 6) AS score FROM generate_series(1, 60) reader GROUP BY 1 ORDER BY 1;
-- what is asked of two models, or by no name, in one query
SELECT reco_create_model('branch', 'SELECT reader AS user_id, book AS item_id FROM loans WHERE reader < 30');
SELECT reco_configure('branch', similarity => 'cosine');
SELECT events FROM reco_refresh('branch');
SELECT m, round(reco_score(1, 4, m)::numeric, 6) AS score FROM unnest(ARRAY['library', 'branch', 'library', 'branch', 'library']) m;
SELECT reco_score(1, 4);
SET reco.model = 'library';
SELECT round(reco_score(1, 4)::numeric, 6) AS score FROM generate_series(1, 3);
RESET reco.model;
SELECT reco_score(1, 4, m) FROM unnest(ARRAY['library', 'nowhere']) m;
SELECT reco_score('one', 'four', 'library');
SELECT reco_match(1, 4, 'library', true);
-- never refreshed
SELECT reco_create_model('new', 'SELECT reader AS user_id, book AS item_id FROM loans');
SELECT reco_score(1, 4, 'new');
SELECT reco_drop_model(m) FROM unnest(ARRAY['library', 'branch', 'new']) m;
DROP TABLE loans;
