-- metric: aggregates over ranked lists, worked by hand, against plain SQL, and in any order.

BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;

-- Two numbers that agree to a relative tolerance; a wanted 0 must be 0.  Says both where they do not.
CREATE FUNCTION pg_temp.is_near(have float8, want float8, name text, tolerance float8 DEFAULT 1e-12) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE fine boolean := coalesce(abs(have - want) <= tolerance * abs(want), false);
BEGIN
  RETURN ok(fine, name) || CASE WHEN fine THEN '' ELSE E'\n' || diag(format('have %s, want %s', have, want)) END;
END $$;

/*
 * One list of five places; of four relevant items it has three, at ranks 1, 3 and 4.
 *
 *   k        recall  precision  AP                              NDCG
 *   1        1/4     1          1 / 1                           1 / 1
 *   3        2/4     2/3        (1 + 2/3) / 3                   (1 + 1/2) / (1 + .6309298 + .5)
 *   5        3/4     3/5        (1 + 2/3 + 3/4) / 4             (1 + 1/2 + .4306766) / (1 + .6309298 + .5 + .4306766)
 *   10       3/4     3/10       the same: four relevant items   the same
 *
 * log2(3) = 1.5849625, 1 / it = .6309298; log2(5) = 2.3219281, 1 / it = .4306766.
 */
CREATE TEMP TABLE listed (rank int, relevant boolean);
INSERT INTO listed VALUES (1, true), (2, false), (3, true), (4, true), (5, NULL), (NULL, true);

SELECT is(reco_recall(rank, relevant, 1), 0.25::float8, 'recall at 1') FROM listed;
SELECT is(reco_recall(rank, relevant, 3), 0.5::float8, 'recall at 3') FROM listed;
SELECT is(reco_recall(rank, relevant, 5), 0.75::float8, 'recall at 5') FROM listed;
SELECT is(reco_recall(rank, relevant, NULL), 0.75::float8, 'recall of the whole list') FROM listed;
SELECT is(reco_precision(rank, relevant, 1), 1::float8, 'precision at 1') FROM listed;
SELECT pg_temp.is_near(reco_precision(rank, relevant, 3), 2 / 3::float8, 'precision at 3') FROM listed;
SELECT is(reco_precision(rank, relevant, 10), 0.3::float8, 'precision at 10: empty places are misses') FROM listed;
SELECT pg_temp.is_near(reco_average_precision(rank, relevant, 3), (1 + 2 / 3::float8) / 3, 'average precision at 3') FROM listed;
SELECT pg_temp.is_near(reco_average_precision(rank, relevant, 5), 29 / 48::float8, 'average precision at 5') FROM listed;
SELECT pg_temp.is_near(reco_average_precision(rank, relevant, NULL), 29 / 48::float8, 'average precision of the whole list') FROM listed;
SELECT is(reco_ndcg(rank, relevant, 1), 1::float8, 'NDCG at 1') FROM listed;
SELECT pg_temp.is_near(reco_ndcg(rank, relevant, 3), 1.5 / 2.1309298, 'NDCG at 3', 1e-7) FROM listed;
SELECT pg_temp.is_near(reco_ndcg(rank, relevant, 5), 1.9306766 / 2.5616063, 'NDCG at 5', 1e-7) FROM listed;
SELECT pg_temp.is_near(reco_ndcg(rank, relevant, NULL), 1.9306766 / 2.5616063, 'NDCG of the whole list', 1e-7) FROM listed;
SELECT is(reco_reciprocal_rank(rank, relevant, 5), 1::float8, 'the first is a hit') FROM listed;
SELECT is(reco_reciprocal_rank(rank, relevant AND rank > 1, 5), 1 / 3::float8, 'the third is the first hit') FROM listed;
SELECT is(reco_reciprocal_rank(rank, relevant AND rank > 1, 2), 0::float8, 'no hit among two') FROM listed;
SELECT is(reco_hit(rank, relevant AND rank > 1, 2), 0::float8, 'so it is none') FROM listed;
SELECT is(reco_hit(rank, relevant AND rank > 1, 3), 1::float8, 'among three there is one') FROM listed;

