-- segments: worked by hand, planted groups found again, numbers that last.

BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;

/*
 * By hand: 25 people of a alone, 20 of as much a as b, and none else: two groups whose centres are
 * (1, 0) and (1, 1) / sqrt(2), with everybody in the middle of theirs, so that the silhouette is 1.
 * Item 3 is of both values.  Somebody with the items 1, 1, 1 of a and 3 has 7/8 a and 1/8 b:
 * the squares of the distances are 2 - 2 sqrt(7/8) and 2 - sqrt(2) (sqrt(7/8) + sqrt(1/8)).
 */
CREATE TABLE item (i int, kind text[]);
INSERT INTO item VALUES (1, '{a}'), (2, '{b}'), (3, '{a,b}'), (4, '{a}'), (5, '{a}'), (6, NULL);
CREATE TABLE did (u int, i int, w float8);
INSERT INTO did SELECT u, 1, 1 FROM generate_series(1, 45) u;
INSERT INTO did SELECT u, 2, 1 FROM generate_series(26, 45) u;
INSERT INTO did SELECT u, 6, 1 FROM generate_series(1, 45, 2) u;
INSERT INTO did SELECT u, 2, -1 FROM generate_series(1, 25) u;
SELECT reco_create_model('hand', 'SELECT u AS user_id, i AS item_id, w AS weight FROM did', 'SELECT i AS item_id, kind FROM item');
SELECT reco_refresh('hand') IS NOT NULL;
CREATE TEMP TABLE by_hand AS SELECT * FROM reco_segments(by => 'kind');
SELECT is((segment, users, round(share::numeric, 4), round(silhouette::numeric, 3), centre)::text, '(1,25,0.5556,1.000,"{""a"": 1.000000}")', 'the larger group first') FROM by_hand WHERE segment = 1;
SELECT is((segment, users, centre)::text, '(2,20,"{""a"": 0.707107, ""b"": 0.707107}")', 'the other') FROM by_hand WHERE segment = 2;
SELECT is(string_agg(attributes::text || items::text, ' ' ORDER BY segment), '{a}{} {b}{2}', 'what each goes for more than everybody') FROM by_hand;
INSERT INTO did SELECT 99, i, 1 FROM unnest('{1,4,5,3}'::int[]) i;
CREATE TEMP TABLE apart AS SELECT 2 - 2 * sqrt(7 / 8.0) AS d1, 2 - sqrt(2) * (sqrt(7 / 8.0) + sqrt(1 / 8.0)) AS d2;
SELECT is(round(membership::numeric, 5), round(((CASE segment WHEN 1 THEN d2 ELSE d1 END) / (d1 + d2))::numeric, 5), 'membership of segment ' || segment)
FROM apart, hand.segment_of(99, (SELECT jsonb_object_agg(segment, centre) FROM by_hand), 'kind');
SELECT is(membership, 1::float8, 'in the middle of a group: all in it') FROM reco_segment_of(1, (SELECT jsonb_object_agg(segment, centre) FROM by_hand), 'hand', 'kind') WHERE best;
SELECT reco_drop_model('hand');

-- Planted: 400 people of four tastes over twelve values; seven of ten choices are of the three values of theirs.
CREATE TABLE thing AS SELECT n AS i, 'v' || n % 12 AS kind FROM generate_series(0, 239) n;
CREATE TABLE chose AS SELECT u, CASE WHEN h & 1023 < 717 THEN (h >> 10 & 1023) % 20 * 12 + (u % 4) * 3 + (h >> 20 & 1023) % 3 ELSE (h >> 10 & 1023) % 240 END AS i, n
  FROM generate_series(1, 400) u, generate_series(1, 25) n, LATERAL (SELECT hashint8extended(n, u) AS h) x;
