-- The match curve of a refresh, where its knots can be worked by hand; and who is held out for it.
BEGIN;
SELECT plan(11);

-- A hundred users, each with a and b.  A tenth is 10, but at least 200, at most half: 50 are held out.  Of their two
-- items one is chosen (the fifth of two, rounded up), the other is the history.  Among the other 50 users a and b are
-- always together: cosine 50 / sqrt(50 * 50) = 1, and the score is 1 * 1 / sqrt(1 * 1) = 1.  There is no third item to
-- draw for comparison.  So there are 50 samples with score 1, all chosen; a bin starts with one chosen and one not:
--   one knot at score 1, chance (50 + 1) / (50 + 2) = 51/52 = .980769, match 98.1
CREATE TABLE pair AS SELECT u, i FROM generate_series(1, 100) u, (VALUES ('a'), ('b')) v(i);
SELECT reco_create_model('pair', 'SELECT u AS user_id, i AS item_id FROM pair');
SELECT reco_configure('pair', similarity => 'cosine', weighting => 'binary');
SELECT is(curve_pairs, 50::bigint, 'fifty items were chosen by those held out') FROM reco_refresh('pair');
SELECT ok(cardinality(curve_score) = 1 AND abs(curve_score[1] - 1) < 1e-6, 'one knot, at score 1') FROM pair.model;
SELECT is(curve_match, ARRAY[51 / 52::float8], 'at 51/52') FROM pair.model;
INSERT INTO pair VALUES (1000, 'a');
SELECT is(pair.match(1000, 'b'), 98.1::float8, 'so b matches whoever has a by 98.1');

-- Too few: sixty users hold out thirty, which is less than 40, and no number is given.
CREATE TABLE few AS SELECT u, i FROM generate_series(1, 60) u, (VALUES ('a'), ('b')) v(i);
SELECT reco_create_model('few', 'SELECT u AS user_id, i AS item_id FROM few');
SELECT is(curve_pairs, 0::bigint, 'too few to learn a curve from') FROM reco_refresh('few');
INSERT INTO few VALUES (1000, 'a');
SELECT ok(few.score(1000, 'b') > 0 AND few.match(1000, 'b') IS NULL, 'a score, but no match');

-- Everybody who bought but once says nothing of pairs: of 400 such and 100 who bought two, half of the latter are kept.
CREATE TABLE once AS SELECT u, i FROM generate_series(1, 100) u, (VALUES ('a'), ('b')) v(i)
  UNION ALL SELECT u, 'c' FROM generate_series(101, 500) u;
SELECT reco_create_model('once', 'SELECT u AS user_id, i AS item_id FROM once');
SELECT reco_configure('once', similarity => 'cosine', weighting => 'binary');
SELECT is(curve_pairs, 50::bigint, 'half of those with two items are held out') FROM reco_refresh('once');
-- c is the only item to draw, and nothing leads to it: it has no score and stays out of the curve
SELECT is(curve_match, ARRAY[51 / 52::float8], 'the others are enough to learn from') FROM once.model;

-- Chosen is what came last: a fifth of five items is the newest.  Eighty users walk from v to z in order; the forty
-- held out chose z.
CREATE TABLE walk AS SELECT u, i, '2026-01-01'::timestamptz + n * interval '1 day' AS t
  FROM generate_series(1, 80) u, unnest(ARRAY['v', 'w', 'x', 'y', 'z']) WITH ORDINALITY s(i, n);
SELECT reco_create_model('walk', 'SELECT u AS user_id, i AS item_id, t AS occurred_at FROM walk');
SELECT reco_configure('walk', similarity => 'cosine', weighting => 'binary');
SELECT is(curve_pairs, 40::bigint, 'one in five of forty histories of five') FROM reco_refresh('walk');
-- four items speak for z, each with cosine 1: score 4 / sqrt(4) = 2; chance (40 + 1) / (40 + 2)
SELECT is(curve_score, ARRAY[2::float8], 'four items that speak with one voice') FROM walk.model;
SELECT is(curve_match, ARRAY[41 / 42::float8], 'at 41/42') FROM walk.model;
SELECT * FROM finish();
ROLLBACK;
