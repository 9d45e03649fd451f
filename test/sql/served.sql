-- served: lists written down, what came of them, and every message.
SET intervalstyle = 'postgres';
CREATE TABLE did (who int, what text, at timestamptz, how text, much float8);
INSERT INTO did SELECT u, chr(97 + (u + n * n) % 6), '2026-01-01'::timestamptz + n * interval '1 day', 'buy', 1 FROM generate_series(1, 40) u, generate_series(1, 3) n;
SELECT reco_create_model('shop', 'SELECT who AS user_id, what AS item_id, at AS occurred_at, how AS signal, much AS weight FROM did');
SELECT events, users, items FROM reco_refresh();
SELECT * FROM reco_attribute();
SELECT reco_create_log('shop');
SELECT reco_create_log('shop');
SELECT * FROM reco_attribute();
SELECT list_id, rank, item_id, source FROM shop.serve(1, 2, 'new');
SELECT list_id, rank, item_id, source FROM shop.serve(2, 2, 'old', exclude => ARRAY['a']);
SELECT count(*) FROM shop.serve(3, 0);
SELECT list_id, rank, served_at <= now() AS passed, user_id, item_id, score > 0 AS scored, source, variant, propensity FROM shop.served ORDER BY 1, 2;
INSERT INTO did SELECT user_id, item_id, served_at + interval '1 minute', 'view', 2 FROM shop.served WHERE rank = 1;
SELECT list_id, rank, user_id, item_id, extract(epoch FROM chosen_at - served_at)::int AS seconds, events, weight FROM shop.attribute() ORDER BY 1, 2;
SELECT variant, source, lists, shown, chosen, rate, low, high FROM reco_attribute();
SELECT sum(events) FROM shop.attribute('1 day', 'buy');
SELECT sum(events) FROM shop.attribute('30 seconds');
SELECT * FROM reco_attribute('shop', NULL);
SELECT * FROM reco_attribute('nowhere');

-- Only its owner makes it, and it is read as the caller.
CREATE ROLE reco_served_reader;
GRANT USAGE ON SCHEMA shop TO reco_served_reader;
GRANT SELECT ON did TO reco_served_reader;
SET ROLE reco_served_reader;
SELECT * FROM reco_attribute();
SELECT * FROM shop.serve(1);
SELECT reco_create_log('shop');
RESET ROLE;
SELECT reco_drop_model('shop');
SELECT count(*) FROM pg_namespace WHERE nspname = 'shop';
DROP OWNED BY reco_served_reader;
DROP ROLE reco_served_reader;

-- Without times nothing comes after; without weights and signals every event counts.
SELECT reco_create_model('shop', 'SELECT who AS user_id, what AS item_id FROM did');
SELECT reco_create_log('shop');
SELECT reco_drop_model('shop');
SELECT reco_create_model('shop', 'SELECT who AS user_id, what AS item_id, at AS occurred_at FROM did');
SELECT reco_create_log();
INSERT INTO shop.served (list_id, rank, user_id, item_id, served_at) VALUES (1, 1, 1, 'c', '2026-01-02'), (2, 1, 1, 'c', '2026-01-02 12:00'), (3, 1, 1, 'f', '2026-01-03'), (4, 1, 1, 'c', 'infinity');
SELECT list_id, chosen_at, events, weight FROM shop.attribute('10 days') ORDER BY 1;
SELECT at FROM did WHERE who = 1 AND what = 'c';
SELECT reco_drop_model('shop');
DROP TABLE did;
