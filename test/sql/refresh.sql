-- Refreshing: the report, rows left out by reason, and what stays when it fails.
CREATE TABLE events (u int, i text, w float8, t timestamptz);
INSERT INTO events SELECT c, 'item ' || (c * n) % 9, 1 + n, '2026-01-01'::timestamptz + n * interval '1 day'
  FROM generate_series(1, 30) c, generate_series(1, 5) n;
SELECT reco_create_model('shop', 'SELECT u AS user_id, i AS item_id, w AS weight, t AS occurred_at FROM events');

-- never refreshed
SELECT * FROM reco_top_n('x', 3);
SELECT * FROM shop.top_n(1, 3);
SELECT * FROM shop.complete(ARRAY['item 1'], 3);
SELECT shop.score(1, 'item 1');
SELECT shop.match(1, 'item 1');
SELECT * FROM shop.why(1, 'item 1');
SELECT * FROM shop.similar_items('item 1');
SELECT * FROM shop.popular(3);
SELECT * FROM shop.trending(3);
SELECT * FROM shop.similar;
SELECT * FROM shop.popular;

-- the report
SELECT events, users, items, neighbor_pairs > 0 AS pairs, skipped_null_user + skipped_null_item + skipped_null_weight +
       skipped_null_time + skipped_not_finite + skipped_future AS skipped, rows_written, curve_pairs > 0 AS curve,
       seconds_total > 0 AS took, peak_memory BETWEEN 1 AND 64 * 1024 * 1024 AS fits FROM reco_refresh('shop');
-- nothing new: nothing is written
SELECT events, rows_written FROM reco_refresh('shop');

-- rows left out, each for the first reason that holds
INSERT INTO events VALUES
  (NULL, NULL, NULL, NULL), (NULL, 'item 1', 1, now()),
  (1, NULL, NULL, NULL), (1, NULL, 1, '2026-01-01'),
  (1, 'item 1', NULL, NULL),
  (1, 'item 1', 'NaN', NULL), (1, 'item 1', 'Infinity', '2026-01-01'), (1, 'item 1', '-Infinity', '2026-01-01'), (1, 'item 1', 1e300, '2026-01-01'),
  (1, 'item 1', 1, NULL),
  (1, 'item 1', 1, now() + interval '1 hour'), (1, 'item 1', 1, 'infinity');
SELECT events, skipped_null_user AS "user", skipped_null_item AS item, skipped_null_weight AS weight,
       skipped_null_time AS "time", skipped_not_finite AS finite, skipped_future AS future FROM reco_refresh('shop');

-- an item that came, one that went, one with a new number of events
INSERT INTO events VALUES (1, 'brand new', 1, '2026-01-02'), (2, 'brand new', 1, '2026-01-02');
SELECT events, items, rows_written > 0 AS written FROM reco_refresh('shop');
SELECT item_id, events, users, first_at = last_at AS once FROM shop.learned_item WHERE item_id = 'brand new';
DELETE FROM events WHERE i = 'brand new';
SELECT events, items FROM reco_refresh('shop');
SELECT count(*) FROM shop.learned_item WHERE item_id = 'brand new';

-- one transaction: ROLLBACK restores the old model
BEGIN;
SELECT md5(string_agg(s::text, ',' ORDER BY item_id, rank)) AS before FROM shop.similar s \gset
TRUNCATE events;
INSERT INTO events SELECT c, 'other ' || n, 1, '2026-01-01' FROM generate_series(1, 5) c, generate_series(1, 3) n;
SELECT events, items FROM reco_refresh('shop');
SELECT count(*) FROM shop.similar;
ROLLBACK;
SELECT md5(string_agg(s::text, ',' ORDER BY item_id, rank)) = :'before' AS restored FROM shop.similar s;

-- an error in the events query leaves the old model as well
CREATE OR REPLACE VIEW shop.events WITH (security_invoker = true) AS
  SELECT u AS user_id, i AS item_id, w / (CASE WHEN u = 17 THEN 0 ELSE 1 END) AS weight, t AS occurred_at FROM events;
SELECT reco_refresh('shop');
SELECT md5(string_agg(s::text, ',' ORDER BY item_id, rank)) = :'before' AS restored FROM shop.similar s;
CREATE OR REPLACE VIEW shop.events WITH (security_invoker = true) AS
  SELECT u AS user_id, i AS item_id, w AS weight, t AS occurred_at FROM events;

