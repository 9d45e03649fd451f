-- The made-up shop with a model of neighbours that has all four queries and whatever can be learned beside, one of factors, and a stored matrix.
CREATE EXTENSION reco;
CREATE TABLE shop_rules (item_id bigint, boost float8, pin int);
SELECT reco_create_model('shop', $$
    SELECT customer_id AS user_id, product_id AS item_id, ordered_at AS occurred_at, 3.0 AS weight, 'buy' AS signal,
      (ARRAY['phone', 'desk'])[1 + (customer_id + product_id) % 2] AS device FROM orders
    UNION ALL
    SELECT visitor_id, product_id, seen_at, 0.5, 'view', 'phone' FROM page_views
    UNION ALL
    SELECT customer_id, product_id, rated_at, 4.0 * thumb, 'thumb', NULL FROM ratings$$,
  'SELECT id AS item_id, name AS title, category, tags, released_at FROM products WHERE in_stock',
  'SELECT id AS user_id, id % 3 AS part FROM customers',
  'SELECT item_id, boost, pin FROM shop_rules');
SELECT reco_configure('shop', contexts => '{device}', unfinished => '{"basket": ["view"], "bought": ["buy"]}', category => 'category');
SELECT reco_refresh('shop');
SELECT reco_learn_habits('shop');
SELECT reco_learn_ranking('shop');
SELECT reco_segments('shop', 3, 'category');
SELECT reco_create_log('shop');
INSERT INTO shop.served (list_id, rank, served_at, user_id, item_id, source, variant)
  SELECT customer_id, rank, min(ordered_at) - interval '1 hour', customer_id, product_id, 'personal', (ARRAY['a', 'b'])[1 + customer_id % 2]
  FROM (SELECT *, row_number() OVER (PARTITION BY customer_id ORDER BY product_id) AS rank FROM (SELECT DISTINCT ON (customer_id, product_id) * FROM orders WHERE customer_id < 300) d) o
  GROUP BY customer_id, product_id, rank;
SELECT reco_create_model('taste', 'SELECT customer_id::text AS user_id, product_id AS item_id, ordered_at AS occurred_at FROM orders');
SELECT reco_configure('taste', algorithm => 'factors', factors => 8);
SELECT reco_refresh('taste');
CREATE TABLE stored AS SELECT reco_matrix(customer_id, product_id, 1) AS m FROM orders;