SELECT reco_create_model('planted', 'SELECT u AS user_id, i AS item_id FROM chose WHERE n <= 20', 'SELECT i AS item_id, kind FROM thing');
SELECT reco_configure('planted', similarity => 'cosine', category => 'kind');
SELECT reco_refresh('planted') IS NOT NULL;
CREATE TEMP TABLE before AS SELECT * FROM reco_segments();
SELECT is(count(*), 4::bigint, 'four tastes, four segments') FROM before;
SELECT is(count(*), 4::bigint, 'each told by its three values') FROM before WHERE (SELECT count(*) = 3 AND count(DISTINCT substr(a, 2)::int / 3) = 1 FROM unnest(attributes[1:3]) a);
CREATE TEMP TABLE member AS SELECT user_id::int AS u, segment FROM reco_segment_members((SELECT jsonb_object_agg(segment, centre) FROM before)) WHERE best;
SELECT cmp_ok(sum(most), '>=', 388::numeric, 'nearly everybody among those of one taste') FROM (SELECT max(n) AS most FROM (SELECT u % 4 AS taste, segment, count(*) AS n FROM member GROUP BY 1, 2) t GROUP BY taste) x;
SELECT is(sum(users), 400::bigint, 'everybody is in one') FROM before;
SELECT is((SELECT count(*) FROM before b JOIN (SELECT segment, count(*) AS n FROM member GROUP BY 1) m USING (segment) WHERE b.users <> m.n), 0::bigint, 'the members are those that were counted');
-- The silhouette by plain SQL, from the centres.
CREATE TEMP TABLE roots AS SELECT u, kind, sqrt(count(DISTINCT i) / sum(count(DISTINCT i)) OVER (PARTITION BY u))::float8 AS root FROM chose JOIN thing USING (i) WHERE n <= 20 GROUP BY u, kind;
CREATE TEMP TABLE far AS SELECT u, b.segment, sqrt(greatest(1 + (SELECT sum(value::float8 ^ 2) FROM jsonb_each_text(centre)) - 2 * sum(root * coalesce((centre ->> kind)::float8, 0)), 0)) AS d FROM roots, before b GROUP BY u, b.segment, centre;
SELECT ok(abs(avg(1 - a / b) - (SELECT max(silhouette) FROM before)) < 1e-4, 'the silhouette, by plain SQL') FROM (SELECT u, (array_agg(d ORDER BY d))[1] AS a, (array_agg(d ORDER BY d))[2] AS b FROM far GROUP BY u) x;
SELECT is((SELECT count(*) FROM before b, LATERAL (SELECT avg(root) FROM (SELECT u, coalesce((SELECT root FROM roots r WHERE r.u = m.u AND r.kind = 'v0'), 0) AS root FROM member m WHERE m.segment = b.segment) x) v(mean)
  WHERE abs(mean - coalesce((centre ->> 'v0')::float8, 0)) > 1e-4), 0::bigint, 'centres are means of roots');

-- A refresh later there are new events, new people, and a fifth taste; the four have their numbers.
CREATE OR REPLACE VIEW planted.events WITH (security_invoker = true) AS SELECT u AS user_id, i AS item_id FROM chose
  UNION ALL SELECT 1000 + g, (g * 7 + n * 12) % 60 / 12 * 12 + 1 FROM generate_series(1, 60) g, generate_series(1, 15) n;
SELECT reco_refresh('planted') IS NOT NULL;
CREATE TEMP TABLE after AS SELECT * FROM reco_segments(k => 5, keep => (SELECT jsonb_object_agg(10 * segment, centre) FROM before));
SELECT is((SELECT string_agg(segment::text, ' ' ORDER BY segment) FROM after), '10 20 30 40 41', 'numbers last, and what is new gets a new one');
SELECT is(attributes[1], 'v1', 'which is told by its value') FROM after WHERE segment = 41;
SELECT is((SELECT count(*) FROM after a JOIN before b ON a.segment = 10 * b.segment WHERE (SELECT array_agg(x ORDER BY x) FROM unnest(a.attributes[1:3]) x) <> (SELECT array_agg(x ORDER BY x) FROM unnest(b.attributes[1:3]) x)), 0::bigint, 'the others are who they were');

-- Whatever the order of the rows; and who may not be learned from is in no segment, but may be asked of.
CREATE TABLE other AS SELECT * FROM chose ORDER BY n DESC, u DESC;
CREATE OR REPLACE VIEW planted.events WITH (security_invoker = true) AS SELECT u AS user_id, i AS item_id FROM other WHERE n <= 20;
SELECT is((SELECT string_agg(s::text, ' ' ORDER BY segment) FROM reco_segments() s), (SELECT string_agg(s::text, ' ' ORDER BY segment) FROM before s), 'the order of events does not matter');
CREATE VIEW planted.users WITH (security_invoker = true) AS SELECT u AS user_id, u % 2 = 0 AS consent FROM generate_series(1, 400) u;
SELECT is(sum(users), 200::bigint, 'consent') FROM reco_segments();
SELECT is(count(*), 400::bigint, 'members are all who are asked of') FROM reco_segment_members((SELECT jsonb_object_agg(segment, centre) FROM before)) WHERE best;

