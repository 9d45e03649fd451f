-- Estimating: what a refresh will find, before it runs; where it may not look, and where there is nothing to see.
-- How near the figures come is tested in test/pgtap/estimate.sql.
CREATE TABLE events (u int, i text, w float8, t timestamptz);
INSERT INTO events SELECT c, 'item ' || (c * n) % 9, 1 + n, '2026-01-01'::timestamptz + n * interval '1 day'
  FROM generate_series(1, 30) c, generate_series(1, 5) n;

-- no model at all, and none of that name
SELECT * FROM reco_estimate();
SELECT * FROM reco_estimate('shop');

-- rows a refresh would leave out do not count; so few are counted, not estimated
SELECT reco_create_model('shop', 'SELECT u AS user_id, i AS item_id, w AS weight, t AS occurred_at FROM events');
INSERT INTO events VALUES (NULL, 'item 1', 1, '2026-01-01'), (1, NULL, 1, '2026-01-01'), (1, 'item 1', NULL, '2026-01-01'), (1, 'item 1', 1, NULL),
  (1, 'item 1', 'NaN', '2026-01-01'), (1, 'item 1', '-Infinity', '2026-01-01'), (1, 'item 1', 1e300, '2026-01-01'), (1, 'item 1', 1, 'infinity');
SELECT events, users, items, pairs, share_read FROM reco_estimate();
SELECT events, users, items FROM reco_refresh();
SELECT sum(h * h) AS pairs FROM (SELECT count(DISTINCT i) AS h FROM events
  WHERE w BETWEEN 0 AND 1e30 AND t < now() AND u IS NOT NULL AND i IS NOT NULL GROUP BY u) s;
-- of all that a report of a refresh has
SELECT neighbor_pairs > 0 AS neighbors, seconds_read > 0 AS "read", seconds_encode > 0 AS encode, seconds_learn > 0 AS learn, seconds_curve > 0 AS curve,
       seconds_write > 0 AS write, abs(seconds_total - seconds_read - seconds_encode - seconds_learn - seconds_curve - seconds_write) < 1e-4 AS adds_up,
       peak_memory BETWEEN 1000 AND 1000000 AS memory FROM reco_estimate('shop', max_seconds => 'Infinity');
-- settings count: a history that is cut short has fewer pairs; and so does one that is not positive
SELECT reco_configure('shop', max_history => 2);
SELECT pairs FROM reco_estimate('shop');
SELECT reco_configure('shop', max_history => 5000);
UPDATE events SET w = -1 WHERE i = 'item 0';
SELECT events, users, items, pairs FROM reco_estimate('shop');

-- nothing is written, so that a transaction that may not write can ask
BEGIN READ ONLY;
SELECT events FROM reco_estimate('shop');
ROLLBACK;

-- how long it may take
SELECT events FROM reco_estimate('shop', 0);
SELECT events FROM reco_estimate('shop', -1);
SELECT events FROM reco_estimate('shop', 'NaN');
SELECT events FROM reco_estimate('shop', '-Infinity');
SELECT events FROM reco_estimate('shop', 1e-9);

-- an error in the events query
CREATE OR REPLACE VIEW shop.events WITH (security_invoker = true) AS
  SELECT u AS user_id, i AS item_id, w / (CASE WHEN u = 17 THEN 0 ELSE 1 END) AS weight, t AS occurred_at FROM events;
SELECT events FROM reco_estimate('shop');
CREATE OR REPLACE VIEW shop.events WITH (security_invoker = true) AS
  SELECT u AS user_id, i AS item_id, w AS weight, t AS occurred_at FROM events;

-- only the owner may ask, as only the owner may refresh, and it is done as the owner
CREATE ROLE reco_estimator;
SET ROLE reco_estimator;
SELECT * FROM reco_estimate('shop');
RESET ROLE;
GRANT USAGE ON SCHEMA shop TO reco_estimator;
GRANT SELECT ON ALL TABLES IN SCHEMA shop TO reco_estimator;
GRANT SELECT ON events TO reco_estimator;
SET ROLE reco_estimator;
SELECT * FROM reco_estimate('shop');
RESET ROLE;
REVOKE ALL ON events FROM reco_estimator;
CREATE FUNCTION who() RETURNS text LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  RAISE NOTICE 'as the owner: %, search_path %', current_user = pg_catalog.pg_get_userbyid((SELECT nspowner FROM pg_catalog.pg_namespace WHERE nspname = 'shop')),
    pg_catalog.current_setting('search_path');
  RETURN 'item';
END $$;
CREATE OR REPLACE VIEW shop.events WITH (security_invoker = true) AS
  SELECT 1 AS user_id, who() AS item_id, 1::float8 AS weight, '2026-01-01'::timestamptz AS occurred_at;
CREATE ROLE reco_owners_friend SUPERUSER;
SET ROLE reco_owners_friend;
SELECT events FROM reco_estimate('shop');
SHOW search_path;
SELECT current_user;
RESET ROLE;
DROP OWNED BY reco_estimator;
DROP ROLE reco_estimator, reco_owners_friend;

-- nothing to learn from
CREATE OR REPLACE VIEW shop.events WITH (security_invoker = true) AS
  SELECT u AS user_id, i AS item_id, w AS weight, t AS occurred_at FROM events WHERE false;
SELECT * FROM reco_estimate('shop');
-- nothing positive
CREATE OR REPLACE VIEW shop.events WITH (security_invoker = true) AS
  SELECT u AS user_id, i AS item_id, -1::float8 AS weight, t AS occurred_at FROM events WHERE t < '2027-01-01';
SELECT events, users, items, pairs, neighbor_pairs FROM reco_estimate('shop');
SELECT reco_drop_model('shop');
DROP TABLE events;
DROP FUNCTION who;
