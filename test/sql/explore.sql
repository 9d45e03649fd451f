-- Exploring: lists with places for what nobody knows enough of; every door and message.
CREATE TABLE albums (id bigint PRIMARY KEY, title text, genre text);
INSERT INTO albums SELECT n, (ARRAY['jazz', 'rock', 'folk'])[1 + n % 3] || ' ' || n / 3, (ARRAY['jazz', 'rock', 'folk'])[1 + n % 3] FROM generate_series(0, 11) n;
INSERT INTO albums SELECT n, 'new ' || n, 'folk' FROM generate_series(20, 29) n;
CREATE TABLE plays (listener bigint, album bigint);
INSERT INTO plays SELECT u, 3 * n + u % 3 FROM generate_series(1, 120) u, generate_series(0, 3) n WHERE (u / 3) % 4 <> n;
SELECT reco_create_model('music', 'SELECT listener AS user_id, album AS item_id FROM plays', 'SELECT id AS item_id, title, genre FROM albums');
SELECT reco_configure('music', similarity => 'cosine');
SELECT events, users, items FROM reco_refresh();

-- one place in ten
SELECT count(*), count(DISTINCT item_id), count(*) FILTER (WHERE source = 'explored') AS explored, min(propensity) < 1 AS drawn, max(propensity) FROM reco_explore(1, 10);
SELECT (SELECT array_agg(e) FROM reco_explore(1, 10) e) = (SELECT array_agg(e) FROM music.explore(1) e) AS same_door;
SELECT count(DISTINCT item_id) > 5 AS others FROM generate_series(1, 40) s, reco_explore(1, 4, explore => 0.5, seed => s) WHERE source = 'explored';
SELECT bool_and(score <= above OR above IS NULL) AS in_order FROM (SELECT score, lag(score) OVER (ORDER BY n) AS above FROM reco_explore(1, 10, explore => 0.6) WITH ORDINALITY AS t(item_id, score, match, because, source, propensity, n)) l;
SELECT source, propensity, count(*) FROM reco_explore(1, 3, explore => 0) GROUP BY 1, 2 ORDER BY 1;
SELECT count(*) FROM reco_explore(1, 30, explore => 1);
SELECT count(*), count(*) FILTER (WHERE source = 'explored') AS explored FROM reco_explore(NULL::bigint, 4, explore => 0.5);
-- the options of lists
SELECT bool_and(item_id IN (20, 21, 0)) AS among FROM reco_explore(1, 3, explore => 0.5, among => ARRAY[20, 21, 0]);
SELECT count(*) FILTER (WHERE item_id BETWEEN 20 AND 29) AS excluded FROM reco_explore(1, 20, explore => 1, exclude => ARRAY(SELECT generate_series(20, 29)));
SELECT count(*) FILTER (WHERE item_id IN (SELECT album FROM plays WHERE listener = 1)) AS seen FROM reco_explore(1, 40, explore => 0.5, seen => true);
SELECT count(*) FROM reco_explore(1, 5, fallback => false, explore => 0.2);
SELECT max(count) <= 1 AS capped FROM (SELECT genre, count(*) FROM reco_explore(1, 3, explore => 0, max_per => 'genre') JOIN albums ON id = item_id GROUP BY genre) g;
SELECT count(*) FROM reco_explore(1, 3, explore => 0.34, diversity => 0.5, calibrated => 0.5, calibrated_by => 'genre', as_of => now());

-- bad input
SELECT * FROM reco_explore(1, NULL);
SELECT * FROM reco_explore(1, 0);
SELECT * FROM reco_explore(1, 10, explore => 1.1);
SELECT * FROM reco_explore(1, 10, explore => -0.1);
SELECT * FROM reco_explore(1, 10, explore => 'NaN');
SELECT * FROM reco_explore(1, 10, max_per => 'mood');
SELECT * FROM reco_explore('a', 10);
SELECT count(*) FROM reco_explore(1, 4, explore => NULL, seed => NULL);
SELECT reco_drop_model('music');
DROP TABLE plays, albums;
