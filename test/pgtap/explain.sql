-- explain: shares that add up to the last bit, and what keeps an item out.

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

/*
 * What keeps an item out, over the 5 x 5 matrix of recommend.sql, cosine, linear; the catalogue has 1 2 3 4 6 7.
 *
 *          1  2  3  4  5
 *     u1   1  2  1  .  .      u2 is shown 3 (.6748) and 4 (.5631); 5 is not in the catalogue; 6 is new, at rank 3, 7 at rank 4
 *     u2   2  1  .  .  .      u6 disliked 2 and has 1; 3: .1418, 4: .0916
 *     u3   1  .  3  1  .
 *     u4   1  1  1  2  .
 *     u5   .  .  .  1  1
 */
CREATE TABLE five (user_id int, item_id int, weight float8);
INSERT INTO five VALUES
  (1, 1, 1), (1, 2, 2), (1, 3, 1),
  (2, 1, 2), (2, 2, 1),
  (3, 1, 1), (3, 3, 3), (3, 4, 1),
  (4, 1, 1), (4, 2, 1), (4, 3, 1), (4, 4, 2),
  (5, 4, 1), (5, 5, 1);
CREATE TABLE product (item_id int, released_at date);
INSERT INTO product VALUES (1, NULL), (2, NULL), (3, NULL), (4, NULL), (6, '2024-02-01'), (7, '2024-01-01');
SELECT reco_create_model('five', 'SELECT * FROM five', 'SELECT * FROM product');
SELECT reco_configure('five', similarity => 'cosine', weighting => 'linear', min_support => 1);
SELECT pg_temp.refresh('five');
INSERT INTO five VALUES (6, 1, 1), (6, 2, -1), (7, 5, 0), (8, 9, 1), (10, 1, -1);
CREATE FUNCTION pg_temp.codes(usr int, item int) RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(concat_ws(' ', code, rank), ', ' ORDER BY n) FROM five.why_not(usr, item) WITH ORDINALITY w(code, reason, hint, rank, n) $$;
SELECT is(pg_temp.codes(2, 3), 'listed 1', 'the best of u2');
SELECT is(pg_temp.codes(2, 4), 'listed 2', 'the next');
SELECT is(pg_temp.codes(2, 6), 'no_evidence, listed 3', 'new, after what is personal');
SELECT is(pg_temp.codes(2, 7), 'no_evidence, listed 4', 'and what was released before it');
SELECT is(pg_temp.codes(2, 1), 'seen', 'seen');
SELECT is(pg_temp.codes(2, 5), 'not_in_catalogue', 'not in the catalogue');
SELECT is(pg_temp.codes(5, 5), 'not_in_catalogue, seen', 'every rule that holds has a row');
SELECT is(pg_temp.codes(2, 99), 'unknown_item', 'unknown');
SELECT is(pg_temp.codes(8, 9), 'unknown_item, seen', 'unknown, though this user has it');
SELECT is(pg_temp.codes(6, 2), 'disliked', 'disliked');
SELECT is(pg_temp.codes(6, 3), 'listed 1', 'a dislike elsewhere is no rule');
SELECT is(pg_temp.codes(7, 3), 'no_evidence, listed 2', 'a history that was merely shown says nothing: 3 comes as popular, after 1');
SELECT is(pg_temp.codes(8, 3), 'no_evidence, listed 2', 'nor does one of which nothing was learned');
SELECT is(pg_temp.codes(9, 3), 'no_evidence, listed 2', 'nor none');
SELECT is(pg_temp.codes(NULL, 3), 'no_evidence, listed 2', 'nor that of a guest');
SELECT is(pg_temp.codes(10, 2), 'against, listed 2', 'who disliked 1 hears what speaks against 2: popular are 3, 2, 4, then new ones');
SELECT is(pg_temp.codes(2, NULL), NULL, 'no item, no answer');
/* Of every user and item: the rank is the place in the whole list, and what has no rank is not in it. */
SELECT is_empty($$SELECT u, i, w.rank, t.n FROM generate_series(1, 10) u CROSS JOIN generate_series(1, 9) i
  LEFT JOIN LATERAL (SELECT rank FROM five.why_not(u, i) WHERE code = 'listed') w ON true
  LEFT JOIN LATERAL (SELECT n FROM five.top_n(u, NULL) WITH ORDINALITY t(item_id, score, match, because, source, n) WHERE item_id = i) t ON true
  WHERE w.rank IS DISTINCT FROM t.n$$, 'listed is the place in reco_top_n');
