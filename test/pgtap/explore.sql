-- explore: chances by hand, and how often items really come, over many seeds.

BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;

CREATE FUNCTION pg_temp.refresh(model text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM reco_refresh(model); END $$;

/* The 5 x 5 matrix of recommend.sql, linear, and its cosines; 6 and 7 are new. Of users 1 has 4, 2 has 3, 3 has 3, 4 has 3, 5 has 1. */
CREATE TABLE five (user_id int, item_id int, weight float8);
INSERT INTO five VALUES
  (1, 1, 1), (1, 2, 2), (1, 3, 1),
  (2, 1, 2), (2, 2, 1),
  (3, 1, 1), (3, 3, 3), (3, 4, 1),
  (4, 1, 1), (4, 2, 1), (4, 3, 1), (4, 4, 2),
  (5, 4, 1), (5, 5, 1);
CREATE TABLE five_item AS SELECT i AS item_id, i / 2 AS half FROM generate_series(1, 7) i;
CREATE TABLE five_rule (item_id int, pin int);
SELECT reco_create_model('five', 'SELECT user_id, item_id, weight FROM five', 'SELECT * FROM five_item', rules => 'SELECT * FROM five_rule');
SELECT reco_configure('five', similarity => 'cosine', weighting => 'linear', min_support => 1);
SELECT pg_temp.refresh('five');
-- Over so many seeds: how often an item was there, by its source, and the chances it was said to have.
CREATE FUNCTION pg_temp.tally(model text, usr int, k int, options text, seeds int) RETURNS TABLE(item int, source text, times bigint, low float8, high float8) LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY EXECUTE format('SELECT t.item_id::int, t.source, count(*), min(t.propensity), max(t.propensity) FROM generate_series(1, %s) s, LATERAL %I.explore(%L, %s, seed => s %s) t GROUP BY 1, 2', seeds, model, usr, k, options);
END $$;
-- What came more or less often than its chance allows: by five standard errors, which one in a million does.
CREATE FUNCTION pg_temp.unlikely(model text, usr int, k int, options text, seeds int) RETURNS TABLE(item int, share float8, propensity float8) LANGUAGE sql AS $$
  SELECT item, sum(times)::float8 / seeds, max(high) FROM pg_temp.tally(model, usr, k, options, seeds) GROUP BY 1
  HAVING max(high) - min(low) > 1e-12 OR abs(sum(times)::float8 / seeds - max(high)) > 5 * sqrt(max(high) * (1 - max(high)) / seeds) + 1e-12 $$;

/*
 * u5 has 4 and 5, and gets 3, 1, 2. Two places, half of them explored: 3 stays, and one of 1, 2 (4 and 3 users) and 6, 7 (new) is drawn, with
 * 1/5, 1/4, 1, 1 of 2.45: .081633, .102041, .408163.
 */
SELECT results_eq($$SELECT item, source, round(low::numeric, 6), round(high::numeric, 6) FROM pg_temp.tally('five', 5, 2, ', explore => .5', 500) ORDER BY item$$,
  $$VALUES (1, 'explored', .081633, .081633), (2, 'explored', .102041, .102041), (3, 'personal', 1, 1), (6, 'explored', .408163, .408163), (7, 'explored', .408163, .408163)$$, 'chances by hand');
SELECT is_empty($$SELECT * FROM pg_temp.unlikely('five', 5, 2, ', explore => .5', 2000)$$, 'and in fact');
/* Three places, three fourths of them: 2.25 times as much of 2.45 each, and a third row of the list, 3, where two are drawn and not three. */
SELECT results_eq($$SELECT item, source, round(high::numeric, 6) FROM pg_temp.tally('five', 5, 3, ', explore => .75', 500) ORDER BY item, source$$,
  $$VALUES (1, 'explored', .183673), (2, 'explored', .229592), (3, 'personal', .75), (6, 'explored', .918367), (7, 'explored', .918367)$$, 'a number of places that is not whole');
SELECT is_empty($$SELECT * FROM pg_temp.unlikely('five', 5, 3, ', explore => .75', 2000)$$, 'and in fact');
/* All three, drawn from 1, 2, 3, 6, 7: 3 times 1 of 2.7 is more than 1, so 6 and 7 are sure; the others share one place: .2, .25, .25 of .7. */
SELECT results_eq($$SELECT item, source, round(high::numeric, 6) FROM pg_temp.tally('five', 5, 3, ', explore => 1', 500) ORDER BY item, source$$,
  $$VALUES (1, 'explored', .285714), (2, 'explored', .357143), (3, 'explored', .357143), (6, 'explored', 1), (7, 'explored', 1)$$, 'some are sure');
SELECT is_empty($$SELECT * FROM pg_temp.unlikely('five', 5, 3, ', explore => 1', 2000)$$, 'and in fact');
/* All of seven places, where five may come: all of them come. */
SELECT set_eq($$SELECT item_id, source, propensity FROM five.explore(5, 7, 1)$$, $$SELECT i, 'explored', 1::float8 FROM unnest(ARRAY[1, 2, 3, 6, 7]) i$$, 'too few to draw from: all there are');
SELECT set_eq($$SELECT item_id, source, propensity FROM five.explore(5, 5, .4, exclude => ARRAY[2, 6, 7])$$, $$VALUES (3, 'personal', 1::float8), (1, 'personal', 1)$$, 'what the list has is not drawn, and excluded is excluded');
SELECT results_eq('SELECT item_id, score, source, propensity FROM five.explore(5, 3, 0)', 'SELECT item_id, score, source, 1::float8 FROM five.top_n(5, 3)', 'no places explored: the list of top_n');
SELECT set_eq('SELECT item_id FROM five.explore(5, 3, 1, among => ARRAY[1, 7])', 'VALUES (1), (7)', 'among holds');
SELECT results_eq('SELECT because, match FROM five.explore(5, 1, 1, among => ARRAY[1])', 'SELECT because, match FROM five.top_n(5, 1, among => ARRAY[1])', 'what evidence there is for what was drawn is said');
INSERT INTO five_rule VALUES (2, 2);
SELECT is_empty('SELECT s FROM generate_series(1, 300) s WHERE (SELECT item_id FROM five.explore(5, 3, .34, seed => s) WITH ORDINALITY AS t(item_id, score, match, because, source, propensity, n) WHERE n = 2) IS DISTINCT FROM 2', 'what is pinned keeps its place');
SELECT set_eq('SELECT DISTINCT n FROM generate_series(1, 300) s, LATERAL five.explore(5, 3, .34, seed => s) WITH ORDINALITY AS t(item_id, score, match, because, source, propensity, n) WHERE source = ''explored''', 'VALUES (1::bigint), (3)', 'what is drawn has any of the others');
DELETE FROM five_rule;

/* Generated: 200 users, 150 items, 30 more that are new. */
CREATE TABLE generated AS
  SELECT user_id, item_id, 1 + (h & 3) AS weight FROM (SELECT user_id, item_id, hashint8(user_id * 104729 + item_id * 7919) AS h FROM generate_series(1, 200) user_id, generate_series(1, 150) item_id) g
  WHERE (h >> 8 & 1023) < 900 / (item_id + 4) + CASE WHEN user_id % 6 = item_id % 6 THEN 120 ELSE 0 END;
CREATE TABLE product AS SELECT i AS item_id, 'brand ' || i % 7 AS brand FROM generate_series(1, 180) i WHERE i % 9 <> 0;
SELECT reco_create_model('shop', 'SELECT user_id, item_id, weight FROM generated', 'SELECT * FROM product');
SELECT reco_configure('shop', similarity => 'cosine');
SELECT pg_temp.refresh('shop');
SELECT is_empty(format('SELECT * FROM pg_temp.unlikely(''shop'', 11, %s, %L, 2000)', k, o), format('k %s%s: as often as they say', k, o))
FROM (VALUES (10, ''), (10, ', explore => .25'), (4, ', explore => .1'), (12, ', explore => .3, max_per => ''brand'', max_per_n => 2, diversity => .3')) v(k, o);
CREATE TEMP TABLE lists AS SELECT u, s, t.* FROM generate_series(1, 200, 9) u, generate_series(1, 20) s, LATERAL shop.explore(u, 10, .25, seed => s) WITH ORDINALITY AS t(item_id, score, match, because, source, propensity, n);
SELECT is_empty('SELECT u, s FROM lists GROUP BY 1, 2 HAVING count(*) <> 10 OR count(DISTINCT item_id) <> 10 OR count(*) FILTER (WHERE source = ''explored'') NOT IN (2, 3)', 'full lists without repeats, a quarter of ten explored');
SELECT is_empty('SELECT * FROM (SELECT *, lag(score) OVER (PARTITION BY u, s ORDER BY n) AS above FROM lists) l WHERE above < score', 'scores say the order');
SELECT is_empty('SELECT * FROM lists WHERE item_id NOT IN (SELECT item_id FROM product) OR (u, item_id) IN (SELECT user_id, item_id FROM generated)', 'the catalogue and the history hold');
SELECT is_empty('SELECT * FROM lists WHERE NOT (propensity > 0 AND propensity <= 1)', 'chances are above 0 and at most 1');
SELECT set_eq('SELECT DISTINCT n FROM lists WHERE source = ''explored''', 'SELECT generate_series(1, 10)::bigint', 'at every place');
SELECT cmp_ok((SELECT count(*) FROM lists WHERE source = 'explored' AND item_id > 150), '>', (SELECT count(*) FROM lists WHERE source = 'explored' AND item_id < 100), 'what is new comes more often than what is known');
SELECT set_eq('SELECT u, s, t.* FROM generate_series(1, 200, 9) u, generate_series(1, 20, 7) s, LATERAL shop.explore(u, 10, .25, seed => s) WITH ORDINALITY AS t', 'SELECT * FROM lists WHERE s % 7 = 1', 'the same seed, the same list');
SELECT isnt((SELECT array_agg(item_id ORDER BY n) FROM lists WHERE u = 10 AND s = 1 AND source = 'explored'), (SELECT array_agg(item_id ORDER BY n) FROM lists WHERE u = 19 AND s = 1 AND source = 'explored'), 'another user, another lot');
/* Horvitz and Thompson: the mean over lists of the sum of y / propensity is the sum of y over all that could come, of y the item's number. */
SELECT ok(abs(estimate - truth) < 5 * error, format('an estimate by propensities: %s of %s, error %s', round(estimate::numeric, 1), truth, round(error::numeric, 1)))
FROM (SELECT avg(y) AS estimate, stddev(y) / sqrt(count(*)) AS error FROM (SELECT sum(item_id / propensity) AS y FROM generate_series(1, 1500) s, LATERAL shop.explore(11, 6, .5, seed => s) WHERE source = 'explored' GROUP BY s) l) e,
     (SELECT sum(item_id)::float8 AS truth FROM product WHERE item_id NOT IN (SELECT item_id FROM generated WHERE user_id = 11) AND item_id NOT IN (SELECT item_id FROM shop.top_n(11, 3))) t;

SELECT * FROM finish();
ROLLBACK;
