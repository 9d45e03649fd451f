-- onboarding: what is proposed at sign-up, by hand, and what picking from it is worth.

BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;

CREATE FUNCTION pg_temp.refresh(model text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM reco_refresh(model); END $$;

/*
 * The 5 x 5 matrix of matrix.sql, linear, and its cosines: 12 .771517, 13 .569803, 14 .462910, 23 .369274, 24 .333333,
 * 34 .615457, 45 .408248.  The greatest of each row: 1 and 2 .771517, 3 and 4 .615457, 5 .408248.  So near to each other:
 *   12 1   13 .569803 / .615457 = .925820   14 .462910 / .615457 = .752141   23 .6   24 .541603   34 1   45 1
 * Popularity is 5, 4, 5, 4, 1.  First comes 1; then 2 is worth 4 * 0, 3 5 * .074180 = .3709, 4 4 * .247859 = .9914, 5 1 * 1;
 * so 5 is next, which leaves 4 * 0 for 4; then 3; then those that are worth nothing, by popularity.
 */
CREATE TABLE five (user_id int, item_id int, weight float8);
INSERT INTO five VALUES
  (1, 1, 1), (1, 2, 2), (1, 3, 1),
  (2, 1, 2), (2, 2, 1),
  (3, 1, 1), (3, 3, 3), (3, 4, 1),
  (4, 1, 1), (4, 2, 1), (4, 3, 1), (4, 4, 2),
  (5, 4, 1), (5, 5, 1);
CREATE TABLE shown (item_id int);
INSERT INTO shown SELECT generate_series(1, 5);
SELECT reco_create_model('five', 'SELECT user_id, item_id, weight FROM five', 'SELECT item_id FROM shown');
SELECT reco_configure('five', similarity => 'cosine', weighting => 'linear', min_support => 1);
SELECT pg_temp.refresh('five');
SELECT results_eq('SELECT item_id, rank, round(popularity), users, round(nearest::numeric, 5) FROM five.onboarding()',
                  'VALUES (1, 1, 5::float8, 4, 0.00000), (5, 2, 1, 1, 0), (3, 3, 5, 3, .92582), (2, 4, 4, 3, 1), (4, 5, 4, 3, 1)', 'well known and far apart');
SELECT results_eq('SELECT item_id FROM five.onboarding(2)', 'VALUES (1), (5)', 'the first two of them');
SELECT results_eq($$SELECT item_id FROM reco_onboarding(2, 'five')$$, $$VALUES ('1'), ('5')$$, 'ids as text');
DELETE FROM shown WHERE item_id = 1;
SELECT results_eq('SELECT item_id FROM five.onboarding(3)', 'VALUES (3), (2), (5)', 'of the live catalogue: 3, then 2 with 4 * .4 and 5 with 1');
DELETE FROM shown;
SELECT is_empty('SELECT * FROM five.onboarding()', 'nothing to show');

/*
 * Six tastes of ten items each, unlike in size, and who likes each of them: a proposal of six has all of them but one at most,
 * where the six most popular are of two or three.  Who picks what they like of twenty gets, besides, more
 * of what they have than what is popular, though nothing that was picked can be a hit any more.
 */
CREATE TABLE likes (u int, i int);
INSERT INTO likes SELECT DISTINCT n, CASE WHEN (n * 31 + k * 17) % 10 < 8 THEN 10 * t + (n * 13 + k * k * 7 + k) % 10 ELSE (n * 11 + k * 29) % 60 END
FROM (SELECT n, CASE WHEN n % 10 < 4 THEN 0 WHEN n % 10 < 6 THEN 1 ELSE n % 10 - 4 END AS t FROM generate_series(1, 600) n) u, generate_series(1, 8) k;
SELECT reco_create_model('tastes', 'SELECT u AS user_id, i AS item_id FROM likes WHERE u <= 500');
SELECT reco_configure('tastes', similarity => s) FROM unnest(ARRAY['cosine']) s;
SELECT pg_temp.refresh('tastes');
SELECT ok((SELECT count(DISTINCT item_id / 10) FROM tastes.onboarding(6)) >= 5, 'nearly one of each taste');
SELECT ok((SELECT count(DISTINCT item_id / 10) FROM tastes.popular(6)) < 4, 'which the most popular are not');
CREATE FUNCTION pg_temp.hits(picks int) RETURNS bigint LANGUAGE sql AS $$
  SELECT count(*) FROM generate_series(501, 600) n
  CROSS JOIN LATERAL (SELECT array_agg(item_id) AS items FROM (SELECT item_id FROM tastes.onboarding(20) o WHERE EXISTS (SELECT FROM likes l WHERE (l.u, l.i) = (n, o.item_id)) ORDER BY rank LIMIT picks) p) p
  CROSS JOIN LATERAL tastes.complete(p.items, 10) c JOIN likes l ON (l.u, l.i) = (n, c.item_id) $$;
SELECT ok(one > 1.5 * none AND three > 1.5 * none, format('hits of ten: %s without a pick, %s with one, %s with three', none, one, three))
FROM pg_temp.hits(0) none, pg_temp.hits(1) one, pg_temp.hits(3) three;

SELECT * FROM finish();
ROLLBACK;