-- what does not fit into memory goes through files, which is said, with what to set; the result is the same
CREATE TABLE many AS SELECT n % 997 AS u, n % 4999 AS i FROM generate_series(1, 300000) n;
SELECT reco_create_model('big', 'SELECT u AS user_id, i AS item_id FROM many');
SELECT reco_configure('big', similarity => 'cooccurrence');
SET maintenance_work_mem = '1MB';
SELECT events, users, items FROM reco_refresh('big');
SELECT md5(string_agg(l::text, ',' ORDER BY item_id)) AS little FROM big.learned_item l \gset
RESET maintenance_work_mem;
TRUNCATE big.learned_item;
SELECT events, users, items FROM reco_refresh('big');
SELECT md5(string_agg(l::text, ',' ORDER BY item_id)) = :'little' AS same, count(*) FROM big.learned_item l;
-- files that may not grow
SET maintenance_work_mem = '1MB';
SET temp_file_limit = '7MB';
\set VERBOSITY sqlstate
SELECT events FROM reco_refresh('big');
RESET temp_file_limit;
-- what cannot go through files says so
SELECT count(*) FROM reco_evaluate('big');
\set VERBOSITY default
RESET maintenance_work_mem;
SELECT reco_drop_model('big');
DROP TABLE many;

-- a user with more items than may count: the newest do, in what is learned and in what is asked
CREATE TABLE crawls AS SELECT 0 AS u, i, '2026-01-01'::timestamptz + i * interval '1 hour' AS t FROM generate_series(1, 2000) i
  UNION ALL SELECT u, i, '2026-01-01' FROM generate_series(1, 20) u, generate_series(1, 4) i
  UNION ALL SELECT u, 2000 - i, '2026-01-01' FROM generate_series(21, 40) u, generate_series(1, 4) i;
SELECT reco_create_model('crawl', 'SELECT u AS user_id, i AS item_id, t AS occurred_at FROM crawls');
SELECT reco_configure('crawl', max_history => 100);
SELECT events, users, items, users_shortened FROM reco_refresh('crawl');
SELECT users FROM crawl.learned_item WHERE item_id IN (1, 1999) ORDER BY item_id;
SELECT support FROM crawl.similar WHERE item_id = 1999 AND similar_item_id = 1998;
SELECT count(*) > 0 AS newest_speak FROM crawl.why(0, 1998);
SELECT count(*) AS oldest_do_not FROM crawl.why(0, 2);
SELECT count(*) AS seen_again FROM crawl.top_n(0, NULL) WHERE item_id <= 2000;
SELECT reco_drop_model('crawl');
DROP TABLE crawls;

-- nothing to learn from
TRUNCATE events;
SELECT events, users, items, neighbor_pairs, rows_written FROM reco_refresh('shop');
SELECT * FROM shop.top_n(1, 3);
SELECT * FROM shop.popular(3);
SELECT * FROM shop.similar_items('item 1', 3);
SELECT shop.score(1, 'item 1'), shop.match(1, 'item 1');
-- one event; one user; one item; only dislikes; only impressions; everything bought by everyone
INSERT INTO events VALUES (1, 'only', 1, '2026-01-01');
SELECT events, users, items, neighbor_pairs FROM reco_refresh('shop');
SELECT item_id, source FROM shop.top_n(1, 3);
SELECT item_id, source FROM shop.top_n(2, 3);
TRUNCATE events;
INSERT INTO events SELECT 1, 'item ' || n, 1, '2026-01-01' FROM generate_series(1, 5) n;
SELECT events, users, items, neighbor_pairs FROM reco_refresh('shop');
TRUNCATE events;
INSERT INTO events SELECT n, 'item', 1, '2026-01-01' FROM generate_series(1, 5) n;
SELECT events, users, items, neighbor_pairs FROM reco_refresh('shop');
TRUNCATE events;
INSERT INTO events SELECT n % 5, 'item ' || n % 3, -1, '2026-01-01' FROM generate_series(1, 30) n;
SELECT events, users, items, neighbor_pairs FROM reco_refresh('shop');
SELECT item_id, score, match, source FROM shop.top_n(1, 3);
SELECT item_id, score, match, source FROM shop.top_n(99, 3);
TRUNCATE events;
INSERT INTO events SELECT n % 5, 'item ' || n % 3, 0, '2026-01-01' FROM generate_series(1, 30) n;
SELECT events, users, items, neighbor_pairs FROM reco_refresh('shop');
SELECT item_id, source FROM shop.top_n(1, 3);
TRUNCATE events;
INSERT INTO events SELECT u, 'item ' || i, 1, '2026-01-01' FROM generate_series(1, 20) u, generate_series(1, 4) i;
SELECT events, users, items, neighbor_pairs FROM reco_refresh('shop');
SELECT item_id, similarity, support FROM shop.similar_items('item 1', 2);

-- times at the ends of time
TRUNCATE events;
INSERT INTO events SELECT u, 'item ' || i, 1, t::timestamptz FROM generate_series(1, 5) u, generate_series(1, 3) i,
  (VALUES ('-infinity'), ('4713-01-01 BC'), ('2026-01-01')) v(t);
SELECT reco_configure('shop', half_life => '1 day');
SELECT events, users, items FROM reco_refresh('shop');
SELECT bool_and(score::text !~ 'NaN|Inf') AS finite FROM generate_series(1, 5) u, shop.top_n(u, 3, seen => true);

-- a source that went
DROP TABLE events CASCADE;
SELECT reco_refresh('shop');
SELECT * FROM shop.top_n(1, 3);
SELECT reco_drop_model('shop');
