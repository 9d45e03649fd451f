-- Popular: what most people choose, and what is rising.
CREATE TABLE songs (id smallint PRIMARY KEY, name text);
INSERT INTO songs VALUES (1, 'evergreen'), (2, 'last year''s hit'), (3, 'this week''s hit'), (4, 'steady'), (5, 'unheard');
CREATE TABLE plays (listener int, song smallint, at timestamptz);
-- over two years to the last day of 2025: 4 a day; 8 a day in the first half; 6 a day in the last ten days; 1 a day
INSERT INTO plays SELECT n, 1, '2025-12-31'::timestamptz - d * interval '1 day' FROM generate_series(0, 729) d, generate_series(1, 4) n;
INSERT INTO plays SELECT n, 2, '2025-12-31'::timestamptz - d * interval '1 day' FROM generate_series(365, 729) d, generate_series(1, 8) n;
INSERT INTO plays SELECT n, 3, '2025-12-31'::timestamptz - d * interval '1 day' FROM generate_series(0, 9) d, generate_series(1, 6) n;
INSERT INTO plays SELECT n, 4, '2025-12-31'::timestamptz - d * interval '1 day' FROM generate_series(0, 729) d, generate_series(9, 9) n;
SELECT reco_create_model('radio', 'SELECT listener AS user_id, song AS item_id, at AS occurred_at FROM plays', 'SELECT id AS item_id, name FROM songs');
SELECT reco_configure('radio', weighting => 'binary', min_support => 1);
SELECT events FROM reco_refresh();
SELECT name, round(popularity::numeric, 1) AS a_day, round(trend::numeric, 1) AS trend, users FROM radio.popular(10) JOIN songs ON id = item_id ORDER BY popularity DESC;
SELECT name, trend > 1.5 AS rising FROM radio.trending(10) JOIN songs ON id = item_id;
SELECT item_id, users FROM reco_popular(2);
SELECT item_id, users FROM reco_trending(2, 'radio');
SELECT pg_typeof(item_id) FROM reco_popular(1);
SELECT pg_typeof(item_id) FROM radio.popular(1);
SELECT count(*) FROM (SELECT item_id, round(popularity::numeric, 6), round(trend::numeric, 6), users FROM radio.popular
  EXCEPT SELECT item_id, round(popularity::numeric, 6), round(trend::numeric, 6), users FROM radio.popular(NULL)) differing;
-- what fewer than min_support users chose has no counts and is in no such list
SELECT reco_configure('radio', min_support => 2);
SELECT events > 0 AS refreshed FROM reco_refresh('radio');
SELECT name FROM radio.popular(10) JOIN songs ON id = item_id ORDER BY popularity DESC, name;
SELECT count(*) FROM radio.trending(NULL) WHERE item_id = 4;
SELECT item_id, events, users, popularity_log2, recent_log2, trending_rank, first_at, last_at, length(neighbors) FROM radio.learned_item WHERE item_id = 4;
SELECT source FROM radio.top_n(99, 10) WHERE item_id = 4;
SELECT reco_configure('radio', min_support => 1);
SELECT events > 0 AS refreshed FROM reco_refresh('radio');
-- the live catalogue counts
DELETE FROM songs WHERE name = 'evergreen';
SELECT name FROM radio.popular(1) JOIN songs ON id = item_id;
SELECT * FROM reco_popular(0);
SELECT * FROM reco_popular(3, 'nowhere');
-- what reads the catalogue ends with the question
BEGIN;
SELECT count(*) FROM reco_popular(1), reco_trending(1);
SELECT count(*) FROM pg_cursors;
COMMIT;
SELECT reco_drop_model('radio');
-- without times: sums, and no trend
SELECT reco_create_model('radio', 'SELECT listener AS user_id, song AS item_id FROM plays');
SELECT reco_configure('radio', weighting => 'binary', min_support => 1);
SELECT events FROM reco_refresh();
SELECT item_id, round(popularity::numeric, 6) AS popularity, trend, users FROM radio.popular(NULL);
SELECT * FROM radio.trending(NULL);
SELECT reco_drop_model('radio');
DROP TABLE plays, songs;