-- A perfect list has 1 of everything, whether there are more relevant items than places or fewer.
SELECT is(ARRAY[reco_ndcg(n, true, 3), reco_average_precision(n, true, 3), reco_precision(n, true, 3)], ARRAY[1, 1, 1]::float8[],
  'three places, seven relevant items') FROM generate_series(1, 7) n;
SELECT is(ARRAY[reco_ndcg(n, n < 3, 7), reco_average_precision(n, n < 3, 7), reco_recall(n, n < 3, 7)], ARRAY[1, 1, 1]::float8[],
  'seven places, two relevant items') FROM generate_series(1, 7) n;

/*
 * Gains 3 2 3 0 1 listed, 2 not listed, as in the example of many textbooks:
 *   DCG    3 + 2 / log2(3) + 3 / 2 + 0 + 1 / log2(6)                = 3 + 1.2618595 + 1.5 + .3868528   = 6.1487123
 *   ideal  3 + 3 / log2(3) + 2 / 2 + 2 / log2(5) + 1 / log2(6)      = 3 + 1.8927893 + 1 + .8613531 + .3868528 = 7.1409952
 *   at 2   4.2618595 / 4.8927893
 */
CREATE TEMP TABLE graded (rank int, gain numeric);
INSERT INTO graded VALUES (1, 3), (2, 2), (3, 3), (4, 0), (5, 1), (NULL, 2), (7, NULL);
SELECT pg_temp.is_near(reco_ndcg(rank, gain, 5), 6.1487123 / 7.1409952, 'graded NDCG at 5', 1e-7) FROM graded;
SELECT pg_temp.is_near(reco_ndcg(rank, gain, NULL), 6.1487123 / 7.1409952, 'graded NDCG of the whole list', 1e-7) FROM graded;
SELECT pg_temp.is_near(reco_ndcg(rank, gain, 2), 4.2618595 / 4.8927893, 'graded NDCG at 2', 1e-7) FROM graded;
SELECT pg_temp.is_near(reco_ndcg(rank, gain * 1e300, 5), 6.1487123 / 7.1409952, 'however great the gains are', 1e-7) FROM graded;
SELECT is(reco_ndcg(rank, relevant, 4), reco_ndcg(rank, relevant::int, 4), 'gains of 0 and 1 are relevance') FROM listed;

/*
 * Scores .9+ .8- .7+ .7- and none-: of 2 x 3 pairs .9 wins three, .7 loses one, ties one, wins one: 4.5 / 6.
 */
CREATE TEMP TABLE scored (score float8, relevant boolean);
INSERT INTO scored VALUES (.9, true), (.8, false), (.7, true), (.7, false), (NULL, NULL);
SELECT is(reco_auc(score, relevant), 0.75::float8, 'AUC with a tie and an item without a score') FROM scored;
SELECT pg_temp.is_near(reco_auc(-score, relevant), 3.5 / 6, 'turned round, what has no score still comes last') FROM scored;
SELECT is(reco_auc(NULL, relevant), 0.5::float8, 'no scores at all are one tie') FROM scored;
SELECT is(reco_auc(score, relevant), 0.5::float8, 'infinite scores are scores')
FROM (VALUES ('-Infinity'::float8, true), ('Infinity', true), (0, false)) v(score, relevant);
SELECT is(reco_auc(NULL, n = 1), 0.5::float8, 'a relevant item without a score is no worse than others without') FROM generate_series(1, 3) n;
SELECT is(reco_auc(CASE n WHEN 1 THEN NULL ELSE '-Infinity'::float8 END, n = 1), 0::float8, 'but worse than any with one') FROM generate_series(1, 3) n;

/*
 * Against plain SQL: 300 lists of up to 30 places, drawn by hash, with as many relevant items as 12, some of them listed.
 */
