-- Fallback: the sources that fill a list, who may ask for them, and every message.
CREATE TABLE customers (id int PRIMARY KEY, town text);
CREATE TABLE goods (sku text PRIMARY KEY, kind text, category text[], released_at date);
CREATE TABLE orders (customer int, sku text, at timestamptz);
INSERT INTO customers SELECT n, (ARRAY['Riga', 'Oslo'])[1 + n % 2] FROM generate_series(1, 62) n;
INSERT INTO goods SELECT 'g' || n, (ARRAY['tea', 'mug'])[1 + n % 2], ARRAY[(ARRAY['x', 'y', 'z'])[1 + n % 3]], '2025-01-01'::date + n FROM generate_series(1, 16) n;
-- Riga takes what is even, Oslo what is odd; g13 and g14 have only come; g15 and g16 nobody has touched
INSERT INTO orders SELECT n, 'g' || 2 * k + n % 2, '2026-01-01'::timestamptz + (n * 5 + k) * interval '6 hours' FROM generate_series(1, 60) n, generate_series(1, 5) k WHERE (n / 2 + k) % 5 < 3;
INSERT INTO orders SELECT n, 'g' || 13 + n % 2, '2026-04-01'::timestamptz + n * interval '1 minute' FROM generate_series(1, 60) n WHERE n % 7 < 2;
SELECT reco_create_model('shop', 'SELECT customer AS user_id, sku AS item_id, at AS occurred_at FROM orders',
                         'SELECT sku AS item_id, kind, category, released_at FROM goods', 'SELECT id AS user_id, town FROM customers');
SELECT events, users, items FROM reco_refresh();

-- the whole chain, of somebody new from Oslo, of somebody nobody knows, of a guest
SELECT item_id, source FROM shop.top_n(61, 16);
SELECT source, count(*) FROM shop.top_n(62, NULL) GROUP BY source ORDER BY max(score) DESC;
SELECT source, count(*) FROM shop.top_n(4711, NULL) GROUP BY source ORDER BY max(score) DESC;
SELECT source, count(*) FROM shop.top_n(NULL, NULL) GROUP BY source ORDER BY max(score) DESC;
SELECT source, count(*) FROM shop.top_n(1, NULL) GROUP BY source ORDER BY max(score) DESC;
SELECT attribute, value, rank, item_id, users, round(lift::numeric, 3) AS lift FROM shop.learned_group WHERE rank < 3 ORDER BY attribute, value, rank;

-- the attribute that says the category
SELECT reco_configure('shop', category => 'kind');
SELECT source, count(*) FROM shop.top_n(1, NULL) GROUP BY source ORDER BY max(score) DESC;
SELECT reco_configure('shop', category => 'genre');
SELECT reco_configure('shop', category => 'item_id');
SELECT reco_configure('shop', category => '');
SELECT reco_create_model('bare', 'SELECT customer AS user_id, sku AS item_id FROM orders');
SELECT reco_configure('bare', category => 'kind');
SELECT category FROM shop.model;

ALTER VIEW shop.items RENAME kind TO sort;
SELECT code, finding, hint FROM reco_check('shop') WHERE code = 'category_unknown';
SELECT source, count(*) FROM shop.top_n(1, NULL) GROUP BY source ORDER BY max(score) DESC;
ALTER VIEW shop.items RENAME sort TO kind;

-- who asks for a newcomer needs rights on the people; a guest's list does not
CREATE ROLE reco_fallback_reader;
GRANT USAGE ON SCHEMA shop TO reco_fallback_reader;
GRANT SELECT ON orders, goods TO reco_fallback_reader;
SET ROLE reco_fallback_reader;
SELECT count(*) FROM shop.top_n(NULL, 3);
SELECT count(*) FROM shop.top_n(1, 3);
\set VERBOSITY terse
SELECT count(*) FROM shop.top_n(61, 3);
\set VERBOSITY default
RESET ROLE;
GRANT SELECT ON customers TO reco_fallback_reader;
SET ROLE reco_fallback_reader;
SELECT count(*) FROM shop.top_n(61, 3);
RESET ROLE;

-- nor may anybody else's table stand in for what was learned
ALTER TABLE shop.learned_group RENAME TO aside;
SELECT count(*) FROM shop.top_n(61, 3);
GRANT CREATE ON SCHEMA shop TO reco_fallback_reader;
SET ROLE reco_fallback_reader;
CREATE VIEW shop.learned_group AS SELECT 'town'::text AS attribute, 'Oslo'::text AS value, 1 AS rank, 'g1'::text AS item_id, 1 AS users, 1::float8 AS lift;
RESET ROLE;
\set VERBOSITY terse
SELECT count(*) FROM shop.top_n(61, 3);
\set VERBOSITY default
DROP VIEW shop.learned_group;
REVOKE CREATE ON SCHEMA shop FROM reco_fallback_reader;
ALTER TABLE shop.aside RENAME TO learned_group;

-- an id of another type, and times before the first event
SELECT count(*) FROM shop.top_n('61'::text, 3);
SELECT source, count(*) FROM shop.top_n(1, 4, as_of => '1999-01-01') GROUP BY source;
SELECT source, count(*) FROM shop.top_n(1, 4, as_of => '-infinity') GROUP BY source;

-- too little memory for the groups, and nothing else goes wrong
SET maintenance_work_mem = '1MB';
INSERT INTO customers SELECT n, 'town ' || n % 900 FROM generate_series(100, 20000) n;
SELECT events, users FROM reco_refresh('shop');
SELECT count(*) FROM shop.learned_group;
RESET maintenance_work_mem;
SELECT events, users FROM reco_refresh('shop');
SELECT count(*) > 0 AS some FROM shop.learned_group;
SELECT reco_drop_model(m) FROM unnest(ARRAY['shop', 'bare']) m;
DROP TABLE customers, goods, orders;
DROP ROLE reco_fallback_reader;
