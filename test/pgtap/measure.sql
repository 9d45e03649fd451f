-- measure: similarities over counts, worked by hand, and the decayed sum.

BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;
SET LOCAL timezone = 'UTC';

-- Two numbers that agree to a relative tolerance; a wanted 0 must be 0.  Says both where they do not.
CREATE FUNCTION pg_temp.is_near(have float8, want float8, name text, tolerance float8 DEFAULT 1e-12) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE fine boolean := coalesce(abs(have - want) <= tolerance * abs(want), false);
BEGIN
  RETURN ok(fine, name) || CASE WHEN fine THEN '' ELSE E'\n' || diag(format('have %s, want %s', have, want)) END;
END $$;

/*
 * Ten users: a was taken by 4, b by 6, both by 3.
 *
 *              b    not b
 *     a        3      1      4
 *     not a    3      3      6
 *              6      4     10
 *
 *   cosine   3 / sqrt(4 * 6)          = 3 / 4.898979 = 0.612372
 *   jaccard  3 / (4 + 6 - 3)          = 3 / 7
 *   lift     3 * 10 / (4 * 6)         = 1.25
 *   expected 2.4 1.6 / 3.6 2.4
 *   llr      2 * (3 ln(3/2.4) + 1 ln(1/1.6) + 3 ln(3/3.6) + 3 ln(3/2.4))
 *            = 2 * (0.6694307 - 0.4700036 - 0.5469647 + 0.6694307) = 0.6437861
 */
SELECT pg_temp.is_near(reco_cosine(3, 4, 6), 0.612372, 'cosine of 3 of 4 and 6', 1e-6);
SELECT pg_temp.is_near(reco_cosine(3, 4, 6), 3 / sqrt(24::float8), 'cosine to the last digits');
SELECT pg_temp.is_near(reco_jaccard(3, 4, 6), 3 / 7.0::float8, 'jaccard of 3 of 4 and 6');
SELECT pg_temp.is_near(reco_lift(3, 4, 6, 10), 1.25, 'lift of 3 of 4 and 6 among 10');
SELECT pg_temp.is_near(reco_llr(3, 4, 6, 10), 0.6437861, 'llr of 3 of 4 and 6 among 10', 1e-6);

/*
 * Always together: 5 of 5 and 5 among 20.  cosine 1, jaccard 1, lift 5 * 20 / 25 = 4,
 * llr 2 * (5 ln(5 / 1.25) + 15 ln(15 / 11.25)) = 2 * (6.9314718 + 4.3152311) = 22.4934058
 */
SELECT is(reco_cosine(5, 5, 5), 1::float8, 'cosine of the same users is 1');
SELECT is(reco_jaccard(5, 5, 5), 1::float8, 'jaccard of the same users is 1');
SELECT is(reco_lift(5, 5, 5, 20), 4::float8, 'lift of the same users is all over their number');
SELECT pg_temp.is_near(reco_llr(5, 5, 5, 20), 22.4934058, 'llr of the same users', 1e-8);

/* Independent: 2 of 4 and 5 among 10, as expected (4 * 5 / 10 = 2): lift 1, llr 0. */
SELECT is(reco_lift(2, 4, 5, 10), 1::float8, 'lift of independent items is 1');
SELECT is(reco_llr(2, 4, 5, 10), 0::float8, 'llr of independent items is 0');

/*
 * Never together: 0 of 3 and 3 among 6.  Expected 1.5 in every cell:
 * llr 2 * (3 ln 2 + 3 ln 2) = 12 ln 2 = 8.3177662, as large as for friends; lift tells.
 */
SELECT is(reco_cosine(0, 3, 3), 0::float8, 'cosine of strangers is 0');
SELECT is(reco_jaccard(0, 3, 3), 0::float8, 'jaccard of strangers is 0');
SELECT is(reco_lift(0, 3, 3, 6), 0::float8, 'lift of strangers is 0');
SELECT pg_temp.is_near(reco_llr(0, 3, 3, 6), 12 * ln(2::float8), 'llr of items that avoid each other is large');

/* Decayed counts are not whole: 1.5 / sqrt(2.25 * 4) = 1.5 / 3; 1.5 / 4.75; 1.5 * 6 / 9. */
SELECT pg_temp.is_near(reco_cosine(1.5, 2.25, 4), 0.5, 'cosine of decayed counts');
SELECT pg_temp.is_near(reco_jaccard(1.5, 2.25, 4), 1.5 / 4.75, 'jaccard of decayed counts');
SELECT pg_temp.is_near(reco_lift(1.5, 2.25, 4, 6), 1, 'lift of decayed counts');

