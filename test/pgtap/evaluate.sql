-- evaluate: metrics worked by hand, held against plain SQL and against what is served, and what cannot be measured.

BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;
SET LOCAL timezone = 'UTC';

CREATE FUNCTION pg_temp.is_near(have float8, want float8, name text, tolerance float8 DEFAULT 1e-9) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE fine boolean := coalesce(abs(have - want) <= tolerance * abs(want), false);
BEGIN
  RETURN ok(fine, name) || CASE WHEN fine THEN '' ELSE E'\n' || diag(format('have %s, want %s', have, want)) END;
END $$;

/*
 * Five people in January, and what they took up in February, when a sixth came and e was new:
 *
 *        January   February        a 3   b 3   c 2   d 2      cosine of January
 *   1    a b       c               a b  2/3                   a c  2/sqrt(6) = .8165
 *   2    a b c     d               b c, b d  1/sqrt(6) = .4082
 *   3    a c       b e
 *   4    d         a               lists of two by cosine, chosen items in capitals
 *   5    b d       -                 1: C (.866) d (.289)   2: D   3: B   4: b
 *   6    -         a               by popularity: 1: C d   2: D   3: B d   4: A b
 *
 *   cosine      1      2      3                     4        mean
 *   recall      1      1      1/2                   0        .625
 *   precision   1/2    1/2    1/2                   0        .375
 *   NDCG        1      1      1/(1 + 1/log2(3))     0        (2 + .6131472) / 4
 *   AP          1      1      1/2                   0        .625
 *   MRR, hits   1      1      1                     0        .75
 *   reachable   1      1      1/2                   1        .875
 *   short       -      yes    yes                   yes      .75
 *   novelty     log2(5/2)     log2(5/3)             the same (2 * 1.3219281 + 2 * .7369656) / 4 = 1.0294468
 *   bias        2/3    2/(8/3)  3/(5/2)             3/2      (2/3 + 3/4 + 6/5 + 3/2) / 4
 *   diversity   c and d never met: 1; the other lists have no pairs
 *   coverage    b c d of a b c d                             .75
 *   newcomers   6 of 1 2 3 4 6                               .2
 */
CREATE TABLE event (u int, i text, t timestamptz);
INSERT INTO event
  SELECT u, i, timestamptz '2026-01-01' FROM (VALUES (1, 'a'), (1, 'b'), (2, 'a'), (2, 'b'), (2, 'c'), (3, 'a'), (3, 'c'), (4, 'd'), (5, 'b'), (5, 'd')) v(u, i)
  UNION ALL
  SELECT u, i, timestamptz '2026-02-01' FROM (VALUES (1, 'c'), (2, 'd'), (3, 'b'), (3, 'e'), (4, 'a'), (6, 'a')) v(u, i);
SELECT reco_create_model('hand', 'SELECT u AS user_id, i AS item_id, t AS occurred_at FROM event');
SELECT reco_configure('hand', similarity => 'cosine', keep => 'source', min_support => 1, weighting => 'binary');
CREATE TABLE hand_result AS SELECT * FROM reco_evaluate('hand', 2, holdout => 0.4);
SELECT pg_temp.is_near(value, want, 'by hand: ' || metric, 1e-7)
FROM hand_result JOIN (VALUES ('recall', .625), ('precision', .375), ('ndcg', 2.6131472 / 4), ('map', .625), ('mrr', .75),
  ('hit_rate', .75), ('reachable', .875), ('users_covered', 1), ('short_lists', .75), ('novelty', 1.0294468),
  ('popularity_bias', (2 / 3.0 + 3 / 4.0 + 6 / 5.0 + 3 / 2.0) / 4), ('diversity', 1), ('coverage', .75), ('newcomers', .2)) w(metric, want) USING (metric)
WHERE algorithm = 'model';
SELECT is(count(*), 14::bigint, 'no metric is without its row') FROM hand_result WHERE algorithm = 'model';
SELECT is_empty($$SELECT * FROM hand_result m JOIN hand_result c USING (metric)
  WHERE m.algorithm = 'model' AND c.algorithm = 'cosine' AND (m.value, m.low, m.high, m.users) IS DISTINCT FROM (c.value, c.low, c.high, c.users)$$,
  'a model of plain cosine is the baseline');
