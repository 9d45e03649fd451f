-- hours and pace: worked by hand, against plain SQL, and shares that foresee.

BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;
SET LOCAL timezone = 'UTC';

CREATE FUNCTION pg_temp.is_near(have float8, want float8, name text, tolerance float8 DEFAULT 1e-12) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE fine boolean := coalesce(abs(have - want) <= tolerance * abs(want), false);
BEGIN
  RETURN ok(fine, name) || CASE WHEN fine THEN '' ELSE E'\n' || diag(format('have %s, want %s', have, want)) END;
END $$;

-- Every hour of two years, the days of change among them, against to_char.
CREATE TEMP TABLE hour AS SELECT at, zone FROM generate_series(timestamptz '2023-01-01', '2024-12-31 23:00', '30 minutes') at,
  unnest('{UTC,Europe/London,America/New_York,Asia/Kolkata,Australia/Lord_Howe}'::text[]) zone;
CREATE TEMP TABLE fast AS SELECT zone, h.n, h.count FROM (SELECT zone, reco_hours(at, zone) AS hours FROM hour GROUP BY zone) v, unnest(hours) WITH ORDINALITY h(count, n);
SELECT is_empty($$SELECT * FROM (SELECT zone, (extract(isodow FROM at AT TIME ZONE zone) - 1) * 24 + extract(hour FROM at AT TIME ZONE zone) + 1 AS n, count(*) FROM hour GROUP BY 1, 2) s
  FULL JOIN fast f USING (zone, n) WHERE s.count IS DISTINCT FROM f.count$$, 'hours are those of AT TIME ZONE, whatever the clocks do');
SELECT is(sum(count)::bigint, (SELECT count(*) FROM hour), 'each event counts once') FROM fast;

/*
 * One event, on Monday from midnight to one, a prior of 1 and nothing known of everybody: Q = 1/168 each, an hour of the
 * day 1/24.  d_0 = (1/2 + 1/24) / 2 = 13/48, d_1 = d_23 = (1/4 + 1/24) / 2 = 7/48, other hours of the day 1/48.  Of the week,
 * with M = 8: Monday at 0 (1 + 8 * 13/48/7) / 9 = 440/3024; at 0 of the other six days 104/3024; at 1 and 23 of any day
 * 56/3024; all others 8/3024; and 440 + 6 * 104 + 14 * 56 + 147 * 8 = 3024.
 */
CREATE TEMP TABLE one AS SELECT n, s FROM (SELECT reco_hours('2024-01-01 00:30', 'UTC') AS own) o, unnest(reco_smooth_hours(own, NULL, 1)) WITH ORDINALITY h(s, n);
SELECT pg_temp.is_near(s, 440 / 3024.0, 'the hour of the event') FROM one WHERE n = 1;
SELECT is(count(*), 6::bigint, 'the same hour of other days') FROM one WHERE n > 1 AND n % 24 = 1 AND abs(s - 104 / 3024.0) < 1e-15;
SELECT is(count(*), 14::bigint, 'the hours on either side') FROM one WHERE n % 24 IN (0, 2) AND abs(s - 56 / 3024.0) < 1e-15;
SELECT is(count(*), 147::bigint, 'all other hours') FROM one WHERE n % 24 NOT IN (0, 1, 2) AND abs(s - 8 / 3024.0) < 1e-15;
SELECT pg_temp.is_near(sum(s), 1, 'shares add up to 1') FROM one;

-- Any counts against plain SQL.
CREATE TEMP TABLE habit AS
  SELECT reco_hours(timestamptz '2024-01-01' + make_interval(hours => n * n % 1009 + n % 3 * 24), 'UTC') AS own,
    reco_hours(timestamptz '2024-01-01' + make_interval(hours => n * 7 % 100), 'UTC') AS everybody FROM generate_series(1, 50) n;