/* Counts of a big shop: 4e8 of 1e9 and 16e8: 4e8 / sqrt(1.6e18) = 1 / sqrt(10); 4e8 * 1e10 / 1.6e18 = 2.5. */
SELECT pg_temp.is_near(reco_cosine(4e8, 1e9, 16e8), 1 / sqrt(10::float8), 'cosine of large counts');
SELECT pg_temp.is_near(reco_lift(4e8, 1e9, 16e8, 1e10), 2.5, 'lift of large counts');

-- What is not defined is NULL; what is, is not.
SELECT is(reco_cosine(0, 0, 5), NULL, 'cosine with an item without users');
SELECT is(reco_cosine(0, 5, 0), NULL, 'cosine with the other item without users');
SELECT is(reco_jaccard(0, 0, 0), NULL, 'jaccard of two items without users');
SELECT is(reco_jaccard(0, 0, 5), 0::float8, 'jaccard with one item without users is 0 / 5');
SELECT is(reco_lift(0, 0, 5, 10), NULL, 'lift with an item without users');
SELECT is(reco_llr(0, 0, 5, 10), 0::float8, 'llr with an item without users: nothing is surprising');
SELECT is(reco_llr(0, 0, 0, 0), NULL, 'llr of nobody');
SELECT is(reco_llr(5, 5, 5, 5), 0::float8, 'llr where everybody took both');

SELECT is(reco_cosine(NULL, 4, 6), NULL, 'cosine is strict');
SELECT is(reco_jaccard(3, NULL, 6), NULL, 'jaccard is strict');
SELECT is(reco_lift(3, 4, NULL, 10), NULL, 'lift is strict');
SELECT is(reco_llr(3, 4, 6, NULL), NULL, 'llr is strict');

-- Counts that cannot be those of one table.
SELECT throws_ok(format('SELECT %s', call), '22023', 'counts do not fit together', call)
FROM unnest(ARRAY[
  'reco_cosine(5, 4, 6)',
  'reco_cosine(5, 6, 4)',
  'reco_cosine(-1, 4, 6)',
  'reco_cosine(0, -4, 6)',
  'reco_cosine(''NaN'', 4, 6)',
  'reco_cosine(3, ''Infinity'', 6)',
  'reco_jaccard(5, 4, 6)',
  'reco_jaccard(1, 4, ''NaN'')',
  'reco_lift(5, 4, 6, 100)',
  'reco_lift(3, 4, 6, 6)',
  'reco_lift(3, 4, 6, -1)',
  'reco_llr(5, 6, 4, 100)',
  'reco_llr(3, 4, 6, 6.5)',
  'reco_llr(3, 4, 6, ''Infinity'')']) call;
SELECT lives_ok('SELECT reco_llr(3, 4, 6, 7), reco_lift(3, 4, 6, 7)', '4 + 6 - 3 = 7 users are just enough');

/*
 * Every table of 12 users: each measure against a formula of its own.  For llr that is Dunning's
 * with entropies: 2 * (X(all) + sum of X(cells) - sum of X(rows) - sum of X(columns)), X(n) = n ln n.
 */
CREATE FUNCTION pg_temp.x(n float8) RETURNS float8 LANGUAGE sql AS $$ SELECT CASE WHEN n > 0 THEN n * ln(n) ELSE 0 END $$;
CREATE TEMP TABLE count_table AS
  SELECT n::float8 AS c, a::float8, b::float8, 12::float8 AS n
  FROM generate_series(1, 12) a, generate_series(1, 12) b, generate_series(0, 12) n
  WHERE n <= least(a, b) AND a + b - n <= 12;

-- Of a and b there may be from max(0, a + b - 12) to min(a, b) with both.
SELECT is((SELECT count(*) FROM count_table),
          (SELECT sum(least(a, b) - greatest(0, a + b - 12) + 1) FROM generate_series(1, 12) a, generate_series(1, 12) b),
          'every table of 12 users is tried');
SELECT is_empty('SELECT * FROM count_table WHERE abs(reco_cosine(c, a, b) - c / (sqrt(a) * sqrt(b))) > 1e-12', 'cosine of every table');
SELECT is_empty('SELECT * FROM count_table WHERE abs(reco_jaccard(c, a, b) - c / (c + (a - c) + (b - c))) > 1e-12', 'jaccard of every table');
SELECT is_empty('SELECT * FROM count_table WHERE abs(reco_lift(c, a, b, n) - (c / n) / ((a / n) * (b / n))) > 1e-12', 'lift of every table');
SELECT is_empty($$
  SELECT * FROM count_table
  WHERE abs(reco_llr(c, a, b, n) - 2 * (pg_temp.x(n)
      + pg_temp.x(c) + pg_temp.x(a - c) + pg_temp.x(b - c) + pg_temp.x(n - a - b + c)
      - pg_temp.x(a) - pg_temp.x(n - a) - pg_temp.x(b) - pg_temp.x(n - b))) > 1e-10$$, 'llr of every table');