-- By popularity: recall 1 1 1/2 1, one list is short, and a b c d are all listed.
SELECT results_eq($$SELECT metric, value FROM hand_result WHERE algorithm = 'popularity' AND metric IN ('recall', 'precision', 'short_lists', 'coverage')
  ORDER BY metric$$, $$VALUES ('coverage', 1::float8), ('precision', .5), ('recall', .875), ('short_lists', .25)$$, 'popularity by hand');
-- The interval of recall: mean .625, variance ((.375^2) * 2 + .125^2 + .625^2) / 3 = .2291667, half 1.959964 * sqrt(.2291667 / 4)
SELECT pg_temp.is_near(low, .625 - 1.959964 * sqrt(.6875 / 3 / 4), 'the interval by hand') FROM hand_result WHERE algorithm = 'model' AND metric = 'recall';
SELECT is(high, 1::float8, 'a share is at most 1') FROM hand_result WHERE algorithm = 'model' AND metric = 'recall';
SELECT results_eq($$SELECT metric, users FROM hand_result WHERE algorithm = 'model' AND users <> 4 ORDER BY metric$$,
  $$VALUES ('diversity', 1::bigint), ('newcomers', 5)$$, 'users that a mean is over');
-- A line needs some future: with a share too small for the newest time, that is taken whole.
SELECT results_eq($$SELECT algorithm, metric, value FROM reco_evaluate('hand', 2, holdout => 0.01)$$, 'SELECT algorithm, metric, value FROM hand_result',
  'the newest time is never cut in two');

-- What was there before may be chosen again only where that is asked for.
INSERT INTO event VALUES (1, 'a', '2026-02-02');
SELECT is(value, .625::float8, 'a repeat is not chosen')
FROM reco_evaluate('hand', 2, holdout => 0.42) WHERE algorithm = 'model' AND metric = 'recall';
-- Leave the last out: everybody's newest basket.  1 has a on 2026-02-02, known before; 3 has two items in one basket.
SELECT results_eq($$SELECT metric, value, users FROM reco_evaluate('hand', 2, split => 'leave_last_out') WHERE algorithm = 'popularity' AND metric IN ('newcomers', 'recall') ORDER BY 1$$,
  -- 1: nothing new chosen, and so not asked; 2: d; 3: b e; 4: a; 5 and 6 have one basket only: newcomers
  -- January and 1's c: a 3 b 3 c 3 d 1; but 5's only basket is kept back.  a 3 b 2 c 3 d 1: 2 gets d, 3 b d, 4 a c.
  $$VALUES ('newcomers', .4::float8, 5::bigint), ('recall', (1 + .5 + 1) / 3, 3)$$, 'the newest basket of each');

/*
 * Generated events: 80 people, 60 items, weights and times by hash, so that no two scores are equal.
 */
CREATE TABLE drawn AS
  SELECT u, floor(60 * power((hashint8extended(n, u) & 1048575) / 1048576.0, 2))::int AS i,
    1 + (hashint8extended(n, u + 5000) & 1023) / 256.0 AS w,
    timestamptz '2026-01-01' + (hashint8extended(n, u + 9000) & 8191) * interval '1 minute' AS t
  FROM generate_series(1, 80) u, LATERAL generate_series(1, 4 + u % 17) n;
SELECT reco_create_model('drawn', 'SELECT u AS user_id, i AS item_id, t AS occurred_at, w AS weight FROM drawn');
SELECT reco_configure('drawn', similarity => 'cosine', keep => 'source', neighbors => 1000, min_support => 1, weighting => 'linear');

CREATE TEMP TABLE before (u int, i int, r float8);
CREATE TEMP TABLE chosen (u int, i int);
CREATE TEMP TABLE have (algorithm text, metric text, value float8, low float8, high float8, users bigint);

