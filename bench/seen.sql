-- What it is worth to let lists show what was viewed: NDCG@10 of what people buy for the first time in the shop of
-- examples/shop.sql after a day before which four fifths of the purchases lie, with views that keep things out and without.
-- In an empty database: psql -f examples/shop.sql -f bench/seen.sql
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS reco;
SELECT percentile_disc(0.8) WITHIN GROUP (ORDER BY ordered_at::date) AS day FROM orders \gset
CREATE TABLE before_day AS
  SELECT customer_id AS user_id, product_id AS item_id, ordered_at AS occurred_at, 'buy' AS signal FROM orders WHERE ordered_at < :'day'
  UNION ALL SELECT visitor_id, product_id, seen_at, 'view' FROM page_views WHERE seen_at < :'day';
CREATE INDEX ON before_day (user_id);
CREATE TABLE bought AS
  SELECT DISTINCT customer_id AS user_id, product_id AS item_id FROM orders WHERE ordered_at >= :'day'
  EXCEPT SELECT user_id, item_id FROM before_day WHERE signal = 'buy';
SELECT reco_create_model('seen', 'SELECT user_id, item_id, occurred_at, signal FROM public.before_day') \g /dev/null
SELECT reco_configure('seen', target_signal => 'buy') \g /dev/null
SELECT * FROM reco_refresh('seen') \g /dev/null

PREPARE measure AS
  SELECT round(avg(ndcg)::numeric, 3) AS ndcg_10, count(*) AS people FROM (
    SELECT reco_ndcg(l.rank, true, 10) AS ndcg FROM bought b LEFT JOIN seen.top_n_all(10) l USING (user_id, item_id)
    WHERE EXISTS (SELECT FROM before_day d WHERE d.user_id = b.user_id) GROUP BY b.user_id) of_each;
\echo views keep things out
EXECUTE measure;
SELECT reco_configure('seen', exclude_seen => '{"view": "never"}') \g /dev/null
\echo views keep nothing out
EXECUTE measure;
SELECT count(*) AS bought, count(*) FILTER (WHERE EXISTS (SELECT FROM before_day d WHERE (d.user_id, d.item_id) = (b.user_id, b.item_id))) AS viewed_before FROM bought b;
