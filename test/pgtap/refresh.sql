-- The match curve of a refresh, where its knots can be worked by hand; and who is held out for it.
BEGIN;
SELECT plan(50);

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
-- four items speak for z, each with cosine 1: score 4 / sqrt(4) = 2, on a level with other users 2 * 4^-0.2; chance
-- (40 + 1) / (40 + 2)
SELECT ok(abs(curve_score[1] - 2 * 4 ^ -0.2) < 1e-6, 'four items that speak with one voice') FROM walk.model;
SELECT is(curve_match, ARRAY[41 / 42::float8], 'at 41/42') FROM walk.model;

-- What was chosen at one time is chosen as a whole.  Eighty users have a on one day and b, c, d on the next: a fifth of four
-- is one, but all three came together.  Forty are held out; a leads to each of the three with cosine 1: 120 samples.
CREATE TABLE whole AS SELECT u, i, '2026-01-01'::timestamptz + (i > 'a')::int * interval '1 day' AS t
  FROM generate_series(1, 80) u, unnest(ARRAY['a', 'b', 'c', 'd']) i;
SELECT reco_create_model('whole', 'SELECT u AS user_id, i AS item_id, t AS occurred_at FROM whole');
SELECT reco_configure('whole', similarity => 'cosine', weighting => 'binary');
SELECT is(curve_pairs, 120::bigint, 'a basket of three') FROM reco_refresh('whole');
SELECT is(curve_score, ARRAY[1::float8], 'is foretold by what came before it') FROM whole.model;
SELECT is(curve_match, ARRAY[121 / 122::float8], 'at 121/122') FROM whole.model;

-- Of a large one thirty items are asked about, and none of the others counts as history.
CREATE TABLE large AS SELECT u, i, '2026-01-01'::timestamptz + (i > 0)::int * interval '1 day' AS t
  FROM generate_series(1, 80) u, generate_series(0, 50) i;
SELECT reco_create_model('large', 'SELECT u AS user_id, i AS item_id, t AS occurred_at FROM large');
SELECT reco_configure('large', similarity => 'cosine', weighting => 'binary');
SELECT is(curve_pairs, 1200::bigint, 'thirty of fifty') FROM reco_refresh('large');
SELECT is(curve_score, ARRAY[1::float8], 'the other twenty speak for nothing') FROM large.model;

-- A basket of which a part would be among the newest fifth is history: of twelve items three would be chosen, but the third
-- came together with two others.
CREATE TABLE late AS SELECT u, i, '2026-01-01'::timestamptz + CASE WHEN i > 10 THEN i ELSE i / 4 END * interval '1 day' AS t
  FROM generate_series(1, 80) u, generate_series(1, 12) i;
SELECT reco_create_model('late', 'SELECT u AS user_id, i AS item_id, t AS occurred_at FROM late');
SELECT is(curve_pairs, 80::bigint, 'two of twelve') FROM reco_refresh('late');

-- Who never came back is asked about a fifth of the items, drawn by lot, where hardly anybody came back ...
CREATE TABLE visitor AS SELECT u, i, '2026-02-01'::timestamptz AS t FROM generate_series(1, 300) u, generate_series(1, 10) i;
SELECT reco_create_model('visitor', 'SELECT u AS user_id, i AS item_id, t AS occurred_at FROM visitor');
SELECT is(curve_pairs, 300::bigint, 'two of ten, of half of three hundred users') FROM reco_refresh('visitor');
-- ... and not at all where two hundred others did: of 600 users 200 are held out, each with one item.
INSERT INTO visitor SELECT u, i, '2025-01-01'::timestamptz + i * interval '1 day'
  FROM generate_series(1001, 1300) u, generate_series(101, 102) i;
SELECT is(curve_pairs, 200::bigint, 'one of two, of two hundred who came back') FROM reco_refresh('visitor');

-- Of those who came back, who chose something last.  300 users had a, b, c in 2024, 300 had a in 2025 and b in 2026; 200 of
-- the latter are held out, with a as their history.  The other 400 give s(i -> j) = c_ij / n_i ('conditional'):
--   s(a -> b) = 400/400 = 1, 200 samples, all chosen;  s(a -> c) = 300/400, and c is all there is to draw: 800 samples of
--   weight 1/4, none chosen.  Two knots: chance (0 + 1) / (200 + 2) and (200 + 1) / (200 + 2).
-- From everybody s(a -> c) = 300/600: what is drawn scores 2/3 of what it did, and the knots move with it, from 3/4 and 1
-- to 1/2 and 2/3.
CREATE TABLE era AS
  SELECT u, i, '2024-01-01'::timestamptz + ascii(i) * interval '1 day' AS t FROM generate_series(1, 300) u, unnest(ARRAY['a', 'b', 'c']) i
  UNION ALL
  SELECT u, i, CASE i WHEN 'a' THEN '2025-01-01'::timestamptz ELSE '2026-01-01' END FROM generate_series(301, 600) u, unnest(ARRAY['a', 'b']) i;
