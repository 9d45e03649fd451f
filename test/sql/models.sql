-- Models: making, changing, listing and dropping them, and every message on the way.
CREATE TABLE orders (customer_id int, product_id int, ordered_at timestamptz, note text, price money);
CREATE TABLE products (id int, name text);
INSERT INTO orders SELECT c, (c + n * n) % 7, '2026-01-01'::timestamptz + n * interval '1 day'
  FROM generate_series(1, 20) c, generate_series(1, 4) n;
INSERT INTO products SELECT i, 'product ' || i FROM generate_series(0, 6) i;

-- before there is any
SELECT * FROM reco_models();
SELECT reco_refresh();
SELECT * FROM reco_top_n(1);
SELECT reco_drop_model('shop');

-- a query that is not one SELECT, or has not the columns
SELECT reco_create_model('shop', 'DELETE FROM orders');
SELECT reco_create_model('shop', 'SELECT 1; DROP TABLE orders');
SELECT reco_create_model('shop', '');
SELECT reco_create_model('shop', 'SELECT customer_id INTO grabbed FROM orders');
SELECT reco_create_model('shop', 'SELECT customer_id FROM');
SELECT reco_create_model('shop', 'WITH gone AS (DELETE FROM orders RETURNING *) SELECT customer_id AS user_id, product_id AS item_id FROM gone');
SELECT reco_create_model('shop', 'SELECT customer_id, product_id AS item_id FROM orders');
SELECT reco_create_model('shop', 'SELECT customer_id AS user_id, product_id FROM orders');
SELECT reco_create_model('shop', 'SELECT price AS user_id, product_id AS item_id FROM orders');
SELECT reco_create_model('shop', 'SELECT customer_id AS user_id, product_id AS item_id, note AS occurred_at FROM orders');
SELECT reco_create_model('shop', 'SELECT customer_id AS user_id, product_id AS item_id, price AS weight FROM orders');
SELECT reco_create_model('shop', 'SELECT customer_id AS user_id, product_id AS item_id, price AS signal FROM orders');
SELECT reco_create_model('shop', 'SELECT customer_id AS user_id, product_id AS item_id FROM orders',
                         items => 'SELECT name AS item_id FROM products');
SELECT reco_create_model('shop', 'SELECT customer_id AS user_id, product_id AS item_id FROM orders',
                         items => 'TABLE products; TABLE products');
SELECT reco_create_model('shop', 'SELECT customer_id AS user_id, product_id AS item_id FROM orders',
                         users => 'SELECT name AS user_id FROM products');
SELECT reco_create_model('shop', 'SELECT customer_id AS user_id, product_id AS item_id FROM no_such_table');

-- names
SELECT reco_create_model(NULL, 'SELECT 1');
SELECT reco_create_model('shop', NULL);
SELECT reco_create_model('', 'SELECT customer_id AS user_id, product_id AS item_id FROM orders');
SELECT reco_create_model(repeat('x', 64), 'SELECT customer_id AS user_id, product_id AS item_id FROM orders');
SELECT reco_create_model('public', 'SELECT customer_id AS user_id, product_id AS item_id FROM orders');

-- nothing is left of any of them
SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_|^information_schema$|^public$';

-- one that works; a semicolon and a comment at the end do no harm
SELECT reco_create_model('shop',
  'SELECT customer_id AS user_id, product_id AS item_id, ordered_at AS occurred_at FROM orders; -- all of them',
  items => 'SELECT id AS item_id, name AS title FROM products');
SELECT reco_create_model('shop', 'SELECT customer_id AS user_id, product_id AS item_id FROM orders');
SELECT model, user_type, item_type, similarity, refreshed_at, events FROM reco_models();
SELECT relname, relkind, obj_description(oid) FROM pg_class
  WHERE relnamespace = 'shop'::regnamespace AND relkind IN ('r', 'v') ORDER BY relname;
\pset format unaligned
SELECT p.proname, pg_get_function_arguments(p.oid) AS arguments, pg_get_function_result(p.oid) AS result
  FROM pg_proc p WHERE pronamespace = 'shop'::regnamespace ORDER BY 1;
\pset format aligned

-- settings
SELECT similarity, shrinkage, min_support, lambda, candidates, damping, blend, neighbors, keep, weighting, max_history, half_life, popular_half_life, trend_half_life, min_match
  FROM shop.model;