-- By plain SQL, all of it: before(u, i, r), chosen(u, i) -> means by metric, from cosine of everything with everything.
CREATE FUNCTION pg_temp.plain(places int, repeats boolean) RETURNS TABLE(algorithm text, metric text, value numeric) LANGUAGE sql AS $$
  WITH n AS (SELECT i, count(*) AS n, sqrt(sum(r * r)) AS norm FROM before GROUP BY i),
  s AS (SELECT a.i, b.i AS j, sum(a.r * b.r) / min(na.norm * nb.norm) AS s
        FROM before a JOIN before b ON a.u = b.u AND a.i <> b.i JOIN n na ON na.i = a.i JOIN n nb ON nb.i = b.i GROUP BY a.i, b.i),
  asked AS (SELECT DISTINCT u FROM chosen WHERE u IN (SELECT u FROM before)),
  score AS (SELECT 'model' AS algorithm, h.u, s.j AS i, sum(h.r * s.s) AS score, 0 AS tie FROM asked JOIN before h USING (u) JOIN s ON s.i = h.i GROUP BY h.u, s.j
            UNION ALL SELECT 'popularity', u, i, n, i FROM asked, n),
  list AS (SELECT algorithm, u, i, row_number() OVER (PARTITION BY algorithm, u ORDER BY score DESC, tie) AS rank
           FROM score WHERE repeats OR NOT EXISTS (SELECT FROM before b WHERE b.u = score.u AND b.i = score.i)),
  top AS (SELECT * FROM list WHERE rank <= places),
  worth AS (
    SELECT algorithm, u, reco_recall(t.rank, true, places) AS recall, reco_precision(t.rank, true, places) AS precision,
      reco_ndcg(t.rank, true, places) AS ndcg, reco_average_precision(t.rank, true, places) AS map,
      reco_reciprocal_rank(t.rank, true, places) AS mrr, reco_hit(t.rank, true, places) AS hit_rate,
      avg((c.i IN (SELECT i FROM n))::int) AS reachable
    FROM (VALUES ('model'), ('popularity')) a(algorithm) CROSS JOIN asked JOIN chosen c USING (u) LEFT JOIN top t USING (algorithm, u, i)
    GROUP BY algorithm, u),
  shape AS (
    SELECT algorithm, u, count(*) AS length, avg(-log(2, n.n::numeric / (SELECT count(DISTINCT u) FROM before))) AS novelty,
      avg(n.n) / (SELECT avg(n.n) FROM before b JOIN n USING (i) WHERE b.u = top.u) AS bias,
      (SELECT 1 - coalesce(sum(s.s), 0) / nullif(count(*), 0) FROM top a JOIN top b ON a.i <> b.i LEFT JOIN s ON s.i = a.i AND s.j = b.i
       WHERE a.u = top.u AND b.u = top.u AND a.algorithm = top.algorithm AND b.algorithm = top.algorithm) AS diversity
    FROM top JOIN n USING (i) GROUP BY algorithm, u),
  means AS (
    SELECT algorithm, avg(recall) AS recall, avg(precision) AS precision, avg(ndcg) AS ndcg, avg(map) AS map, avg(mrr) AS mrr,
      avg(hit_rate) AS hit_rate, avg(reachable) AS reachable, avg((length IS NOT NULL)::int) AS users_covered,
      avg((coalesce(length, 0) < places)::int) AS short_lists, avg(novelty) AS novelty, avg(bias) AS popularity_bias, avg(diversity) AS diversity,
      (SELECT count(DISTINCT i) FROM top t WHERE t.algorithm = worth.algorithm) / (SELECT count(*)::numeric FROM n) AS coverage,
      (SELECT avg((u NOT IN (SELECT u FROM before))::int) FROM (SELECT DISTINCT u FROM chosen) c) AS newcomers
    FROM worth LEFT JOIN shape USING (algorithm, u) GROUP BY algorithm)
  SELECT algorithm, m.key, m.value::numeric FROM means, jsonb_each_text(to_jsonb(means) - 'algorithm') m
$$;

-- The rows in which an evaluation and plain SQL differ by more than single precision explains.
CREATE FUNCTION pg_temp.differ(places int, repeats boolean) RETURNS SETOF text LANGUAGE sql AS $$
  SELECT format('%s %s: %s, plain SQL has %s', algorithm, metric, e.value, p.value)
  FROM have e FULL JOIN pg_temp.plain(places, repeats) p USING (algorithm, metric)
  WHERE algorithm IS DISTINCT FROM 'cosine' AND (abs(e.value - p.value::float8) < 1e-6) IS NOT TRUE
$$;

