-- Checking: every finding, and none where all is well.
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET maintenance_work_mem = '64MB';
\pset format unaligned
\pset fieldsep ' | '
\pset tuples_only on
CREATE TABLE goods (id int PRIMARY KEY, title text);
CREATE TABLE orders (customer int, product int, at timestamptz, amount float8, kind text);
CREATE INDEX orders_customer ON orders (customer);
-- a day of every customer, all of them yesterday
CREATE PROCEDURE fill() LANGUAGE sql AS $$
  TRUNCATE orders, goods;
  INSERT INTO goods SELECT n, 'goods ' || n / 3 FROM generate_series(0, 11) n;
  INSERT INTO orders SELECT u, (u % 3) * 4 + n, now() - interval '1 day' - n * interval '1 hour', 1, 'buy'
    FROM generate_series(1, 240) u, generate_series(0, 3) n WHERE (u / 3) % 4 <> n;
$$;
CALL fill();
SELECT reco_create_model('shop', 'SELECT customer AS user_id, product AS item_id, at AS occurred_at, amount AS weight, kind AS signal FROM public.orders',
                         'SELECT id AS item_id, title FROM public.goods');
SELECT * FROM reco_check();
SELECT events FROM reco_refresh();
-- well
SELECT * FROM reco_check();
SELECT * FROM reco_check('shop');

-- attributes
BEGIN;
UPDATE goods SET title = 'goods ' || id;
SELECT * FROM reco_check();
ALTER VIEW shop.items RENAME COLUMN title TO embedding;
SELECT * FROM reco_check();
ALTER VIEW shop.items RENAME COLUMN embedding TO name;
SELECT reco_configure(content => 0);
SELECT * FROM reco_check();
ROLLBACK;
-- events
BEGIN;
TRUNCATE orders;
SELECT * FROM reco_check();
ROLLBACK;
BEGIN;
INSERT INTO orders SELECT NULL, 1, now() - interval '1 day', 1 FROM generate_series(1, 40);
INSERT INTO orders SELECT 1, NULL, now() - interval '1 day', 1 FROM generate_series(1, 30);
INSERT INTO orders SELECT 1, 1, NULL, 1 FROM generate_series(1, 20);
INSERT INTO orders SELECT 1, 1, now() - interval '1 day', NULL FROM generate_series(1, 10);
INSERT INTO orders SELECT 1, 1, now() - interval '1 day', 'NaN' FROM generate_series(1, 5);
SELECT * FROM reco_check();
UPDATE orders SET amount = 'Infinity';
SELECT * FROM reco_check();
ROLLBACK;
BEGIN;
UPDATE orders SET amount = CASE WHEN customer % 2 = 0 THEN 0 ELSE -1 END;
SELECT * FROM reco_check();
ROLLBACK;
-- times
BEGIN;
INSERT INTO orders VALUES (1, 1, '2999-12-31', 1, 'buy'), (2, 1, '2999-01-01', 1, 'buy');
SELECT * FROM reco_check();
ROLLBACK;
BEGIN;
UPDATE orders SET at = '2024-05-01';
SELECT * FROM reco_check();
ROLLBACK;
-- users
BEGIN;
INSERT INTO orders SELECT 1000 + n, n % 12, now() - interval '2 days', 1, 'buy' FROM generate_series(1, 2400) n;
SELECT * FROM reco_check();
DELETE FROM orders WHERE customer <= 1000;
SELECT * FROM reco_check() WHERE code <> 'one_time';
ROLLBACK;
BEGIN;
INSERT INTO orders SELECT 0, n % 12, now() - interval '2 days', 1, 'buy' FROM generate_series(1, 300) n;
SELECT * FROM reco_check();
ROLLBACK;
-- signals
BEGIN;
UPDATE orders SET kind = NULL;
SELECT * FROM reco_check();
ROLLBACK;
BEGIN;
SELECT reco_configure('shop', exclude_seen => '{"buy": "90 days"}');
SELECT * FROM reco_check();
UPDATE orders SET kind = 'purchase';
SELECT * FROM reco_check();
ROLLBACK;
BEGIN;
INSERT INTO orders SELECT customer, product, at, 0, 'shown' FROM orders;
INSERT INTO orders VALUES (1, 1, now() - interval '1 day', 0, 'seen "twice"');
SELECT * FROM reco_check();
ROLLBACK;
-- the catalogue
BEGIN;
DELETE FROM goods;
SELECT * FROM reco_check();
ROLLBACK;
BEGIN;
UPDATE goods SET id = id + 1000;
SELECT * FROM reco_check();
UPDATE goods SET id = 0 WHERE id = 1000;
SELECT * FROM reco_check();
ROLLBACK;
BEGIN;
CREATE OR REPLACE VIEW shop.items WITH (security_invoker = true) AS SELECT id AS item_id, title FROM public.goods UNION ALL SELECT id, 'twice' FROM public.goods UNION ALL SELECT NULL, 'none';
SELECT * FROM reco_check();
ROLLBACK;
-- the refresh
BEGIN;
INSERT INTO orders SELECT customer, (product + 4) % 12, now() - interval '1 minute', 1, 'buy' FROM orders;
SELECT regexp_replace(r::text, 'at 20[0-9-]* [0-9:.+]*', 'at X') FROM reco_check() r;
ROLLBACK;
BEGIN;
INSERT INTO orders VALUES (1, 0, now() - interval '1 minute', 1, 'buy');
SELECT * FROM reco_check();
UPDATE shop.model SET refreshed_at = '2024-01-01';
SELECT * FROM reco_check();
ROLLBACK;
BEGIN;
SELECT reco_configure('shop', min_support => 1000);
SELECT neighbor_pairs FROM reco_refresh();
SELECT * FROM reco_check();
ROLLBACK;
BEGIN;
DELETE FROM orders WHERE customer > 8;
SELECT events FROM reco_refresh();
SELECT * FROM reco_check();
ROLLBACK;
-- memory
BEGIN;
SET LOCAL maintenance_work_mem = '1MB';
INSERT INTO orders SELECT 1000 + n % 20000, n / 20000, now() - interval '2 days', 1, 'buy' FROM generate_series(0, 79999) n;
SELECT * FROM reco_check();
-- where all are alike, less will do, as a refresh finds
SELECT reco_create_model('even', 'SELECT DISTINCT customer AS user_id, product AS item_id FROM public.orders');
SELECT * FROM reco_check('even') WHERE code = 'maintenance_work_mem';
SELECT events FROM reco_refresh('even');
SELECT reco_configure('even', algorithm => 'factors');
SELECT finding FROM reco_check('even') WHERE code = 'maintenance_work_mem';
ROLLBACK;

