-- Makes what the questions of bench/moments ask: the retail set as orders, a catalogue, two models, and logs.  psql variable: unpack, a
-- command that prints the file.  An item is of the category that the last word of its description says, a bag or a holder; of a
-- series with those whose code has the same digits.  The orders know of nothing that is left undone, so that one invoice in ten is
-- taken for a basket, and of no pictures, so that the lines themselves are the log of those.
SET client_min_messages = warning;
SET timezone = 'UTC';
CREATE TABLE order_line (invoice text, stock_code text, description text, quantity int, ordered_at timestamptz, price numeric, customer_id int, country text);
COPY order_line FROM PROGRAM :'unpack' WITH (FORMAT csv, HEADER);
CREATE INDEX ON order_line (customer_id);
CREATE TABLE customer AS SELECT customer_id AS id, min(country) AS country FROM order_line WHERE customer_id IS NOT NULL GROUP BY customer_id;
CREATE TABLE product AS
  SELECT stock_code AS item_id, p.title, regexp_replace(p.title, '^.* ', '') AS category, CASE WHEN p.price < 2 THEN 'low' WHEN p.price < 5 THEN 'middle' ELSE 'high' END AS price,
    substring(stock_code FROM '^[0-9]{5}') AS series, ascii(substring(stock_code FROM '^[0-9]{5}([A-Z])$')) AS place
  FROM (SELECT stock_code, coalesce(mode() WITHIN GROUP (ORDER BY description), stock_code) AS title, avg(price) AS price FROM order_line GROUP BY stock_code) p;
CREATE INDEX ON product (item_id);
CREATE INDEX ON product (series, place);
CREATE TABLE picture_log AS
  SELECT stock_code AS item_id, (ARRAY['red', 'blue', 'green'])[1 + hashtext(invoice || stock_code) % 3 + 2 * (hashtext(invoice || stock_code) < 0)::int] AS variant,
    country AS segment, quantity > 6 AS chosen, 1.0 / 3 AS propensity
  FROM order_line WHERE customer_id IS NOT NULL;
CREATE TABLE picture_count AS SELECT item_id, variant, segment, count(*) FILTER (WHERE chosen) AS chosen, count(*) AS shown FROM picture_log GROUP BY 1, 2, 3;
CREATE INDEX ON picture_count (item_id);
ANALYZE;
SELECT reco_create_model('retail', $$SELECT customer_id AS user_id, stock_code AS item_id, ordered_at AS occurred_at, (quantity * price)::float8 AS weight,
  CASE WHEN right(invoice, 1) = '7' THEN 'basket' ELSE 'buy' END AS signal FROM public.order_line$$, 'SELECT * FROM public.product');
SELECT reco_configure('retail', category => 'category', time_zone => 'Europe/London', unfinished => '{"basket": ["basket"], "bought": ["buy"], "series": "series", "order": "place"}');
SELECT reco_refresh('retail');
SELECT reco_learn_habits('retail', '2011-12-10');
SELECT reco_create_log('retail');
-- The same by pieces, and by factors.
SELECT reco_create_model('pieces', 'SELECT customer_id AS user_id, stock_code AS item_id, ordered_at AS occurred_at, quantity AS weight FROM public.order_line', 'SELECT * FROM public.product');
SELECT reco_configure('pieces', algorithm => 'factors', category => 'category');
SELECT reco_refresh('pieces');
VACUUM ANALYZE;
