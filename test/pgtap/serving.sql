-- serving: lists measured as they are served; against plain SQL, on a planted taste and on none, and never by what came later.

BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;
SET LOCAL timezone = 'UTC';

CREATE FUNCTION pg_temp.lot(a int, b int) RETURNS float8 LANGUAGE sql IMMUTABLE AS
  $$SELECT ('x' || substr(md5(a || '.' || b), 1, 8))::bit(32)::bigint / 4294967296.0$$;

/*
 * By plain SQL: 120 people, 40 items, an event every eleven minutes, one in five of them an impression.  In the evening most is above
 * 20, on the phone most is odd.
 */
CREATE TABLE act AS
  SELECT n, u, device, at, CASE WHEN pg_temp.lot(n, 6) < .2 THEN 0 ELSE 1 + floor(512 * pg_temp.lot(n, 5)) / 256 END AS w,
    CASE WHEN pg_temp.lot(n, 4) < .8 AND device IS NOT NULL THEN i - i % 2 + CASE WHEN device = 'phone' THEN 1 ELSE 0 END ELSE i END AS i
  FROM (SELECT n, 1 + floor(120 * pg_temp.lot(n, 1))::int AS u, CASE WHEN pg_temp.lot(n, 2) < .05 THEN NULL WHEN pg_temp.lot(n, 2) < .5 THEN 'phone' WHEN pg_temp.lot(n, 2) < .95 THEN 'desk' ELSE 'kiosk' || n END AS device, at,
      (CASE WHEN extract(hour FROM at) >= 16 THEN 20 ELSE 0 END + 30 * pg_temp.lot(n, 3) ^ 2)::int % 40 AS i
    FROM (SELECT n, timestamptz '2026-01-05' + n * interval '11 minutes' AS at FROM generate_series(1, 6000) n) a) b;
SELECT reco_create_model('act', 'SELECT u AS user_id, i AS item_id, at AS occurred_at, w AS weight, device FROM act');
SELECT reco_configure('act', similarity => 'cosine', keep => 'source', neighbors => 1000, min_support => 1, weighting => 'linear', contexts => '{occurred_at, device}', time_zone => 'America/New_York');
CREATE TEMP TABLE line AS SELECT at FROM act ORDER BY at DESC OFFSET 1499 LIMIT 1;
CREATE TEMP TABLE early AS SELECT act.* FROM act, line WHERE act.at < line.at;
CREATE TEMP TABLE before AS SELECT u, i, sum(w) AS r FROM early GROUP BY u, i HAVING sum(w) > 0;
CREATE FUNCTION pg_temp.hour(at timestamptz) RETURNS int LANGUAGE sql IMMUTABLE AS
  $$SELECT ((extract(isodow FROM l) - 1) * 24 + extract(hour FROM l))::int FROM (SELECT at AT TIME ZONE 'America/New_York' AS l) s$$;
CREATE TEMP TABLE chosen AS
  SELECT DISTINCT ON (u, i) u, i, (pg_temp.hour(act.at), device)::text AS moment, pg_temp.hour(act.at) AS h, device FROM act, line
  WHERE act.at >= line.at AND w > 0 AND NOT EXISTS (SELECT FROM before b WHERE (b.u, b.i) = (act.u, act.i)) AND u IN (SELECT u FROM before) ORDER BY u, i, act.at;
CREATE FUNCTION pg_temp.lift(n float8, e float8) RETURNS float8 LANGUAGE sql AS $$
  SELECT least(greatest(CASE WHEN n > e THEN greatest(1, (n - 3 * sqrt(greatest(n, e)) + 10) / (e + 10)) ELSE least(1, (n + 3 * sqrt(greatest(n, e)) + 10) / (e + 10)) END, .25), 4) $$;
CREATE TEMP TABLE by_device AS
  WITH e AS (SELECT i, device FROM early WHERE w > 0 AND device IS NOT NULL), v AS (SELECT device, count(*)::float8 AS nv FROM e GROUP BY 1), it AS (SELECT i, count(*)::float8 AS ni FROM e GROUP BY 1)
  SELECT device, i, pg_temp.lift(coalesce(n, 0), nv * ni / (SELECT count(*) FROM e)) AS lift FROM v CROSS JOIN it LEFT JOIN (SELECT device, i, count(*) AS n FROM e GROUP BY 1, 2) m USING (device, i);
