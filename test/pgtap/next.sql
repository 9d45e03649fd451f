-- next: what follows what, counted by hand and by plain SQL; histories read by recency; what it finds that no order tells.

SELECT no_plan();
SET client_min_messages = warning;
SET timezone = 'UTC';

CREATE FUNCTION pg_temp.is_near(have float8, want float8, name text, tolerance float8 DEFAULT 1e-6) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE fine boolean := coalesce(abs(have - want) <= tolerance * greatest(abs(want), 1e-12), false);
BEGIN
  RETURN ok(fine, name) || CASE WHEN fine THEN '' ELSE E'\n' || diag(format('have %s, want %s', have, want)) END;
END $$;

/*
 * By hand, with no exponents and weights that all count the same: s(i -> j) is the sum of g, 1 / sqrt(d) for d steps
 * forward, .3 of it back, .5 at one time.
 *
 *   1   a   b   c           a b 1       a c 1/sqrt(2)   b c 1
 *   2   a   b               a b 1
 *   3   b   c   a           a b .3/sqrt(2)   a c .3   b c 1   b a 1/sqrt(2)   c a 1
 *   4   {a d}   b           a d .5   d a .5   a b 1   d b 1
 *
 *   a -> b   3 + .3/sqrt(2)          b -> a   .3 * 3 + 1/sqrt(2)
 *   a -> c   1/sqrt(2) + .3          c -> a   .3/sqrt(2) + 1
 *   b -> c   2                       c -> b   .6
 *   a -> d   .5                      d -> a   .5
 *   d -> b   1                       b -> d   .3
 */
CREATE TABLE walk (u int, i text, t timestamptz, w float8 DEFAULT 1);
INSERT INTO walk (u, i, t) SELECT u, i, timestamptz '2026-01-01' + t * interval '1 day'
FROM (VALUES (1, 'a', 1), (1, 'b', 2), (1, 'c', 9), (2, 'a', 1), (2, 'b', 5), (3, 'b', 1), (3, 'c', 2), (3, 'a', 3),
             (4, 'a', 1), (4, 'd', 1), (4, 'b', 3)) v(u, i, t);
SELECT reco_create_model('walk', 'SELECT u AS user_id, i AS item_id, t AS occurred_at, w AS weight FROM public.walk');
SELECT reco_configure('walk', similarity => 'next', user_exponent => 0, source_exponent => 0, target_exponent => 0,
  min_support => 1, keep => 'source', weighting => 'binary');
DO $$ BEGIN PERFORM reco_refresh('walk'); END $$;
CREATE TEMP TABLE want AS SELECT * FROM (VALUES
  ('a', 'b', 3 + .3 / sqrt(2), 4), ('b', 'a', .9 + 1 / sqrt(2), 4), ('a', 'c', .3 + 1 / sqrt(2), 2), ('c', 'a', 1 + .3 / sqrt(2), 2),
  ('b', 'c', 2, 2), ('c', 'b', .6, 2), ('a', 'd', .5, 1), ('d', 'a', .5, 1), ('d', 'b', 1, 1), ('b', 'd', .3, 1)) v(i, j, s, n);
SELECT results_eq('SELECT item_id, similar_item_id, round(similarity::numeric, 6), support FROM walk.similar ORDER BY 1, 2',
  'SELECT i, j, round(s::numeric, 6), n FROM want ORDER BY 1, 2', 'what follows what, by hand');

-- A history of b, then a: a counts 1, b .6, over sqrt(1.36).
SELECT pg_temp.is_near(walk.score(2, 'c'), (.6 * (.3 + 1 / sqrt(2)) + 1 * 2) / sqrt(1.36), 'the newest item counts most, by hand');
SELECT pg_temp.is_near(walk.score(4, 'c'), (.6 * (.3 + 1 / sqrt(2)) + 1 * 2) / sqrt(1 + 2 * .36), 'a basket is one step, by hand');
-- A dislike fades with what was chosen after it: d is two steps back.
INSERT INTO walk VALUES (2, 'd', '2026-01-01', -1);
SELECT pg_temp.is_near(walk.score(2, 'c'), (.6 * (.3 + 1 / sqrt(2)) + 2) / sqrt(1 + .36 + .1296), 'a dislike before the oldest choice, by hand');
UPDATE walk SET t = '2026-02-01' WHERE i = 'd' AND u = 2;
SELECT pg_temp.is_near(walk.score(2, 'c'), (.6 * (.3 + 1 / sqrt(2)) + 2) / sqrt(1 + .36 + 1), 'and one after the newest');
DELETE FROM walk WHERE w < 0;
-- What is chosen again is new again; being shown changes nothing.
INSERT INTO walk VALUES (2, 'a', '2026-02-01', 1), (2, 'b', '2026-03-01', 0);
SELECT pg_temp.is_near(walk.score(2, 'c'), (1 * (.3 + 1 / sqrt(2)) + .6 * 2) / sqrt(1.36), 'what is chosen again is new again');
SELECT reco_configure('walk', recency => 0.5);
SELECT pg_temp.is_near(walk.score(2, 'c'), (1 * (.3 + 1 / sqrt(2)) + .5 * 2) / sqrt(1.25), 'recency counts at once');
SELECT reco_configure('walk', recency => 1);
SELECT pg_temp.is_near(walk.score(2, 'c'), ((.3 + 1 / sqrt(2)) + 2) / sqrt(2), 'with 1 the order does not matter');
SELECT reco_configure('walk', similarity => 'conditional', recency => 0.5);
DO $$ BEGIN PERFORM reco_refresh('walk'); END $$;
SELECT results_eq($$SELECT because, round(share::numeric, 12) FROM walk.why(2, 'c') ORDER BY share DESC$$,
  $$SELECT item_id, round((similarity * CASE item_id WHEN 'a' THEN 1 ELSE .5 END / sqrt(1.25))::numeric, 12) FROM walk.similar
    WHERE similar_item_id = 'c' AND item_id IN ('a', 'b') ORDER BY 2 DESC$$, 'other similarities read histories by recency where they are told to');

