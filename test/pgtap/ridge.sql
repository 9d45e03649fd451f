-- Ridge neighbours: a system solved by hand, the equations held against plain SQL, and both ways to gather them.
BEGIN;
SELECT plan(31);

-- Four users, three items:        G = X'X      a  b  c
--   1: a b   2: a b                        a   3  2  1
--   3: a c   4: b c                        b   2  3  1     mean of the diagonal 8/3;
--                                          c   1  1  2     lambda .75 makes the ridge 2
-- target c, N = a b:  [5 2; 2 5] w = [1 1]   w = 1/7, 1/7
-- target a, N = b c:  [5 1; 1 4] w = [2 1]   w = (4*2 - 1*1)/19, (5*1 - 1*2)/19 = 7/19, 3/19
-- target b, N = a c:  the same
CREATE TABLE four (u int, i text);
INSERT INTO four VALUES (1, 'a'), (1, 'b'), (2, 'a'), (2, 'b'), (3, 'a'), (3, 'c'), (4, 'b'), (4, 'c');
SELECT reco_create_model('hand', 'SELECT u AS user_id, i AS item_id FROM four');
SELECT reco_configure('hand', similarity => 'ridge', lambda => 0.75, user_exponent => 0, min_support => 1, weighting => 'binary');
SELECT reco_refresh('hand');
SELECT results_eq(
  'SELECT item_id, similar_item_id, round(similarity::numeric, 6), support FROM hand.similar ORDER BY 1, 2',
  $$VALUES ('a', 'b', round(7/19.0, 6), 2), ('a', 'c', round(1/7.0, 6), 1), ('b', 'a', round(7/19.0, 6), 2),
           ('b', 'c', round(1/7.0, 6), 1), ('c', 'a', round(3/19.0, 6), 1), ('c', 'b', round(3/19.0, 6), 1)$$,
  'three systems worked by hand');
-- the user exponent: with b = 1 each user of two items counts 1/2, G and the ridge are halved, and the weights stay
SELECT reco_configure('hand', user_exponent => 1);
SELECT reco_refresh('hand');
SELECT results_eq(
  'SELECT round(similarity::numeric, 6) FROM hand.similar WHERE item_id = ''a'' ORDER BY similar_item_id',
  'VALUES (round(7/19.0, 6)), (round(1/7.0, 6))', 'users that all count the same change nothing');
-- pruned by source: a keeps what it says most for
SELECT reco_configure('hand', user_exponent => 0, neighbors => 1);
SELECT reco_refresh('hand');
SELECT results_eq('SELECT item_id, similar_item_id FROM hand.similar ORDER BY 1',
  $$VALUES ('a', 'b'), ('b', 'a'), ('c', 'a')$$, 'one neighbour each, equal weights by number');
-- the scorer takes weights as they come: user 3 has a and c, b scores (7/19 + 3/19) / sqrt(2)
SELECT reco_configure('hand', neighbors => 10);
SELECT reco_refresh('hand');
SELECT ok(abs(hand.score(3, 'b') - 10/19.0/sqrt(2)) < 1e-6, 'a score from both');

-- Damping d divides a weight i -> j by (n_i^3 n_j)^(d / 2), n being 3, 3 and 2: with d = 1 a -> c by sqrt(27 * 2).
SELECT reco_configure('hand', damping => 1);
SELECT reco_refresh('hand');
SELECT results_eq(
  'SELECT item_id, similar_item_id, round(similarity::numeric, 6) FROM hand.similar WHERE item_id <> ''b'' ORDER BY 1, 2',
  $$VALUES ('a', 'b', round((7/19.0/9)::numeric, 6)), ('a', 'c', round((1/7.0/sqrt(54))::numeric, 6)),
           ('c', 'a', round((3/19.0/sqrt(24))::numeric, 6)), ('c', 'b', round((3/19.0/sqrt(24))::numeric, 6))$$,
  'popular sources are damped most');
-- Two steps: p_ab = (7/19) / (7/19 + 1/7) = 49/68, p_ac = 19/68, the same from b, and p_ca = p_cb = 1/2.
--   t_ab = p_ac p_cb = 19/136, t_ac = p_ab p_bc = 931/4624, t_ca = p_cb p_ba = 49/136
-- brought to the mass of the weights by m = (7/19 + 1/7 + 3/19) / (19/136 + 931/4624 + 49/136), and half of each.
SELECT reco_configure('hand', damping => 0, indirect => 0.5);
SELECT alike(learned_with, '%indirect => 0.5', 'the report says it') FROM reco_refresh('hand');
SELECT results_eq(
  'SELECT item_id, similar_item_id, round(similarity::numeric, 6), support FROM hand.similar WHERE item_id <> ''b'' ORDER BY 1, 2',
  $$SELECT i, j, round((w / 2 + t / 2 * (7/19.0 + 1/7.0 + 3/19.0) / (19/136.0 + 931/4624.0 + 49/136.0))::numeric, 6), s
    FROM (VALUES ('a', 'b', 7/19.0, 19/136.0, 2), ('a', 'c', 1/7.0, 931/4624.0, 1),
                 ('c', 'a', 3/19.0, 49/136.0, 1), ('c', 'b', 3/19.0, 49/136.0, 1)) v(i, j, w, t, s)$$,
  'half of it is what neighbours of neighbours say');