-- Of more than 5,000 people the number of groups is found by some of them, from first to last: of 11,000 by one in three.
CREATE TABLE crowd AS SELECT u, (u - 1) / 2750 * 3 + n AS i FROM generate_series(1, 11000) u, generate_series(0, 2) n
  UNION ALL SELECT u, 12 + hashint4(u) & 127 FROM generate_series(1, 11000) u;
SELECT reco_create_model('crowd', 'SELECT u AS user_id, i AS item_id FROM crowd ORDER BY u', 'SELECT i AS item_id, kind FROM thing');
SELECT reco_configure('crowd', similarity => 'cosine', category => 'kind');
SELECT reco_refresh('crowd') IS NOT NULL;
SELECT is((SELECT array_agg(users ORDER BY users) FROM reco_segments('crowd')), ARRAY[2750, 2750, 2750, 2750], 'four tastes, the last of which the first people do not have');
/*
 * By factors: the same 400 people, of whose items nothing needs to be known but who chose them.  Points are factors over their length,
 * centres what the mean member would score the best-known items.
 */
CREATE TABLE picked AS SELECT u, i, n FROM chose WHERE n <= 20;
SELECT reco_create_model('byf', 'SELECT u AS user_id, i AS item_id FROM picked', 'SELECT i AS item_id, kind FROM thing');
SELECT reco_configure('byf', algorithm => 'factors', factors => 16);
SELECT reco_refresh('byf') IS NOT NULL;
CREATE TEMP TABLE by_factors AS SELECT * FROM reco_segments('byf');
SELECT is(count(*), 4::bigint, 'four tastes by factors, without a category') FROM by_factors;
SELECT is(sum(users), 400::bigint, 'of everybody') FROM by_factors;
CREATE TEMP TABLE of_factors AS SELECT user_id::int AS u, segment, membership FROM reco_segment_members((SELECT jsonb_object_agg(segment, centre) FROM by_factors), 'byf') WHERE best;
SELECT cmp_ok(sum(most), '>=', 380::numeric, format('%s of 400 people are with those of their taste', sum(most))) FROM (SELECT max(n) AS most FROM (SELECT u % 4 AS taste, segment, count(*) AS n FROM of_factors GROUP BY 1, 2) t GROUP BY taste) x;
SELECT is((SELECT count(*) FROM by_factors b JOIN (SELECT segment, count(*) AS n FROM of_factors GROUP BY 1) m USING (segment) WHERE abs(b.users - m.n) > 1), 0::bigint, 'centres that were written and read again say the same');
SELECT is_empty($$SELECT u FROM of_factors WHERE membership < 0.25 OR membership > 1$$, 'soft membership');
SELECT is_empty($$SELECT f.u FROM of_factors f, LATERAL reco_segment_of(f.u, (SELECT jsonb_object_agg(segment, centre) FROM by_factors), 'byf') o WHERE f.u <= 20 AND o.best AND (o.segment <> f.segment OR abs(o.membership - f.membership) > 1e-6)$$, 'one asked alone');
-- The silhouette and the centres by plain SQL, from reco_user_factors.
CREATE TEMP TABLE point AS SELECT user_id::int AS u, f / sqrt(sum(f ^ 2) OVER (PARTITION BY user_id)) AS x, d FROM reco_user_factors('byf'), unnest(factor::float8[]) WITH ORDINALITY w(f, d);
CREATE TEMP TABLE middle AS SELECT segment, d, avg(x) AS c FROM point JOIN of_factors USING (u) GROUP BY 1, 2;
SELECT is_empty($$SELECT b.segment, s.key FROM by_factors b, jsonb_each_text(centre) s JOIN byf.item_factor i ON i.item_id::text = s.key, LATERAL (SELECT sum(m.c * w.f) AS score FROM middle m JOIN unnest(i.factor::float8[]) WITH ORDINALITY w(f, d) USING (d) WHERE m.segment = b.segment) x
  WHERE abs(x.score - s.value::float8) > 0.02 AND abs(x.score / s.value::float8 - 1) > 0.05$$, 'a centre is what the mean member would score');
