-- replay: worked by hand, against plain SQL, in any number of parts, and what it promises.

BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;

/*
 * Rewards 1 and 0 with weights 2 and 2, and one row without a weight:
 *   value 2 / 4 = .5; weighted 2 / 3; effective (4)^2 / 8 = 2
 *   variance (4 * .25 + 4 * .25) / 16 = .125, so the interval is .5 -+ 1.96 * .3535534
 */
CREATE TEMP TABLE hand AS SELECT (reco_replay(reward, propensity, chance)).* FROM (VALUES (1.0, 0.5, 1.0), (0, 0.25, 0.5), (1, 0.5, 0)) log(reward, propensity, chance);
SELECT is(events, 3::bigint, 'rows') FROM hand;
SELECT is(matched, 2::bigint, 'rows with a weight') FROM hand;
SELECT is(value, 0.5::float8, 'the value') FROM hand;
SELECT is(weighted::numeric(10, 9), 0.666666667, 'the same, not normalised') FROM hand;
SELECT is(effective, 2::float8, 'as how many rows they count') FROM hand;
SELECT is(low::numeric(8, 7), -0.1929519, 'the lower end') FROM hand;
SELECT is(high::numeric(8, 7), 1.1929519, 'the upper end') FROM hand;

-- Against plain SQL, with rewards below 0.
CREATE TEMP TABLE log AS SELECT ((n * 7919) % 101 - 40) / 50.0::float8 AS reward, (1 + (n * 31) % 97) / 97.0::float8 AS propensity, ((n * 17) % 5) / 4.0::float8 AS chance
  FROM generate_series(1, 5000) n;
CREATE TEMP TABLE plain AS
  WITH w AS (SELECT *, chance / propensity AS w FROM log), v AS (SELECT sum(w * reward) / sum(w) AS value FROM w)
  SELECT v.value, sqrt(sum((w * (reward - v.value))^2)) / sum(w) AS error, avg(w * reward) AS weighted, sum(w)^2 / sum(w^2) AS effective, count(*) FILTER (WHERE w > 0) AS matched
  FROM w, v GROUP BY v.value;
CREATE TEMP TABLE ours AS SELECT (reco_replay(reward, propensity, chance)).* FROM log;
SELECT ok(abs(o.value - p.value) < 1e-12 AND abs(o.high - o.value - 1.959963984540054 * p.error) < 1e-9 AND abs(o.value - o.low - 1.959963984540054 * p.error) < 1e-9
  AND abs(o.weighted - p.weighted) < 1e-12 AND abs(o.effective - p.effective) < 1e-6 AND o.matched = p.matched AND o.events = 5000, 'against plain SQL') FROM ours o, plain p;

-- Parts merged are the whole.
CREATE TABLE wide AS SELECT * FROM log, generate_series(1, 20);
ALTER TABLE wide SET (parallel_workers = 3);
ANALYZE wide;
SET LOCAL min_parallel_table_scan_size = 0;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL max_parallel_workers_per_gather = 3;
CREATE FUNCTION pg_temp.plan() RETURNS text LANGUAGE plpgsql AS $$
DECLARE line text; whole text := '';
BEGIN
  FOR line IN EXPLAIN SELECT reco_replay(reward, propensity, chance) FROM wide LOOP whole := whole || line; END LOOP;
  RETURN whole;
END $$;
SELECT matches(pg_temp.plan(), 'Finalize Aggregate.*Partial Aggregate', 'it can be worked out in parts');
SELECT ok(abs((v).value - o.value) < 1e-12 AND (v).events = 100000 AND abs((v).effective - 20 * o.effective) < 1e-4, 'and comes to the same')
FROM (SELECT reco_replay(reward, propensity, chance) AS v FROM wide) w, ours o;

-- The policy of the log itself is worth what was seen.
SELECT is((v).value, (SELECT avg(reward) FROM log), 'the same policy: the mean') FROM (SELECT reco_replay(reward, propensity, propensity) AS v FROM log) r;

/*
 * What it promises: over 300 logs of 200 choices between two arms of rates .3 and .6, drawn with the
 * chances .8 and .2, the worth of always taking the second is .6 on average, and lies in the interval
 * some 95 times in 100.
 */
CREATE TEMP TABLE trials AS
  SELECT turn, (reco_replay((d2 < CASE WHEN second THEN 0.6 ELSE 0.3 END)::int, CASE WHEN second THEN 0.2 ELSE 0.8 END, second::int)).*
  FROM (SELECT turn, (hashint8extended(turn, 2 * n) & 65535) / 65536.0 < 0.2 AS second, (hashint8extended(turn, 2 * n + 1) & 65535) / 65536.0 AS d2
    FROM generate_series(1, 300) turn, generate_series(1, 200) n) d GROUP BY turn;
SELECT cmp_ok(abs(avg(value) - 0.6), '<', 0.015::float8, 'right on average') FROM trials;
SELECT cmp_ok(abs(avg(weighted) - 0.6), '<', 0.02::float8, 'so is what is not normalised') FROM trials;
SELECT cmp_ok(stddev(weighted), '>', stddev(value), 'which is less steady') FROM trials;
SELECT ok(avg((0.6 BETWEEN low AND high)::int) BETWEEN 0.91 AND 0.98, 'the interval holds it some 95 times in 100') FROM trials;

-- Anybody may call the parts of the aggregate with numbers that no log counts.
SELECT throws_ok(format('SELECT reco_replay_value(%L)', replace(replace('{a,b,1,1,1,1,1}', 'a', rows), 'b', matched)), '22023', NULL, format('%s rows, %s of them matched', rows, matched))
FROM (VALUES ('NaN', '1'), ('1', 'NaN'), ('1e300', '1'), ('-1e300', '1'), ('1', 'Infinity')) v(rows, matched);

SELECT * FROM finish();
ROLLBACK;
