-- reasons: rules that were planted are found, chance is not, and the best first question is that of plain SQL.

BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;

/*
 * By hand: of 100 rows of each of a, b, c, d the target is 80, 20, 20 and 75 times true.  In order of the
 * mean: b, c, d, a; the best beginning is b, c, which leaves the least variance: .16 + .16 + (.775 - .775^2)...
 */
CREATE TABLE hand AS SELECT l, n <= CASE l WHEN 'a' THEN 80 WHEN 'd' THEN 75 ELSE 20 END AS hit FROM unnest('{a,b,c,d}'::text[]) l, generate_series(1, 100) n;
SELECT is(string_agg(format('%s: %s of %s', rule, round(mean::numeric, 3), rows), '; '), 'l in (''a'', ''d''): 0.775 of 200; l in (''b'', ''c''): 0.200 of 200', 'four values in two groups')
FROM reco_explain_by('SELECT * FROM hand', 'hit');
SELECT is((round(lift::numeric, 6), round(low::numeric, 6), round(high::numeric, 6))::text, format('(%s,%s,%s)', round(0.775 / 0.4875, 6), 0.712259, 0.827376), 'lift, and Wilson''s interval of 155 of 200')
FROM reco_explain_by('SELECT * FROM hand', 'hit') WHERE mean > 0.5;

-- Of a number, the first question is the one that leaves the least variance, found by trying all in SQL.
CREATE TABLE drawn AS SELECT n, ((h & 1023) / 7)::int AS x, (h >> 10 & 255) AS y, 0.01 * ((h & 1023) / 7)::int + CASE WHEN (h & 1023) / 7 > 101 THEN 1.5 ELSE 0 END + (h >> 18 & 255) / 256.0::float8 AS z
  FROM generate_series(1, 2000) n, LATERAL (SELECT hashint8extended(n, 8) AS h) d;
CREATE TEMP TABLE cuts AS SELECT c.x AS cut, (SELECT var_pop(z) * count(*) FROM drawn WHERE x <= c.x) + (SELECT var_pop(z) * count(*) FROM drawn WHERE x > c.x) AS left_over,
  (SELECT min(x) FROM drawn WHERE x > c.x) AS next, count(*) OVER (ORDER BY c.x) FROM (SELECT DISTINCT x FROM drawn) c;
SELECT is(rule, format('x >= %s', (SELECT next FROM cuts WHERE next IS NOT NULL ORDER BY left_over LIMIT 1)), 'the best of all cuts')
FROM (SELECT rule FROM reco_explain_by('SELECT x, y, z FROM drawn', 'z', depth => 1) LIMIT 1) r;
SELECT is(sum(rows), 2000::numeric, 'leaves share all rows out') FROM reco_explain_by('SELECT x, y, z FROM drawn', 'z', depth => 6, min_rows => 5);
SELECT ok(abs(sum(mean * share) - (SELECT avg(z) FROM drawn)) < 1e-9 AND min(rows) >= 5, 'and their means make the whole') FROM reco_explain_by('SELECT x, y, z FROM drawn', 'z', depth => 6, min_rows => 5);
SELECT is((SELECT string_agg(r::text, E'\n') FROM reco_explain_by('SELECT x, y, z FROM drawn ORDER BY n DESC', 'z') r),
  (SELECT string_agg(r::text, E'\n') FROM reco_explain_by('SELECT x, y, z FROM drawn ORDER BY n', 'z') r), 'the order of rows does not matter');
-- A rule, read as SQL, holds for as many rows as it says.
SELECT is(rows, (SELECT count(*) FROM drawn WHERE x >= 51), 'x >= 51') FROM reco_explain_by('SELECT x, (x > 50)::int AS big FROM drawn', 'big') WHERE rule = 'x >= 51';

-- Planted: who comes back depends on device and hour together; both are found, and nothing else.
CREATE TABLE visit AS SELECT (ARRAY['phone', 'tv', 'web'])[1 + (h & 1023) % 3] AS device, (h >> 10 & 1023) % 24 AS hour, (h >> 20 & 1023) % 100 AS noise, 'n' || (h >> 30 & 15) AS more_noise,
    (hashint8extended(n, 10) & 1023) < CASE WHEN (h & 1023) % 3 = 1 AND (h >> 10 & 1023) % 24 >= 18 THEN 700 ELSE 100 END AS back
  FROM generate_series(1, 4000) n, LATERAL (SELECT hashint8extended(n, 9) AS h) x;
SELECT is(rule, 'device = ''tv'' and hour >= 18', 'the planted rule comes first') FROM (SELECT * FROM reco_explain_by('SELECT * FROM visit', 'back') LIMIT 1) r;
SELECT ok(low < 700 / 1024.0 AND high > 700 / 1024.0, 'with its rate in the interval') FROM (SELECT * FROM reco_explain_by('SELECT * FROM visit', 'back') LIMIT 1) r;
SELECT is(count(*), 0::bigint, 'and noise explains nothing') FROM reco_explain_by('SELECT * FROM visit', 'back') WHERE rule ~ 'noise';

