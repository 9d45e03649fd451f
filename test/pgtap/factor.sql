-- Factors: users folded in by hand and in plain SQL, the equations that learning ends at, shares, and what they are the same for.
BEGIN;
SELECT plan(38);

-- One factor.  Four users, two items; one factor y per item, x per user:
--   x = sum of y / (sum of y^2 + alpha * sum of all y^2 + lambda * (n + alpha * 2)), n items of the user,
--   alpha = unobserved * 5 observed / (4 * 2) pairs = .5
CREATE TABLE tiny (u int, i text);
INSERT INTO tiny VALUES (1, 'a'), (2, 'a'), (3, 'a'), (3, 'b'), (4, 'b');
SELECT reco_create_model('tiny', 'SELECT u AS user_id, i AS item_id FROM tiny');
SELECT reco_configure('tiny', algorithm => 'factors', factors => 1, iterations => 1000, factor_lambda => 0.05, unobserved => 0.8, weighting => 'binary', min_support => 1);
SELECT reco_refresh('tiny');
CREATE TABLE y AS SELECT item_id AS i, factor[1]::float8 AS y FROM tiny.item_factor;
SELECT is((SELECT count(*) FROM y), 2::bigint, 'every item has factors');
SELECT cmp_ok(abs((SELECT 0.5 * sum(y * y) + 0.05 * 0.5 * 2 FROM y) - (SELECT factor_base[1][1] FROM tiny.model)), '<', 1e-6::float8,
  'the base: alpha * y^2 + lambda * alpha * items');
SELECT cmp_ok((SELECT max(abs((tiny.user_factor(u))[1] - x)) FROM
  (SELECT u, sum(y) / (sum(y * y) + (SELECT 0.5 * sum(y * y) FROM y) + 0.05 * (count(*) + 0.5 * 2)) AS x
   FROM tiny JOIN y USING (i) GROUP BY u) by_hand), '<', 1e-6::float8, 'users are folded in as worked by hand');
-- At the end no item can do better either: y solves the same equation over the users.
CREATE TABLE x AS SELECT user_id AS u, factor[1]::float8 AS x FROM tiny.user_factors();
SELECT cmp_ok((SELECT max(abs(y - solved)) FROM y JOIN
  (SELECT i, sum(x) / (sum(x * x) + (SELECT 0.5 * sum(x * x) FROM x) + 0.05 * (count(*) + 0.5 * 4)) AS solved
   FROM tiny JOIN x USING (u) GROUP BY i) s USING (i)), '<', 1e-4::float8, 'after many iterations items solve their equation, too');
SELECT cmp_ok(abs(tiny.score(1, 'b') - (SELECT x * y FROM x, y WHERE u = 1 AND i = 'b')), '<', 1e-6::float8, 'a score is a product');

-- Two factors and weights, held against plain SQL: 80 users and 30 items in two tastes.
CREATE FUNCTION pg_temp.dot(real[], real[]) RETURNS float8 LANGUAGE SQL AS 'SELECT sum(a::float8 * b) FROM unnest($1, $2) t(a, b)';
CREATE TABLE shop AS
  SELECT u, i, 1 + (u + i) % 3 AS w FROM generate_series(1, 80) u, generate_series(1, 30) i
  WHERE CASE WHEN (u % 2 = 0) = (i <= 15) THEN hashint8extended(u, i) % 100 BETWEEN -60 AND 60 ELSE hashint8extended(u, i) % 100 BETWEEN -8 AND 8 END;
