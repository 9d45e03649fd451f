-- Variety: diversity, caps and calibration; every message.
-- Twelve albums in three tastes, of two labels each; each user likes one taste.
CREATE TABLE albums (id bigint PRIMARY KEY, title text, genre text, labels varchar(20)[], "odd name" int);
INSERT INTO albums SELECT n, (ARRAY['jazz', 'rock', 'folk'])[1 + n % 3] || ' ' || n / 3, (ARRAY['jazz', 'rock', 'folk'])[1 + n % 3], ARRAY['label ' || n / 6, 'label ' || n % 4], n % 5 FROM generate_series(0, 11) n;
CREATE TABLE plays (listener bigint, album bigint);
INSERT INTO plays SELECT u, 3 * n + u % 3 FROM generate_series(1, 120) u, generate_series(0, 3) n WHERE (u / 3) % 4 <> n;
INSERT INTO plays SELECT u, (3 * (u % 4) + u % 3 + 1) % 12 FROM generate_series(6, 120, 3) u;
SELECT reco_create_model('music', 'SELECT listener AS user_id, album AS item_id FROM plays', 'SELECT id AS item_id, title, genre, labels, "odd name" FROM albums');
SELECT reco_configure('music', similarity => 'cosine');
SELECT events, users, items FROM reco_refresh();

-- no more than so many of a genre
SELECT title, source FROM reco_top_n(6, 3) r JOIN albums ON id = item_id ORDER BY score DESC;
SELECT title, source FROM reco_top_n(6, 3, max_per => 'genre') r JOIN albums ON id = item_id ORDER BY score DESC;
SELECT genre, count(*) FROM reco_top_n(6, NULL, max_per => 'genre', max_per_n => 2) r JOIN albums ON id = item_id GROUP BY genre ORDER BY genre;
SELECT title FROM music.top_n(6, 3, max_per => 'labels') r JOIN albums ON id = item_id ORDER BY score DESC;
SELECT count(*) FROM music.top_n(6, NULL, max_per => 'odd name');
SELECT title FROM reco_complete(ARRAY[0, 3], 3, max_per => 'genre') r JOIN albums ON id = item_id ORDER BY score DESC;
SELECT count(*) FROM music.complete(ARRAY[0, 3], max_per => 'title', max_per_n => 1);
SELECT rank, count(DISTINCT genre) > 1 AS genres FROM music.top_n_all(2, max_per => 'genre') r JOIN albums ON id = item_id GROUP BY rank ORDER BY rank;
-- diversity and calibration
SELECT count(*), count(DISTINCT item_id) FROM reco_top_n(6, NULL, diversity => 0.5);
SELECT count(*), count(DISTINCT item_id) FROM reco_top_n(6, NULL, calibrated => 0.5, calibrated_by => 'genre');
SELECT count(*) FROM reco_top_n(6, 4, diversity => 1, max_per => 'genre', max_per_n => 2, calibrated => 1, calibrated_by => 'labels');
SELECT (SELECT array_agg(r) FROM reco_top_n(6, 5) r) = (SELECT array_agg(r) FROM reco_top_n(6, 5, diversity => 0, calibrated => 0, calibrated_by => 'genre') r) AS same;

-- with the caller's own privileges
CREATE ROLE regress_reco_listener;
GRANT USAGE ON SCHEMA music TO regress_reco_listener;
GRANT SELECT ON plays, albums TO regress_reco_listener;
SET ROLE regress_reco_listener;
SELECT count(*) FROM reco_top_n(6, 3, max_per => 'genre');
RESET ROLE;
REVOKE SELECT ON albums FROM regress_reco_listener;
SET ROLE regress_reco_listener;
\set VERBOSITY terse
SELECT count(*) FROM reco_top_n(6, 3, max_per => 'genre');
\set VERBOSITY default
RESET ROLE;

-- bad input
SELECT * FROM reco_top_n(6, 3, diversity => -0.1);
SELECT * FROM reco_top_n(6, 3, diversity => 'NaN');
SELECT * FROM reco_top_n(6, 3, calibrated => 1.5, calibrated_by => 'genre');
SELECT * FROM reco_top_n(6, 3, calibrated => 0.5);
SELECT * FROM reco_top_n(6, 3, calibrated_by => 'genre');
SELECT * FROM reco_top_n(6, 3, max_per => 'gender');
SELECT * FROM reco_top_n(6, 3, max_per => 'item_id');
SELECT * FROM reco_top_n(6, 3, max_per => 'ctid');
SELECT * FROM reco_top_n(6, 3, calibrated => 0.5, calibrated_by => '');
SELECT * FROM reco_top_n(6, 3, max_per_n => 2);
SELECT * FROM reco_top_n(6, 3, max_per => 'genre', max_per_n => 0);
SELECT * FROM music.complete(ARRAY[0, 3], 3, max_per => 'GENRE');
SELECT * FROM reco_top_n_all(3, max_per => 'mood');
SELECT reco_create_model('bare', 'SELECT listener AS user_id, album AS item_id FROM plays');
SELECT events FROM reco_refresh('bare');
SELECT * FROM reco_top_n(6, 3, 'bare', max_per => 'genre');
SELECT count(*) FROM reco_top_n(6, 3, 'bare', diversity => 0.5);
SELECT reco_create_model('ids', 'SELECT listener AS user_id, album AS item_id FROM plays', 'SELECT id AS item_id FROM albums');
SELECT events FROM reco_refresh('ids');
SELECT * FROM reco_top_n(6, 3, 'ids', max_per => 'genre');
SELECT reco_drop_model('ids');
SELECT reco_drop_model('bare');
SELECT reco_drop_model('music');
DROP TABLE plays, albums;
DROP ROLE regress_reco_listener;