-- The equations, by plain SQL: (G_NN + ridge) w = G_Nj for every target and candidate, on generated histories of
-- different lengths, weighted by f = ln(1 + r) and h^-.33.
CREATE TABLE drawn AS
  SELECT u, floor(40 * power((hashint8extended(n, u) & 1048575) / 1048576.0, 2))::int AS i, 1 + n % 3 AS r
  FROM generate_series(1, 150) u, LATERAL generate_series(1, 3 + u % 9) n;
SELECT reco_create_model('drawn', 'SELECT u AS user_id, i AS item_id, r AS weight FROM drawn');
SELECT reco_configure('drawn', similarity => 'ridge', lambda => 2, candidates => 12, neighbors => 1000);
SELECT reco_refresh('drawn');
CREATE TABLE x AS
  SELECT u, i, ln(1 + sum(r)) AS f, power(count(*) OVER (PARTITION BY u), -0.33) AS d FROM drawn GROUP BY u, i;
CREATE TABLE g AS SELECT a.i, b.i AS j, sum(a.d * a.f * b.f) AS s FROM x a JOIN x b USING (u) GROUP BY 1, 2;
CREATE TABLE w AS SELECT item_id AS i, similar_item_id AS j, similarity AS w FROM drawn.similar;
SELECT cmp_ok((SELECT count(*) FROM w), '>', 300::bigint, 'there are many weights');
SELECT cmp_ok((SELECT count(*) FROM w WHERE w.w < 0), '>', 0::bigint, 'some of them speak against');
SELECT cmp_ok((SELECT max(n) FROM (SELECT count(*) AS n FROM w GROUP BY j) s), '<=', 12::bigint, 'no target has more than its candidates');
SELECT cmp_ok(
  (SELECT max(abs(s.left_side - s.right_side)) FROM (
     SELECT (SELECT sum(coalesce(g.s, 0) * v.w) FROM w v LEFT JOIN g ON g.i = w.i AND g.j = v.i WHERE v.j = w.j)
            + 2 * (SELECT avg(s) FROM g WHERE i = j) * w.w AS left_side,
            (SELECT g.s FROM g WHERE g.i = w.i AND g.j = w.j) AS right_side
     FROM w) s), '<', 1e-4::float8, 'every equation holds');

-- So does it where systems have several tiles of eight rows, whole or not: 15, 16, 17, 24 and all 39 of the others.
CREATE FUNCTION pg_temp.worst_equation(candidates int) RETURNS float8 LANGUAGE plpgsql AS $$
BEGIN
  PERFORM reco_configure('drawn', candidates => candidates);
  PERFORM reco_refresh('drawn');
  RETURN (WITH v AS MATERIALIZED (SELECT item_id AS i, similar_item_id AS j, similarity AS w FROM drawn.similar)
    SELECT CASE WHEN max(n) > 0.8 * candidates THEN max(worst) END FROM (
      SELECT count(*) OVER (PARTITION BY a.j) AS n, abs((SELECT sum(coalesce(g.s, 0) * b.w) FROM v b LEFT JOIN g ON g.i = a.i AND g.j = b.i WHERE b.j = a.j)
        + 2 * (SELECT avg(s) FROM g WHERE i = j) * a.w - (SELECT g.s FROM g WHERE g.i = a.i AND g.j = a.j)) AS worst
      FROM v a) s);
END $$;
SELECT cmp_ok(pg_temp.worst_equation(candidates), '<', 1e-4::float8, 'every equation of ' || candidates || ' candidates holds') FROM unnest(ARRAY[15, 16, 17, 24, 39]) candidates;
SELECT reco_configure('drawn', candidates => 12);
SELECT reco_refresh('drawn');

-- Two steps, by plain SQL: the thirty strongest of each row, divided by their sum; the ten best sums above 0.
SELECT reco_configure('drawn', indirect => 0.2);
SELECT reco_refresh('drawn');
CREATE TABLE p AS
  SELECT i, j, w / sum(abs(w)) OVER (PARTITION BY i) AS p
  FROM (SELECT i, j, w, row_number() OVER (PARTITION BY i ORDER BY abs(w) DESC, j) AS place FROM w) s WHERE place <= 30;