/*
 * Generated events: 150 people who wander through 60 items, some of them in baskets, with repeats, dislikes and weights.
 */
CREATE TABLE drawn AS
  SELECT u, ((u % 7) * 9 + n * 2 + (h & 7))::int % 60 AS i, CASE WHEN h % 11 = 0 THEN -1 ELSE 1 + (h & 1023) / 256.0 END AS w,
    timestamptz '2026-01-01' + (n / (1 + u % 3)) * interval '1 hour' + (h & 1) * interval '0.2 seconds' AS t
  FROM generate_series(1, 150) u, generate_series(1, 25) n, LATERAL (SELECT abs(hashint8extended(n, u)) AS h) g WHERE n <= 3 + u % 23;
SELECT reco_create_model('drawn', 'SELECT u AS user_id, i AS item_id, t AS occurred_at, w AS weight FROM public.drawn');
SELECT reco_configure('drawn', similarity => 'next', min_support => 1, neighbors => 1000, keep => 'source', weighting => 'linear', user_exponent => 0.4,
  source_exponent => 0.6, target_exponent => 0.3);

-- By plain SQL: cells, the step of each, pairs.
CREATE FUNCTION cells(events regclass) RETURNS TABLE(u int, i int, r float8, at timestamptz) LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY EXECUTE format('SELECT u, i, sum(w)::float8, date_trunc(''second'', max(t) FILTER (WHERE w > 0)) FROM %s GROUP BY u, i HAVING sum(w) > 0', events);
END $$;
CREATE FUNCTION follows(events regclass) RETURNS TABLE(i int, j int, s float8, n int) LANGUAGE sql AS $$
  WITH cell AS (SELECT *, dense_rank() OVER (PARTITION BY u ORDER BY at) AS step, count(*) OVER (PARTITION BY u) ^ -0.4 AS d FROM cells(events)),
  size AS (SELECT i, sum(r * r) AS n FROM cell GROUP BY i),
  pair AS (SELECT a.i, b.i AS j, a.d * a.r * b.r * CASE WHEN a.step = b.step THEN .5 ELSE CASE WHEN a.step < b.step THEN 1 ELSE .3 END / sqrt(abs(a.step - b.step)) END AS c
           FROM cell a JOIN cell b USING (u) WHERE a.i <> b.i AND abs(a.step - b.step) <= 20)
  SELECT p.i, p.j, sum(c) * a.n ^ -0.6 * b.n ^ -0.3, count(*)::int FROM pair p JOIN size a ON a.i = p.i JOIN size b ON b.i = p.j GROUP BY p.i, p.j, a.n, b.n
$$;
DO $$ BEGIN PERFORM reco_refresh('drawn'); END $$;
CREATE TABLE plain AS SELECT * FROM follows('drawn');
SELECT cmp_ok(count(*), '>', 1000::bigint, 'there are pairs to compare') FROM plain;
SELECT is_empty($$SELECT * FROM drawn.similar h FULL JOIN plain w ON w.i = h.item_id AND w.j = h.similar_item_id
  WHERE (abs(h.similarity - w.s) <= 2e-6 * w.s AND h.support = w.n) IS NOT TRUE$$, 'every pair is as plain SQL counts it');

