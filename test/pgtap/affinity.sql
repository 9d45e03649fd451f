-- affinity: worked by hand, against plain SQL, whatever the order of rows.

BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;

/*
 * Four items, with 4, 2, 1 and 1 users: eight pairs.  Items 1 and 2 are red, 3 and 4 blue; 2, 3 and 4
 * are new.  User 1 has the items 1 and 3.
 *   red: usual 6/8 = .75, share 1/2, lift (1 + 5 * .75) / (2 + 5) / .75 = .9047619
 *   blue: usual .25, share 1/2, lift (1 + 5 * .25) / 7 / .25 = 1.2857143
 *   new: usual 4/8, share 1/2, lift (1 + 2.5) / 7 / .5 = 1
 * Wilson's interval of 1 of 2 is .0945312 to .9054688.
 * Everybody: the mean of all items is 2 users, of the red 3: lift (6 + 5 * 2) / (2 + 5) / 2 = 1.1428571;
 * its variance is 2, so the bounds are (3 -+ 1.959964 * sqrt(2 / 2)) / 2 = .520018 and 2.479982.
 */
CREATE TABLE did (u int, i int);
INSERT INTO did VALUES (1, 1), (2, 1), (3, 1), (4, 1), (2, 2), (3, 2), (1, 3), (4, 4);
CREATE TABLE thing (i int, colour text, age text[]);
INSERT INTO thing VALUES (1, 'red', '{old}'), (2, 'red', '{new,new}'), (3, 'blue', '{new,NULL}'), (4, 'blue', '{new}'), (5, NULL, NULL);
SELECT reco_create_model('hand', 'SELECT u AS user_id, i AS item_id FROM did', 'SELECT i AS item_id, colour, age FROM thing WHERE i < 5');
SELECT reco_configure('hand', min_support => 1);
SELECT reco_refresh('hand') IS NOT NULL;
SELECT is(round(lift::numeric, 7), want, 'lift of ' || value) FROM reco_affinity(1) JOIN (VALUES ('red', .9047619), ('blue', 1.2857143), ('new', 1.0000000)) w(value, want) USING (value);
SELECT is(string_agg(value, ' '), 'blue new red', 'surest first, and what one item alone has is left out') FROM reco_affinity(1);
SELECT is((round(low::numeric * usual::numeric, 6), round(high::numeric * usual::numeric, 6), share, support)::text, '(0.094531,0.905469,0.5,1)', 'interval of ' || value) FROM reco_affinity(1);
SELECT is((round(lift::numeric, 7), round(low::numeric, 6), round(high::numeric, 6), share, usual, support)::text, '(1.1428571,0.520018,2.479982,0.75,0.5,2)', 'everybody: red') FROM reco_affinity(NULL::int) WHERE value = 'red';

-- A dislike is no taste, nor is what left the catalogue.
SELECT is((SELECT string_agg(t::text, ' ') FROM reco_affinity(1) t), (SELECT string_agg(t::text, ' ') FROM hand.affinity(1) t), 'the typed door says the same');
SELECT reco_drop_model('hand');