CREATE TEMP TABLE by_hour AS
  WITH e AS (SELECT i, pg_temp.hour(at) AS h FROM early WHERE w > 0), w AS (SELECT i, (h + d + 168) % 168 AS h, count(*)::float8 AS n FROM e, generate_series(-1, 1) d GROUP BY 1, 2),
       it AS (SELECT i, count(*) / (SELECT count(*) FROM e)::float8 AS share FROM e GROUP BY 1),
       c AS (SELECT i, h, coalesce(n, 0) AS n, share FROM it CROSS JOIN generate_series(0, 167) h LEFT JOIN w USING (i, h)),
       d AS (SELECT *, sum(n) OVER (PARTITION BY h) AS of_hour, sum(n) OVER (PARTITION BY i, h % 24) AS daily FROM c),
       f AS (SELECT *, pg_temp.lift(daily, share * sum(n) OVER (PARTITION BY h % 24)) AS of_day FROM d)
  SELECT h, i, least(greatest(of_day * pg_temp.lift(n, of_hour * share * of_day), .25), 4) AS lift FROM f;
SELECT ok(count(*) FILTER (WHERE lift <> 1) > 20, count(*) FILTER (WHERE lift <> 1) || ' lifts of devices') FROM by_device;
SELECT ok(count(*) FILTER (WHERE abs(lift - 1) > 1e-9) > 200, count(*) FILTER (WHERE abs(lift - 1) > 1e-9) || ' lifts of hours') FROM by_hour;
-- Shown in vain since the last that was done with it, up to the end of the last second before the line.
CREATE TEMP TABLE worn AS
  SELECT u, i, 1 / (1 + least(3, sum(power(2, -extract(epoch FROM (SELECT date_trunc('second', max(at)) + interval '0.999999 s' FROM early) - at) / 86400)))) AS leaves
  FROM early e WHERE w = 0 AND NOT EXISTS (SELECT FROM early l WHERE (l.u, l.i) = (e.u, e.i) AND l.w > 0 AND l.at > e.at) GROUP BY u, i;
CREATE TEMP TABLE plain AS
  WITH n AS (SELECT i, sqrt(sum(r * r)) AS norm FROM before GROUP BY i),
  s AS (SELECT a.i, b.i AS j, sum(a.r * b.r) / min(na.norm * nb.norm) AS s FROM before a JOIN before b ON a.u = b.u AND a.i <> b.i JOIN n na ON na.i = a.i JOIN n nb ON nb.i = b.i GROUP BY a.i, b.i),
  score AS (SELECT h.u, s.j AS i, sum(h.r * s.s) AS score FROM before h JOIN s ON s.i = h.i GROUP BY h.u, s.j),
  moment AS (SELECT DISTINCT u, moment, h, device FROM chosen),
  list AS (SELECT a.algorithm, u, moment, i, row_number() OVER (PARTITION BY a.algorithm, u, moment ORDER BY score
      * CASE WHEN a.algorithm IN ('fatigue', 'served') THEN coalesce(leaves, 1) ELSE 1 END
      * CASE WHEN a.algorithm IN ('in_context', 'served') THEN least(greatest(coalesce(d.lift, 1) * coalesce(t.lift, 1), .25), 4) ELSE 1 END DESC) AS rank
    FROM (VALUES ('model'), ('in_context'), ('fatigue'), ('served')) a(algorithm) CROSS JOIN moment JOIN score USING (u) LEFT JOIN by_device d USING (device, i) LEFT JOIN by_hour t USING (h, i) LEFT JOIN worn USING (u, i)
    WHERE NOT EXISTS (SELECT FROM before b WHERE (b.u, b.i) = (score.u, score.i)))
  SELECT a.algorithm, u, moment, reco_ndcg(l.rank, true, 5) AS ndcg, reco_recall(l.rank, true, 5) AS recall, reco_reciprocal_rank(l.rank, true, 5) AS mrr
  FROM (VALUES ('model'), ('in_context'), ('fatigue'), ('served')) a(algorithm) CROSS JOIN chosen LEFT JOIN list l USING (algorithm, u, moment, i) GROUP BY a.algorithm, u, moment;