-- views that are read with the rights of their owner
BEGIN;
ALTER VIEW shop.items RESET (security_invoker);
ALTER VIEW shop.events SET (security_invoker = off);
SELECT * FROM reco_check() WHERE code = 'owner_rights';
ALTER VIEW shop.events SET (security_invoker = on);
ALTER VIEW shop.items SET (security_invoker = true);
SELECT * FROM reco_check() WHERE code = 'owner_rights';
ROLLBACK;

-- tables that every question reads in full
BEGIN;
DROP INDEX orders_customer;
SELECT severity, code, regexp_replace(finding, '[0-9]+ pages', 'N pages') AS finding, hint FROM reco_check();
CREATE INDEX ON orders (product, customer);
SELECT code, hint FROM reco_check();
CREATE INDEX ON orders (kind);
CREATE OR REPLACE VIEW shop.events WITH (security_invoker = true) AS
  SELECT customer AS user_id, product AS item_id, at AS occurred_at, amount AS weight, kind AS signal FROM public.orders WHERE kind = 'buy';
SELECT code, hint FROM reco_check();
CREATE INDEX ON orders (customer, kind);
SELECT code, hint FROM reco_check();
ROLLBACK;
-- an expression; a cast; a large table; one that is joined; partitions; two tables, one of them well
BEGIN;
CREATE OR REPLACE VIEW shop.events WITH (security_invoker = true) AS
  SELECT customer + 0 AS user_id, product AS item_id, at AS occurred_at, amount AS weight, kind AS signal FROM public.orders;
SELECT code, hint FROM reco_check();
CREATE INDEX ON orders ((customer + 0));
SELECT code, hint FROM reco_check();
ROLLBACK;
BEGIN;
CREATE TABLE "Visits" (id int, "Who" int);
CREATE TABLE visit_pages (visit int, page int, note text DEFAULT repeat('x', 1000));
ALTER TABLE visit_pages ALTER note SET STORAGE PLAIN;
INSERT INTO "Visits" SELECT n, 1 + n % 240 FROM generate_series(1, 100) n;
INSERT INTO visit_pages SELECT 1 + n % 100, n % 12 FROM generate_series(1, 8000) n;
CREATE INDEX ON visit_pages (visit);
CREATE OR REPLACE VIEW shop.events WITH (security_invoker = true) AS
  SELECT customer AS user_id, product AS item_id, at AS occurred_at, amount AS weight, kind AS signal FROM public.orders
  UNION ALL SELECT "Who", page, now() - interval '1 hour', 0.5, 'view' FROM public."Visits" v JOIN public.visit_pages p ON p.visit = v.id;