ANALYZE drawn;
CREATE TABLE served AS
  WITH r AS (SELECT u, i, sum(w)::float8 AS r, date_trunc('second', max(t) FILTER (WHERE w > 0)) AS chosen, date_trunc('second', max(t)) AS newest FROM drawn GROUP BY u, i),
  w AS (SELECT u, i, r * 0.6 ^ (SELECT count(DISTINCT b.chosen) FROM r b WHERE b.u = r.u AND b.r > 0 AND b.chosen > CASE WHEN r.r > 0 THEN r.chosen ELSE r.newest END) AS w FROM r)
  SELECT w.u, s.similar_item_id AS i, sum(w.w * s.similarity) / n.norm AS score
  FROM w JOIN drawn.similar s ON s.item_id = w.i JOIN (SELECT u, sqrt(sum(w ^ 2)) AS norm FROM w GROUP BY u) n ON n.u = w.u
  WHERE w.u % 4 = 1 GROUP BY w.u, s.similar_item_id, n.norm ORDER BY w.u;
SELECT is_empty($$SELECT u, i, score, reco_score(u, i, 'drawn') FROM served WHERE (abs(score - reco_score(u, i, 'drawn')) <= 1e-6 * (abs(score) + 1e-4)) IS NOT TRUE$$,
  'every score is as plain SQL sums it up');
SELECT is_empty($$SELECT * FROM generate_series(1, 150, 7) u, LATERAL reco_top_n(u, 20, 'drawn') t
  WHERE t.source = 'personal' AND t.score <> (SELECT sum(share) FROM reco_why(u, t.item_id, 'drawn'))$$, 'reasons sum to the score, to the last bit');
SELECT is_empty($$(SELECT u::text, t.item_id::text, t.score, t.match, t.because::text FROM generate_series(1, 150) u, LATERAL reco_top_n(u, 20, 'drawn') t
  EXCEPT SELECT user_id, item_id, score, match, because FROM reco_top_n_all(20, 'drawn'))$$, 'everybody at once, it is the same lists');
SELECT is_empty($$SELECT * FROM generate_series(1, 150, 11) u, LATERAL reco_rank(u, ARRAY(SELECT generate_series(0, 59)), 'drawn') r
  WHERE r.source = 'personal' AND r.score <> reco_score(u, r.item_id, 'drawn')$$, 'and a given list has the same scores');

-- What is measured: leave the newest time out, learn and rank by plain SQL.
CREATE TABLE past AS SELECT * FROM drawn d WHERE date_trunc('second', t) < (SELECT date_trunc('second', max(t)) FROM drawn p WHERE p.u = d.u AND w > 0);
CREATE TABLE fresh AS
  SELECT u, i FROM drawn d WHERE date_trunc('second', t) >= (SELECT date_trunc('second', max(t)) FROM drawn p WHERE p.u = d.u AND w > 0)
    AND NOT EXISTS (SELECT FROM past p WHERE p.u = d.u AND p.i = d.i) GROUP BY u, i HAVING sum(w) > 0;
CREATE TABLE learned AS SELECT i, j, s::real AS s FROM follows('past');
CREATE TABLE past_cell AS SELECT * FROM cells('past');
CREATE TABLE list AS
  WITH w AS (SELECT u, i, r * 0.6 ^ (dense_rank() OVER (PARTITION BY u ORDER BY at DESC) - 1) AS w FROM past_cell)
  SELECT w.u, l.j AS i, row_number() OVER (PARTITION BY w.u ORDER BY sum(w.w * l.s) DESC) AS rank
  FROM w JOIN learned l ON l.i = w.i WHERE NOT EXISTS (SELECT FROM past_cell s WHERE s.u = w.u AND s.i = l.j) GROUP BY w.u, l.j;
SELECT pg_temp.is_near(e.value, w.ndcg, 'NDCG of the last, left out, by plain SQL', 1e-4)
FROM reco_evaluate('drawn', 5, split => 'leave_last_out') e,
  (SELECT avg(ndcg) AS ndcg FROM (SELECT u, reco_ndcg(CASE WHEN l.rank <= 5 THEN l.rank END, true, 5) AS ndcg FROM fresh LEFT JOIN list l USING (u, i)
     WHERE u IN (SELECT u FROM past GROUP BY u, i HAVING sum(w) > 0) GROUP BY u) n) w
WHERE e.algorithm = 'model' AND e.metric = 'ndcg';

-- The result does not depend on the order of rows, nor on how many share the work.
CREATE TEMP TABLE first AS TABLE drawn.similar;
SELECT reco_create_model('turned', 'SELECT u AS user_id, i AS item_id, t AS occurred_at, w AS weight FROM (SELECT * FROM public.drawn ORDER BY w, i DESC) d');
SELECT reco_configure('turned', similarity => 'next', min_support => 1, neighbors => 1000, keep => 'source', weighting => 'linear', user_exponent => 0.4,
  source_exponent => 0.6, target_exponent => 0.3);