SELECT reco_create_model('shop', 'SELECT u AS user_id, i AS item_id, w AS weight FROM shop');
SELECT reco_configure('shop', algorithm => 'factors', factors => 2, factor_lambda => 0.01, unobserved => 0.5);
SELECT reco_refresh('shop');
CREATE TABLE cells AS SELECT u, i, ln(1 + w) AS a FROM shop;
CREATE TABLE v AS SELECT item_id AS i, factor[1]::float8 AS p, factor[2]::float8 AS q FROM shop.item_factor;
-- what a user is folded in with: [e f; f g] and the right side [h k], by Cramer's rule
CREATE VIEW solved AS
  SELECT u, (h * g - f * k) / (e * g - f * f) AS p, (e * k - f * h) / (e * g - f * f) AS q
  FROM (SELECT c.u, sum(a * p * p) + m.factor_base[1][1] + 0.01 * sum(a) AS e, sum(a * p * q) + m.factor_base[1][2] AS f,
          sum(a * q * q) + m.factor_base[2][2] + 0.01 * sum(a) AS g, sum(a * p) AS h, sum(a * q) AS k
        FROM cells c JOIN v USING (i) CROSS JOIN shop.model m GROUP BY c.u, m.factor_base) s;
SELECT cmp_ok((SELECT max(abs(factor[1] - p) + abs(factor[2] - q)) FROM shop.user_factors() JOIN solved ON u = user_id), '<', 1e-4::float8,
  'users are folded in with their weights as in plain SQL');
-- alpha is what all pairs weigh, by unobserved, dealt out to them
CREATE VIEW alpha AS SELECT 0.5 * sum(a) / (80 * 30) AS alpha FROM cells;
SELECT cmp_ok(abs((SELECT factor_base[1][2] FROM shop.model) - (SELECT alpha * sum(p * q) FROM v, alpha GROUP BY alpha)), '<', 1e-3::float8, 'the base off its diagonal');
SELECT cmp_ok(abs((SELECT factor_base[1][1] FROM shop.model) - (SELECT alpha * (sum(p * p) + 0.01 * count(*)) FROM v, alpha GROUP BY alpha)), '<', 1e-3::float8, 'the base on its diagonal');
SELECT cmp_ok((SELECT max(abs(r.score - pg_temp.dot(shop.user_factor(u), f.factor)))
  FROM generate_series(1, 80, 7) u, LATERAL shop.top_n(u, NULL, fallback => false) r JOIN shop.item_factor f USING (item_id)), '<', 1e-5::float8,
  'scores are dot products');
SELECT is((SELECT count(*) FROM generate_series(1, 80, 7) u, LATERAL shop.top_n(u, NULL, fallback => false) r
  WHERE r.score <> (SELECT sum(share) FROM shop.why(u, r.item_id)) OR r.score <> shop.score(u, r.item_id)
     OR r.because <> (SELECT because FROM shop.why(u, r.item_id) LIMIT 1)), 0::bigint, 'shares add up to the score to the last bit, and because is the largest');
SELECT cmp_ok((SELECT max(abs(share - similarity * ln(1 + weight))) FROM generate_series(1, 80) u, LATERAL shop.why(u, 1 + u % 30)), '<', 1e-9::float8,
  'a share is the weight times what the item says');
SELECT is((SELECT count(*) FROM shop.top_n_all(40) a FULL JOIN
  (SELECT u AS user_id, t.* FROM generate_series(1, 80) u, LATERAL ROWS FROM (shop.top_n(u, 40)) WITH ORDINALITY
   t(item_id, score, match, because, source, rank)) b USING (user_id, rank)
  WHERE (a.item_id, a.score, a.match, a.because, a.source) IS DISTINCT FROM (b.item_id, b.score, b.match, b.because, b.source)), 0::bigint,
  'everybody at once gets the same lists, bit for bit');
SELECT is((SELECT count(*) FROM shop.top_n_all(6, diversity => 0.5) a FULL JOIN
  (SELECT u AS user_id, t.* FROM generate_series(1, 80) u, LATERAL ROWS FROM (shop.top_n(u, 6, diversity => 0.5)) WITH ORDINALITY
   t(item_id, score, match, because, source, rank)) b USING (user_id, rank)
  WHERE (a.item_id, a.score, a.match, a.because, a.source) IS DISTINCT FROM (b.item_id, b.score, b.match, b.because, b.source)), 0::bigint,
  'with variety as well');