CREATE TABLE rows AS
  SELECT u, CASE WHEN n <= h % 31 THEN n END AS rank, (hashint8extended(n, u) & 7) < 1 + h % 3 AS relevant,
    (hashint8extended(n, u + 1000) & 15)::int / 4 AS gain, (hashint8extended(n, u + 2000) & 63) / 8.0 AS score
  FROM generate_series(1, 300) u, LATERAL (SELECT hashint8extended(u, 7) & 1023 AS h) d, LATERAL generate_series(1, 40) n;
CREATE TABLE plain AS
  WITH hit AS (
    SELECT u, k, rank, row_number() OVER (PARTITION BY u, k ORDER BY rank) AS n
    FROM rows, (VALUES (1), (5), (20)) v(k) WHERE relevant AND rank <= k),
  list AS (SELECT u, k, count(*) FILTER (WHERE relevant) AS relevant FROM rows, (VALUES (1), (5), (20)) v(k) GROUP BY u, k)
  SELECT l.u, l.k, count(h.rank) / nullif(l.relevant, 0)::float8 AS recall, count(h.rank) / l.k::float8 AS precision,
    sign(count(h.rank)) AS hit, coalesce(1 / min(h.rank)::float8, 0) AS reciprocal,
    coalesce(sum(h.n / h.rank::float8), 0) / nullif(least(l.relevant, l.k), 0) AS average,
    coalesce(sum(ln(2) / ln(h.rank + 1)), 0) / (SELECT sum(ln(2) / ln(r + 1)) FROM generate_series(1, least(l.relevant, l.k)) r) AS ndcg
  FROM list l LEFT JOIN hit h USING (u, k) GROUP BY l.u, l.k, l.relevant;
CREATE TABLE ours AS
  SELECT u, k, reco_recall(rank, relevant, k) AS recall, reco_precision(rank, relevant, k) AS precision,
    reco_hit(rank, relevant, k) AS hit, reco_reciprocal_rank(rank, relevant, k) AS reciprocal,
    reco_average_precision(rank, relevant, k) AS average, reco_ndcg(rank, relevant, k) AS ndcg
  FROM rows, (VALUES (1), (5), (20)) v(k) GROUP BY u, k;
SELECT is(count(*), 900::bigint, 'three k of 300 lists') FROM ours;
SELECT cmp_ok(count(*), '>', 100::bigint, 'in many of them there are hits and misses') FROM ours WHERE recall > 0 AND recall < 1;
SELECT is_empty($$
  SELECT * FROM ours o JOIN plain p USING (u, k)
  WHERE o.recall IS DISTINCT FROM p.recall OR o.precision <> p.precision OR o.hit <> p.hit OR o.reciprocal <> p.reciprocal
    OR abs(coalesce(o.average, -1) - coalesce(p.average, -1)) > 1e-12 OR abs(coalesce(o.ndcg, -1) - coalesce(p.ndcg, -1)) > 1e-12$$,
  'every metric is what plain SQL has');
SELECT is_empty($$
  SELECT * FROM (SELECT u, reco_ndcg(rank, gain, 10) AS ndcg FROM rows GROUP BY u) o
  JOIN (SELECT u, coalesce(sum(gain / log(2, rank + 1)) FILTER (WHERE rank <= 10), 0) AS dcg FROM rows GROUP BY u) d USING (u)
  JOIN (SELECT u, sum(gain / log(2, r + 1)) AS dcg
        FROM (SELECT u, gain, row_number() OVER (PARTITION BY u ORDER BY gain DESC) AS r FROM rows) s WHERE r <= 10 GROUP BY u) i USING (u)
  WHERE abs(o.ndcg - (d.dcg / i.dcg)::float8) > 1e-12$$, 'and so is NDCG of gains');
SELECT is_empty($$
  SELECT * FROM (SELECT u, reco_auc(score, relevant) AS auc FROM rows GROUP BY u) o
  JOIN (SELECT a.u, avg(CASE WHEN a.score > b.score THEN 1 WHEN a.score = b.score THEN 0.5 ELSE 0 END) AS auc
        FROM rows a JOIN rows b ON a.u = b.u AND a.relevant AND NOT b.relevant GROUP BY a.u) p USING (u)
  WHERE abs(o.auc - p.auc::float8) > 1e-12$$, 'and AUC, pair by pair');

