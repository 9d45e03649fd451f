-- levels: cells of few values and of many are learned by different ways; what is learned is what plain SQL says of all.

BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;

/*
 * Six users and 280 items: user u has no item i where u + i is a multiple of u + 1, and the last has 42 in all, so that some
 * lists are longer than there are values and others are not.  Weights are 1 to d, in no order.
 */
CREATE FUNCTION pg_temp.cells(d int) RETURNS TABLE (user_id int, item_id int, weight float8) LANGUAGE sql IMMUTABLE AS $$
  SELECT u, i, 1 + (u * 280 + i) * 7919 % d
  FROM generate_series(1, 6) u, generate_series(1, 280) i
  WHERE (u + i) % (u + 1) > 0 AND (u < 6 OR i <= 50) $$;

/* Items' weights are divided by a power of two near the root of the sum of their squares: so many values come out of it. */
CREATE FUNCTION pg_temp.values_of(d int) RETURNS bigint LANGUAGE sql AS $$
  SELECT count(DISTINCT weight / 2 ^ (floor(log(2, sqrt(mass)::numeric)) + 1))
  FROM (SELECT weight, sum(weight ^ 2) OVER (PARTITION BY item_id) AS mass FROM pg_temp.cells(d)) c $$;

/*
 * How many pairs there are, how many are learned, and by how much the worst differs, as a share.  b, p and q are the
 * exponents of the similarity.
 */
CREATE FUNCTION pg_temp.differ(d int, kind text, b float8, p float8, q float8, OUT pairs bigint, OUT learned bigint, OUT worst float8)
LANGUAGE sql AS $$
  WITH cell AS MATERIALIZED (SELECT *, count(*) OVER (PARTITION BY user_id) AS h FROM pg_temp.cells(d)),
    size AS (SELECT item_id, sum(weight ^ 2) AS n FROM cell GROUP BY item_id),
    wanted AS MATERIALIZED (
      SELECT a.item_id, b.item_id AS similar_item_id, sum(a.weight * b.weight * a.h ^ -differ.b) AS c
      FROM cell a JOIN cell b USING (user_id) WHERE a.item_id <> b.item_id GROUP BY 1, 2),
    learned AS MATERIALIZED (
      SELECT n.* FROM (SELECT reco_matrix(user_id, item_id, weight) AS m FROM cell) model,
        reco_neighbors(NULL::int, m, k => 1000, similarity => kind, min_support => 1, weighting => 'linear') n)
  SELECT count(*), count(similarity), max(abs(similarity / (c / (x.n ^ p * y.n ^ q)) - 1))
  FROM wanted w LEFT JOIN learned USING (item_id, similar_item_id)
  JOIN size x USING (item_id) JOIN size y ON y.item_id = w.similar_item_id $$;

SELECT is((SELECT min(h) || ' to ' || max(h) FROM (SELECT count(*) AS h FROM pg_temp.cells(9) GROUP BY user_id) u), '42 to 233',
  'lists are short and long');
SELECT is(pg_temp.values_of(181), 256::bigint, 'as many values as one byte tells apart');
SELECT is(pg_temp.values_of(189), 258::bigint, 'and more');
SELECT ok(pairs > 70000 AND learned = pairs AND worst < 1e-6, format('%s weights, %s: %s of %s pairs, off by at most %s', d, kind, learned, pairs, worst))
FROM (VALUES ('cosine', 0, .5, .5), ('cooccurrence', .5, .65, .2)) similarity(kind, b, p, q),
  unnest(CASE kind WHEN 'cosine' THEN ARRAY[2, 63, 181, 189, 1000] ELSE ARRAY[63, 1000] END) d, pg_temp.differ(d, kind, b, p, q);

SELECT * FROM finish();
ROLLBACK;
