-- A network learns from a wholesaler's orders what their scores do not say, is served as it was measured, and is not kept of films
-- without times.  The variable data names the folder with online_retail.csv.xz and ml-1m/train.txt.xz.

SET client_min_messages = warning;
SET timezone = 'UTC';

\set there `test -r :'data'/online_retail.csv.xz -a -r :'data'/ml-1m/train.txt.xz && echo yes || echo no`
\if :there
\else
\echo 1..0 # SKIP no online_retail.csv.xz and ml-1m/train.txt.xz in :data
\quit
\endif

SELECT plan(8);

\ir read/orders.sql
CREATE INDEX ON order_line (customer_id);
SELECT reco_create_model('retail', 'SELECT customer_id AS user_id, stock_code AS item_id, ordered_at AS occurred_at, quantity::float8 AS weight FROM public.order_line WHERE customer_id IS NOT NULL AND quantity > 0') \g /dev/null
SELECT * FROM reco_refresh('retail') \g /dev/null
CREATE TEMP TABLE learned AS SELECT * FROM reco_learn_ranking('retail');
SELECT diag(format('orders: %s as scored %s, with a network %s (gain %s to %s), %s people, %s lists, %s units, %s rounds, %s s', metric, round(scored::numeric, 4), round(reranked::numeric, 4), round(low::numeric, 4), round(high::numeric, 4), users, lists, units, rounds, round(seconds::numeric, 1))) FROM learned;
SELECT ok(kept, 'a network is kept of orders') FROM learned WHERE metric = 'ndcg';
SELECT cmp_ok(low, '>', 0.02::float8, 'the next products are foreseen by more than .02 of NDCG@10 better') FROM learned WHERE metric = 'ndcg';
SELECT cmp_ok(low, '>', 0::float8, 'and more of them among the first ten') FROM learned WHERE metric = 'recall';
SELECT is(e.value, l.reranked, 'reco_evaluate has the same figure') FROM learned l, reco_evaluate('retail') e WHERE e.algorithm = 'reranked' AND e.metric = 'ndcg' AND l.metric = 'ndcg';
CREATE TEMP TABLE everybody AS SELECT * FROM retail.top_n_all(10);
SELECT is_empty($$SELECT c.customer_id, t.item_id, t.score, t.match, t.because, t.source, n::int FROM (SELECT DISTINCT customer_id FROM order_line WHERE customer_id % 50 = 0) c, retail.top_n(c.customer_id, 10) WITH ORDINALITY AS t(item_id, score, match, because, source, n)
  EXCEPT SELECT user_id, item_id, score, match, because, source, rank FROM everybody$$, 'lists of one and of all agree');
SELECT reco_configure('retail', reranked => false) \g /dev/null
SELECT cmp_ok((SELECT 2 * count(*) FROM everybody), '>', (SELECT 3 * count(*) FROM everybody e JOIN retail.top_n_all(10) t USING (user_id, rank, item_id)), 'and are others than those as scored');

\set split ml-1m
\set train train
\set test test
\ir read/split.sql
SELECT reco_create_model('films', 'SELECT user_id, item_id FROM public.train') \g /dev/null
SELECT * FROM reco_refresh('films') \g /dev/null
CREATE TEMP TABLE films AS SELECT * FROM reco_learn_ranking('films');
SELECT diag(format('films: %s as scored %s, with a network %s (gain %s to %s), %s people, %s lists', metric, round(scored::numeric, 4), round(reranked::numeric, 4), round(low::numeric, 4), round(high::numeric, 4), users, lists)) FROM films;
SELECT ok(NOT kept AND low < 0, 'of films without times there is nothing to learn beside the scores') FROM films WHERE metric = 'ndcg';
SELECT is((SELECT count(*) FROM films.learned_ranking), 0::bigint, 'and nothing is kept');

SELECT * FROM finish();