-- In time: the newest quarter of the events.
CREATE TEMP TABLE line AS SELECT min(t) AS t FROM (SELECT t FROM drawn ORDER BY t DESC LIMIT (SELECT count(*) / 4 FROM drawn)) s;
INSERT INTO before SELECT u, i, sum(w) AS r FROM drawn, line WHERE drawn.t < line.t GROUP BY u, i;
INSERT INTO chosen SELECT DISTINCT u, i FROM drawn d, line WHERE d.t >= line.t AND NOT EXISTS (SELECT FROM before b WHERE b.u = d.u AND b.i = d.i);
SELECT is(count(*), 1::bigint, 'one event has the time of the line') FROM drawn JOIN line USING (t);
SELECT cmp_ok(count(DISTINCT u), '>', 50::bigint, 'most people chose something new') FROM chosen;
INSERT INTO have SELECT * FROM reco_evaluate('drawn', 10, holdout => 0.25);
SELECT is_empty('SELECT pg_temp.differ(10, false)', 'split in time: every metric is what plain SQL has');
TRUNCATE have;
INSERT INTO have SELECT * FROM reco_evaluate('drawn', 3, holdout => 0.25);
SELECT is_empty('SELECT pg_temp.differ(3, false)', 'the same for lists of three');
-- With repeats.
TRUNCATE chosen;
INSERT INTO chosen SELECT DISTINCT u, i FROM drawn d, line WHERE d.t >= line.t;
TRUNCATE have;
INSERT INTO have SELECT * FROM reco_evaluate('drawn', 10, holdout => 0.25, new_only => false);
SELECT is_empty('SELECT pg_temp.differ(10, true)', 'and where repeats count');
-- Leave the last out.
TRUNCATE before, chosen, have;
CREATE TEMP TABLE last AS SELECT u, max(t) AS t FROM drawn GROUP BY u;
INSERT INTO before SELECT u, i, sum(w) FROM drawn JOIN last USING (u) WHERE drawn.t < last.t GROUP BY u, i;
INSERT INTO chosen SELECT DISTINCT u, i FROM drawn d JOIN last USING (u) WHERE d.t = last.t AND NOT EXISTS (SELECT FROM before b WHERE b.u = d.u AND b.i = d.i);
INSERT INTO have SELECT * FROM reco_evaluate('drawn', 10, split => 'leave_last_out');
SELECT is_empty('SELECT pg_temp.differ(10, false)', 'leave the last out: every metric is what plain SQL has');

-- What is kept out by a policy is so as of before the newest time, where that alone is kept back: everybody has a, b and c, long ago,
-- and takes a again then.
CREATE TABLE back AS SELECT u, i, timestamptz '2025-11-01' + n * interval '1 minute' AS t FROM generate_series(1, 20) u, (VALUES ('a', 1), ('b', 2), ('c', 3)) v(i, n);
INSERT INTO back SELECT u, 'a', '2026-02-01' FROM generate_series(1, 20) u;
SELECT reco_create_model('back', 'SELECT u AS user_id, i AS item_id, t AS occurred_at FROM back');
SELECT reco_configure('back', similarity => 'cosine', exclude_seen => '{"*": "30 days"}');
SELECT is(value, 1::float8, 'what was chosen at the newest time is not seen yet') FROM reco_evaluate('back', 3, holdout => 0.01, new_only => false) WHERE (algorithm, metric) = ('model', 'recall');

/*
 * A number measured is a number served: models of the events before the line, asked by reco_top_n.
 */
CREATE TABLE early AS SELECT d.* FROM drawn d, line WHERE d.t < line.t;
SELECT reco_create_model('early', 'SELECT u AS user_id, i AS item_id, t AS occurred_at, w AS weight FROM early');
TRUNCATE chosen;
INSERT INTO chosen SELECT DISTINCT u, i FROM drawn d, line WHERE d.t >= line.t AND NOT EXISTS (SELECT FROM early b WHERE b.u = d.u AND b.i = d.i);
CREATE FUNCTION pg_temp.served() RETURNS TABLE(recall float8, ndcg float8, map float8) LANGUAGE sql AS $$
  SELECT avg(recall), avg(ndcg), avg(map)
  FROM (SELECT reco_recall(l.rank, true, 5) AS recall, reco_ndcg(l.rank, true, 5) AS ndcg, reco_average_precision(l.rank, true, 5) AS map
        FROM chosen c LEFT JOIN
          (SELECT u, t.* FROM (SELECT DISTINCT u FROM chosen) c
           CROSS JOIN LATERAL reco_top_n(u, 5, 'early', fallback => false) WITH ORDINALITY AS t(i, score, match, because, source, rank)) l USING (u, i)
        WHERE u IN (SELECT u FROM early) GROUP BY u) s
