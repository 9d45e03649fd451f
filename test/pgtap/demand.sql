-- demand: worked by hand, intervals that hold, and who would come.

BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;

/*
 * Ten items: five of kind a with seven users each, five of kind b with none.  log(1 + users) is
 * y = ln 8 or 0; the ridge of few items is 4.  With weights v = -w for b (by symmetry around the
 * base y / 2): 5 (y / 2 - w) = 4 w, so w = 5 / 18 y; for a, y / 2 + 5 / 18 y = 7 / 9 ln 8.
 */
CREATE TABLE did (u int, i int);
INSERT INTO did SELECT u, i FROM generate_series(1, 7) u, generate_series(1, 5) i;
CREATE TABLE thing AS SELECT i, CASE WHEN i <= 5 THEN 'a' ELSE 'b' END AS kind FROM generate_series(1, 10) i;
SELECT reco_create_model('hand', 'SELECT u AS user_id, i AS item_id FROM did', 'SELECT i AS item_id, kind FROM thing');
SELECT reco_refresh('hand') IS NOT NULL;
SELECT is(round(expected::numeric, 4), round((power(8, 7 / 9.0) - 1)::numeric, 4), 'what is known of its kind') FROM reco_demand('{"kind": "a"}');
SELECT is(round(expected::numeric, 4), round((power(8, 2 / 9.0) - 1)::numeric, 4), 'the other kind') FROM reco_demand('{"kind": "b"}');
SELECT is(round(expected::numeric, 4), round((power(8, 1 / 2.0) - 1)::numeric, 4), 'nothing known: in the middle') FROM reco_demand('{"kind": "c"}');
SELECT reco_drop_model('hand');

-- Forty items that all have seven users: nothing is off, so that seven are expected, no fewer and no more.
TRUNCATE did, thing;
INSERT INTO did SELECT u, i FROM generate_series(1, 7) u, generate_series(1, 40) i;
INSERT INTO thing SELECT i, CASE WHEN i % 2 = 0 THEN 'a' ELSE 'b' END FROM generate_series(1, 40) i;
SELECT reco_create_model('even', 'SELECT u AS user_id, i AS item_id FROM did', 'SELECT i AS item_id, kind FROM thing');
SELECT reco_refresh('even') IS NOT NULL;
SELECT is(format('%s %s %s', round(expected::numeric, 6), round(low::numeric, 6), round(high::numeric, 6)), '7.000000 7.000000 7.000000', 'all are alike: as many as each has')
FROM reco_demand('{"kind": "a"}');
SELECT reco_drop_model('even');
TRUNCATE did;

/*
 * Planted: 400 items whose users follow from genre and studio, times what cannot be known.  A new
 * item of each genre and studio lies within the interval nine times in ten, and its mean is met.
 */
CREATE TABLE item AS
  SELECT n AS i, genre, studio, least(400, floor(exp(1 + genre * 0.5 + studio * 0.3 + 0.4 * sqrt(-2 * ln(1 - a)) * cos(6.2831853 * b))))::int AS users
  FROM generate_series(1, 1200) n, LATERAL (SELECT n % 5 AS genre, n / 5 % 4 AS studio, (hashint8extended(n, 1) & 65535) / 65536.0::float8 AS a, (hashint8extended(n, 2) & 65535) / 65536.0::float8 AS b) x;
INSERT INTO did SELECT 1000 + u, i FROM item, generate_series(1, users) u WHERE i <= 400;
SELECT reco_create_model('planted', 'SELECT u AS user_id, i AS item_id FROM did WHERE u > 1000', 'SELECT i AS item_id, ''genre '' || genre AS genre, studio FROM item WHERE i <= 400');
SELECT reco_configure('planted', similarity => 'cosine');
SELECT reco_refresh('planted') IS NOT NULL;
CREATE TEMP TABLE foretold AS SELECT genre, studio, d.* FROM generate_series(0, 4) genre, generate_series(0, 3) studio, reco_demand(jsonb_build_object('genre', 'genre ' || genre, 'studio', studio)) d;
SELECT ok(avg((users BETWEEN low AND high)::int) BETWEEN 0.86 AND 0.94, 'nine in ten lie within') FROM item JOIN foretold USING (genre, studio) WHERE i > 400;
SELECT ok(abs(sum(users) / sum(expected) - 1) < 0.06, 'what is expected comes on average') FROM item JOIN foretold USING (genre, studio) WHERE i > 400;
-- Of the variance of log(1 + users), genre and studio make .5 + .1125 of some .77.
SELECT ok(min(explained) BETWEEN 0.7 AND 0.85, 'how much attributes explain') FROM foretold;
SELECT is(count(*), 0::bigint, 'more where both say more') FROM foretold a JOIN foretold b ON a.genre < b.genre AND a.studio <= b.studio WHERE a.expected >= b.expected;
CREATE TABLE other AS SELECT * FROM item ORDER BY i DESC;
CREATE OR REPLACE VIEW planted.items WITH (security_invoker = true) AS SELECT i AS item_id, 'genre ' || genre AS genre, studio FROM other WHERE i <= 400;
SELECT is((SELECT d::text FROM reco_demand('{"genre": "genre 1", "studio": 2}') d), (SELECT row(expected, low, high, learned_from, unknown, explained)::text FROM foretold WHERE genre = 1 AND studio = 2), 'the order of the catalogue does not matter');
SELECT reco_drop_model('planted');

/*
 * Who would come, by hand: four items, a on 1 and 2, b on 2 and 3, c on 4.  idf: a and b ln 2, c ln 4.
 * Likeness to {a}: item 1 is 1, item 2 is ln2^2 / (ln2 * sqrt(2) ln2) = .7071068.
 * User 1 has 1 and 4: 1 / sqrt(2); user 2 has 1 and 2: 1.7071068 / sqrt(2); user 3 has 2: .7071068; user 4 nothing of it.
 */
CREATE TABLE tag (i text, tags text[]);
INSERT INTO tag VALUES ('1', '{a}'), ('2', '{a,b}'), ('3', '{b}'), ('4', '{c}');
CREATE TABLE had (u text, i text, w float8);
INSERT INTO had VALUES ('u1', '1', 1), ('u1', '4', 1), ('u2', '1', 1), ('u2', '1', 5), ('u2', '2', 1), ('u3', '2', 1), ('u3', '1', -1), ('u4', '4', 1), ('u4', '3', 'NaN');
SELECT reco_create_model('who', 'SELECT u AS user_id, i AS item_id, w AS weight FROM had', 'SELECT i AS item_id, tags FROM tag');
SELECT reco_refresh('who') IS NOT NULL;
SELECT is(string_agg(format('%s %s %s %s', user_id, round(score::numeric, 6), because, shared), ', ' ORDER BY user_id), 'u1 0.707107 1 1, u2 1.207107 1 2, u3 0.707107 2 1', 'who would come, by hand') FROM reco_audience_of('{"tags": "a"}');
SELECT is(string_agg(user_id, ' '), 'u2', 'the first alone') FROM who.audience_of('{"tags": ["a"]}', 1);
SELECT is((SELECT string_agg(user_id, ' ') FROM reco_audience_of('{"tags": ["a", "c"]}', NULL)), 'u1 u4 u2 u3', 'of two tags, the rarer counts more');

SELECT * FROM finish();
ROLLBACK;