-- Chance alone: of 200 targets drawn by lot, at most two find something among four columns.
CREATE FUNCTION pg_temp.found(seed int) RETURNS boolean LANGUAGE sql AS $$
  SELECT count(*) > 1 FROM reco_explain_by(format('SELECT (hashint8extended(n, %s) & 7) AS a, ''v'' || (hashint8extended(n, %s) & 31) AS b, (hashint8extended(n, %s) & 1023) AS c, (hashint8extended(n, %s) & 1) = 0 AS d,
    (hashint8extended(n, %s) & 3) = 0 AS t FROM generate_series(1, 400) n', seed, seed + 1000, seed + 2000, seed + 3000, seed + 4000), 't', min_rows => 10) $$;
SELECT cmp_ok(count(*) FILTER (WHERE pg_temp.found(s)), '<=', 2::bigint, 'chance alone finds next to nothing') FROM generate_series(1, 200) s;

/*
 * And no further: of 120 drawn tables of 60 rows, a first question is asked where the best of all, by plain SQL, has an F beyond 10.83 + 2 ln m,
 * m being how many there are: 2^(values - 1) beginnings of a nominal column, and a cut between any two values of a number.
 */
CREATE TABLE lot AS SELECT s, n, 'v' || (h & 3) AS a, (h >> 2 & 7)::int AS x,
    ((h >> 8 & 1023) + (h >> 18 & 1023) + (h >> 28 & 1023)) / 1024.0::float8 + 0.45 * (h >> 1 & 1) + 0.4 * (h >> 4 & 1) AS z
  FROM generate_series(1, 120) s, generate_series(1, 60) n, LATERAL (SELECT hashint8extended(n, 70 + s) AS h) d;
CREATE TEMP TABLE surest AS
  WITH part AS (SELECT s, 'a' AS c, avg(z) AS place, count(*) AS rows, sum(z) FROM lot GROUP BY s, a UNION ALL SELECT s, 'x', x, count(*), sum(z) FROM lot GROUP BY s, x),
    upto AS (SELECT s, c, sum(rows) OVER w AS rows, sum(sum) OVER w AS sum, count(*) OVER (PARTITION BY s, c) AS of FROM part WINDOW w AS (PARTITION BY s, c ORDER BY place)),
    whole AS (SELECT s, sum(z), var_pop(z) * 60 AS squares FROM lot GROUP BY s),
    best AS (SELECT s, c, max(u.rows * (60 - u.rows) / 60 * (u.sum / u.rows - (w.sum - u.sum) / (60 - u.rows)) ^ 2) AS gain, CASE c WHEN 'a' THEN 2 ^ (max(of) - 1) ELSE max(of) - 1 END AS m
      FROM upto u JOIN whole w USING (s) WHERE u.rows < 60 GROUP BY s, c)
  SELECT s, k.columns, max(gain) / ((max(squares) - max(gain)) / 58) > 10.83 + 2 * ln(sum(m)) AS sure
  FROM best JOIN whole USING (s) JOIN (VALUES ('{a}'::text[]), ('{x}'), ('{a,x}')) k(columns) ON c = ANY (k.columns) GROUP BY s, k.columns;
SELECT results_eq($$SELECT s, columns, sure FROM surest ORDER BY s, columns$$, $$SELECT s, columns,
    (SELECT count(*) > 1 FROM reco_explain_by(format('SELECT a, x, z FROM lot WHERE s = %s', s), 'z', columns, 1, 1)) FROM surest ORDER BY s, columns$$, 'a question is asked where it is surer than chance');
SELECT cmp_ok(count(*) FILTER (WHERE sure), '>', 15::bigint, 'as it often is: ' || columns::text) FROM surest GROUP BY columns ORDER BY columns;
SELECT cmp_ok(count(*) FILTER (WHERE NOT sure), '>', 15::bigint, 'and often is not: ' || columns::text) FROM surest GROUP BY columns ORDER BY columns;

-- Many values: the hundred most frequent are told apart, all others are one.
SELECT is(sum(rows), 3000::numeric, 'a column of 500 values') FROM reco_explain_by('SELECT ''v'' || least(n % 800, 499) AS v, n % 800 >= 499 AS last FROM generate_series(1, 3000) n', 'last');
SELECT is(rule, 'v = ''v499''', 'of which one is frequent') FROM reco_explain_by('SELECT ''v'' || least(n % 800, 499) AS v, n % 800 >= 499 AS last FROM generate_series(1, 3000) n', 'last') WHERE mean = 1;

-- Every rule is a condition that holds for as many rows as it says: numbers, names, NULLs, values beyond the hundredth.
CREATE TABLE mixed AS SELECT n, CASE WHEN h & 7 > 0 THEN (h >> 3 & 63) END AS x, CASE WHEN h >> 9 & 7 > 0 THEN chr((97 + (h >> 12 & 7))::int) END AS "a name", 'w' || floor(sqrt((h >> 15 & 65535)::float8)) AS w, (h >> 40 & 1) = 1 AS b
  FROM generate_series(1, 6000) n, LATERAL (SELECT hashint8extended(n, 11) AS h) d;
ALTER TABLE mixed ADD t float8;
UPDATE mixed SET t = coalesce(x, 90) / 30.0 + CASE WHEN "a name" IN ('a', 'c') THEN 2 WHEN "a name" IS NULL THEN 1 ELSE 0 END + CASE WHEN w > 'w2' THEN 1.5 ELSE 0 END + b::int * coalesce(x, 30) / 20.0;
CREATE FUNCTION pg_temp.holds(rule text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE n bigint;
BEGIN EXECUTE 'SELECT count(*) FROM mixed WHERE ' || rule INTO n; RETURN n; END $$;
SELECT is(count(*) FILTER (WHERE rows <> pg_temp.holds(rule)), 0::bigint, format('%s rules by %s hold for as many rows as they say', count(*), columns))
FROM (VALUES ('{x}'::text[]), ('{"a name"}'), ('{w}'), ('{x,"a name",b}'), (NULL)) c(columns), reco_explain_by('SELECT * FROM mixed', 't', columns, 6, 40) GROUP BY columns;
SELECT is(rule, 'true', 'nothing to explain: everything') FROM reco_explain_by('SELECT x, 1 AS t FROM mixed', 't');

SELECT * FROM finish();
ROLLBACK;