$$;
CREATE FUNCTION pg_temp.measured() RETURNS TABLE(recall float8, ndcg float8, map float8) LANGUAGE sql AS $$
  SELECT max(value) FILTER (WHERE metric = 'recall'), max(value) FILTER (WHERE metric = 'ndcg'), max(value) FILTER (WHERE metric = 'map')
  FROM reco_evaluate('drawn', 5, holdout => 0.25) WHERE algorithm = 'model'
$$;
CREATE FUNCTION pg_temp.agree(what text) RETURNS SETOF text LANGUAGE sql AS $$
  SELECT pg_temp.is_near(m.recall, s.recall, what || ': recall') || E'\n' || pg_temp.is_near(m.ndcg, s.ndcg, what || ': NDCG') || E'\n'
    || pg_temp.is_near(m.map, s.map, what || ': MAP')
  FROM pg_temp.measured() m, pg_temp.served() s
$$;
SELECT reco_configure(m, similarity => 'cooccurrence', neighbors => 20, keep => 'target', min_support => 2, weighting => 'log')
FROM (VALUES ('drawn'), ('early')) v(m);
SELECT reco_refresh('early');
SELECT pg_temp.agree('counts, kept by target');
SELECT reco_configure(m, similarity => 'ridge', candidates => 30) FROM (VALUES ('drawn'), ('early')) v(m);
SELECT reco_refresh('early');
SELECT pg_temp.agree('ridge');
SELECT reco_configure(m, similarity => 'bm25', half_life => '2 days', weighting => 'linear') FROM (VALUES ('drawn'), ('early')) v(m);
SELECT reco_refresh('early');
SELECT pg_temp.agree('bm25 with decay');

-- Held-out users: chosen is a fifth of the items, the last; the others learn nothing of it.  Sixty pairs, thirty held out,
-- who have a and are led to b by cosine 1, or the other way round; which of the two was chosen is drawn by lot.
CREATE TABLE pair AS SELECT u, i FROM generate_series(1, 60) u, (VALUES ('a'), ('b')) v(i);
SELECT reco_create_model('pair', 'SELECT u AS user_id, i AS item_id FROM pair');
SELECT results_eq($$SELECT algorithm, value, low, high, users FROM reco_evaluate('pair', 1, split => 'users') WHERE metric = 'recall'$$,
  $$VALUES ('model', 1::float8, 1::float8, 1::float8, 30::bigint), ('cosine', 1, 1, 1, 30), ('popularity', 1, 1, 1, 30)$$, 'held-out users');
SELECT results_eq($$SELECT metric, value FROM reco_evaluate('pair', 1, split => 'users') WHERE algorithm = 'model' AND metric IN ('coverage', 'novelty') ORDER BY 1$$,
  $$VALUES ('coverage', 1::float8), ('novelty', 0)$$, 'both are listed for somebody, and all learners have them');
SELECT is(users, 7::bigint, 'no more users than asked for') FROM reco_evaluate('pair', 1, split => 'users', max_users => 7)
WHERE algorithm = 'model' AND metric = 'recall';

-- Neither the order of rows nor anything else lets two evaluations differ.
CREATE TABLE turned AS SELECT * FROM drawn ORDER BY w;
SELECT reco_create_model('turned', 'SELECT u AS user_id, i AS item_id, t AS occurred_at, w AS weight FROM turned');
SELECT reco_configure('turned', similarity => 'bm25', half_life => '2 days', weighting => 'linear', neighbors => 20, candidates => 30);
SELECT results_eq($$SELECT * FROM reco_evaluate('turned', 10, holdout => 0.3)$$, $$SELECT * FROM reco_evaluate('drawn', 10, holdout => 0.3)$$, 'the order of rows does not matter');

-- Nothing is written, and nothing need be.
CREATE TABLE kept AS SELECT * FROM early.learned_item;
CREATE TABLE kept_model AS SELECT * FROM early.model;
SELECT lives_ok($$SELECT * FROM reco_evaluate('early', 10)$$, 'a model that was refreshed');
SELECT is_empty('(TABLE early.learned_item EXCEPT TABLE kept) UNION ALL (TABLE kept EXCEPT TABLE early.learned_item)', 'is left as it was');
SELECT is_empty($$SELECT * FROM early.model m, kept_model k WHERE m::text <> k::text$$, 'in every number');