SELECT reco_configure('shop', similarity => 'sin');
SELECT reco_configure('shop', keep => 'both');
SELECT reco_configure('shop', weighting => '');
SELECT reco_configure('shop', neighbors => 0);
SELECT reco_configure('shop', neighbors => 100000);
SELECT reco_configure('shop', shrinkage => 'NaN');
SELECT reco_configure('shop', user_exponent => -1);
SELECT reco_configure('shop', lambda => 0);
SELECT reco_configure('shop', recency => 0);
SELECT reco_configure('shop', recency => 1.5);
SELECT reco_configure('shop', candidates => 1001);
SELECT reco_configure('shop', min_match => 101);
SELECT reco_configure('shop', half_life => '-1 day');
SELECT reco_configure('shop', popular_half_life => '0');
SELECT reco_configure('nowhere', neighbors => 10);
SELECT reco_configure('shop', similarity => 'cosine', neighbors => 10, half_life => '30 days', min_match => 60);
SELECT reco_configure('shop');
SELECT similarity, neighbors, keep, half_life, min_match FROM shop.model;

-- and back to their defaults
SELECT reco_configure('shop', reset => '{half_life, neighbours}');
SELECT reco_configure('shop', reset => '{half_life, ""}');
SELECT reco_configure('shop', half_life => '5 days', neighbors => 20, reset => '{min_match, half_life}');
SELECT reco_configure('shop', reset => '{}');
SELECT reco_configure('shop', reset => '{NULL}');
SELECT similarity, neighbors, half_life, min_match FROM shop.model;
SELECT reco_configure('shop', reset => '{half_life, neighbors, half_life}', min_match => 70);
SELECT similarity, neighbors, half_life, min_match FROM shop.model;
SELECT reco_configure('shop', similarity => 'cosine', neighbors => 10, reset => '{all}');
SELECT similarity, neighbors, half_life, min_match FROM shop.model;
SELECT reco_configure('shop', similarity => 'jaccard', reset => '{all, similarity}');

-- which model is meant
SELECT events FROM reco_refresh();
SELECT reco_create_model('other', 'SELECT customer_id AS user_id, product_id AS item_id FROM orders');
SELECT events FROM reco_refresh();
SET reco.model = 'other';
SELECT events FROM reco_refresh();
SET reco.model = 'nowhere';
SELECT events FROM reco_refresh();
SET reco.model = '';
SELECT events FROM reco_refresh('nowhere');
SET reco.nonsense = 1;

-- a name is just a name
SELECT reco_create_model($$Robert"); DROP TABLE orders;--$$, 'SELECT customer_id AS user_id, product_id AS item_id FROM orders');
SELECT events FROM reco_refresh($$Robert"); DROP TABLE orders;--$$);
SELECT count(*) FROM reco_top_n(1, 3, $$Robert"); DROP TABLE orders;--$$);
SELECT count(*) FROM "Robert""); DROP TABLE orders;--".top_n(1, 3);
SELECT reco_drop_model($$Robert"); DROP TABLE orders;--$$);
SELECT reco_create_model('Größe ''{model}'' ' || repeat('é', 22), 'SELECT customer_id AS user_id, product_id AS item_id FROM orders');
SELECT events FROM reco_refresh('Größe ''{model}'' ' || repeat('é', 22));
SELECT count(*) FROM reco_top_n(1, 3, 'Größe ''{model}'' ' || repeat('é', 22));
SELECT reco_drop_model('Größe ''{model}'' ' || repeat('é', 22));
SELECT reco_create_model('SELECT', 'SELECT customer_id AS user_id, product_id AS item_id FROM orders');
SELECT count(*) FROM reco_refresh('SELECT');
SELECT reco_drop_model('SELECT');

-- a column or table that a model needs cannot go unnoticed
ALTER TABLE orders DROP COLUMN product_id;
DROP TABLE products;
ALTER TABLE orders RENAME COLUMN product_id TO article;
SELECT events FROM reco_refresh('shop');
ALTER TABLE orders RENAME COLUMN article TO product_id;

-- renamed, it is the same model
ALTER SCHEMA shop RENAME TO store;
SELECT count(*) FROM reco_top_n(1, 3, 'store');
SELECT count(*) FROM store.top_n(1, 3);
SELECT count(*) FROM reco_top_n(1, 3, 'shop');
ALTER SCHEMA store RENAME TO shop;

-- dropping takes what the model made, and nothing else
CREATE TABLE shop.mine (x int);
SELECT reco_drop_model('shop');
DROP TABLE shop.mine;
CREATE MATERIALIZED VIEW depends AS SELECT * FROM shop.similar;
SELECT reco_drop_model('shop');
DROP MATERIALIZED VIEW depends;
SELECT reco_drop_model('shop');
SELECT reco_drop_model('other');
SELECT reco_drop_model(NULL);
SELECT count(*) FROM reco_models();

-- a schema with a table of that name is no model
CREATE SCHEMA plain;
CREATE TABLE plain.model (x int);
SELECT reco_refresh('plain');
SELECT reco_drop_model('plain');
DROP SCHEMA plain CASCADE;
DROP TABLE orders, products;