CREATE TEMP TABLE gap AS SELECT u, segment, sqrt(sum((x - c) ^ 2)) AS d FROM point JOIN middle USING (d) GROUP BY 1, 2;
SELECT ok(abs(avg(1 - a / b) - (SELECT max(silhouette) FROM by_factors)) < 0.01, 'the silhouette, by plain SQL') FROM (SELECT u, (array_agg(d ORDER BY d))[1] AS a, (array_agg(d ORDER BY d))[2] AS b FROM gap GROUP BY u) x;
-- With a category they are told by its values, too.
SELECT reco_configure('byf', category => 'kind');
CREATE TEMP TABLE told AS SELECT * FROM reco_segments('byf', by => 'factors');
SELECT is((SELECT string_agg(segment || ' ' || users, ', ' ORDER BY segment) FROM told), (SELECT string_agg(segment || ' ' || users, ', ' ORDER BY segment) FROM by_factors), 'the same segments');
SELECT is(count(*), 4::bigint, 'each told by its three values') FROM told WHERE (SELECT count(*) = 3 AND count(DISTINCT substr(a, 2)::int / 3) = 1 FROM unnest(attributes[1:3]) a);
SELECT is(count(*), 4::bigint, 'and by items of them') FROM told WHERE cardinality(items) = 5 AND (SELECT bool_and(i::int % 12 / 3 = substr(attributes[1], 2)::int / 3) FROM unnest(items) i);
-- A refresh with new events turns factors anyhow; the segments have their numbers, and people stay where they were.
INSERT INTO picked SELECT u, i, n FROM chose WHERE n > 20;
SELECT reco_refresh('byf') IS NOT NULL;
CREATE TEMP TABLE later AS SELECT * FROM reco_segments('byf', 4, 'factors', (SELECT jsonb_object_agg(10 * segment, centre) FROM by_factors));
SELECT is((SELECT string_agg(segment::text, ' ' ORDER BY segment) FROM later), '10 20 30 40', 'numbers last beyond a refresh');
SELECT cmp_ok(count(*), '>=', 380::bigint, format('%s of 400 people are in the segment where they were', count(*))) FROM of_factors f JOIN reco_segment_members((SELECT jsonb_object_agg(segment / 10, centre) FROM later), 'byf', 'factors') m ON m.user_id = f.u::text AND m.segment = f.segment WHERE m.best;
SELECT cmp_ok(count(*), '>=', 380::bigint, format('by the centres of before the refresh %s', count(*))) FROM of_factors f JOIN reco_segment_members((SELECT jsonb_object_agg(segment, centre) FROM by_factors), 'byf', 'factors') m ON m.user_id = f.u::text AND m.segment = f.segment WHERE m.best;
-- Whatever the order of the rows; consent; who is not known; what is no centre; a model without factors.
CREATE TABLE other_picked AS SELECT * FROM picked ORDER BY n DESC, u DESC;
CREATE OR REPLACE VIEW byf.events WITH (security_invoker = true) AS SELECT u AS user_id, i AS item_id FROM other_picked;
SELECT bag_eq($$SELECT users, share, silhouette, centre, attributes, items FROM reco_segments('byf', 4, 'factors')$$, 'SELECT users, share, silhouette, centre, attributes, items FROM later', 'the order of events does not matter');
CREATE VIEW byf.users WITH (security_invoker = true) AS SELECT u AS user_id, u % 2 = 0 AS consent FROM generate_series(1, 400) u;
SELECT is(sum(users), 200::bigint, 'consent') FROM reco_segments('byf', by => 'factors');
SELECT is_empty($$SELECT * FROM reco_segment_of(9999, (SELECT jsonb_object_agg(segment, centre) FROM later), 'byf', 'factors')$$, 'nobody');
SELECT is_empty($$SELECT * FROM reco_segment_of(1, '{}', 'byf', 'factors')$$, 'no centres');
SELECT is((SELECT membership FROM reco_segment_of(1, '{"1": {}}', 'byf', 'factors')), 1::float8, 'one centre, of which nothing is known');
SELECT throws_ok($$SELECT * FROM reco_segment_of(1, '{"1": {"5": "x"}}', 'byf', 'factors')$$, '22023', 'centres must be an object of segments and their centres', 'what is no centre');
SELECT throws_ok($$SELECT * FROM reco_segment_of(1, '{"1": {"five": 1}}', 'byf', 'factors')$$, '22P02', NULL, 'what is no item');
SELECT throws_ok($$SELECT * FROM reco_segments('planted', by => 'factors')$$, '55000', 'model "planted" was not learned by factors', 'a model without factors');

SELECT * FROM finish();
ROLLBACK;