CREATE TEMP TABLE want AS
  WITH people AS (SELECT algorithm, u, avg(ndcg) AS ndcg, avg(recall) AS recall, avg(mrr) AS mrr FROM plain GROUP BY 1, 2),
  gains AS (SELECT p.algorithm, p.u, p.ndcg - m.ndcg AS gain FROM people p JOIN people m USING (u) WHERE m.algorithm = 'model' AND p.algorithm <> 'model')
  SELECT algorithm, metric, avg(value) AS value, avg(value) - 1.959964 * stddev(value) / sqrt(count(*)) AS low, count(*) AS users FROM people, LATERAL (VALUES ('ndcg', ndcg), ('recall', recall), ('mrr', mrr)) v(metric, value) GROUP BY 1, 2
  UNION ALL SELECT algorithm, 'ndcg_gain', avg(gain), avg(gain) - 1.959964 * stddev(gain) / sqrt(count(*)), count(*) FROM gains GROUP BY 1;
CREATE TEMP TABLE have AS SELECT * FROM reco_evaluate('act', 5, holdout => .25, as_served => true);
SELECT ok(count(DISTINCT moment) > 100 AND count(*) > 300, count(*) || ' choices at ' || count(DISTINCT (u, moment)) || ' moments') FROM chosen;
SELECT is_empty($$SELECT algorithm, metric, h.value, w.value, h.low, w.low, h.users, w.users FROM want w LEFT JOIN have h USING (algorithm, metric)
  WHERE (abs(h.value - w.value) < 1e-6 AND abs(h.low - greatest(w.low, CASE WHEN metric = 'ndcg_gain' THEN -1 ELSE 0 END)) < 1e-6 AND h.users = w.users) IS NOT TRUE$$, 'every figure is that of plain SQL');
SELECT set_eq('SELECT DISTINCT algorithm FROM have', $$VALUES ('model'), ('cosine'), ('popularity'), ('in_context'), ('fatigue'), ('served')$$, 'what there is, is measured');
SELECT diag(format('%s %s %s', algorithm, metric, round(value::numeric, 4))) FROM have WHERE metric IN ('ndcg', 'ndcg_gain') ORDER BY metric, algorithm;
SELECT set_eq($$SELECT algorithm, metric, value FROM have WHERE metric IN ('users_covered', 'newcomers', 'short_lists')  AND algorithm = 'cosine'$$,
  $$SELECT algorithm, metric, value FROM reco_evaluate('act', 5, holdout => .25) WHERE metric IN ('users_covered', 'newcomers', 'short_lists') AND algorithm = 'cosine'$$, 'the same people are asked either way');

-- Neither the order of rows nor who reads them makes a difference.
CREATE TABLE turned AS SELECT * FROM act ORDER BY pg_temp.lot(n, 9);
SELECT reco_create_model('turned', 'SELECT u AS user_id, i AS item_id, at AS occurred_at, w AS weight, device FROM turned');
SELECT reco_configure('turned', similarity => 'cosine', keep => 'source', neighbors => 1000, min_support => 1, weighting => 'linear', contexts => '{occurred_at, device}', time_zone => 'America/New_York');
SELECT set_eq($$SELECT * FROM reco_evaluate('turned', 5, holdout => .25, as_served => true)$$, 'TABLE have', 'the order of rows does not matter');
-- Two events at one time: the moment is that of the lesser word, whichever row comes first.
INSERT INTO turned SELECT n, u, 'zebra', at, w, i FROM turned ORDER BY n;
CREATE TABLE again AS SELECT * FROM turned ORDER BY n DESC, device DESC;
SELECT reco_create_model('again', 'SELECT u AS user_id, i AS item_id, at AS occurred_at, w AS weight, device FROM again');
SELECT reco_configure('again', similarity => 'cosine', keep => 'source', neighbors => 1000, min_support => 1, weighting => 'linear', contexts => '{occurred_at, device}', time_zone => 'America/New_York');
SELECT set_eq($$SELECT * FROM reco_evaluate('turned', 5, holdout => .25, as_served => true)$$, $$SELECT * FROM reco_evaluate('again', 5, holdout => .25, as_served => true)$$, 'nor where two come at once');
SELECT reco_configure(m, contexts => '{device}') FROM unnest('{turned,again}'::text[]) m;
SELECT set_eq($$SELECT * FROM reco_evaluate('turned', 5, holdout => .25, as_served => true)$$, $$SELECT * FROM reco_evaluate('again', 5, holdout => .25, as_served => true)$$, 'nor where the word is all that is known');

