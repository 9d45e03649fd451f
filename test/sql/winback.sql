-- Winning back: the surface, customers of all kinds, and every message.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET intervalstyle = 'postgres';
CREATE TABLE buy (u text, i int, at timestamptz, paid numeric);
-- Every ten days until spring (gone), every ten days until now (here), once, twice, never anything but returns; all buy two of twelve things a time.
INSERT INTO buy SELECT 'gone' || u, (u + n) % 12 + s, timestamptz '2024-01-01 10:00' + make_interval(days => 10 * n, hours => s), 10 * u
  FROM generate_series(1, 3) u, generate_series(0, 6) n, generate_series(0, 1) s;
INSERT INTO buy SELECT 'here' || u, (u + n) % 12 + s, timestamptz '2024-01-01 10:00' + make_interval(days => 10 * n), 10
  FROM generate_series(1, 6) u, generate_series(0, 17) n, generate_series(0, 1) s;
INSERT INTO buy VALUES ('once', 1, '2024-01-05', 1000), ('twice', 2, '2024-01-05', 1000), ('twice', 3, '2024-05-05', 1000), ('returns', 1, '2024-01-05', -5), ('oneday', 1, '2024-01-05 09:00', 9), ('oneday', 2, '2024-01-05 10:00', 9);
SELECT reco_create_model('win', 'SELECT u AS user_id, i AS item_id, at AS occurred_at, paid AS weight FROM public.buy');
SELECT reco_win_back(model => 'win');
SELECT events, users FROM reco_refresh('win');
SELECT user_id, expected_loss > 0 AS loss, alive BETWEEN 0 AND 1 AS alive, purchases > 0 AS purchases, value, last_at, mean_gap, round(chance::numeric, 6) AS chance, cardinality(items) AS items, pg_typeof(items)
FROM win.win_back(as_of => '2024-06-30');
SELECT user_id, pg_typeof(user_id), pg_typeof(items) FROM reco_win_back(1, 'win', as_of => '2024-06-30');
-- Of everybody with a rhythm; without offers; before anything was; before anybody came again.
SELECT user_id, items FROM win.win_back(NULL, 0, max_chance => 1, as_of => '2024-06-30') ORDER BY 1;
SELECT count(*) FROM win.win_back(as_of => '2023-06-30');
SELECT count(*) FROM win.win_back(as_of => '2024-01-02', max_chance => 1);
SELECT w.items = ARRAY(SELECT t.item_id FROM win.top_n(w.user_id, 2, as_of => '2024-06-30') t ORDER BY t.score DESC) AS offers FROM win.win_back(1, 2, as_of => '2024-06-30') w;
-- What cannot be.
SELECT win.win_back(offers => -1);
SELECT win.win_back(offers => 101);
SELECT win.win_back(horizon => '0');
SELECT win.win_back(max_chance => 1.5);
SELECT win.win_back(max_chance => 'NaN');
SELECT win.win_back(as_of => 'infinity');
SELECT win.win_back(0);
SELECT * FROM reco_typed_win_back(1, 'win.model', 3, NULL, NULL, NULL) AS t(user_id text, expected_loss float8, alive float8, purchases float8, value float8, last_at timestamptz, mean_gap interval, chance float8, items int);
SELECT * FROM reco_typed_win_back(1, 'win.model', 3, NULL, NULL, NULL) AS t(user_id text, expected_loss float8, alive float8, purchases float8, value float8, last_at timestamptz, mean_gap interval, chance float8, items uuid[]);
SELECT reco_create_model('timeless', 'SELECT u AS user_id, i AS item_id FROM public.buy');
SELECT events FROM reco_refresh('timeless');
SELECT timeless.win_back();
SELECT reco_drop_model('timeless');
SELECT reco_drop_model('win');
DROP TABLE buy;
