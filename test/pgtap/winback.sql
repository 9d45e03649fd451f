-- winback: against plain SQL over reco_rhythm and BG/NBD, by hand, and what is lost in the order it is.

BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;
SET LOCAL timezone = 'UTC';

-- 300 customers: each comes every 3 to 20 days, more or less, and one in three stops on the way; baskets, two orders on some days, returns.
CREATE TABLE buy (u int, i int, at timestamptz, paid float8);
INSERT INTO buy
  SELECT u, (u * 7 + n * 3 + s) % 40, timestamptz '2024-01-01' + make_interval(days => u % 50 + n * (3 + u % 18) + (u * n) % 3, hours => 8 + s % 3), CASE WHEN (u + n + s) % 17 = 0 THEN -5 ELSE 5 + u % 30 END
  FROM generate_series(1, 300) u, generate_series(0, 60) n, generate_series(0, 2) s
  WHERE u % 50 + n * (3 + u % 18) < CASE WHEN u % 3 = 0 THEN 60 + u % 60 ELSE 200 END AND (u % 7 <> 1 OR n = 0);
CREATE INDEX ON buy (u);
SELECT reco_create_model('win', 'SELECT u AS user_id, i AS item_id, at AS occurred_at, paid AS weight FROM public.buy');
SELECT reco_configure('win', similarity => 'cosine', half_life => '100 days', time_zone => 'Asia/Tokyo');
SELECT events > 0 FROM reco_refresh('win');

-- Visits are the days in Tokyo with something bought, a day being where its first order is.
CREATE TEMP TABLE visit AS SELECT u, min(at) AS at FROM buy WHERE paid > 0 AND at <= '2024-07-20' GROUP BY u, (at AT TIME ZONE 'Asia/Tokyo')::date;
CREATE TEMP TABLE slow AS
  WITH r AS (SELECT u, reco_rhythm(at) AS r FROM visit GROUP BY u), f AS (SELECT reco_fit_bgnbd(r, '2024-07-20') AS f FROM r),
    v AS (SELECT u, sum(paid) AS paid FROM buy WHERE paid > 0 AND at <= '2024-07-20' GROUP BY u)
  SELECT u, reco_p_alive(f, r, '2024-07-20') AS alive, reco_expected_purchases(f, r, '2024-07-20', '60 days') / reco_p_alive(f, r, '2024-07-20') AS purchases,
    paid / (r).times AS value, (r).last_at, (r).mean_gap, (r).times, (r).next_until FROM r JOIN v USING (u), f;
CREATE TEMP TABLE fast AS SELECT * FROM win.win_back(NULL, 0, '60 days', 1, '2024-07-20');
SELECT ok(count(*) > 200, 'there are some') FROM fast;
SELECT is((SELECT count(*) FROM fast), (SELECT count(*) FROM slow WHERE times > 1), 'everybody who came on two days is there');
SELECT is_empty($$SELECT * FROM fast f JOIN slow s ON s.u = f.user_id WHERE abs(f.alive - s.alive) > 1e-9 * s.alive OR abs(f.purchases / s.purchases - 1) > 1e-9
  OR abs(f.value / s.value - 1) > 1e-9 OR f.last_at <> s.last_at OR f.mean_gap <> s.mean_gap$$, 'with the numbers of plain SQL, whatever decay lists go by');
SELECT is_empty($$SELECT * FROM fast WHERE abs(expected_loss - (1 - alive) * purchases * value) > 1e-9 * expected_loss$$, 'the loss is what is said');
SELECT is((SELECT array_agg(user_id) FROM fast), (SELECT array_agg(user_id ORDER BY expected_loss DESC, user_id) FROM fast), 'the greatest comes first, of equals the smaller id');
SELECT is_empty($$SELECT * FROM win.win_back(NULL, 0, '60 days', 0.1, '2024-07-20') w FULL JOIN (SELECT * FROM slow WHERE next_until <= '2024-07-20') s ON s.u = w.user_id WHERE w.user_id IS NULL OR s.u IS NULL$$,
  'silent is who has passed next_until of their rhythm');
SELECT ok(avg((user_id % 3 = 0)::int) > 0.9, 'nearly all of them did stop') FROM win.win_back(NULL, 0, '60 days', 0.05, '2024-07-20');
SELECT is((SELECT array_agg(user_id) FROM win.win_back(7, 0, '60 days', 1, '2024-07-20')), (SELECT (array_agg(user_id))[1:7] FROM fast), 'k is the beginning');
SELECT is_empty($$SELECT w.user_id FROM win.win_back(40, 5, as_of => '2024-07-20') w WHERE w.items IS DISTINCT FROM ARRAY(SELECT t.item_id FROM win.top_n(w.user_id, 5, as_of => '2024-07-20') WITH ORDINALITY t(item_id, a, b, c, d, n) ORDER BY n)$$, 'offers are the first of the list');

/*
 * By hand: one who came every ten days, on seven of them, silent for 110: six equal gaps, cv^2 = 1/6, c = 6; a share of
 * 110/170 and more of Beta(6, 36) is as likely as five successes at most in 41 trials of that chance.
 */
CREATE TABLE one (u int, i int, at timestamptz);
INSERT INTO one SELECT 1, n, timestamptz '2024-01-01' + make_interval(days => 10 * n) FROM generate_series(0, 6) n;
INSERT INTO one SELECT u, n, timestamptz '2024-01-01' + make_interval(days => 7 * n + u) FROM generate_series(2, 30) u, generate_series(0, u % 5) n;
SELECT reco_create_model('one', 'SELECT u AS user_id, i AS item_id, at AS occurred_at FROM public.one');
SELECT events > 0 FROM reco_refresh('one');
SELECT ok(abs(w.chance / s.chance - 1) < 1e-6, format('the chance of a silence, by the binomial sum: %s', s.chance))
FROM one.win_back(NULL, as_of => timestamptz '2024-03-01' + interval '110 days') w,
  (SELECT sum(c * x ^ k * (1 - x) ^ (41 - k)) AS chance FROM (SELECT k, 110 / 170.0::float8 AS x, (SELECT coalesce(exp(sum(ln((42 - j)::float8 / j))), 1) FROM generate_series(1, k) j) AS c FROM generate_series(0, 5) k) t) s
WHERE w.user_id = 1;
SELECT is(value, 1::float8, 'without weights a visit is worth 1') FROM one.win_back(1, as_of => '2025-01-01');

SELECT * FROM finish();
ROLLBACK;
