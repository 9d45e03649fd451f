-- explain: shares that add up to the last bit.

BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;
SET LOCAL timezone = 'UTC';

CREATE FUNCTION pg_temp.refresh(model text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM reco_refresh(model); END $$;

-- Generated: 300 users, 90 items, weights of many sizes, one event in nine a dislike, times of two years.
CREATE TABLE taste AS
  SELECT u AS user_id, i AS item_id, (CASE WHEN h % 9 = 0 THEN -1 ELSE 1 END) * exp((h >> 8) % 60 / 10.0 - 3)::float8 AS weight,
         timestamptz '2024-01-01' + ((h >> 20) % 730) * interval '1 day' AS occurred_at
  FROM generate_series(1, 300) u, generate_series(1, 90) i, LATERAL (SELECT abs(hashint8(u * 7919 + i * 104729)::bigint) AS h) g
  WHERE hashint8(u * 31 + i * 17) & 255 < 12 + CASE WHEN u % 5 = i % 5 THEN 60 ELSE 0 END;
CREATE INDEX ON taste (user_id);
SELECT reco_create_model('taste', 'SELECT * FROM taste');

/*
 * Every pair of a user and an item, for every form and five similarities, ridge with weights below 0 among them: the sum of
 * the shares IS the score, bit for bit, as the rows come, from the smallest up, in an order drawn by lot, and as numeric
 * made of the whole digits of a double.
 */
CREATE FUNCTION pg_temp.exact(similarity text, weighting text, half_life interval) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM reco_configure('taste', similarity => similarity, weighting => weighting, half_life => half_life);
  PERFORM reco_refresh('taste');
  CREATE TEMP TABLE part ON COMMIT DROP AS
    SELECT u, i, w.because, w.share, w.n FROM generate_series(1, 300, 6) u, generate_series(1, 90) i, taste.why(u, i) WITH ORDINALITY w(because, share, similarity, weight, occurred_at, n);
  CREATE TEMP TABLE whole ON COMMIT DROP AS SELECT u, i, taste.score(u, i) AS score FROM generate_series(1, 300, 6) u, generate_series(1, 90) i;
  RETURN NEXT cmp_ok((SELECT count(*) FROM (SELECT u, i FROM part GROUP BY u, i HAVING bool_or(share < 0) AND bool_or(share > 0)) p), '>', 300::bigint,
    format('%s, %s: there are scores with shares of both signs', similarity, weighting));
  RETURN NEXT is_empty($q$
    SELECT * FROM whole LEFT JOIN (
      SELECT u, i, sum(share ORDER BY n) AS falling, sum(share ORDER BY n DESC) AS rising, sum(share ORDER BY hashint8(n * 31 + i)) AS drawn FROM part GROUP BY u, i) p USING (u, i)
    WHERE float8send(score) IS DISTINCT FROM float8send(coalesce(falling, 0)) OR float8send(score) IS DISTINCT FROM float8send(coalesce(rising, 0))
       OR float8send(score) IS DISTINCT FROM float8send(coalesce(drawn, 0))$q$, format('%s, %s: the shares sum to the score, bit for bit, in any order', similarity, weighting));
  RETURN NEXT is_empty($q$SELECT u, i FROM part JOIN (SELECT u, i, min(n) AS n FROM part GROUP BY u, i) f USING (u, i, n)
    JOIN LATERAL (SELECT t.because AS listed FROM taste.top_n(u, NULL, seen => true, among => ARRAY[i]) t WHERE t.source = 'personal') l ON listed <> because WHERE u % 30 = 1$q$,
    format('%s, %s: the first is the because of the list', similarity, weighting));
  RETURN NEXT is_empty($q$SELECT g, t.item_id FROM generate_series(1, 300, 30) g, taste.top_n(g, NULL, seen => true) t JOIN whole w ON w.i = t.item_id
    WHERE w.u = g AND t.source = 'personal' AND float8send(t.score) <> float8send(w.score)$q$, format('%s, %s: which is the score of the list', similarity, weighting));
  DROP TABLE part, whole;
END $$;
SELECT pg_temp.exact('cooccurrence', 'log', '0');
SELECT pg_temp.exact('ridge', 'linear', '30 days');
SELECT pg_temp.exact('llr', 'linear', '90 days');
SELECT pg_temp.exact('lift', 'binary', '0');
SELECT pg_temp.exact('bm25', 'log', '365 days');

/* The grid does not show: against plain SQL in numeric, which has digits to spare, a score is off by less than 1e-12 of the largest. */
SELECT cmp_ok((
  WITH history AS (SELECT user_id, item_id, sum(weight * 2 ^ (-extract(epoch FROM m.last_event_at - occurred_at)::float8 / (365 * 86400))) AS r FROM taste, taste.model m WHERE user_id % 30 = 1 GROUP BY 1, 2),
  form AS (SELECT user_id, item_id, (sign(r) * ln(1 + abs(r)))::float8 AS f FROM history),
  norm AS (SELECT user_id, sqrt(sum(f * f)) AS norm FROM form GROUP BY 1),
  want AS (SELECT user_id, similar_item_id AS item_id, sum(f::numeric * similarity::numeric)::float8 / min(norm) AS score FROM form JOIN taste.similar USING (item_id) JOIN norm USING (user_id) GROUP BY 1, 2)
  SELECT max(abs(taste.score(user_id, item_id) - score)) / max(score) FROM want), '<', 1e-12::float8, 'and a score is as near to the formula as before');

SELECT * FROM finish();
ROLLBACK;
