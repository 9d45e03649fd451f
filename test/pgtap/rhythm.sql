-- rhythm: gaps worked by hand, what is foreseen against a slow integral, and whatever order rows come in.

BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;
SET LOCAL timezone = 'UTC';

-- Days from the last time to another.
CREATE FUNCTION pg_temp.days(r reco_rhythm, at timestamptz) RETURNS float8 LANGUAGE sql AS
  'SELECT extract(epoch FROM at - (r).last_at)::float8 / 86400';
CREATE FUNCTION pg_temp.is_near(have float8, want float8, name text, tolerance float8 DEFAULT 1e-9) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE fine boolean := coalesce(abs(have - want) <= tolerance * abs(want), false);
BEGIN
  RETURN ok(fine, name) || CASE WHEN fine THEN '' ELSE E'\n' || diag(format('have %s, want %s', have, want)) END;
END $$;

/*
 * One gap of 10 days: nothing is known of how regular it is, c = 1.  G / (G + 10) ~ Beta(1, 1), so G is longer
 * than g with the chance 10 / (10 + g): .9 at 10/9 days, .5 at 10, .1 at 90.
 */
CREATE TEMP TABLE one AS SELECT reco_rhythm(at) AS r FROM (VALUES (timestamptz '2024-01-01'), ('2024-01-11')) v(at);
SELECT is((r).mean_gap, interval '10 days', 'the mean of one gap') FROM one;
SELECT is((r).median_gap, interval '10 days', 'its median') FROM one;
SELECT is((r).spread, NULL::interval, 'one gap has no spread') FROM one;
SELECT pg_temp.is_near(pg_temp.days(r, (r).next_from), 10 / 9.0::float8, 'one gap, a tenth sooner') FROM one;
SELECT pg_temp.is_near(pg_temp.days(r, (r).next_at), 10, 'one gap, half sooner') FROM one;
SELECT pg_temp.is_near(pg_temp.days(r, (r).next_until), 90, 'one gap, a tenth later') FROM one;

/*
 * Two equal gaps of 10 days: cv^2 = (1 + 0) / 2, c = 2.  G / (G + 20) ~ Beta(2, 4), and a share above x has the chance of
 * at most one of five below it: (1 - x)^5 + 5 x (1 - x)^4.
 */
CREATE TEMP TABLE even AS SELECT reco_rhythm(at) AS r FROM generate_series(timestamptz '2024-01-01', '2024-01-21', '10 days') at;
CREATE FUNCTION pg_temp.beta_2_4(g float8) RETURNS float8 LANGUAGE sql AS
  'SELECT (1 - x) ^ 5 + 5 * x * (1 - x) ^ 4 FROM (SELECT g / (g + 20) AS x) s';
SELECT is((r).spread, interval '0', 'equal gaps have a spread of 0') FROM even;
SELECT pg_temp.is_near(pg_temp.beta_2_4(pg_temp.days(r, (r).next_from)), 0.9, 'equal gaps, a tenth sooner') FROM even;
SELECT pg_temp.is_near(pg_temp.beta_2_4(pg_temp.days(r, (r).next_at)), 0.5, 'equal gaps, half sooner') FROM even;
SELECT pg_temp.is_near(pg_temp.beta_2_4(pg_temp.days(r, (r).next_until)), 0.1, 'equal gaps, a tenth later') FROM even;

/*
 * Gaps of 10 and 20 days: mean and median 15, spread sqrt(25 + 25) days; cv^2 = (1 + 50 / 225) / 2 = 11/18.
 */
CREATE TEMP TABLE two AS SELECT reco_rhythm(at) AS r FROM (VALUES (timestamptz '2024-01-31'), ('2024-01-01'), ('2024-01-11')) v(at);
SELECT is((r).mean_gap, interval '15 days', 'the mean of two gaps') FROM two;
SELECT is((r).median_gap, interval '15 days', 'of an even number of gaps the median is between the two in the middle') FROM two;
SELECT pg_temp.is_near(extract(epoch FROM (r).spread)::float8 / 86400, sqrt(50::float8), 'the spread of two gaps') FROM two;

-- The chance of a share above x of Beta(a, b), slowly: by the midpoints of strips that are finer towards both ends, p = 3 s^2 - 2 s^3.
CREATE FUNCTION pg_temp.slow_above(a float8, b float8, x float8) RETURNS float8 LANGUAGE sql AS $$
  SELECT sum(d) FILTER (WHERE p > x) / sum(d) FROM (
    SELECT p, CASE WHEN l > -600 THEN exp(l) * w ELSE 0 END AS d FROM (
      SELECT p, w, (a - 1) * ln(p) + (b - 1) * ln(1 - p) AS l FROM (
        SELECT s * s * (3 - 2 * s) AS p, 6 * s * (1 - s) AS w FROM (SELECT (n - 0.5::float8) / 40000 AS s FROM generate_series(1, 40000) n) s) p) l) d
$$;
SELECT pg_temp.is_near(pg_temp.slow_above(18 / 11.0, 36 / 11.0, g / (g + 30)), chance, format('two gaps: longer than %s days with a chance of %s', round(g::numeric, 3), chance), 5e-4)
FROM (SELECT pg_temp.days(r, (r).next_from) AS g, 0.9 AS chance FROM two UNION ALL SELECT pg_temp.days(r, (r).next_at), 0.5 FROM two
      UNION ALL SELECT pg_temp.days(r, (r).next_until), 0.1 FROM two) t;

