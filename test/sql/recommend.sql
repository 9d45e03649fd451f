-- Recommending: lists, scores and matches; every option, and every message.
-- Twelve albums in three tastes; each user likes one, and twenty more have just come.
CREATE TABLE albums (id bigint PRIMARY KEY, title text, released_at date);
INSERT INTO albums SELECT n, (ARRAY['jazz', 'rock', 'folk'])[1 + n % 3] || ' ' || n / 3, '2020-01-01'::date + n::int
  FROM generate_series(0, 11) n;
INSERT INTO albums SELECT n, 'just out ' || n, '2025-01-01'::date + n::int FROM generate_series(20, 22) n;
CREATE TABLE plays (listener bigint, album bigint, at timestamptz, stars float8);
-- listener u of taste u % 3 plays three of the four albums of it, the fourth by turns left out
INSERT INTO plays SELECT u, 3 * n + u % 3, '2026-01-01'::timestamptz + (u * 4 + n) * interval '1 hour', 1
  FROM generate_series(1, 120) u, generate_series(0, 3) n WHERE (u / 3) % 4 <> n;
-- and one in six strays
INSERT INTO plays SELECT u, (3 * (u % 4) + u % 3 + 1) % 12, '2026-01-10', 1 FROM generate_series(6, 120, 6) u;
SELECT reco_create_model('music', 'SELECT listener AS user_id, album AS item_id, at AS occurred_at, stars AS weight FROM plays',
                         'SELECT id AS item_id, title, released_at FROM albums');
-- said, since few people cannot show which of several is better
SELECT reco_configure('music', similarity => 'ridge', damping => 0.1, blend => 0.2);
SELECT events, users, items FROM reco_refresh();
CREATE VIEW titled AS SELECT id, title FROM albums;

-- a list; after what speaks for itself, what is popular, then what is new
SELECT title, score > 0 AS scored, match BETWEEN 50 AND 100 AS matched, (SELECT split_part(title, ' ', 1) FROM albums b WHERE b.id = because) AS because, source
  FROM reco_top_n(1, 5) r JOIN albums ON id = item_id ORDER BY score DESC;
SELECT count(*), count(DISTINCT item_id) FROM reco_top_n(1, 100);
SELECT source, count(*) FROM reco_top_n(1, NULL) GROUP BY source ORDER BY min(-score);
SELECT item_id, source FROM reco_top_n(1, NULL, among => ARRAY[20, 21, 22]);
-- a filter outside never starves
SELECT title, source FROM reco_top_n(1, NULL) r JOIN albums ON id = item_id WHERE title LIKE 'just out%' ORDER BY score DESC LIMIT 2;
-- options
SELECT title FROM reco_top_n(1, 3, 'music', exclude => ARRAY[1]) JOIN albums ON id = item_id ORDER BY score DESC;
SELECT title FROM reco_top_n(1, 3, exclude => ARRAY[1, NULL, 999, 1]) JOIN albums ON id = item_id ORDER BY score DESC;
SELECT title, source FROM reco_top_n(1, 3, among => ARRAY[22, 1, 4, NULL, 999]) JOIN albums ON id = item_id ORDER BY score DESC;
SELECT count(*) FROM reco_top_n(1, 3, among => ARRAY[]::bigint[]);
SELECT count(*) FROM reco_top_n(1, 3, among => ARRAY[1], exclude => ARRAY[1]);
SELECT source, count(*) FROM reco_top_n(1, 10, fallback => false) GROUP BY source;
SELECT bool_and(match >= 60) AS above, count(*) > 0 AS some FROM reco_top_n(1, 10, min_match => 60);
SELECT count(*) FROM reco_top_n(1, 10, min_match => 100);
SELECT bool_or(item_id IN (SELECT album FROM plays WHERE listener = 1)) AS seen FROM reco_top_n(1, NULL);
SELECT count(*) FILTER (WHERE item_id IN (SELECT album FROM plays WHERE listener = 1)) AS seen FROM reco_top_n(1, NULL, seen => true);
-- as it was before the first event, and before the last
SELECT source, count(*) FROM reco_top_n(1, 3, as_of => '2025-12-31') GROUP BY source;
SELECT count(*) FROM reco_top_n(1, 12, as_of => '2026-01-01 05:30', fallback => false);
-- a user nobody knows, and one without an id
SELECT source, count(*), bool_and(match IS NULL AND because IS NULL AND score < 0) AS bare FROM reco_top_n(4711, 4) GROUP BY source;
SELECT (SELECT array_agg(item_id) FROM reco_top_n(NULL::bigint, 4)) = (SELECT array_agg(item_id) FROM reco_top_n(4711, 4)) AS same;