/* To the last digit the same in any order, in one state or merged from several. */
SELECT is_empty($$
  SELECT u FROM rows GROUP BY u
  HAVING reco_ndcg(rank, relevant, 20 ORDER BY score, rank) IS DISTINCT FROM reco_ndcg(rank, relevant, 20 ORDER BY rank DESC)
    OR reco_average_precision(rank, relevant, 20 ORDER BY score, rank) IS DISTINCT FROM reco_average_precision(rank, relevant, 20 ORDER BY rank DESC)
    OR reco_ndcg(rank, gain, 20 ORDER BY score, rank) IS DISTINCT FROM reco_ndcg(rank, gain, 20 ORDER BY rank DESC)
    OR reco_auc(score, relevant ORDER BY gain) IS DISTINCT FROM reco_auc(score, relevant ORDER BY score)$$,
  'the order of rows does not matter');

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

-- One list of 200,000 places: states that grow, and are shared by workers.
CREATE TABLE long AS
  SELECT n AS rank, (hashint8extended(n, 1) & 3) = 0 AS relevant, (hashint8extended(n, 2) & 255)::float8 AS gain
  FROM generate_series(1, 200000) n;
ANALYZE long;
SET LOCAL max_parallel_workers_per_gather = 0;
CREATE TEMP TABLE serial AS
  SELECT reco_ndcg(rank, relevant, NULL) AS ndcg, reco_average_precision(rank, relevant, 150000) AS average,
    reco_ndcg(rank, gain, NULL) AS graded, reco_auc(gain, relevant) AS auc, reco_recall(rank, relevant, 1000) AS recall FROM long;
SET LOCAL max_parallel_workers_per_gather = 2;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SELECT matches(pg_temp.plan($$SELECT reco_ndcg(rank, relevant, NULL), reco_auc(gain, relevant), reco_ndcg(rank, gain, 5) FROM long$$),
               'Finalize Aggregate.*Gather.*Partial Aggregate', 'the metrics have a parallel plan');
SELECT results_eq($$
  SELECT reco_ndcg(rank, relevant, NULL), reco_average_precision(rank, relevant, 150000),
    reco_ndcg(rank, gain, NULL), reco_auc(gain, relevant), reco_recall(rank, relevant, 1000) FROM long$$,
  'SELECT * FROM serial', 'in parallel they are the same to the last digit');
SET LOCAL max_parallel_workers_per_gather = 0;
SELECT pg_temp.is_near(recall, (SELECT count(*) FILTER (WHERE rank <= 1000) / count(*)::float8 FROM long WHERE relevant), 'and right')
FROM serial;

/* As a window aggregate: the list as it grows. */
SELECT results_eq($$SELECT reco_recall(rank, relevant, 9) OVER (ORDER BY rank NULLS FIRST) FROM listed ORDER BY rank NULLS FIRST$$,
  'VALUES (0::float8), (0.5), (0.5), (2 / 3::float8), (0.75), (0.75)', 'running recall over a window');
SELECT results_eq($$SELECT reco_hit(rank, relevant, 9) OVER (ORDER BY rank ROWS BETWEEN CURRENT ROW AND 1 FOLLOWING) FROM listed ORDER BY rank$$,
  'VALUES (1::float8), (1), (1), (1), (0), (0)', 'a frame that moves');

/* A hundred thousand lists in one query need no more memory than one at a time. */
SELECT is(round(avg(ndcg)::numeric, 6), (SELECT round(avg(1 / log(2, n + 1)), 6) FROM generate_series(1, 10) n), 'many small lists')
FROM (SELECT reco_ndcg(1 + n % 10, true, 10) AS ndcg FROM generate_series(1, 100000) n GROUP BY n) s;

SELECT * FROM finish();
ROLLBACK;