SELECT is_empty('SELECT * FROM count_table WHERE reco_llr(c, a, b, n) < 0', 'llr is never below 0');
SELECT is_empty('SELECT * FROM count_table WHERE (reco_cosine(c, a, b) BETWEEN 0 AND 1 AND reco_jaccard(c, a, b) BETWEEN 0 AND 1) IS NOT TRUE',
                'cosine and jaccard stay within 0..1');
SELECT is_empty($$
  SELECT * FROM count_table
  WHERE reco_cosine(c, a, b) <> reco_cosine(c, b, a) OR reco_jaccard(c, a, b) <> reco_jaccard(c, b, a)
     OR abs(reco_lift(c, a, b, n) - reco_lift(c, b, a, n)) > 1e-12 OR abs(reco_llr(c, a, b, n) - reco_llr(c, b, a, n)) > 1e-12$$,
  'none of the measures minds which item comes first');

/*
 * The decayed sum, half_life 30 days, as of 2024-03-31:
 *
 *   weight  occurred_at        age    factor    part
 *      1    2024-03-31          0      1         1
 *      8    2024-03-01         30      1/2       4
 *      4    2024-01-31         60      1/4       1
 *     -2    2024-03-16         15      2^-.5    -1.4142136
 *     16    2023-12-02        120      1/16      1
 *                                     sum        5.5857864 = 7 - sqrt(2)
 */
CREATE TEMP TABLE happened (item int, weight float8, at timestamptz);
INSERT INTO happened VALUES
  (1, 1, '2024-03-31'), (1, 8, '2024-03-01'), (2, 4, '2024-01-31'), (2, -2, '2024-03-16'), (2, 16, '2023-12-02');
SELECT pg_temp.is_near(reco_decayed_sum(weight, at, '30 days', '2024-03-31'), 5.5857864, 'worked decays', 1e-8) FROM happened;
SELECT pg_temp.is_near(reco_decayed_sum(weight, at, '30 days', '2024-03-31'), 7 - sqrt(2::float8), 'worked decays to the last digits') FROM happened;
SELECT pg_temp.is_near(reco_decayed_sum(weight, at, '1 month', '2024-03-31'), 7 - sqrt(2::float8), 'a month is 30 days') FROM happened;
SELECT pg_temp.is_near(reco_decayed_sum(weight, at, '720 hours', '2024-03-31'), 7 - sqrt(2::float8), '720 hours are 30 days') FROM happened;
SELECT pg_temp.is_near(reco_decayed_sum(weight, at, '29 days 23:59:60', '2024-03-31'), 7 - sqrt(2::float8), 'parts of an interval add up') FROM happened;

/* A year is twelve months of 30 days: 360 days halve. */
SELECT is(reco_decayed_sum(10, timestamptz '2024-06-01' - interval '360 days', '1 year', '2024-06-01'), 5::float8, 'a year is 360 days');

/* By item: item 1 has 1 + 4 = 5, item 2 has 1 - sqrt(2) + 1 = 0.5857864. */
SELECT pg_temp.is_near(sum, want, format('item %s by GROUP BY', item))
FROM (SELECT item, reco_decayed_sum(weight, at, '30 days', '2024-03-31') AS sum FROM happened GROUP BY item) s
JOIN (VALUES (1, 5::float8), (2, 2 - sqrt(2::float8))) w(item, want) USING (item);

/* As of 2024-03-01 what came later does not count: 8 + 4 * 2^-1 (30 days) + 16 * 2^-3 (90 days) = 8 + 2 + 2. */
SELECT pg_temp.is_near(reco_decayed_sum(weight, at, '30 days', '2024-03-01'), 12, 'events after as_of do not count') FROM happened;
SELECT is(reco_decayed_sum(weight, at, '30 days', '2023-01-01'), NULL, 'nothing had happened yet: NULL, like sum()') FROM happened;
SELECT is(reco_decayed_sum(weight, at, '30 days', '2024-03-31'), NULL, 'no rows: NULL, like sum()') FROM happened WHERE false;