-- what happens in this transaction counts at once
BEGIN;
SELECT title FROM reco_top_n(4711, 1) JOIN albums ON id = item_id;
INSERT INTO plays VALUES (4711, 2, now(), 1), (4711, 5, clock_timestamp(), 1), (4711, 8, now() + interval '1 day', 1);
SELECT title, source FROM reco_top_n(4711, 2) JOIN albums ON id = item_id ORDER BY score DESC;
DELETE FROM albums WHERE title = 'folk 2';
SELECT title, source FROM reco_top_n(4711, 2) JOIN albums ON id = item_id ORDER BY score DESC;
-- a dislike keeps an item out for good, and lowers what is like it
INSERT INTO plays VALUES (4711, 11, now(), -1);
SELECT count(*) FILTER (WHERE item_id = 11) AS disliked FROM reco_top_n(4711, NULL, seen => true);
ROLLBACK;

-- baskets
SELECT title, (SELECT title FROM albums b WHERE b.id = because) AS because, source
  FROM reco_complete(ARRAY[0, 3], 2) JOIN albums ON id = item_id ORDER BY score DESC;
SELECT (SELECT array_agg(r) FROM reco_complete(ARRAY[0, 3], 4) r) = (SELECT array_agg(r) FROM reco_complete(ARRAY[3, NULL, 0, 0, 3], 4) r) AS same;
SELECT source, count(*) FROM reco_complete(ARRAY[]::bigint[], 3) GROUP BY source;
SELECT source, count(*) FROM reco_complete(NULL::bigint[], 3) GROUP BY source;
SELECT source, count(*) FROM reco_complete(ARRAY[999], 3) GROUP BY source;
SELECT count(*) FROM reco_complete(ARRAY[0, 3], 3, fallback => false, exclude => ARRAY[6]);

-- scalars agree with the list, and go anywhere
SELECT bool_and(abs(score - reco_score(1, item_id)) < 1e-12) AS score, bool_and(match IS NOT DISTINCT FROM reco_match(1, item_id)) AS match
  FROM reco_top_n(1, NULL, fallback => false);
SELECT title FROM albums WHERE reco_match(1, id) > 50 AND id NOT IN (SELECT album FROM plays WHERE listener = 1) ORDER BY reco_score(1, id) DESC;
SELECT reco_score(1, 999), reco_match(1, 999), reco_score(4711, 1), reco_match(4711, 1);
SELECT reco_score(NULL::bigint, 1), reco_match(1, NULL::bigint);

-- lists of many users in one query, by both kinds of door
SELECT count(*) FROM (SELECT DISTINCT listener FROM plays) l, reco_top_n(listener, 3);
SELECT count(*) FROM (SELECT DISTINCT listener FROM plays) l, music.top_n(listener, 3);
SELECT count(*) FROM ((SELECT listener, r.* FROM (SELECT DISTINCT listener FROM plays) l, reco_top_n(listener, 3) r)
  EXCEPT (SELECT listener, r.* FROM (SELECT DISTINCT listener FROM plays) l, music.top_n(listener, 3) r)) differing;

