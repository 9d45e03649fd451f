-- Everyone at once: every option and every message.
CREATE TABLE plays (listener int, album int, at timestamptz, stars float8);
-- listener u of taste u % 3 plays three of the four albums of it, the fourth by turns left out
INSERT INTO plays SELECT u, 3 * n + u % 3, '2026-01-01'::timestamptz + (u * 4 + n) * interval '1 hour', 1
  FROM generate_series(1, 120) u, generate_series(0, 3) n WHERE (u / 3) % 4 <> n;
CREATE TABLE albums AS SELECT n AS id, 'album ' || n AS title FROM generate_series(0, 13) n;
SELECT reco_create_model('music', 'SELECT listener AS user_id, album AS item_id, at AS occurred_at, stars AS weight FROM plays',
                         'SELECT id AS item_id, title FROM albums');
SELECT * FROM reco_top_n_all();
SELECT reco_configure('music', similarity => 'cooccurrence');
SELECT events, users, items FROM reco_refresh();

-- one list after the other; user and item as text, or as the model has them
SELECT user_id, rank, item_id, score > 0 AS scored, because, source FROM reco_top_n_all(3) WHERE user_id IN ('1', '2') ORDER BY user_id, rank;
SELECT user_id, rank, item_id, match IS NOT NULL AS matched, because, source FROM music.top_n_all(3) WHERE user_id <= 2 ORDER BY user_id, rank;
SELECT pg_typeof(user_id), pg_typeof(item_id), pg_typeof(because), pg_typeof(rank) FROM music.top_n_all(1) LIMIT 1;
SELECT count(*), count(DISTINCT user_id) FROM music.top_n_all();
SELECT count(*) FROM music.top_n_all(1000000);
-- as asked one by one
SELECT count(*) AS differing FROM (SELECT u, r.* FROM generate_series(1, 120) u, music.top_n(u, 5) r
  EXCEPT SELECT user_id, item_id, score, match, because, source FROM music.top_n_all(5)) d;
