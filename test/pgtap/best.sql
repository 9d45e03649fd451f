-- best: of many pairs that are counted at once a few are kept; which ones these are is what plain SQL says of all.

BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;

/*
 * 90 users and 500 items: the more popular an item, the more users have it, half of them or one in twenty.  With a few
 * neighbours an item, what its row will get is foreseen from blocks of 32 pairs, of which there are 16.
 */
CREATE TABLE cell AS
  SELECT u, i, 1 + (hashint8extended(u * 1000 + i, 3) & 7)::float8 AS w
  FROM generate_series(1, 90) u, generate_series(1, 500) i
  WHERE (hashint8extended(u * 1000 + i, 1) & 1023) < 1024 * (0.05 + 0.45 * (1 - i / 500.0) ^ 2);
CREATE TABLE pair AS
  WITH sized AS (SELECT *, count(*) OVER (PARTITION BY u) AS h FROM cell)
  SELECT a.i AS a, b.i AS b, count(*) AS users, sum(a.h ^ -0.5) AS steps, sum(a.w * b.w) AS product, sum(a.w * b.w * a.h ^ -0.5) AS weighed
  FROM sized a JOIN sized b ON a.u = b.u AND a.i <> b.i GROUP BY 1, 2;
CREATE TABLE size AS SELECT i, count(*) AS n, sum(w ^ 2) AS squares FROM cell GROUP BY i;
ANALYZE cell, pair, size;

-- What all pairs are worth, by the formula of each kind.
CREATE FUNCTION pg_temp.worth(kind text, weighting text, min_support int) RETURNS TABLE (a int, b int, value float8) LANGUAGE sql AS $$
  SELECT p.a, p.b, CASE kind || weighting
    WHEN 'cosinebinary' THEN users / sqrt(x.n * y.n)
    WHEN 'cosinelinear' THEN product / sqrt(x.squares * y.squares)
    WHEN 'cooccurrencebinary' THEN steps / (x.n ^ 0.65 * y.n ^ 0.2)
    WHEN 'cooccurrencelinear' THEN weighed / (x.squares ^ 0.65 * y.squares ^ 0.2) END
  FROM pair p JOIN size x ON x.i = p.a JOIN size y ON y.i = p.b WHERE users >= min_support $$;

/*
 * How many are kept, how many should be, how many of those kept are worth something else, and how many places have
 * a pair of less worth than should be there.  Pairs of the same worth may stand for each other.
 */
CREATE FUNCTION pg_temp.differ(kind text, weighting text, keep text, k int, min_support int, shrinkage float8,
  OUT kept bigint, OUT wanted bigint, OUT wrong bigint, OUT worse bigint) LANGUAGE sql AS $$
  WITH worth AS MATERIALIZED (
      SELECT a, b, value * users / (users + differ.shrinkage) AS value FROM pg_temp.worth(kind, weighting, min_support) JOIN pair USING (a, b)),
    learned AS MATERIALIZED (
      SELECT n.item_id AS a, n.similar_item_id AS b, similarity
      FROM (SELECT reco_matrix(u, i, w) AS m FROM cell) model,
        reco_neighbors(NULL::int, m, k => differ.k, similarity => kind, min_support => differ.min_support, shrinkage => differ.shrinkage,
          keep => differ.keep, weighting => differ.weighting) n),
    best AS (SELECT CASE keep WHEN 'source' THEN a ELSE b END AS item, value,
      row_number() OVER (PARTITION BY CASE keep WHEN 'source' THEN a ELSE b END ORDER BY value DESC) AS rank FROM worth),
    got AS (SELECT CASE keep WHEN 'source' THEN a ELSE b END AS item, similarity,
      row_number() OVER (PARTITION BY CASE keep WHEN 'source' THEN a ELSE b END ORDER BY similarity DESC) AS rank FROM learned)
  SELECT (SELECT count(*) FROM learned), (SELECT count(*) FROM best WHERE rank <= differ.k),
    (SELECT count(*) FROM learned l LEFT JOIN worth w USING (a, b) WHERE abs(similarity / value - 1) < 1e-6 IS NOT TRUE),
    (SELECT count(*) FROM best b LEFT JOIN got g USING (item, rank) WHERE rank <= differ.k AND (similarity > value * (1 - 1e-6)) IS NOT TRUE) $$;

SELECT ok(count(*) > 480 AND max(n) > 8 * min(n), 'items of many users and of few') FROM size;
SELECT ok(kept = wanted AND kept > 380 * k AND wrong = 0 AND worse = 0,
    format('%s, %s, the %s best of each %s, %s users, shrinkage %s: %s of %s, %s wrong, %s worse', kind, weighting, k, keep, min_support, shrinkage,
      kept, wanted, wrong, worse))
FROM (VALUES ('cosine', 'binary', 'source', 1, 1, 0), ('cosine', 'binary', 'source', 5, 2, 0), ('cosine', 'binary', 'target', 12, 4, 0),
    ('cosine', 'binary', 'source', 5, 1, 3), ('cosine', 'linear', 'source', 5, 4, 0), ('cooccurrence', 'binary', 'source', 3, 1, 0),
    ('cooccurrence', 'binary', 'target', 7, 3, 0), ('cooccurrence', 'linear', 'source', 20, 1, 0), ('cooccurrence', 'linear', 'target', 2, 5, 0))
  tried(kind, weighting, keep, k, min_support, shrinkage), pg_temp.differ(kind, weighting, keep, k, min_support, shrinkage);

SELECT * FROM finish();
ROLLBACK;