-- Any gaps against plain SQL: count, mean, median, spread, and what is foreseen against the slow integral.
CREATE TEMP TABLE visit AS
  SELECT who, timestamptz '2024-01-01' + make_interval(secs => (('x' || substr(md5(who || ' ' || n), 1, 7))::bit(28)::int % 10000000)::float8) AS at
  FROM generate_series(1, 12) who, generate_series(1, 3 * who) n;
INSERT INTO visit SELECT * FROM visit WHERE who % 2 = 0;
CREATE TEMP TABLE fast AS SELECT who, reco_rhythm(at) AS r FROM visit GROUP BY who;
CREATE TEMP TABLE slow AS
  SELECT who, count(*) + 1 AS times, avg(gap) AS mean, percentile_cont(0.5) WITHIN GROUP (ORDER BY gap) AS median, stddev_samp(gap) AS spread,
    sum(gap) AS sum, count(*) AS n, (1 + (count(*) - 1) * (stddev_samp(gap) / avg(gap)) ^ 2) / count(*) AS variation
  FROM (SELECT who, extract(epoch FROM at - lag(at) OVER (PARTITION BY who ORDER BY at))::float8 AS gap FROM (SELECT DISTINCT * FROM visit) d) g
  WHERE gap IS NOT NULL GROUP BY who;
SELECT is(count(*), 12::bigint, 'counts are those of SQL') FROM fast f JOIN slow s USING (who)
WHERE (f.r).times = s.times AND (f.r).events = (SELECT count(*) FROM visit v WHERE v.who = f.who);
SELECT is(count(*), 12::bigint, 'so are mean, median and spread') FROM fast f JOIN slow s USING (who)
WHERE abs(extract(epoch FROM (f.r).mean_gap)::float8 - s.mean) < 1e-5 AND abs(extract(epoch FROM (f.r).median_gap)::float8 - s.median) < 1e-5
  AND abs(extract(epoch FROM (f.r).spread)::float8 - s.spread) < 1e-5;
SELECT is_empty($$SELECT who, at, late FROM (
    SELECT who, at, pg_temp.slow_above(1 / variation, n / variation, g / (g + sum)) AS late, chance
    FROM (SELECT f.who, s.sum, s.n, s.variation, extract(epoch FROM t.at - (f.r).last_at)::float8 AS g, t.at, t.chance FROM fast f JOIN slow s USING (who),
      LATERAL (VALUES ((f.r).next_from, 0.9), ((f.r).next_at, 0.5), ((f.r).next_until, 0.1)) t(at, chance) WHERE f.who IN (1, 5, 12)) a) b
  WHERE abs(late - chance) > 5e-4$$, 'so is what is foreseen');

-- Order, parts and repeats say nothing.
SELECT is_empty($$SELECT who FROM fast f JOIN (SELECT who, reco_rhythm(at ORDER BY at DESC) AS r FROM visit GROUP BY who) b USING (who) WHERE f.r IS DISTINCT FROM b.r$$, 'a rhythm is the same in the other order');
CREATE FUNCTION pg_temp.state(times timestamptz[]) RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE
  state bigint[];
  at timestamptz;
BEGIN
  FOREACH at IN ARRAY times LOOP
    state := reco_rhythm_add(state, at);
  END LOOP;
  RETURN state;
END $$;
SELECT is_empty($$SELECT who FROM fast f JOIN (
    SELECT who, reco_rhythm_final(reco_rhythm_merge(pg_temp.state(array_agg(at) FILTER (WHERE n % 3 = 0)), pg_temp.state(array_agg(at) FILTER (WHERE n % 3 > 0)))) AS r
    FROM (SELECT who, at, row_number() OVER (PARTITION BY who) AS n FROM visit) v GROUP BY who) b USING (who) WHERE f.r IS DISTINCT FROM b.r$$, 'parts that are merged give the whole');
SELECT is((reco_rhythm(at)).times, 1::bigint, 'many events at one time are one time') FROM (SELECT timestamptz '2024-01-01' AS at FROM generate_series(1, 100000)) v;
SELECT is((reco_rhythm(at)).mean_gap, interval '1 second', 'many times') FROM generate_series(timestamptz '2024-01-01', '2024-01-02', '1 second') at;
SELECT throws_ok($$SELECT reco_rhythm_add('{9223372036854775807,1,5,0,0}', '2024-01-01')$$, '22023', NULL, 'a state that has no room for one event more');
SELECT throws_ok($$SELECT reco_rhythm_merge('{9223372036854775807,1,5}', '{1,1,6}')$$, '22023', NULL, 'nor for those of another');

-- In parallel.
CREATE TEMP TABLE alone AS SELECT who, reco_rhythm(at) AS r FROM visit GROUP BY who;
CREATE TABLE visit_of_all AS SELECT v.* FROM visit v, generate_series(1, 50);
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
ANALYZE visit_of_all;
CREATE FUNCTION pg_temp.plan(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE line text; plan text := '';
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP plan := plan || line || E'\n'; END LOOP;
  RETURN plan;
END $$;
SELECT matches(pg_temp.plan('SELECT who, reco_rhythm(at) FROM visit_of_all GROUP BY who'), 'Partial', 'the planner sees how to share the work');
SELECT is_empty($$SELECT who FROM alone f JOIN (SELECT who, reco_rhythm(at) AS r FROM visit_of_all GROUP BY who) b USING (who)
  WHERE (f.r).next_at IS DISTINCT FROM (b.r).next_at OR (f.r).spread IS DISTINCT FROM (b.r).spread OR (b.r).events <> 50 * (f.r).events$$, 'with the same result');

SELECT * FROM finish();
ROLLBACK;