ANALYZE "Visits", visit_pages;
SELECT severity, code, finding, hint FROM reco_check() WHERE code = 'no_index' ORDER BY finding;
DROP INDEX visit_pages_visit_idx;
SELECT severity, code, finding, hint FROM reco_check() WHERE code = 'no_index' ORDER BY finding;
ROLLBACK;
BEGIN;
CREATE TABLE clicks (who int, what int, at timestamptz) PARTITION BY RANGE (at);
CREATE TABLE clicks_old PARTITION OF clicks FOR VALUES FROM ('2000-01-01') TO ('2024-01-01');
CREATE TABLE clicks_new PARTITION OF clicks FOR VALUES FROM ('2024-01-01') TO ('2999-01-01');
INSERT INTO clicks SELECT customer, product, at FROM orders;
CREATE OR REPLACE VIEW shop.events WITH (security_invoker = true) AS
  SELECT who AS user_id, what AS item_id, at AS occurred_at, 1::float8 AS weight, 'click' AS signal FROM public.clicks;
SELECT code, finding, hint FROM reco_check() WHERE code = 'no_index';
CREATE INDEX ON clicks (who);
SELECT code, hint FROM reco_check() WHERE code = 'no_index';
ROLLBACK;
-- a sample; partitions in order by an index on another column; all that is read in an index, by its second column
BEGIN;
CREATE OR REPLACE VIEW shop.events WITH (security_invoker = true) AS
  SELECT customer AS user_id, product AS item_id, at AS occurred_at, amount AS weight, kind AS signal FROM public.orders TABLESAMPLE SYSTEM (100);
SELECT code, regexp_replace(finding, '[0-9]+ pages', 'N pages') AS finding, hint FROM reco_check() WHERE code = 'no_index';
CREATE TABLE clicks (who int, what int, at timestamptz NOT NULL) PARTITION BY HASH (at);
CREATE TABLE clicks_even PARTITION OF clicks FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE clicks_odd PARTITION OF clicks FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE INDEX ON clicks (at);
INSERT INTO clicks SELECT customer, product, coalesce(at, '2024-01-01') FROM orders;
ANALYZE clicks;
CREATE OR REPLACE VIEW shop.events WITH (security_invoker = true) AS
  SELECT who AS user_id, what AS item_id, at AS occurred_at, 1::float8 AS weight, 'click' AS signal FROM public.clicks ORDER BY at LIMIT 1000000;
SELECT code, regexp_replace(finding, '[0-9]+ pages', 'N pages') AS finding, hint FROM reco_check() WHERE code = 'no_index';
ROLLBACK;
-- without times, weights, signals, a catalogue
SELECT reco_create_model('bare', 'SELECT customer AS user_id, product AS item_id FROM public.orders');
SELECT events FROM reco_refresh('bare');
SELECT * FROM reco_check('bare');
BEGIN;
INSERT INTO orders SELECT customer, (product + 4) % 12 FROM orders;
SELECT regexp_replace(r::text, 'at 20[0-9-]* [0-9:.+]*', 'at X') FROM reco_check('bare') r;
ROLLBACK;
BEGIN;
DROP INDEX orders_customer;
CREATE INDEX ON orders (product, customer);
SELECT code, regexp_replace(finding, '[0-9]+ pages', 'N pages') AS finding, hint FROM reco_check('bare') WHERE code = 'no_index';
ROLLBACK;
-- whoever asks sees what may be seen
CREATE ROLE reco_check_reader;
GRANT USAGE ON SCHEMA shop TO reco_check_reader;
SET ROLE reco_check_reader;
\set SHOW_CONTEXT never
SELECT * FROM reco_check('shop');
\set SHOW_CONTEXT errors
RESET ROLE;
GRANT SELECT ON orders, goods TO reco_check_reader;
SET ROLE reco_check_reader;
SELECT * FROM reco_check('shop');
RESET ROLE;
-- bad input
SELECT * FROM reco_check();
SELECT * FROM reco_check('nowhere');
SELECT * FROM reco_check(1);
-- the settings it needed for looking are gone
SHOW enable_seqscan;
SHOW search_path;
SELECT reco_drop_model(m) FROM unnest(ARRAY['shop', 'bare']) m;
DROP OWNED BY reco_check_reader;
DROP ROLE reco_check_reader;
DROP PROCEDURE fill;
DROP TABLE orders, goods;