CREATE TABLE t AS SELECT a.i, b.j, sum(a.p * b.p) AS t FROM p a JOIN p b ON a.j = b.i WHERE b.j <> a.i GROUP BY 1, 2 HAVING sum(a.p * b.p) > 0;
SELECT cmp_ok((SELECT max(n) FROM (SELECT count(*) AS n FROM t GROUP BY i) s), '>', 10::bigint, 'rows are cut');
DELETE FROM t USING (SELECT i, j, row_number() OVER (PARTITION BY i ORDER BY t DESC, j) AS place FROM t) s
WHERE s.i = t.i AND s.j = t.j AND place > 10;
SELECT cmp_ok((SELECT count(*) FROM t LEFT JOIN w USING (i, j) WHERE w IS NULL), '>', 0::bigint, 'some are no candidates');
SELECT is((SELECT count(*) FROM w FULL JOIN t USING (i, j) FULL JOIN drawn.similar s ON s.item_id = i AND s.similar_item_id = j
           WHERE abs(0.8 * coalesce(w, 0) + 0.2 * coalesce(t, 0) * (SELECT sum(abs(w)) FROM w) / (SELECT sum(t) FROM t) - coalesce(similarity, 0)) > 1e-5
              OR (w IS NULL AND support <> 0)),
  0::bigint, 'every sum is there, and who had no pair has no support');
SELECT reco_configure('drawn', indirect => 0);

-- Both ways to gather a system agree: with memory for the whole Gram matrix of 1,500 items (half of 9 MB), and without.
CREATE TABLE wide AS
  SELECT u, floor(1500 * power((hashint8extended(n, u) & 1048575) / 1048576.0, 3))::int AS i
  FROM generate_series(1, 400) u, LATERAL generate_series(1, 5 + u % 40) n;
SELECT reco_create_model('wide', 'SELECT u AS user_id, i AS item_id FROM wide');
SELECT reco_configure('wide', similarity => 'ridge', candidates => 30, neighbors => 50);
SET LOCAL maintenance_work_mem = '64MB';
CREATE TABLE whole_report AS SELECT * FROM reco_refresh('wide');
CREATE TABLE whole AS SELECT * FROM wide.similar;
SET LOCAL maintenance_work_mem = '4MB';
CREATE TABLE counted_report AS SELECT * FROM reco_refresh('wide');
SELECT cmp_ok((SELECT peak_memory FROM whole_report), '>', 4500000::bigint, 'with memory, half the matrix was kept');
SELECT cmp_ok((SELECT peak_memory FROM counted_report), '<', 4194304::bigint, 'without, it was not');
SELECT is((SELECT count(*) FROM whole FULL JOIN wide.similar s USING (item_id, similar_item_id)
           WHERE abs(coalesce(whole.similarity, 0) - coalesce(s.similarity, 0)) > 1e-5), 0::bigint, 'the weights are the same');

-- What auto picks for 600 users of 300 items in 30 tastes, whose events have no times: how many neighbours are kept is its choice
-- where nobody said, and what was said is kept to.
CREATE TABLE tastes AS
  SELECT DISTINCT u, CASE WHEN n % 3 = 0 THEN (hashint8extended(n, u) & 1048575) % 300 ELSE u % 30 + 30 * ((hashint8extended(u, n) & 1048575) % 10) END::int AS i
  FROM generate_series(1, 600) u, generate_series(1, 12 + 18 * (u % 3)) n;
SELECT reco_create_model('tastes', 'SELECT u AS user_id, i AS item_id FROM tastes');
CREATE TABLE tastes_report AS SELECT * FROM reco_refresh('tastes');
SELECT alike(learned_with, '%ridge%', 'tastes are ridge''s') FROM tastes_report;
CREATE FUNCTION pg_temp.longest() RETURNS bigint LANGUAGE sql AS 'SELECT max(rank) FROM tastes.similar WHERE support > 0';
SELECT is((SELECT neighbors FROM tastes.model), NULL, 'nobody said how many');
SELECT ok(picked_neighbors IN (100, 200) AND (picked_neighbors = 200) = (learned_with LIKE '%neighbors => 200%'), 'it says how many: ' || learned_with)
FROM tastes.model, tastes_report;
SELECT cmp_ok(pg_temp.longest(), '<=', (SELECT picked_neighbors::bigint FROM tastes.model), 'no row is longer');
SELECT reco_configure('tastes', neighbors => 30);
SELECT unalike(learned_with, '%neighbors%', 'what was said is not picked') FROM reco_refresh('tastes');
SELECT is(pg_temp.longest(), 30::bigint, 'and no row is longer than that');
SELECT is((SELECT picked_neighbors FROM tastes.model), 30, 'as is written down');

-- Singular without a ridge: everything bought by everyone still has an answer.
CREATE TABLE all_of_it AS SELECT u, i FROM generate_series(1, 10) u, generate_series(1, 5) i;
SELECT reco_create_model('same', 'SELECT u AS user_id, i AS item_id FROM all_of_it');
SELECT reco_configure('same', similarity => 'ridge', lambda => 0.001);
SELECT reco_refresh('same');
SELECT ok((SELECT bool_and(similarity BETWEEN 0.1 AND 0.5) AND count(*) = 20 FROM same.similar), 'equal items share the weight');
-- Without a model, too.
SELECT is((SELECT count(*) FROM reco_neighbors((SELECT reco_matrix(u, i, 1) FROM four), similarity => 'ridge', min_support => 1)), 6::bigint,
  'reco_neighbors knows it');
SELECT * FROM finish();
ROLLBACK;