-- Impressions after the line are not known yet: with as many more as there were events, all shown of what was chosen, nothing differs.
CREATE TABLE later AS SELECT n, u, device, at, w, i FROM act;
INSERT INTO later SELECT 10000 + row_number() OVER (), u, NULL, (SELECT at FROM line) + interval '1 minute', 0, i FROM chosen, generate_series(1, 5);
SELECT reco_create_model('later', 'SELECT u AS user_id, i AS item_id, at AS occurred_at, w AS weight, device FROM later');
SELECT reco_configure('later', similarity => 'cosine', keep => 'source', neighbors => 1000, min_support => 1, weighting => 'linear', contexts => '{occurred_at, device}', time_zone => 'America/New_York');
SELECT set_eq($$SELECT algorithm, metric, value, low, users FROM reco_evaluate('later', 5, holdout => (SELECT 1 - 4500 / count(*)::float8 FROM later), as_served => true)$$, 'SELECT algorithm, metric, value, low, users FROM have', 'what is shown after the line lowers nothing');
UPDATE later SET at = (SELECT max(at) FROM early) - interval '1 minute' WHERE n > 10000;
SELECT cmp_ok(e.value, '<', (SELECT value FROM have WHERE (algorithm, metric) = ('fatigue', 'ndcg')) * .8, 'the same before it lowers what was chosen')
FROM reco_evaluate('later', 5, holdout => (SELECT 1500 / count(*)::float8 FROM later), as_served => true) e WHERE (algorithm, metric) = ('fatigue', 'ndcg');

/*
 * By hand: b leads to c, 25 / sqrt(60 * 25) = .645, rather than to a, 15 / sqrt(60 * 75) = .224.  Twenty who have b are shown c three times
 * and more, which leaves a quarter of it, .161, and choose a: the first of all items, and the only one that any of them chooses.
 */
CREATE TABLE vain AS
  SELECT n AS u, 'b' AS i, 1.0::float8 AS w, '2026-01-01'::timestamptz AS at FROM generate_series(1, 60) n UNION ALL SELECT n, CASE WHEN n <= 25 THEN 'c' ELSE 'a' END, 1, '2026-01-01' FROM generate_series(1, 40) n
  UNION ALL SELECT 100 + n, 'a', 1, '2026-01-01' FROM generate_series(1, 60) n
  UNION ALL SELECT n, 'c', 0, '2026-01-02' FROM generate_series(41, 60) n, generate_series(1, 3)
  UNION ALL SELECT n, 'a', 1, '2026-01-03' FROM generate_series(41, 60) n;
SELECT reco_create_model('vain', 'SELECT u AS user_id, i AS item_id, at AS occurred_at, w AS weight FROM vain');
SELECT reco_configure('vain', similarity => 'cosine', min_support => 1, fatigue_half_life => '1000 days');
SELECT results_eq($$SELECT algorithm, value, users FROM reco_evaluate('vain', 1, holdout => 20.0 / 240, as_served => true) WHERE metric = 'hit_rate' AND algorithm IN ('model', 'fatigue', 'served')$$,
  $$VALUES ('model', 0::float8, 20::bigint), ('fatigue', 1, 20), ('served', 1, 20)$$, 'what was shown in vain makes way for the first of all items');
UPDATE vain SET u = u - 40 WHERE w = 0;
SELECT set_eq($$SELECT DISTINCT algorithm FROM reco_evaluate('vain', 1, holdout => 20.0 / 240, as_served => true)$$, $$VALUES ('model'), ('cosine'), ('popularity'), ('served')$$,
  'where nobody who is asked was shown anything in vain, fatigue is nothing to measure');