CREATE TEMP TABLE slow AS
  WITH cell AS (SELECT h.n, h.n % 24 AS j, h.own, (h.everybody + 30 / 168.0) / (sum(h.everybody) OVER () + 30) AS q FROM habit, unnest(own, everybody) WITH ORDINALITY h(own, everybody, n)),
    day AS (SELECT j, sum(q) AS q, sum(own) AS own FROM cell GROUP BY j),
    spread AS (SELECT j, q, (own / 2 + (lead(own, 1, first) OVER w + lag(own, 1, last) OVER w) / 4 + 30 * q) / ((SELECT sum(own) FROM cell) + 30) AS d
      FROM day, (SELECT max(own) FILTER (WHERE j = 0) AS first, max(own) FILTER (WHERE j = 23) AS last FROM day) e WINDOW w AS (ORDER BY j))
  SELECT n, (own + 240 * d * c.q / s.q) / ((SELECT sum(own) FROM cell) + 240) AS s FROM cell c JOIN spread s USING (j);
SELECT is(count(*), 168::bigint, 'shares are those of the formula') FROM slow JOIN (SELECT n, s FROM habit, unnest(reco_smooth_hours(own, everybody, 30)) WITH ORDINALITY h(s, n)) f USING (n)
WHERE abs(slow.s - f.s) < 1e-14;
SELECT is_empty($$SELECT n FROM habit, unnest(reco_smooth_hours(NULL, everybody, 30), reco_smooth_hours(array_fill(0::float8, '{168}'), everybody, 30)) WITH ORDINALITY h(a, b, n) WHERE a <> b OR a <= 0$$, 'of whom nothing is known is as everybody');

-- A great many events speak for themselves; weeks that are added are the whole.
SELECT ok(s[10] > 0.999, 'who always comes at one hour') FROM (SELECT reco_smooth_hours(reco_hours(timestamptz '2024-01-01 09:00' + make_interval(weeks => n % 1000), 'UTC')) AS s FROM generate_series(1, 1000000) n) s;
SELECT is(reco_hours(h), (SELECT reco_hours(at, 'Europe/London') FROM hour WHERE zone = 'UTC'), 'parts are the whole') FROM (SELECT reco_hours(at, 'Europe/London') AS h FROM hour WHERE zone = 'UTC' GROUP BY extract(month FROM at)) v;

-- Sends, in any order and any parts, against plain SQL: what came after the last that was answered.
CREATE TEMP TABLE send AS SELECT who, timestamptz '2024-01-01' + make_interval(hours => n * n * 7919 % 1000) AS at, n * who % 5 = 0 AS answered FROM generate_series(1, 20) who, generate_series(1, who * 2) n;
SELECT is_empty($$SELECT * FROM (SELECT who, (s).* FROM (SELECT who, reco_sends(at, answered) AS s FROM send GROUP BY who) v) f
  FULL JOIN (SELECT who, count(*) AS sends, count(*) FILTER (WHERE answered) AS answered, count(DISTINCT at) FILTER (WHERE at > last) AS unanswered, max(at) AS last_at
    FROM (SELECT *, coalesce(max(at) FILTER (WHERE answered) OVER (PARTITION BY who), '-infinity') AS last FROM send) l GROUP BY who) s USING (who, sends, answered, unanswered, last_at)
  WHERE f.last_at IS NULL OR s.last_at IS NULL$$, 'sends are counted as SQL counts them');
SELECT is_empty($$SELECT who FROM send GROUP BY who HAVING reco_sends(at, answered ORDER BY at) IS DISTINCT FROM reco_sends(at, answered ORDER BY at DESC)$$, 'whatever their order');
SELECT is(reco_sends_final(reco_sends_merge(a, b)), ROW(4, 1, 2, '2024-01-09')::reco_sends, 'parts are the whole')
FROM (SELECT reco_sends_add(reco_sends_add(NULL, '2024-01-02', false), '2024-01-09', false) AS a, reco_sends_add(reco_sends_add(NULL, '2024-01-07', false), '2024-01-03', true) AS b) p;
SELECT throws_ok($$SELECT reco_sends_add('{9223372036854775807,0,5,0,0,0}', '2024-01-01', false)$$, '22023', NULL, 'a state that has no room for one send more');
SELECT throws_ok($$SELECT reco_sends_add('{1,9223372036854775807,5,0,0,0}', '2024-01-01', true)$$, '22023', NULL, 'nor for one answer more');

SELECT * FROM finish();
ROLLBACK;
