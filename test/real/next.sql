-- What comes next, on what people did last: a wholesaler's orders and ratings of films, everybody's newest time held out.
-- The variable data names the folder with online_retail.csv.xz and ml-latest-small/ratings.csv.xz.

SET client_min_messages = warning;
SET timezone = 'UTC';

\set there `test -r :'data'/online_retail.csv.xz -a -r :'data'/ml-latest-small/ratings.csv.xz && echo yes || echo no`
\if :there
\else
\echo 1..0 # SKIP no online_retail.csv.xz and ml-latest-small/ratings.csv.xz in :data
\quit
\endif

\set ratings 'xzcat \'' :data '/ml-latest-small/ratings.csv.xz\''

\ir read/orders.sql
CREATE TABLE rating (movie_id int, title text, year int, genres text, user_id int, rating float8, rated_at bigint);
COPY rating FROM PROGRAM :'ratings' WITH (FORMAT csv, HEADER, NULL 'NA');
ANALYZE rating;

SELECT reco_create_model('retail',
  'SELECT customer_id AS user_id, stock_code AS item_id, ordered_at AS occurred_at, sign(quantity) AS weight FROM public.order_line');
SELECT reco_create_model('films', 'SELECT user_id, movie_id AS item_id, to_timestamp(rated_at) AS occurred_at FROM public.rating');

-- NDCG of ten by settings: the counts, the same with histories read by recency, and what follows what.
CREATE TABLE result (model text, settings text, ndcg float8, low float8, high float8, hits float8);
CREATE FUNCTION pg_temp.measure(model text, settings text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('SELECT reco_configure(%L, recency => 1); SELECT reco_configure(%1$L, %s)', model, settings);
  INSERT INTO result SELECT model, settings, sum(value) FILTER (WHERE metric = 'ndcg'), sum(e.low) FILTER (WHERE metric = 'ndcg'),
    sum(e.high) FILTER (WHERE metric = 'ndcg'), sum(value) FILTER (WHERE metric = 'hit_rate')
  FROM reco_evaluate(model, 10, split => 'leave_last_out') e WHERE algorithm = 'model';
END $$;
SELECT pg_temp.measure(m, s) FROM unnest(ARRAY['retail', 'films']) m, unnest(ARRAY[
  'similarity => ''cooccurrence''', 'similarity => ''cooccurrence'', recency => 0.6', 'similarity => ''next''', 'similarity => ''next'', recency => 0.6']) s;

SELECT plan(4);
SELECT diag(format('%s, %s: NDCG@10 %s (%s to %s), hit rate %s', model, settings, round(ndcg::numeric, 4), round(low::numeric, 4), round(high::numeric, 4),
  round(hits::numeric, 4))) FROM result;
CREATE FUNCTION pg_temp.ndcg(m text, s text) RETURNS float8 LANGUAGE sql AS $$ SELECT ndcg FROM result WHERE model = m AND settings = s $$;
SELECT cmp_ok(pg_temp.ndcg('retail', 'similarity => ''next'', recency => 0.6'), '>', 1.04 * pg_temp.ndcg('retail', 'similarity => ''cooccurrence'''),
  'of orders, what follows what tells more than what goes together');
SELECT cmp_ok(pg_temp.ndcg('films', 'similarity => ''next'', recency => 0.6'), '>', 2 * pg_temp.ndcg('films', 'similarity => ''cooccurrence'''),
  'of films, twice as much');
SELECT cmp_ok(pg_temp.ndcg('films', 'similarity => ''next'', recency => 0.6'), '>', 1.1 * pg_temp.ndcg('films', 'similarity => ''cooccurrence'', recency => 0.6'),
  'not by recency alone');
SELECT cmp_ok(pg_temp.ndcg('films', 'similarity => ''next'', recency => 0.6'), '>', 2 * pg_temp.ndcg('films', 'similarity => ''next'''),
  'nor by order alone');

SELECT * FROM finish();