SELECT reco_create_model('era', 'SELECT u AS user_id, i AS item_id, t AS occurred_at FROM era');
SELECT reco_configure('era', similarity => 'conditional', weighting => 'binary', min_match => 0);
SELECT is(curve_pairs, 200::bigint, 'two hundred of the later users') FROM reco_refresh('era');
SELECT ok(cardinality(curve_score) = 2 AND abs(curve_score[1] - 1 / 2.0) < 1e-6 AND abs(curve_score[2] - 2 / 3.0) < 1e-6,
  'the knots are where scores are once everybody is learned from') FROM era.model;
SELECT is(curve_match, ARRAY[1 / 202::float8, 201 / 202::float8], 'chosen ones above, drawn ones below') FROM era.model;
INSERT INTO era VALUES (1000, 'a', '2026-02-01');
SELECT is(ARRAY[era.match(1000, 'b'), era.match(1000, 'c')], ARRAY[99.5::float8, .5], 'b is what whoever has a comes for, c is not');
-- One in a hundred of 100,200 users who have both items is spared: nobody is learned from a second time, so the pair is known
-- from the others only.  300 users with one item say nothing of pairs and do not count.
SELECT reco_create_model('many', 'SELECT u AS user_id, i AS item_id FROM generate_series(1, 100500) u, generate_series(1, CASE WHEN u > 300 THEN 2 ELSE 1 END) i');
SELECT reco_configure('many', similarity => 'cosine', weighting => 'binary');
SELECT is(curve_pairs, 1002::bigint, 'one in a hundred of those who have both') FROM reco_refresh('many');
SELECT is(support, 100200 - 1002, 'the model does without them') FROM reco_similar_items(1, 1, 'many');

-- What is tried before a model is learned is held to the work of one fit, which is counted: 4,000 people with thirty of 900 items
-- each, of four tastes, is more than the least that trials may take.  So what is picked, and the share, do not depend on how many
-- processes there are; and the systems of several hundred items leave work to try more than the least.
CREATE TABLE taste AS
  SELECT u, (u % 4) * 150 + (hashint4(u * 50 + n)::bigint & 1023) * 450 / 1024 AS i, CASE WHEN n <= 6 THEN 'buy' ELSE 'view' END AS s
  FROM generate_series(1, 4000) u, generate_series(1, 30) n;
SELECT reco_create_model('taste', 'SELECT u AS user_id, i AS item_id FROM taste');
SELECT reco_create_model('aimed', 'SELECT u AS user_id, i AS item_id, s AS signal FROM taste');
SELECT reco_configure('aimed', target_signal => 'buy');
SET LOCAL max_parallel_maintenance_workers = 0;
CREATE TEMP TABLE share AS SELECT 0 AS workers, model, r.trials_share, r.learned_with FROM unnest('{taste,aimed}'::text[]) model, reco_refresh(model) r;
SET LOCAL max_parallel_maintenance_workers = 2;
INSERT INTO share SELECT 2, model, r.trials_share, r.learned_with FROM unnest('{taste,aimed}'::text[]) model, reco_refresh(model) r;
SELECT diag(format('%s: %s, trials %s of a fit', model, learned_with, trials_share)) FROM share WHERE workers = 0;
SELECT ok(trials_share > CASE model WHEN 'aimed' THEN 0.7 ELSE 0.4 END AND trials_share <= 1, model || ': trials take no more work than one fit, and much of that') FROM share WHERE workers = 0 ORDER BY model;
SELECT is(count(DISTINCT (trials_share, learned_with)), 1::bigint, model || ': the same for any number of processes') FROM share GROUP BY model ORDER BY model;
SELECT reco_configure('taste', similarity => 'ridge');
SELECT is(trials_share, 0::float8, 'where somebody said, nothing is tried') FROM reco_refresh('taste');
SELECT is(trials_share, 0::float8, 'nor where hardly anybody can be held out') FROM reco_refresh('few');