SELECT is((SELECT count(*) FROM shop.user_factors() WHERE factor IS DISTINCT FROM shop.user_factor(user_id)), 0::bigint, 'everybody at once has the same factors');
SELECT is((SELECT count(*) FROM shop.rank(7, ARRAY(SELECT generate_series(1, 30))) WHERE source = 'personal' AND score <> shop.score(7, item_id)), 0::bigint, 'rank has the same scores');
SELECT results_eq('SELECT user_id, score FROM shop.audience(3, 5)',
  'SELECT u, shop.score(u, 3) FROM generate_series(1, 80) u WHERE NOT EXISTS (SELECT FROM shop s WHERE s.u = u.u AND i = 3) AND shop.score(u, 3) > 0 ORDER BY 2 DESC, 1 LIMIT 5',
  'an audience is those with the best scores');
SELECT results_eq('SELECT user_id, round(similarity::numeric, 5) FROM shop.similar_users(7, 5)',
  $$SELECT u.user_id, round((pg_temp.dot(u.factor, a.f) / sqrt(pg_temp.dot(u.factor, u.factor) * pg_temp.dot(a.f, a.f)))::numeric, 5)
    FROM shop.user_factors() u, (SELECT shop.user_factor(7) AS f) a WHERE user_id <> 7
    ORDER BY pg_temp.dot(u.factor, a.f) / sqrt(pg_temp.dot(u.factor, u.factor) * pg_temp.dot(a.f, a.f)) DESC LIMIT 5$$,
  'similar users by the cosine of factors');
SELECT cmp_ok((SELECT avg((user_id % 2 = 1)::int) FROM shop.similar_users(7, 20)), '>', 0.9::numeric, 'people of the same taste');
SELECT is((SELECT count(*) FROM shop.similar_items(3, 10) WHERE item_id <= 15 AND support >= 2), 10::bigint, 'similar items come from counts, with people behind each pair');

-- Learning goes down the objective of the paper.
CREATE FUNCTION pg_temp.objective(iterations int) RETURNS float8 LANGUAGE plpgsql AS $$
BEGIN
  PERFORM reco_configure('shop', iterations => iterations);
  PERFORM reco_refresh('shop');
  RETURN (WITH x AS (SELECT user_id AS u, factor FROM shop.user_factors()), y AS (SELECT item_id AS i, factor FROM shop.item_factor),
    s AS (SELECT x.u, y.i, pg_temp.dot(x.factor, y.factor) AS s, coalesce(a, 0) AS a FROM x CROSS JOIN y LEFT JOIN cells USING (u, i))
    SELECT sum(a * (s - 1) ^ 2 + alpha * s ^ 2)
      + 0.01 * (SELECT sum((sum + alpha * 30) * pg_temp.dot(factor, factor)) FROM (SELECT u, sum(a) FROM cells GROUP BY u) n JOIN x USING (u))
      + 0.01 * (SELECT sum((sum + alpha * 80) * pg_temp.dot(factor, factor)) FROM (SELECT i, sum(a) FROM cells GROUP BY i) n JOIN y USING (i))
    FROM s, alpha GROUP BY alpha);
END $$;
CREATE TABLE objectives AS SELECT n, pg_temp.objective(n) AS o FROM unnest(ARRAY[1, 2, 4, 16, 64]) n;
SELECT is((SELECT count(*) FROM (SELECT o - lag(o) OVER (ORDER BY n) AS step FROM objectives) s WHERE step > 1e-4), 0::bigint, 'more iterations never leave more to explain');
SELECT cmp_ok((SELECT o FROM objectives WHERE n = 1), '>', (SELECT o * 1.01 FROM objectives WHERE n = 64), 'the first is not the last');

/*
 * Where the match curve has held some things back, learning goes on from there with everything, for one in four iterations.  After eight
 * what it goes on from hardly moves any more; so from the two iterations of eight to the three of nine to twelve is one of plain SQL, and
 * another to the four of thirteen to sixteen.
 */