/* A row with a NULL anywhere is no row. */
INSERT INTO happened VALUES (1, NULL, '2024-03-31'), (2, 1e6, NULL), (NULL, NULL, NULL);
SELECT pg_temp.is_near(reco_decayed_sum(weight, at, '30 days', '2024-03-31'), 7 - sqrt(2::float8), 'rows with a NULL do not count') FROM happened;
SELECT is(reco_decayed_sum(weight, at, NULL, '2024-03-31'), NULL, 'half_life NULL leaves no row') FROM happened;
SELECT is(reco_decayed_sum(weight, at, '30 days', NULL), NULL, 'as_of NULL leaves no row') FROM happened;
SELECT is(reco_decayed_sum(weight, at, '30 days', '2024-03-31'), NULL, 'only rows with a NULL: NULL') FROM happened WHERE weight IS NULL OR at IS NULL;

/* Each row may have its own half_life: 1 + 8 * 2^(-30/60) + 4 * 2^(-60/30) = 1 + 5.6568542 + 1. */
SELECT pg_temp.is_near(reco_decayed_sum(w, a, h, '2024-03-31'), 2 + 4 * sqrt(2::float8), 'half_life by row')
FROM (VALUES (1::float8, timestamptz '2024-03-31', interval '1 day'), (8, '2024-03-01', '60 days'), (4, '2024-01-31', '30 days')) v(w, a, h);

SELECT is(reco_decayed_sum(5, '-infinity', '30 days', '2024-03-31'), 0::float8, 'what was always there has decayed to 0');
SELECT is(reco_decayed_sum(5, 'infinity', '30 days', '2024-03-31'), NULL, 'what never comes does not count');
SELECT is(reco_decayed_sum(5, '2024-03-31', '1 microsecond', '2024-03-31'), 5::float8, 'age 0 has not decayed, however short the half_life');
SELECT is(reco_decayed_sum(5, '2014-03-31', '1 microsecond', '2024-03-31'), 0::float8, 'after 3e14 half-lives nothing is left');

SELECT throws_ok($$SELECT reco_decayed_sum(1, '2024-01-01', '0', '2024-03-31')$$, '22023', 'half_life must be positive', 'half_life 0');
SELECT throws_ok($$SELECT reco_decayed_sum(1, '2024-01-01', '-1 day', '2024-03-31')$$, '22023', 'half_life must be positive', 'half_life below 0');
SELECT throws_ok($$SELECT reco_decayed_sum(1, '2024-01-01', '1 day', 'infinity')$$, '22023', 'as_of must be finite', 'as_of infinity');

/* As a window aggregate: running sums of 1, -sqrt(2), 4, 1, 1, newest first. */
SELECT results_eq($$
    SELECT round(reco_decayed_sum(weight, at, '30 days', '2024-03-31') OVER (ORDER BY at DESC)::numeric, 6)
    FROM happened WHERE weight IS NOT NULL AND at IS NOT NULL ORDER BY at DESC$$,
  'VALUES (1::numeric(20, 6)), (-0.414214), (3.585786), (4.585786), (5.585786)', 'running sums over a window');

/*
 * In parallel: 20,000 rows of weight 1..7 whose ages are 0 to 9 half-lives, so that every part is a
 * multiple of 1/512 and every order of adding gives the same float8.
 */
CREATE TABLE long_ago AS
  SELECT (n % 7 + 1)::float8 AS weight, timestamptz '2024-03-31' - (n % 10) * interval '30 days' AS at
  FROM generate_series(1, 20000) n;
ANALYZE long_ago;

CREATE FUNCTION pg_temp.plan(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  line text;
  lines text := '';
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (COSTS OFF, VERBOSE) ' || query LOOP
    lines := lines || line || E'\n';
  END LOOP;
  RETURN lines;
END $$;

SET LOCAL max_parallel_workers_per_gather = 0;
CREATE TEMP TABLE serial AS SELECT reco_decayed_sum(weight, at, '30 days', '2024-03-31') AS sum FROM long_ago;
SET LOCAL max_parallel_workers_per_gather = 2;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SELECT matches(pg_temp.plan($$SELECT reco_decayed_sum(weight, at, '30 days', '2024-03-31') FROM long_ago$$),
               'Finalize Aggregate.*Gather.*Partial Aggregate', 'the decayed sum has a parallel plan');
SELECT is(reco_decayed_sum(weight, at, '30 days', '2024-03-31'), (SELECT sum FROM serial), 'in parallel the sum is the same')
FROM long_ago;
/* Independently: sum of weight / 2^(n % 10). */
SELECT is((SELECT sum FROM serial), (SELECT sum((n % 7 + 1) / 2 ^ (n % 10)) FROM generate_series(1, 20000) n), 'and it is right');

SELECT * FROM finish();
ROLLBACK;
