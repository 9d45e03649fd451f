-- The made-up shop with a model of neighbours that has all four queries and contexts, one of factors, and a stored matrix.
CREATE EXTENSION reco;
CREATE TABLE shop_rules (item_id bigint, boost float8, pin int);
SELECT reco_create_model('shop', $$
    SELECT customer_id AS user_id, product_id AS item_id, ordered_at AS occurred_at, 3.0 AS weight, 'buy' AS signal FROM orders
    UNION ALL
    SELECT visitor_id, product_id, seen_at, 0.5, 'view' FROM page_views
    UNION ALL
    SELECT customer_id, product_id, rated_at, 4.0 * thumb, 'thumb' FROM ratings$$,
  'SELECT id AS item_id, name AS title, category, tags, released_at FROM products WHERE in_stock',
  'SELECT id AS user_id, id % 3 AS part FROM customers',
  'SELECT item_id, boost, pin FROM shop_rules');
SELECT reco_refresh('shop');
SELECT reco_create_model('taste', 'SELECT customer_id::text AS user_id, product_id AS item_id, ordered_at AS occurred_at FROM orders');
SELECT reco_configure('taste', algorithm => 'factors', factors => 8);
SELECT reco_refresh('taste');
CREATE TABLE stored AS SELECT reco_matrix(customer_id, product_id, 1) AS m FROM orders;