-- By factors; with repeats; of a few people; by signals; and where there is nothing that lists would go by.
SELECT reco_configure('act', algorithm => 'factors', factors => 8, iterations => 4);
SELECT is(count(*), 3::bigint, 'by factors') FROM reco_evaluate('act', 5, as_served => true) WHERE metric = 'ndcg_gain' AND value <> 0;
SELECT reco_configure('act', algorithm => 'neighbors');
SELECT is(count(*), 3::bigint, 'with repeats') FROM reco_evaluate('act', 5, new_only => false, as_served => true) WHERE metric = 'ndcg_gain' AND users > 100;
SELECT is(count(*), 3::bigint, 'of seven people') FROM reco_evaluate('act', 5, max_users => 7, as_served => true) WHERE metric = 'ndcg_gain' AND users <= 7;
SELECT reco_configure('act', fatigue_half_life => '0');
SELECT set_eq($$SELECT algorithm, value FROM reco_evaluate('act', 5, holdout => .25, as_served => true) WHERE metric = 'ndcg' AND algorithm IN ('fatigue', 'in_context', 'served')$$,
  $$SELECT a, value FROM have, (VALUES ('in_context'), ('served')) v(a) WHERE (algorithm, metric) = ('in_context', 'ndcg')$$, 'without fatigue lists are served by contexts alone');
SELECT reco_configure('act', contexts => '{}');
SELECT results_eq($$SELECT algorithm, metric, value, low, high, users FROM reco_evaluate('act', 5, as_served => true) WHERE algorithm = 'model'$$, $$SELECT * FROM reco_evaluate('act', 5) WHERE algorithm = 'model'$$, 'without either what a user chose is one moment');
SELECT is_empty($$SELECT * FROM reco_evaluate('act', 5, as_served => true) s JOIN reco_evaluate('act', 5) m USING (metric) WHERE (s.algorithm, m.algorithm) = ('served', 'model') AND (s.value, s.low, s.high, s.users) IS DISTINCT FROM (m.value, m.low, m.high, m.users)$$, 'and lists are served as they are scored');
SELECT reco_configure('act', contexts => '{occurred_at, device}', fatigue_half_life => '1 day');

-- Bought are what counts, looked at on the desk, and bought on the phone: the moment is that of buying.
CREATE TABLE sale AS SELECT u, i, at, signal, CASE signal WHEN 'buy' THEN device ELSE 'desk' END AS device FROM (SELECT n, u, i, at + CASE s WHEN 'buy' THEN interval '1 minute' ELSE '0' END AS at, device, s AS signal FROM act, (VALUES ('view'), ('buy')) v(s) WHERE w > 0) e;
SELECT reco_create_model('sale', 'SELECT u AS user_id, i AS item_id, at AS occurred_at, signal, device FROM sale');
SELECT reco_configure('sale', similarity => 'cosine', contexts => '{device}', target_signal => 'buy');
CREATE TEMP TABLE of_buys AS SELECT * FROM reco_evaluate('sale', 5, as_served => true);
SELECT cmp_ok(value, '>', 0::float8, 'by a signal, too, at the moment of that: ' || value) FROM of_buys WHERE (algorithm, metric) = ('in_context', 'ndcg_gain');
UPDATE sale SET device = 'kiosk' WHERE signal = 'view' AND at >= (SELECT max(at) - interval '5 days' FROM act);
SELECT is_empty($$SELECT b.algorithm, metric, b.value, e.value FROM of_buys b FULL JOIN reco_evaluate('sale', 5, as_served => true) e USING (algorithm, metric) WHERE b.value IS DISTINCT FROM e.value$$, 'whatever else was done after the line');

/*
 * What it is worth: 400 people of four tastes with ten items for the evening and ten for the morning each, as in contexts.  Planted
 * from the beginning; not at all; and only in what is kept back, of which nothing can be known.
 */
CREATE TABLE plays (u int, i int, at timestamptz);
CREATE FUNCTION pg_temp.plant(since date) RETURNS void LANGUAGE sql AS $$
  DELETE FROM plays;
  INSERT INTO plays SELECT DISTINCT ON (u, i) u, i, at FROM (
    SELECT u, n, 20 * (u % 4) + CASE WHEN at >= since THEN 10 * (n % 2) + floor(10 * pg_temp.lot(u, n))::int ELSE floor(20 * pg_temp.lot(u, n))::int END AS i, at
    FROM (SELECT u, n, '2026-01-05'::timestamptz + floor(56 * pg_temp.lot(n, u + 5000)) * interval '1 day' + CASE WHEN n % 2 = 0 THEN interval '8 hours' ELSE interval '20 hours' END AS at
      FROM generate_series(1, 400) u, generate_series(1, 14) n) s) p ORDER BY u, i, at $$;