SELECT is_empty($$SELECT u, i FROM generate_series(1, 10) u, generate_series(1, 9) i WHERE (SELECT count(*) FROM five.why_not(u, i)) = 0$$, 'and there is always an answer');
SELECT is_empty($$SELECT u, i, t::text FROM generate_series(1, 10) u, generate_series(1, 9) i, five.why_not(u, i) t
  EXCEPT SELECT u, i, t::text FROM generate_series(1, 10) u, generate_series(1, 9) i, reco_why_not(u::bigint, i::bigint, 'five') t$$, 'the door and reco_why_not agree');

-- The same of a few hundred items that hardly anybody has, of which most come by popularity alone, counted and not listed: with an items
-- query and without, for newcomers and guests, with what was disliked, hidden for want of users, of one popularity, or shown in vain.
CREATE TABLE much AS
  SELECT u, (hashint8extended(n, u) & 1023)::int % 40 * (1 + (hashint8extended(u, n + 100) & 7)::int) AS i, '2026-01-01'::timestamptz + (n * 7 + u) % 60 * interval '1 day' AS t,
    CASE (hashint8extended(n, u + 7000) & 15)::int WHEN 0 THEN -1 WHEN 1 THEN 0 ELSE 1 END AS w FROM generate_series(1, 60) u, generate_series(1, 20) n;
INSERT INTO much SELECT 1000 + n % 3, 500 + n / 3, '2026-01-20', 1 FROM generate_series(0, 149) n;
INSERT INTO much VALUES (2000, 17, '2026-02-28', 1), (2001, 505, '2026-02-28', -1), (2002, 506, now() - interval '1 hour', 0);
CREATE TABLE stock AS SELECT i FROM generate_series(0, 600) i WHERE i % 7 <> 0;
SELECT reco_create_model('much', 'SELECT u AS user_id, i AS item_id, t AS occurred_at, w AS weight FROM much');
SELECT reco_create_model('sold', 'SELECT u AS user_id, i AS item_id, t AS occurred_at, w AS weight FROM much', 'SELECT i AS item_id FROM stock');
SELECT events > 0 FROM reco_refresh('much');
SELECT events > 0 FROM reco_refresh('sold');
SELECT is_empty(format($$SELECT u, i, w.rank, w.reason, t.n, t.source FROM unnest(ARRAY[1, 8, 33, 59, 2000, 2001, 2002, 3000, NULL]) u CROSS JOIN generate_series(0, 601, 3) i
  LEFT JOIN LATERAL (SELECT rank, reason FROM %1$s.why_not(u, i) WHERE code = 'listed') w ON true
  LEFT JOIN LATERAL (SELECT n, source FROM %1$s.top_n(u, NULL) WITH ORDINALITY AS t(item_id, score, match, because, source, n) WHERE item_id = i) t ON true
  WHERE w.rank IS DISTINCT FROM t.n OR w.reason !~ (', as ' || t.source || '$')$$, m), 'counted is listed: ' || m) FROM unnest('{much,sold}'::text[]) m;
SELECT ok(count(*) FILTER (WHERE source = 'popular') > 50 AND count(DISTINCT source) > 1, count(*) FILTER (WHERE source = 'popular') || ' are popular') FROM much.top_n(1, NULL);

SELECT * FROM finish();
ROLLBACK;