-- options
SELECT source, count(*) FROM music.top_n_all(5, fallback => false) GROUP BY source;
SELECT source, count(*) FROM music.top_n_all(5, min_match => 0) GROUP BY source;
SELECT count(*) FROM music.top_n_all(20, seen => true);
SELECT count(DISTINCT user_id) FROM music.top_n_all(1, as_of => '2026-01-01 10:00');
SELECT count(*) FROM music.top_n_all(1, as_of => '2025-01-01');
SELECT (SELECT count(*) FROM music.top_n_all(2, part => 1, parts => 2)) + (SELECT count(*) FROM music.top_n_all(2, part => 2, parts => 2)) AS both;
SELECT count(*) FROM reco_top_n_all(2, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
-- in the model's own words, everybody who has done something
CREATE MATERIALIZED VIEW home_page AS SELECT user_id AS listener, rank, item_id AS album, match FROM music.top_n_all(2);
CREATE UNIQUE INDEX ON home_page (listener, rank);
SELECT count(*) FROM home_page;
INSERT INTO plays VALUES (4711, 2, '2026-01-02', 1), (NULL, 2, '2026-01-02', 1), (4712, NULL, '2026-01-02', 1), (4713, 2, now() + interval '1 day', 1), (4714, 2, '2026-01-02', 'NaN');
REFRESH MATERIALIZED VIEW CONCURRENTLY home_page;
SELECT listener, rank, album FROM home_page WHERE listener > 1000 ORDER BY rank;
DROP MATERIALIZED VIEW home_page;

-- bad input
SELECT * FROM reco_top_n_all(NULL);
SELECT * FROM reco_top_n_all(0);
SELECT * FROM reco_top_n_all(-1);
SELECT * FROM music.top_n_all(2000000000);
SELECT * FROM music.top_n_all(NULL);
SELECT * FROM reco_top_n_all(3, 'nowhere');
SELECT * FROM reco_top_n_all(3, min_match => 101);
SELECT * FROM music.top_n_all(3, min_match => -1);
SELECT * FROM music.top_n_all(3, part => 0);
SELECT * FROM music.top_n_all(3, part => 3, parts => 2);
SELECT * FROM music.top_n_all(3, parts => 0);
SELECT * FROM music.top_n_all(3, parts => 1000000);
-- what doors call takes a model's table and the right columns, nothing else
SELECT * FROM reco_typed_top_n_all(3, 'plays', NULL, NULL, NULL, NULL, NULL, NULL) AS t(user_id int, item_id int, score float8, match float8, because int, source text, rank int);
SELECT * FROM reco_typed_top_n_all(3, NULL, NULL, NULL, NULL, NULL, NULL, NULL) AS t(user_id int, item_id int, score float8, match float8, because int, source text, rank int);
SELECT * FROM reco_typed_top_n_all(3, 'music.model', NULL, NULL, NULL, NULL, NULL, NULL) AS t(user_id int, item_id int);
SELECT * FROM reco_typed_top_n_all(3, 'music.model', NULL, NULL, NULL, NULL, NULL, NULL) AS t(user_id int, item_id int, score float8, match float8, because bigint, source text, rank int);
SELECT * FROM reco_typed_top_n_all(3, 'music.model', NULL, NULL, NULL, NULL, NULL, NULL) AS t(user_id int, item_id int, score float8, match float8, because int, source text, rank bigint);
SELECT * FROM reco_typed_top_n_all(3, 'music.model', NULL, NULL, NULL, NULL, NULL, NULL) AS t(user_id uuid, item_id int, score float8, match float8, because int, source text, rank int);
SELECT * FROM reco_typed_top_n_all(3, 'music.model', NULL, NULL, NULL, NULL, NULL, NULL) AS t(user_id int, item_id uuid, score float8, match float8, because uuid, source text, rank int);
SELECT * FROM reco_typed_top_n_all(3, 'music.model', NULL, NULL, NULL, NULL, NULL, NULL) AS t(user_id varchar(3), item_id int, score float8, match float8, because int, source text, rank int);
SELECT count(*), max(pg_column_size(user_id)), max(pg_column_size(item_id))
  FROM reco_typed_top_n_all(3, 'music.model', NULL, NULL, NULL, NULL, NULL, NULL) AS t(user_id smallint, item_id bigint, score float8, match float8, because bigint, source text, rank int);
INSERT INTO plays VALUES (40000, 2, '2026-01-02', 1);
SELECT count(*) FROM reco_typed_top_n_all(3, 'music.model', NULL, NULL, NULL, NULL, NULL, NULL) AS t(user_id smallint, item_id bigint, score float8, match float8, because bigint, source text, rank int);

-- damage is an error that names the item
UPDATE music.learned_item SET neighbors = 'x' WHERE item_id = 4;
SELECT * FROM music.top_n_all(3);
SELECT rows_written > 0 AS mended FROM reco_refresh();
UPDATE music.learned_item SET item_no = 1000 WHERE item_id = 4;
SELECT * FROM music.top_n_all(3);
SELECT rows_written > 0 AS mended FROM reco_refresh();
SELECT count(*) FROM music.top_n_all(3) WHERE user_id <= 120;
SELECT reco_drop_model('music');
DROP TABLE plays, albums;

-- memory: events that do not fit go through temporary files, a model that does not fit is an error
CREATE TABLE views AS SELECT h % 300 AS user_id, (h >> 16) % 2000 AS item_id, '2026-01-01'::timestamptz AS occurred_at
  FROM (SELECT abs(hashint8(n)::bigint) AS h FROM generate_series(1, 60000) n) g;
SELECT reco_create_model('large', 'SELECT user_id, item_id, occurred_at FROM views');
SELECT reco_create_model('small', 'SELECT user_id, item_id % 20 AS item_id, occurred_at FROM views UNION ALL SELECT user_id, item_id % 20, occurred_at FROM views');
SELECT reco_configure(m, similarity => 'cooccurrence') FROM unnest(ARRAY['large', 'small']) m;
SELECT events, items FROM reco_refresh('large');
SELECT events, items FROM reco_refresh('small');
SELECT count(*) FROM large.top_n_all(2);
SET max_parallel_maintenance_workers = 0;
SET maintenance_work_mem = '1MB';
SELECT count(*) FROM large.top_n_all(2);
SET client_min_messages = debug1;
SELECT count(*) FROM small.top_n_all(2, seen => true);
RESET maintenance_work_mem;
SELECT count(*) FROM small.top_n_all(2, seen => true);
RESET client_min_messages;
RESET max_parallel_maintenance_workers;
SELECT reco_drop_model('large'), reco_drop_model('small');
DROP TABLE views;