SELECT reco_create_model('plays', 'SELECT u AS user_id, i AS item_id, at AS occurred_at FROM plays');
SELECT reco_configure('plays', similarity => 'cosine', contexts => '{occurred_at}');
CREATE FUNCTION pg_temp.worth(OUT ndcg numeric, OUT in_context numeric, OUT gain numeric, OUT low numeric, OUT high numeric) LANGUAGE sql AS $$
  SELECT round(max(value) FILTER (WHERE (algorithm, metric) = ('model', 'ndcg'))::numeric, 4), round(max(value) FILTER (WHERE (algorithm, metric) = ('in_context', 'ndcg'))::numeric, 4), round(max(value) FILTER (WHERE (algorithm, metric) = ('in_context', 'ndcg_gain'))::numeric, 4),
    round(max(e.low) FILTER (WHERE (algorithm, metric) = ('in_context', 'ndcg_gain'))::numeric, 4), round(max(e.high) FILTER (WHERE (algorithm, metric) = ('in_context', 'ndcg_gain'))::numeric, 4)
  FROM reco_evaluate('plays', 5, as_served => true) e $$;
SELECT pg_temp.plant('-infinity');
SELECT ok(in_context > 1.4 * ndcg AND low > .03, format('planted: NDCG@5 %s, in context %s, gain %s (%s to %s)', ndcg, in_context, gain, low, high)) FROM pg_temp.worth();
SELECT pg_temp.plant('infinity');
SELECT ok(high >= 0 AND gain >= -.02 * ndcg, format('none: NDCG@5 %s, in context %s, gain %s (%s to %s)', ndcg, in_context, gain, low, high)) FROM pg_temp.worth();
SELECT pg_temp.plant((SELECT date_trunc('day', percentile_disc(.8) WITHIN GROUP (ORDER BY at)) + interval '1 day' FROM plays)::date);
SELECT ok(abs(gain) < .01, format('only in what is kept back: NDCG@5 %s, in context %s, gain %s (%s to %s)', ndcg, in_context, gain, low, high)) FROM pg_temp.worth();

-- What people were shown and passed over they do not want: lists as served are better, and what they take in the end is not lowered by it.
CREATE TABLE shown AS
  SELECT DISTINCT ON (u, i) u, i, 1 AS w, '2026-01-05'::timestamptz + floor(56 * pg_temp.lot(n, u + 5000)) * interval '1 day' AS at
  FROM (SELECT u, n, (20 * (u % 4) + 2 * floor(10 * pg_temp.lot(u, n)) + CASE WHEN (u / 4) % 2 = 0 THEN 1 ELSE 0 END)::int AS i FROM generate_series(1, 400) u, generate_series(1, 8) n) p
  UNION ALL SELECT u, 20 * (u % 4) + 2 * i + (u / 4) % 2, 0, '2026-02-19'::timestamptz - r * interval '1 hour' FROM generate_series(1, 400) u, generate_series(0, 9) i, generate_series(1, 3) r;
INSERT INTO shown SELECT 1000 + u, 20 * (u % 4) + n, 1, '2026-01-06'::timestamptz + n * interval '1 hour' FROM generate_series(1, 1500) u, generate_series(0, 19) n WHERE pg_temp.lot(u, n + 70) < .4;
SELECT reco_create_model('shown', 'SELECT u AS user_id, i AS item_id, w AS weight, at AS occurred_at FROM shown');
SELECT reco_configure('shown', similarity => 'cosine', fatigue_half_life => '7 days');
SELECT ok(low > 0, format('what was passed over: gain %s (%s to %s)', round(value::numeric, 4), round(low::numeric, 4), round(high::numeric, 4)))
FROM reco_evaluate('shown', 5, holdout => (SELECT count(*) FILTER (WHERE at >= '2026-02-19') / count(*)::float8 FROM shown), as_served => true) WHERE (algorithm, metric) = ('fatigue', 'ndcg_gain');

SELECT * FROM finish();
ROLLBACK;