-- bad input
SELECT * FROM reco_top_n(1, 0);
SELECT * FROM reco_top_n(1, -3);
SELECT * FROM reco_top_n(1, 2000000000);
SELECT * FROM reco_top_n(1, 3, 'nowhere');
SELECT * FROM reco_top_n(1, 3, min_match => 101);
SELECT * FROM reco_top_n(1, 3, min_match => 'NaN');
SELECT * FROM reco_top_n('one', 3);
SELECT * FROM reco_top_n('c0ffee00-0000-0000-0000-000000000000'::uuid, 3);
SELECT * FROM reco_top_n(1.5, 3);
SELECT * FROM music.top_n('one', 3);
SELECT reco_score('a', 'b');
SELECT * FROM reco_complete(ARRAY['a'], 3);
-- what doors call takes a model's table and the right columns, nothing else
SELECT * FROM reco_typed_top_n(1, 3, 'plays', NULL::bigint[], NULL::bigint[], NULL, NULL, NULL, NULL) AS t(item_id bigint, score float8, match float8, because bigint, source text);
SELECT * FROM reco_typed_top_n(1, 3, NULL, NULL::bigint[], NULL::bigint[], NULL, NULL, NULL, NULL) AS t(item_id bigint, score float8, match float8, because bigint, source text);
SELECT * FROM reco_typed_top_n(1, 3, 'music.model', NULL::bigint[], NULL::bigint[], NULL, NULL, NULL, NULL) AS t(item_id bigint);
SELECT * FROM reco_typed_top_n(1, 3, 'music.model', NULL::bigint[], NULL::bigint[], NULL, NULL, NULL, NULL) AS t(item_id bigint, score text, match float8, because bigint, source text);
SELECT * FROM reco_typed_top_n(1, 3, 'music.model', NULL::bigint[], NULL::bigint[], NULL, NULL, NULL, NULL) AS t(item_id bigint, score float8, match float8, because int, source text);
SELECT * FROM reco_typed_top_n(1, 3, 'music.model', NULL::bigint[], NULL::bigint[], NULL, NULL, NULL, NULL) AS t(item_id text, score float8, match float8, because text, source text);
SELECT count(*) FROM reco_typed_top_n(1, 3, 'music.model', NULL::int[], ARRAY[4::int2], NULL, NULL, NULL, NULL) AS t(item_id int, score float8, match float8, because int, source text);
SELECT * FROM reco_typed_top_n(1, 3, 'music.model', 'x', NULL::bigint[], NULL, NULL, NULL, NULL) AS t(item_id bigint, score float8, match float8, because bigint, source text);
SELECT * FROM reco_typed_top_n('1', 3, 'music.model', NULL::bigint[], NULL::bigint[], NULL, NULL, NULL, NULL) AS t(item_id bigint, score float8, match float8, because bigint, source text);

-- a materialized view over lists
CREATE MATERIALIZED VIEW home_page AS
  SELECT listener, r.item_id, r.score, r.match FROM (SELECT DISTINCT listener FROM plays) l, reco_top_n(listener, 2, 'music') r;
SELECT count(*) FROM home_page;
INSERT INTO plays VALUES (4712, 2, '2026-01-02', 1);
REFRESH MATERIALIZED VIEW home_page;
SELECT count(*) FROM home_page;
DROP MATERIALIZED VIEW home_page;

-- damage is an error that names the item, and a refresh mends it
UPDATE music.learned_item SET neighbors = 'x' WHERE item_id = 4;
SELECT * FROM reco_top_n(1, 3);
UPDATE music.learned_item SET neighbors = overlay(neighbors placing '\xff' from 21 for 1) WHERE item_id = 4;
UPDATE music.learned_item SET neighbors = overlay(l.neighbors placing '\xffffffff' from 21 for 4) FROM music.learned_item l
  WHERE l.item_id = 1 AND learned_item.item_id = 4;
SELECT * FROM reco_top_n(1, 3);
SELECT * FROM reco_similar_items(4, 3);
SELECT count(*) FROM music.similar;
SELECT rows_written > 0 AS mended FROM reco_refresh();
SELECT count(*) FROM reco_top_n(1, 3);
DROP VIEW titled;
SELECT reco_drop_model('music');
DROP TABLE plays, albums;