CREATE TABLE few AS SELECT u, i FROM generate_series(1, 200) u, generate_series(1, 12) i WHERE hashint8extended(u * 100 + i, 5) & 1023 < CASE WHEN u % 3 = i % 3 THEN 700 ELSE 200 END;
SELECT reco_create_model('few', 'SELECT u AS user_id, i AS item_id FROM few');
SELECT reco_configure('few', algorithm => 'factors', factors => 1, factor_lambda => 0.15, unobserved => 0.5, weighting => 'binary', min_support => 1);
CREATE TABLE learned_in (n int, i int, y float8);
DO $$
BEGIN
  FOR n IN 8..16 LOOP
    PERFORM reco_configure('few', iterations => n);
    PERFORM reco_refresh('few');
    INSERT INTO learned_in SELECT n, item_id, factor[1] FROM few.item_factor;
  END LOOP;
END $$;
CREATE TABLE one_more AS
  WITH alpha AS (SELECT 0.5 * count(*) / (200 * 12) AS alpha FROM few),
  all_y AS (SELECT n, alpha * (sum(y * y) + 0.15 * 12) AS base FROM learned_in, alpha GROUP BY n, alpha),
  x AS (SELECT n, u, sum(y) / (sum(y * y) + base + 0.15 * count(*)) AS x FROM few JOIN learned_in USING (i) JOIN all_y USING (n) GROUP BY n, u, base),
  all_x AS (SELECT n, alpha * (sum(x * x) + 0.15 * 200) AS base FROM x, alpha GROUP BY n, alpha)
  SELECT n, i, sum(x) / (sum(x * x) + base + 0.15 * count(*)) AS y FROM few JOIN x USING (u) JOIN all_x USING (n) GROUP BY n, i, base;
SELECT cmp_ok((SELECT max(abs(a.y - b.y)) FROM learned_in a JOIN learned_in b USING (i) WHERE (a.n, b.n) = (12, 16)), '>', 1e-5::float8, 'twelve iterations are not sixteen');
SELECT cmp_ok((SELECT max(abs(m.y - l.y)) FROM one_more m JOIN learned_in l USING (i) WHERE m.n = 8 AND l.n BETWEEN 9 AND 12), '<', 2e-6::float8, 'from eight to nine, and to twelve, is one more with everything');
SELECT cmp_ok((SELECT max(abs(m.y - l.y)) FROM one_more m JOIN learned_in l USING (i) WHERE m.n = 12 AND l.n BETWEEN 13 AND 16), '<', 2e-6::float8, 'from twelve to thirteen, and to sixteen, too');

-- What is new counts at once; what is disliked turns a score down; what nobody may know stays out.
CREATE TABLE before AS SELECT shop.user_factor(7) AS factor, shop.score(7, 10) AS score, (SELECT array_agg(f ORDER BY item_id) FROM shop.item_factor f) AS items;
INSERT INTO shop VALUES (7, 1, 3), (7, 2, 3);
SELECT ok(shop.user_factor(7) <> factor, 'an event of a second ago is folded in') FROM before;
SELECT cmp_ok(shop.score(7, 10), '>', score, 'and leads where it leads') FROM before;
INSERT INTO shop VALUES (7, 1, -9), (7, 2, -9);
SELECT cmp_ok(shop.score(7, 10), '<', score, 'a dislike leads away') FROM before;
DELETE FROM shop WHERE u = 7 AND i IN (1, 2);
SELECT ok(shop.user_factor(7) = factor, 'without them all is as before') FROM before;
SELECT is((SELECT rows_written FROM reco_refresh('shop')), 0::bigint, 'a refresh with nothing new writes nothing');
SELECT ok((SELECT array_agg(f ORDER BY item_id) FROM shop.item_factor f) = items, 'and changes nothing') FROM before;
INSERT INTO shop VALUES (900, 5, 1), (900, 777, 1);
SELECT reco_refresh('shop');
SELECT is((SELECT count(*) FROM shop.item_factor WHERE item_id = 777), 0::bigint, 'an item of fewer users than min_support has no factors');
SELECT is(shop.score(900, 777), 0::float8, 'and no score');