-- Where a fit is hardly any work, trials may take a twentieth of a second all the same.
CREATE TABLE little AS SELECT u, (u % 3) * 4 + n % 6 AS i FROM generate_series(1, 300) u, generate_series(1, 4) n;
SELECT reco_create_model('little', 'SELECT u AS user_id, i AS item_id FROM little');
SELECT cmp_ok(trials_share, '>', 0::float8, 'little data is chosen for, too') FROM reco_refresh('little');
-- Of eighty items each a trial by all of these people would be half of that.  As many are learned from as let every trial be made, so
-- that views which tell no more than purchases are found out.
CREATE TABLE much AS
  SELECT u, (u % 4) * 150 + (hashint4(u * 100 + n)::bigint & 1023) * 450 / 1024 AS i, CASE WHEN n <= 8 THEN 'buy' ELSE 'view' END AS s
  FROM generate_series(1, 4000) u, generate_series(1, 80) n;
SELECT reco_create_model('much', 'SELECT u AS user_id, i AS item_id, s AS signal FROM much');
SELECT reco_configure('much', target_signal => 'buy', similarity => 'cosine');
SELECT matches(learned_with, '''view'' 0$', 'what trials of fewer people find: ' || learned_with) FROM reco_refresh('much');

-- Counts that are picked are those that were counted for the trials, where so many people do without those held out: the same as settings count anew.
CREATE TABLE lots AS
  SELECT u, (u % 4) * 150 + (hashint4(u * 50 + n)::bigint & 1023) * 450 / 1024 AS i FROM generate_series(1, 101000) u, generate_series(1, 3) n;
SELECT reco_create_model('lots', 'SELECT u AS user_id, i AS item_id FROM lots');
SELECT learned_with, format('reco_configure(''lots'', %s)', learned_with) AS by_hand FROM reco_refresh('lots') \gset
SELECT alike(:'learned_with'::text, 'similarity => ''cooccurrence'', user_exponent => 0.33,%', 'of tastes at random counts say all there is, by the exponent of auto');
CREATE TEMP TABLE picked AS SELECT item_id, rank, similar_item_id, similarity, support FROM lots.similar;
SELECT :by_hand \g /dev/null
SELECT reco_refresh('lots') \g /dev/null
SELECT is_empty('TABLE picked EXCEPT SELECT item_id, rank, similar_item_id, similarity, support FROM lots.similar', 'what was picked is what its settings learn');

/*
 * Users whose events do not fit into memory, over and over the same items: each pile is dealt out by the user, by the item and by the age, and a cell
 * has all of its events, whatever the memory. Weights are quarters, which add up to the same in any order.
 */
CREATE TABLE again AS SELECT CASE WHEN n % 2 = 0 THEN h & 1 ELSE 2 + (h & 255) END AS u, (h >> 8 & 31) AS i, ((h >> 13 & 15) - 3) / 4.0 AS w, '2026-01-01'::timestamptz + (h >> 17 & 1023) * interval '1 hour' AS t
  FROM generate_series(1, 120000) n, LATERAL (SELECT hashint8extended(n, 12) AS h) d;
SELECT reco_create_model('again', 'SELECT u AS user_id, i AS item_id, w AS weight, t AS occurred_at FROM again') \g /dev/null
SELECT reco_configure('again', similarity => 'cosine', half_life => '10 days') \g /dev/null
SET LOCAL maintenance_work_mem = '256MB';
SELECT is((SELECT events FROM reco_refresh('again')), 120000::bigint, 'all in memory');
CREATE TEMP TABLE again_large AS SELECT * FROM again.learned_item;
SET LOCAL maintenance_work_mem = '1MB';
SELECT is((SELECT events FROM reco_refresh('again')), 120000::bigint, 'little memory');
SELECT results_eq('SELECT md5(l::text) FROM again.learned_item l ORDER BY item_id', 'SELECT md5(l::text) FROM again_large l ORDER BY item_id', 'the same is learned of users whose events do not fit');
SELECT is((SELECT sum(users) FROM again.learned_item), (SELECT count(*) FROM (SELECT FROM again GROUP BY u, i HAVING sum(w * 2 ^ (extract(epoch FROM t) / 864000 - 2050)) > 0) cell), 'and each of their items once');
RESET maintenance_work_mem;

/*
 * Users who took one thing over and over at the same moment, so often that it does not fit into memory: they are handed on in parts, of which none is
 * lost, whatever is left over.  How many there is room for hangs on the memory that is left, 5,583 here; so users have from 11,160 to 11,179 of them.
 */
CREATE TABLE moment AS SELECT u, 1 AS i, '2026-01-01'::timestamptz AS t FROM generate_series(1, 20) u, generate_series(1, 11159 + u)
  UNION ALL SELECT 21 + n % 5000, 21 + (n * 7 + n / 5000) % 40, '2026-01-02'::timestamptz + n * interval '1 second' FROM generate_series(1, 100000) n;
SELECT reco_create_model('moment', 'SELECT u AS user_id, i AS item_id, t AS occurred_at, 1 AS weight FROM moment') \g /dev/null
SELECT reco_configure('moment', similarity => 'cosine', weighting => 'linear', keep => 'source') \g /dev/null
SELECT is((SELECT events FROM reco_refresh('moment')), (SELECT count(*) FROM moment), 'the same moment over and over, all in memory');
SET LOCAL maintenance_work_mem = '1MB';
SELECT is((SELECT events FROM reco_refresh('moment')), (SELECT count(*) FROM moment), 'little memory');
SELECT results_eq('SELECT events, users FROM moment.learned_item WHERE item_id = 1', 'SELECT (20 * 11159 + 20 * 21 / 2)::bigint, 20', 'no event is lost');
RESET maintenance_work_mem;

/*
 * Ids as long as addresses can be: an index holds 2,692 bytes, and what can be packed so; of what is longer a refresh says which it is.
 * A thousand of md5's digits are packed by no method to less than half.
 */
CREATE TABLE visits AS SELECT u, 'http://shop/' || i AS i FROM generate_series(1, 9) u, generate_series(1, 3) i;
CREATE FUNCTION pg_temp.digits(n int) RETURNS text LANGUAGE sql AS $$ SELECT left(string_agg(md5(d::text), ''), n) FROM generate_series(1, n / 32 + 1) d $$;
SELECT reco_create_model('long', 'SELECT u AS user_id, i AS item_id FROM visits');
INSERT INTO visits SELECT u, a FROM generate_series(1, 9) u, (VALUES (pg_temp.digits(2692)), (repeat('ä', 20000)), (repeat('a', 2693))) v(a);
SELECT is((SELECT items FROM reco_refresh('long')), 6::bigint, 'ids as long as an index holds');
SELECT is((SELECT count(*) FROM long.top_n(9, NULL, seen => true)), 6::bigint, '... are listed');
INSERT INTO visits SELECT u, 'ä' || pg_temp.digits(7000) FROM generate_series(1, 9) u;
SELECT throws_ok($$SELECT reco_refresh('long')$$, '54000', 'item "ä' || pg_temp.digits(62) || '" and so on, 7002 bytes, is too long an id for model "long"', 'one that is too long is named');
SELECT is((SELECT count(*) FROM long.top_n(9, NULL, seen => true)), 6::bigint, '... and what was learned before is there still');

-- The same events are the same popularity, whenever they are learned from: by half-lives of an hour all digits of its
-- logarithm are kept, and they are those of the sum as of the first whole half-life since 2000 that no event is later than.
CREATE TABLE hourly AS SELECT u, i, date_trunc('second', now()) - (u * 977 + i * 61) * interval '1 second' AS at FROM generate_series(1, 40) u, generate_series(1, 25) i WHERE (u + i) % 3 > 0;
SELECT reco_create_model('hourly', 'SELECT u AS user_id, i AS item_id, at AS occurred_at FROM hourly');
SELECT reco_configure('hourly', similarity => 'cosine', weighting => 'binary', popular_half_life => '1 hour', trend_half_life => '30 minutes');
SELECT is(rows_written, 25::bigint, 'all items are written') FROM reco_refresh('hourly');
SELECT pg_sleep(1.1);
SELECT is(rows_written, 0::bigint, 'and none a second later: not a digit is another') FROM reco_refresh('hourly');
CREATE TEMP TABLE summed AS
  SELECT i, extract(epoch FROM at - '2000-01-01Z'::timestamptz) / 3600 AS hours FROM hourly;
CREATE TEMP TABLE as_of AS SELECT ceil(max(hours)) AS hours FROM summed;
SELECT set_eq($$SELECT item_id FROM hourly.learned_item l JOIN (SELECT i, log(2, sum(2::numeric ^ (s.hours - a.hours))) + max(a.hours) AS log2 FROM summed s, as_of a GROUP BY i) s ON i = item_id
  WHERE abs(popularity_log2 - log2) < 1e-9 AND popularity_log2 <> popularity_log2::real$$, 'SELECT generate_series(1, 25)', 'log2 of the sum of 2 to the power of hours since 2000');

-- And what is long ago by the half-life is as popular as it was.
UPDATE hourly SET at = at - interval '20 years';
SELECT events FROM reco_refresh('hourly');
SELECT is((SELECT count(popularity_log2) FROM hourly.learned_item), 25::bigint, 'old events are told apart, however short a half-life is');

SELECT * FROM finish();
ROLLBACK;
