-- Audiences: users for an item, and users of the same taste.
CREATE TABLE loans (reader text, book int);
INSERT INTO loans SELECT 'reader ' || u, (u % 3) * 4 + n FROM generate_series(1, 24) u, generate_series(0, 3) n WHERE (u / 3) % 4 <> n;
SELECT reco_create_model('library', 'SELECT reader AS user_id, book AS item_id FROM loans');
SELECT reco_configure('library', similarity => 'cosine');
SELECT events FROM reco_refresh('library');
-- who has not read 4 yet, of those who read what goes with it
SELECT user_id, round(score::numeric, 4) AS score, because FROM library.audience(4);
SELECT count(*) FROM library.audience(4, 1);
SELECT count(*) FROM library.audience(4, NULL);
-- what happens in this transaction counts at once
BEGIN;
INSERT INTO loans VALUES ('somebody', 5);
SELECT user_id, because FROM library.audience(4) WHERE user_id = 'somebody';
INSERT INTO loans VALUES ('somebody', 4);
SELECT count(*) FROM library.audience(4) WHERE user_id = 'somebody';
ROLLBACK;
-- tastes
SELECT user_id, round(similarity::numeric, 4) AS similarity, shared FROM library.similar_users('reader 1', 3);
SELECT count(*) FROM library.similar_users('reader 1', NULL);
-- nobody
SELECT * FROM library.audience(99);
SELECT * FROM library.audience(NULL);
SELECT * FROM library.similar_users('nobody');
SELECT * FROM library.similar_users(NULL);
-- bad input
SELECT * FROM library.audience(4, 0);
SELECT * FROM library.similar_users('reader 1', -1);
SELECT * FROM reco_audience(4);
SELECT * FROM reco_similar_users('reader 1');
SELECT * FROM reco_similar_users(1);
SELECT * FROM reco_audience(4, 10, 'nowhere');
SELECT * FROM reco_typed_audience(4, 3, 'library.model') AS t(user_id int, score float8, match float8, because int);
SELECT * FROM reco_typed_audience(4, 3, 'library.model') AS t(user_id varchar(10), score float8, match float8, because int);
SELECT * FROM reco_typed_audience(4, 3, 'library.model') AS t(user_id text, score float8, match float8, because text);
SELECT * FROM reco_typed_similar_users('reader 1'::text, 3, 'library.model') AS t(user_id text, similarity float8);
SELECT reco_drop_model('library');
DROP TABLE loans;