DO $$ BEGIN PERFORM reco_refresh('turned'); END $$;
SELECT is_empty('(TABLE turned.similar EXCEPT TABLE first) UNION ALL (TABLE first EXCEPT TABLE turned.similar)', 'rows in another order teach the same');

/*
 * An order to be found: 600 people walk round a circle of 40 stations and get on anywhere; 5 to 14 stops, a tenth of them somewhere else.
 * In the second set the same people say the same, in an order drawn by lot.
 */
CREATE TABLE ride AS
  SELECT u, CASE WHEN h % 10 = 0 THEN h / 10 % 40 ELSE (u * 17 + n) % 40 END AS i, timestamptz '2026-01-01' + n * interval '1 minute' AS t,
    timestamptz '2026-01-01' + h % 100000 * interval '1 second' AS lot
  FROM generate_series(1, 600) u, generate_series(1, 14) n, LATERAL (SELECT abs(hashint8extended(n, u)) AS h) g WHERE n <= 5 + u % 10;
SELECT reco_create_model('ride', 'SELECT u AS user_id, i AS item_id, t AS occurred_at FROM public.ride');
SELECT reco_create_model('mixed', 'SELECT u AS user_id, i AS item_id, lot AS occurred_at FROM public.ride');
SELECT reco_create_model('circle', 'SELECT u AS user_id, i AS item_id, t AS occurred_at FROM public.ride');
SELECT reco_configure('circle', similarity => 'cooccurrence');
CREATE TEMP TABLE picked AS SELECT m, r.learned_with FROM unnest(ARRAY['ride', 'mixed']) m, LATERAL reco_refresh(m) r;
SELECT matches(learned_with, '^similarity => ''next''', 'where order tells most, auto picks it') FROM picked WHERE m = 'ride';
SELECT doesnt_match(learned_with, 'next', 'where it tells nothing, auto does not') FROM picked WHERE m = 'mixed';
CREATE TEMP TABLE hit AS SELECT m, e.value FROM unnest(ARRAY['ride', 'circle']) m, LATERAL reco_evaluate(m, 1, split => 'leave_last_out') e
  WHERE e.algorithm = 'model' AND e.metric = 'hit_rate';
SELECT cmp_ok(max(value) FILTER (WHERE m = 'ride'), '>', .75::float8, 'the next station comes first, where it was not drawn by lot') FROM hit;
SELECT cmp_ok(max(value) FILTER (WHERE m = 'circle'), '<', .5::float8, 'which counts without an order do not tell') FROM hit;
SELECT diag(format('hit rate at 1: %s by order, %s without', round(max(value) FILTER (WHERE m = 'ride')::numeric, 3), round(max(value) FILTER (WHERE m = 'circle')::numeric, 3))) FROM hit;
-- Tastes that change: everybody goes from one of 12 groups of items to another, 7 items of each in an order by lot.  What counts is the newest.
CREATE TABLE drift AS
  SELECT u, g * 20 + (h & 1048575) % 20 AS i, timestamptz '2026-01-01' + phase * interval '1 month' + (h & 65535) * interval '1 minute' AS t
  FROM generate_series(1, 500) u, generate_series(0, 3) phase, LATERAL (SELECT (hashint8extended(u, phase) & 1048575) % 12 AS g) gr,
    generate_series(1, 7) n, LATERAL (SELECT abs(hashint8extended(u * 31 + n, phase + 7)) AS h) x;
SELECT reco_create_model('drift', 'SELECT u AS user_id, i AS item_id, t AS occurred_at FROM public.drift');
SELECT matches(learned_with, 'recency => 0\.[0-9]', 'where tastes change, auto lets the newest items count most') FROM reco_refresh('drift');
SELECT ok(picked_recency < 1 AND recency IS NULL, 'as picked, beside what was set') FROM drift.model;
CREATE TEMP TABLE drifted AS SELECT u, reco_score(u, i, 'drift') AS score FROM (SELECT u, min(i) AS i FROM drift WHERE t > '2026-04-01' GROUP BY u) d;
SELECT reco_configure('drift', recency => 1);
SELECT isnt_empty($$SELECT u FROM drifted JOIN (SELECT u, min(i) AS i FROM drift WHERE t > '2026-04-01' GROUP BY u) d USING (u)
  WHERE score <> reco_score(u, i, 'drift')$$, 'what is set counts before what was picked, at once');

-- Tuning finds it as well, from counts.
CREATE TEMP TABLE trial AS SELECT * FROM reco_tune('circle', '3 seconds', 5, 'leave_last_out');
SELECT ok(settings ~ 'next' AND kept, 'tuning keeps it') FROM trial ORDER BY kept DESC, ndcg DESC LIMIT 1;
SELECT diag(format('%s: %s', t.settings, round(ndcg::numeric, 4))) FROM trial t WHERE kept;

SELECT * FROM finish();
