-- Contexts: lists that go by when, where and on what; every message.
CREATE TYPE place AS ENUM ('home', 'work');
CREATE TABLE acts (who text, what int, at timestamptz, device text, place place, progress float8);
-- what is even is for the evening, on the phone
INSERT INTO acts SELECT 'u' || u, 2 * k + n % 2, '2026-01-05'::timestamptz + u % 28 * interval '1 day' + CASE n % 2 WHEN 0 THEN interval '20 hours' ELSE interval '8 hours' END,
  CASE n % 2 WHEN 0 THEN 'phone' ELSE 'desk' END, (ARRAY['home', 'work']::place[])[1 + u % 2], .5
  FROM generate_series(1, 300) u, generate_series(1, 4) n, LATERAL (SELECT (u * 7 + n * 3) % 5 AS k) k;
SELECT reco_create_model('shop', 'SELECT who AS user_id, what AS item_id, at AS occurred_at, device, place, progress FROM acts');

-- what may be named
SELECT contexts, time_zone FROM shop.model;
SELECT reco_configure('shop', contexts => '{progress}');
SELECT reco_configure('shop', contexts => '{device, user_id}');
SELECT reco_configure('shop', contexts => '{browser}');
SELECT reco_configure('shop', contexts => '{device, NULL}');
SELECT reco_configure('shop', contexts => ARRAY(SELECT 'c' || n FROM generate_series(1, 9) n));
SELECT reco_configure('shop', time_zone => 'Mars/Olympus');
SELECT reco_configure('shop', time_zone => '');
SELECT reco_create_model('bare', 'SELECT who AS user_id, what AS item_id FROM acts');
SELECT reco_configure('bare', contexts => '{occurred_at}');

-- asked before there are any
SELECT events, users, items FROM reco_refresh('shop');
SELECT * FROM shop.top_n('u1', 3, context => '{"device": "phone"}');
SELECT reco_configure('shop', contexts => '{occurred_at, device, place}', time_zone => 'Europe/Riga');
SELECT count(*) FROM shop.top_n('u1', 3, context => '{"device": "phone"}');
SELECT events, users, items FROM reco_refresh('shop');
SELECT context, value, count(*), min(lift) < 1 AS lower, max(lift) > 1 AS higher FROM shop.learned_context WHERE context <> 'occurred_at' GROUP BY 1, 2 ORDER BY 1, 2;
SELECT count(*) > 0 AS some FROM shop.learned_context WHERE context = 'occurred_at';

-- the evening, and the phone
SELECT item_id % 2 AS odd, source FROM shop.top_n('u1', 2, context => '{"device": "phone"}');
SELECT item_id % 2 AS odd, source FROM shop.top_n('u1', 2, context => '{"device": "desk"}');
SELECT item_id % 2 AS odd FROM shop.top_n('u1', 2, context => jsonb_build_object('occurred_at', '2026-03-02'::timestamptz + interval '20 hours'));
-- a basket, a list that is given, and a guest
SELECT item_id % 2 AS odd, source FROM shop.complete(ARRAY[2, 3], 2, context => '{"device": "phone"}');
SELECT item_id % 2 AS odd, source FROM shop.complete(ARRAY[2, 3], 2, context => '{"device": "desk"}');
SELECT array_agg(item_id % 2) AS odd FROM shop.rank('u1', ARRAY[2, 3, 4, 5, 6, 7, 8, 9], context => '{"device": "phone"}') WHERE source = 'personal';
SELECT array_agg(item_id % 2) AS odd FROM reco_typed_rank('u1'::text, ARRAY[2, 3, 4, 5, 6, 7, 8, 9], 'shop.model', '{"device": "desk"}') AS t(item_id int, score float8, match float8, because int, source text) WHERE source = 'personal';
SELECT array_agg(item_id % 2) AS odd FROM shop.top_n(NULL, 4, context => '{"device": "phone"}');
SELECT array_agg(item_id % 2) AS odd FROM shop.top_n(NULL, 4, context => '{"device": "desk"}');
SELECT count(*), count(DISTINCT item_id) FROM shop.top_n('u1', NULL, context => '{"device": "phone", "place": "home"}');
SELECT count(DISTINCT user_id) FROM shop.top_n_all(3, context => '{"device": "phone"}');
-- a value that was never seen says nothing, nor do NULL and no key at all
SELECT (SELECT array_agg(t) FROM shop.top_n('u1') t) = (SELECT array_agg(t) FROM shop.top_n('u1', context => c) t) AS same FROM unnest(ARRAY['{"device": "toaster"}', '{"place": 3}', '{"place": true, "device": null}', '{}', NULL]::jsonb[]) c;