-- The order of rows changes nothing.
CREATE TABLE shuffled AS SELECT * FROM shop ORDER BY md5(u || ' ' || i);
SELECT reco_create_model('shuffled', 'SELECT u AS user_id, i AS item_id, w AS weight FROM shuffled');
SELECT reco_configure('shuffled', algorithm => 'factors', factors => 2, factor_lambda => 0.01, unobserved => 0.5, iterations => 64);
SELECT reco_refresh('shuffled');
SELECT is((SELECT count(*) FROM shop.item_factor a FULL JOIN shuffled.item_factor b USING (item_id) WHERE a.factor IS DISTINCT FROM b.factor), 0::bigint,
  'the order of rows changes nothing');

-- Nor does the number of workers: enough cells for some to be asked for.
CREATE TABLE wide AS
  SELECT u, floor(900 * power((hashint8extended(n, u) & 1048575) / 1048576.0, 2))::int AS i
  FROM generate_series(1, 6000) u, LATERAL generate_series(1, 20 + u % 9) n;
SELECT reco_create_model('wide', 'SELECT u AS user_id, i AS item_id FROM wide');
SELECT reco_configure('wide', algorithm => 'factors', factors => 9, iterations => 2);
SET LOCAL max_parallel_maintenance_workers = 2;
SELECT reco_refresh('wide');
CREATE TABLE together AS TABLE wide.item_factor;
SET LOCAL max_parallel_maintenance_workers = 0;
SELECT reco_refresh('wide');
SELECT is((SELECT count(*) FROM together a FULL JOIN wide.item_factor b USING (item_id) WHERE a.factor IS DISTINCT FROM b.factor), 0::bigint,
  'the number of workers changes nothing');
RESET max_parallel_maintenance_workers;

-- Nothing but likes of everything, one item, dislikes alone.
CREATE TABLE odd AS SELECT u, i, 1 AS w FROM generate_series(1, 60) u, generate_series(1, 6) i;
SELECT reco_create_model('odd', 'SELECT u AS user_id, i AS item_id, w AS weight FROM odd');
SELECT reco_configure('odd', algorithm => 'factors');
SELECT reco_refresh('odd');
SELECT is((SELECT count(*) FROM odd.item_factor WHERE 'NaN' = ANY (factor)), 0::bigint, 'everybody has everything: factors are numbers');
DELETE FROM odd WHERE i > 1;
SELECT reco_refresh('odd');
SELECT is((SELECT count(*) FROM odd.item_factor), 1::bigint, 'one item has factors');
UPDATE odd SET w = -1;
SELECT reco_refresh('odd');
SELECT is((SELECT count(*) FROM odd.item_factor), 0::bigint, 'of dislikes alone nothing is learned');

-- Where pgvector is there, factors are vectors of its own.
CREATE FUNCTION pg_temp.nearest() RETURNS int LANGUAGE plpgsql AS $$
DECLARE nearest int;
BEGIN
  IF NOT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'vector') THEN RETURN NULL; END IF;
  CREATE EXTENSION IF NOT EXISTS vector;
  EXECUTE 'SELECT item_id FROM shop.item_factor ORDER BY factor::vector <#> shop.user_factor(7)::vector, item_id LIMIT 1' INTO nearest;
  RETURN nearest;
END $$;
SELECT CASE WHEN pg_temp.nearest() IS NULL THEN skip('pgvector is not installed', 1)
  ELSE is(pg_temp.nearest(), (SELECT item_id FROM shop.top_n(7, 1, seen => true)), 'the nearest vector is the best item') END;
SELECT * FROM finish();
ROLLBACK;