-- Against plain SQL, on drawn data with dislikes and repeats; and with all rows the other way round.
CREATE TABLE many AS SELECT (h & 15)::int AS u, 'i' || (h >> 4 & 31) AS i, ((h >> 9 & 3) - 1)::int AS w FROM generate_series(1, 600) n, LATERAL (SELECT hashint8extended(n, 3) AS h) x;
CREATE TABLE kind AS SELECT 'i' || n AS i, ARRAY(SELECT chr(97 + (hashint8extended(n, k) & 7)::int) FROM generate_series(1, 3) k) AS tags, n % 3 AS shelf FROM generate_series(0, 29) n;
SELECT reco_create_model('many', 'SELECT u AS user_id, i AS item_id, w AS weight FROM many', 'SELECT i AS item_id, tags, shelf FROM kind');
SELECT reco_refresh('many') IS NOT NULL;
CREATE TEMP TABLE trait AS SELECT DISTINCT i, 'tags' AS attribute, t AS value FROM kind, unnest(tags) t UNION ALL SELECT i, 'shelf', shelf::text FROM kind;
CREATE TEMP TABLE pairs AS SELECT DISTINCT u, i FROM many JOIN kind USING (i) WHERE w > 0;
CREATE TEMP TABLE plain AS
  SELECT p.u, t.attribute, t.value, p.had, p.all_had, t.usual, (p.had + 5 * t.usual) / (p.all_had + 5) / t.usual AS lift
  FROM (SELECT attribute, value, sum(l.users) / (SELECT sum(users)::float8 FROM many.learned_item JOIN kind ON i = item_id) AS usual, count(*) AS items
    FROM trait JOIN many.learned_item l ON l.item_id = i GROUP BY 1, 2) t,
  LATERAL (SELECT h.u, count(*) AS all_had, count(*) FILTER (WHERE EXISTS (SELECT FROM trait x WHERE x.i = h.i AND x.attribute = t.attribute AND x.value = t.value)) AS had
    FROM (SELECT u, i FROM many JOIN kind USING (i) GROUP BY u, i HAVING sum(w) > 0) h GROUP BY h.u) p
  WHERE t.items >= 2;
SELECT is((SELECT count(*) FROM (SELECT u, a.* FROM generate_series(0, 15) u, reco_affinity(u, NULL, NULL, 'many') a) a FULL JOIN plain p USING (u, attribute, value)
  WHERE a.support IS DISTINCT FROM p.had OR abs(a.lift - p.lift) > 1e-12 IS NOT FALSE OR abs(a.usual - p.usual) > 1e-12 OR a.share <> p.had::float8 / p.all_had), 0::bigint, 'against plain SQL');
SELECT cmp_ok((SELECT count(*) FROM plain), '>', 100::bigint, 'of which there is something to compare');
CREATE TEMP TABLE before AS SELECT u, string_agg(a::text, ' ') AS said FROM generate_series(0, 15) u, reco_affinity(u, NULL, NULL, 'many') a GROUP BY u;
CREATE TABLE kind_2 AS SELECT * FROM kind ORDER BY i DESC;
CREATE OR REPLACE VIEW many.items WITH (security_invoker = true) AS SELECT i AS item_id, tags, shelf FROM kind_2;
SELECT is((SELECT count(*) FROM before b JOIN (SELECT u, string_agg(a::text, ' ') AS said FROM generate_series(0, 15) u, reco_affinity(u, NULL, NULL, 'many') a GROUP BY u) c USING (u) WHERE b.said <> c.said), 0::bigint,
  'the order of the catalogue does not matter');

-- What a query remembers from one call to the next is of that model and those attributes.
CREATE FUNCTION pg_temp.alone(u int, names text[], model text) RETURNS SETOF text LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY SELECT a::text FROM reco_affinity(u, names, NULL, model) a; END $$;
CREATE TABLE odd AS SELECT u % 7 AS u, i FROM many;
SELECT reco_create_model('odd', 'SELECT u AS user_id, i AS item_id FROM odd', 'SELECT i AS item_id, shelf, shelf AS tags FROM kind');
SELECT users FROM reco_refresh('odd') \gset
SELECT results_eq($$SELECT a::text FROM generate_series(0, 15) u, (VALUES (1, '{tags}'::text[]), (2, '{shelf,tags}'), (3, NULL), (4, '{tags}')) n(n, names), unnest('{many,odd}'::text[]) m, LATERAL reco_affinity(u, names, NULL, m) a ORDER BY u, n, m, a::text$$,
  $$SELECT a FROM generate_series(0, 15) u, (VALUES (1, '{tags}'::text[]), (2, '{shelf,tags}'), (3, NULL), (4, '{tags}')) n(n, names), unnest('{many,odd}'::text[]) m, LATERAL pg_temp.alone(u, names, m) a ORDER BY u, n, m, a$$,
  'asked about many users, attributes and models in one query the same as one by one');

SELECT * FROM finish();
ROLLBACK;