-- bad input
SELECT * FROM shop.top_n('u1', 3, context => '{"devcie": "phone"}');
SELECT * FROM shop.top_n('u1', 3, context => '["phone"]');
SELECT * FROM shop.top_n('u1', 3, context => '"phone"');
SELECT * FROM shop.top_n('u1', 3, context => '{"device": ["phone"]}');
SELECT * FROM shop.top_n('u1', 3, context => '{"occurred_at": "tonight"}');
SELECT * FROM shop.top_n('u1', 3, context => '{"occurred_at": "now", "time_zone": "Mars/Olympus"}');
SELECT * FROM shop.top_n_all(3, context => '{"devcie": "phone"}');
SELECT * FROM shop.complete(ARRAY[2], 3, context => '{"devcie": "phone"}');
SELECT * FROM shop.rank('u1', ARRAY[2], context => '{"devcie": "phone"}');
SELECT * FROM shop.rank('u1', ARRAY[2], context => '["phone"]');
SELECT * FROM shop.explore('u1', 3, context => '{"occurred_at": "now", "time_zone": "Mars/Olympus"}');

-- a column of too many values tells nothing; one that is gone is none; too little memory learns nothing
CREATE OR REPLACE VIEW shop.events WITH (security_invoker = true) AS
  SELECT who AS user_id, what AS item_id, at AS occurred_at, who || device AS device, place, progress FROM acts;
SELECT events FROM reco_refresh('shop');
SELECT DISTINCT context FROM shop.learned_context ORDER BY 1;
ALTER VIEW shop.events RENAME place TO site;
SELECT code, finding, hint FROM reco_check('shop') WHERE code = 'context_unknown';
SELECT events FROM reco_refresh('shop');
SELECT DISTINCT context FROM shop.learned_context ORDER BY 1;
-- what is too long is no value, wherever it is stored; more columns than may be named are none of reco_configure's
ALTER TABLE acts ALTER device SET STORAGE EXTERNAL;
INSERT INTO acts SELECT 'y' || n, 1, now(), repeat(md5(n::text), 80) FROM generate_series(1, 600) n;
CREATE OR REPLACE VIEW shop.events WITH (security_invoker = true) AS
  SELECT who AS user_id, what AS item_id, at AS occurred_at, device, place AS site, progress FROM acts;
SELECT events FROM reco_refresh('shop');
SELECT DISTINCT context FROM shop.learned_context ORDER BY 1;
DELETE FROM acts WHERE who LIKE 'y%';
UPDATE shop.model SET contexts = ARRAY(SELECT 'device' FROM generate_series(1, 400));
SELECT events FROM reco_refresh('shop');
SELECT reco_configure('shop', contexts => '{occurred_at, device}');
INSERT INTO acts SELECT 'x', n, now(), 'phone' FROM generate_series(100, 2500) n;
SET maintenance_work_mem = '1MB';
SELECT events FROM reco_refresh('shop');
SELECT DISTINCT context FROM shop.learned_context ORDER BY 1;
RESET maintenance_work_mem;
UPDATE shop.model SET time_zone = 'Mars/Olympus';
SELECT * FROM shop.top_n('u1', 3, context => '{"occurred_at": "now"}');
SELECT events FROM reco_refresh('shop');
SELECT reco_drop_model(m) FROM unnest(ARRAY['shop', 'bare']) m;
DROP TABLE acts;
DROP TYPE place;