/*
 * What cannot be measured well has an answer all the same, and never NaN.
 */
CREATE TABLE odd (u int, i int, t timestamptz, w float8);
SELECT reco_create_model('odd', 'SELECT u AS user_id, i AS item_id, t AS occurred_at, w AS weight FROM odd');
CREATE FUNCTION pg_temp.odd(k int, split text) RETURNS TABLE(recall float8, users bigint, odd bigint) LANGUAGE sql AS $$
  SELECT max(value) FILTER (WHERE metric = 'recall'), max(users) FILTER (WHERE metric = 'recall'),
    count(*) FILTER (WHERE value = 'NaN' OR low = 'NaN' OR high = 'NaN' OR abs(value) = 'Infinity' OR low > high OR value < 0)
  FROM reco_evaluate('odd', k, split => split) WHERE algorithm = 'model'
$$;
SELECT results_eq(format('SELECT * FROM pg_temp.odd(10, %L)', s), 'VALUES (NULL::float8, 0::bigint, 0::bigint)', 'no events, ' || s)
FROM unnest(ARRAY['time', 'leave_last_out', 'users']) s;
INSERT INTO odd VALUES (1, 1, '2026-01-01', 1);
SELECT results_eq(format('SELECT * FROM pg_temp.odd(10, %L)', s), 'VALUES (NULL::float8, 0::bigint, 0::bigint)', 'one event, ' || s)
FROM unnest(ARRAY['time', 'leave_last_out', 'users']) s;
INSERT INTO odd SELECT 1, n, '2026-01-01'::timestamptz + n * interval '1 day', 1 FROM generate_series(2, 20) n;
SELECT results_eq('SELECT * FROM pg_temp.odd(10, ''time'')', 'VALUES (0::float8, 1::bigint, 0::bigint)', 'one user');
SELECT results_eq('SELECT * FROM pg_temp.odd(1000000, ''leave_last_out'')', 'VALUES (0::float8, 1::bigint, 0::bigint)', 'one user, and a k larger than the catalogue');
TRUNCATE odd;
INSERT INTO odd SELECT u, 1, '2026-01-01'::timestamptz + u * interval '1 day', 1 FROM generate_series(1, 20) u;
SELECT results_eq('SELECT * FROM pg_temp.odd(10, ''time'')', 'VALUES (NULL::float8, 0::bigint, 0::bigint)', 'one item, and newcomers only');
TRUNCATE odd;
INSERT INTO odd SELECT u, i, '2026-01-01'::timestamptz + i * interval '1 day', 1 FROM generate_series(1, 20) u, generate_series(1, 10) i;
SELECT results_eq('SELECT * FROM pg_temp.odd(10, ''time'')', 'VALUES (0::float8, 20::bigint, 0::bigint)', 'everybody takes up what nobody had');
SELECT results_eq('SELECT * FROM pg_temp.odd(10, ''users'')', 'VALUES (1::float8, 10::bigint, 0::bigint)', 'everybody has everything');
UPDATE odd SET w = -1;
SELECT results_eq('SELECT * FROM pg_temp.odd(10, ''time'')', 'VALUES (NULL::float8, 0::bigint, 0::bigint)', 'only dislikes');
UPDATE odd SET w = 0;
SELECT results_eq('SELECT * FROM pg_temp.odd(10, ''leave_last_out'')', 'VALUES (NULL::float8, 0::bigint, 0::bigint)', 'only things shown');
UPDATE odd SET w = 1, t = '2026-01-01';
SELECT results_eq('SELECT * FROM pg_temp.odd(10, ''time'')', 'VALUES (NULL::float8, 0::bigint, 0::bigint)', 'all at one time');
UPDATE odd SET t = CASE WHEN i % 2 = 0 THEN '-infinity' ELSE '2026-01-01'::timestamptz END;
SELECT results_eq('SELECT * FROM pg_temp.odd(10, ''time'')', 'VALUES (0::float8, 20::bigint, 0::bigint)', 'what was always there is before every line');

SELECT * FROM finish();
ROLLBACK;
