-- fallback: what fills a list where no evidence does; by hand, and against SQL.

BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;
SET LOCAL timezone = 'UTC';

CREATE FUNCTION pg_temp.refresh(model text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM reco_refresh(model); END $$;
CREATE FUNCTION pg_temp.list(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE answer text;
BEGIN
  EXECUTE format('SELECT string_agg(item_id || '' '' || source, '', '' ORDER BY n) FROM %s WITH ORDINALITY AS t(item_id, score, match, because, source, n)', call) INTO answer;
  RETURN answer;
END $$;

/*
 * People alike.  Thirty users from DE (1 to 30) and thirty from FR (31 to 60), two plans by turns.  All have 1; 2 has 25
 * of DE and 5 of FR, 3 the reverse, 4 three of DE.  With s = 10:
 *   lift(DE, 1) = (30 + 10) / (30 * 60 / 60 + 10) = 1      lift(DE, 2) = (25 + 10) / (30 * 30 / 60 + 10) = 35 / 25 = 1.4
 *   lift(DE, 3) = (5 + 10) / 25 = .6                       lift(DE, 4) = (3 + 10) / (30 * 3 / 60 + 10) = 13 / 11.5 = 1.1304
 * Popularity is the sum of weights, 60, 30, 30, 3, so for DE the items score 60, 42, 18, 3.39, and for FR (4 there with
 * nobody) 60, 18, 42.
 */
CREATE TABLE person (id int PRIMARY KEY, country text, plan boolean, tags text[], name text, height float8, born date);
INSERT INTO person SELECT n, CASE WHEN n <= 30 THEN 'DE' ELSE 'FR' END, n % 2 = 0, CASE WHEN n % 3 = 0 THEN ARRAY['a', NULL, 'a', repeat('x', 101)] END, 'somebody ' || n, 1.7, '2000-01-01' FROM generate_series(1, 60) n;
CREATE TABLE took (u int, i int);
INSERT INTO took SELECT n, 1 FROM generate_series(1, 60) n;
INSERT INTO took SELECT n, 2 FROM generate_series(1, 60) n WHERE n <= 25 OR n > 55;
INSERT INTO took SELECT n, 3 FROM generate_series(1, 60) n WHERE n > 35 OR n <= 5;
INSERT INTO took VALUES (26, 4), (27, 4), (28, 4);
SELECT reco_create_model('shop', 'SELECT u AS user_id, i AS item_id FROM took', users => 'SELECT id AS user_id, country, plan, tags, name, height, born FROM person');
SELECT pg_temp.refresh('shop');
SELECT results_eq($$SELECT rank, item_id, users, round(lift::numeric, 4) FROM shop.learned_group WHERE attribute = 'country' AND value = 'DE' ORDER BY rank$$,
                  'VALUES (1, 1, 30, 1.0000), (2, 2, 25, 1.4000), (3, 3, 5, .6000), (4, 4, 3, 1.1304)', 'what DE goes for');
SELECT results_eq($$SELECT rank, item_id, users, round(lift::numeric, 4) FROM shop.learned_group WHERE attribute = 'country' AND value = 'FR' ORDER BY rank$$,
                  'VALUES (1, 1, 30, 1.0000), (2, 3, 25, 1.4000), (3, 2, 5, .6000)', 'what FR goes for');
SELECT set_eq('SELECT DISTINCT attribute, value FROM shop.learned_group', $$VALUES ('country', 'DE'), ('country', 'FR'), ('plan', 'false'), ('plan', 'true'), ('tags', 'a')$$,
              'groups of twenty and more, of what is no name, number or date');
INSERT INTO person VALUES (101, 'DE'), (102, 'FR'), (103, 'XX');
INSERT INTO person VALUES (104, NULL, NULL, ARRAY['z']), (105, 'FR', NULL, ARRAY['FR', 'false']);
SELECT is(pg_temp.list('shop.top_n(101)'), '1 alike, 2 alike, 3 alike, 4 alike', 'somebody new from DE');
SELECT is(pg_temp.list('shop.top_n(102)'), '1 alike, 3 alike, 2 alike, 4 popular', 'somebody new from FR');
SELECT is(pg_temp.list('shop.top_n(103)'), pg_temp.list('shop.top_n(NULL)'), 'from where nobody else comes');
SELECT is(pg_temp.list('shop.top_n(104)'), pg_temp.list('shop.top_n(NULL)'), 'of whom nothing is known');
SELECT is(pg_temp.list('shop.top_n(999)'), '1 popular, 2 popular, 3 popular, 4 popular', 'who is not there');
SELECT is(pg_temp.list('shop.top_n(105)'), pg_temp.list('shop.top_n(102)'), 'a value counts in its own attribute only');
/* Rules and attributes: 15 * 3.39 = 50.9 is between 60 and 42. */
CREATE VIEW shop.rules WITH (security_invoker = true) AS SELECT i AS item_id, b AS boost FROM (VALUES (4, 15), (3, .1)) v(i, b);
SELECT is(pg_temp.list('shop.top_n(101)'), '1 alike, 4 alike, 2 alike, 3 alike', 'what people alike go for can be boosted');
DROP VIEW shop.rules;
UPDATE person SET country = 'FR' WHERE id = 101;
SELECT is(pg_temp.list('shop.top_n(101)'), pg_temp.list('shop.top_n(102)'), 'attributes are read live');
SELECT is(pg_temp.list('shop.top_n(102, 1, exclude => ARRAY[1])'), '3 alike', 'exclude');
SELECT is(pg_temp.list('shop.top_n(102, 9, among => ARRAY[2, 4])'), '2 alike, 4 popular', 'among');
SELECT is(pg_temp.list('shop.top_n(102, fallback => false)'), NULL, 'it is a fallback');
SELECT is(pg_temp.list('shop.top_n(102, NULL)'), '1 alike, 3 alike, 2 alike, 4 popular', 'every item once');
/* Who has chosen something is no longer new; who only disliked or was shown something is. */
CREATE OR REPLACE VIEW shop.events WITH (security_invoker = true) AS
  SELECT u AS user_id, i AS item_id FROM took WHERE i < 1000 UNION ALL SELECT u, i - 1000 FROM took WHERE i >= 1000;
INSERT INTO took VALUES (102, 1004);
SELECT ok(NOT EXISTS (SELECT FROM shop.top_n(102) WHERE source = 'alike'), 'one event, and the history speaks');
DELETE FROM took WHERE u = 102;
/* A refresh that learns the same writes nothing anew. */
CREATE TEMP TABLE before AS SELECT ctid AS place, * FROM shop.learned_group;
SELECT pg_temp.refresh('shop');
SELECT set_eq('SELECT ctid AS place, * FROM shop.learned_group', 'TABLE before', 'the same rows in the same places');
UPDATE person SET plan = NULL;
SELECT pg_temp.refresh('shop');
SELECT ok(NOT EXISTS (SELECT FROM shop.learned_group WHERE attribute = 'plan') AND EXISTS (SELECT FROM shop.learned_group WHERE attribute = 'country'), 'a group that is gone is forgotten');
SELECT is((SELECT count(*) FROM shop.learned_group WHERE users < 2), 0::bigint, 'nothing that fewer than min_support did');

-- A larger model with two attributes, its catalogue and events of no weight, against SQL.
CREATE TABLE people (id text PRIMARY KEY, region text, age int, tags varchar[]);
INSERT INTO people SELECT 'p' || n, 'r' || n % 5, n % 3, CASE n % 4 WHEN 0 THEN ARRAY['x', 'y'] WHEN 1 THEN ARRAY['y'] ELSE '{}' END FROM generate_series(1, 400) n;
CREATE TABLE acts (who text, what uuid, at timestamptz, w real);
INSERT INTO acts SELECT 'p' || n, md5('i' || (n * n * 3 + k * k * (1 + n % 5) + k * (n % 3)) % 70)::uuid, '2026-01-01'::timestamptz + ((n * 7 + k * 31) % 500) * interval '3 hours', (ARRAY[1, 2, .5, 0, -1])[1 + (n + k) % 5]
FROM generate_series(1, 380) n, generate_series(1, 15) k;
CREATE TABLE goods (id uuid PRIMARY KEY);
INSERT INTO goods SELECT DISTINCT what FROM acts WHERE what::text !~ '^[ab]';
SELECT reco_create_model('big', 'SELECT who AS user_id, what AS item_id, at AS occurred_at, w AS weight FROM acts', 'SELECT id AS item_id FROM goods', 'SELECT id AS user_id, region, age, tags FROM people');
SELECT pg_temp.refresh('big');
CREATE TEMP VIEW liked AS SELECT who, what FROM acts GROUP BY who, what HAVING sum(w) > 0;
CREATE TEMP VIEW member AS SELECT id AS who, 'region' AS attribute, region AS value FROM people UNION SELECT id, 'age', age::text FROM people UNION SELECT id, 'tags', t FROM people, unnest(tags) t;
CREATE TEMP TABLE want AS
  WITH n AS (SELECT count(DISTINCT who)::float8 AS n FROM liked), ni AS (SELECT what, count(*) AS ni FROM liked GROUP BY 1),
       ng AS (SELECT attribute, value, count(*) AS ng FROM member WHERE who IN (SELECT who FROM liked) GROUP BY 1, 2),
       ngi AS (SELECT attribute, value, what, count(*) AS ngi FROM member JOIN liked USING (who) GROUP BY 1, 2, 3)
  SELECT attribute, value, what AS item_id, ngi AS users, (ngi + 10) / (ng * ni / n + 10) AS lift, l.recent_log2 AS pop, l.item_no
  FROM ngi JOIN ng USING (attribute, value) JOIN ni USING (what) CROSS JOIN n JOIN big.learned_item l ON l.item_id = what WHERE ngi >= 2 AND ng >= 20 AND l.recent_log2 IS NOT NULL;
SELECT ok(count(*) > 300, count(*) || ' rows of groups') FROM want;
SELECT is_empty('SELECT * FROM want w FULL JOIN big.learned_group g USING (attribute, value, item_id) WHERE (w.users = g.users AND abs(w.lift - g.lift) < 1e-12) IS NOT TRUE', 'every lift of every group');
SELECT is_empty($$SELECT * FROM (SELECT attribute, value, rank, round((pop + ln(want.lift) / ln(2))::numeric, 5) AS score, lead(round((pop + ln(want.lift) / ln(2))::numeric, 5)) OVER (PARTITION BY attribute, value ORDER BY rank) AS next
  FROM big.learned_group JOIN want USING (attribute, value, item_id)) s WHERE next > score$$, 'best first');
/* The list of everybody without a history, by recent popularity times lifts; an item that a group does not name is worth its least there at most. */
CREATE TEMP TABLE newcomer AS SELECT id FROM people WHERE id NOT IN (SELECT who FROM acts WHERE w > 0);
SELECT ok(count(*) >= 20, count(*) || ' newcomers') FROM newcomer;
CREATE TEMP TABLE ordered AS
  WITH g AS (SELECT n.id, w.* FROM newcomer n JOIN member m ON m.who = n.id JOIN want w USING (attribute, value)),
       item AS (SELECT DISTINCT id, item_id, pop, item_no FROM g),
       asked AS (SELECT id, attribute, value, min(pop + ln(lift) / ln(2)) AS least FROM g GROUP BY 1, 2, 3)
  SELECT i.id, i.item_id, i.pop + sum(coalesce(ln(g.lift) / ln(2), least(0, a.least - i.pop))) AS score
  FROM item i JOIN asked a USING (id) LEFT JOIN g ON (g.id, g.item_id, g.attribute, g.value) = (i.id, i.item_id, a.attribute, a.value)
  WHERE i.item_id IN (SELECT id FROM goods) GROUP BY i.id, i.item_id, i.pop, i.item_no;
CREATE TEMP TABLE listed AS SELECT n.id, t.item_id, t.score, t.source, row_number() OVER (PARTITION BY n.id ORDER BY t.score DESC) AS rank FROM newcomer n, LATERAL big.top_n(n.id, NULL) t;
SELECT is_empty($$SELECT * FROM (SELECT * FROM listed WHERE source = 'alike') l FULL JOIN ordered o USING (id, item_id) WHERE l.id IS NULL OR o.id IS NULL$$, 'just the items that their groups name');
SELECT is_empty($$SELECT * FROM (SELECT id, rank, o.score, lead(o.score) OVER (PARTITION BY id ORDER BY rank) AS next FROM listed l JOIN ordered o USING (id, item_id)) s WHERE next > score + 1e-9$$, 'best first, for each');
SELECT is_empty($$SELECT id FROM newcomer EXCEPT SELECT id FROM listed GROUP BY id HAVING count(*) = (SELECT count(*) FROM goods)$$, 'and every item there is, once');

/* With everybody at once: those who have events, but have not chosen anything. */
INSERT INTO acts SELECT id, md5('i' || length(id))::uuid, '2026-03-01', CASE WHEN id < 'p39' THEN 0 ELSE -1 END FROM newcomer;
SELECT ok(count(*) > 100, count(*) || ' rows alike, all at once') FROM big.top_n_all(10) WHERE source = 'alike';
SELECT is_empty($$(SELECT user_id, item_id, score, match, because, source, rank::int FROM big.top_n_all(10) WHERE user_id IN (SELECT id FROM newcomer)
  EXCEPT ALL SELECT n.id, t.* FROM newcomer n, LATERAL big.top_n(n.id, 10) WITH ORDINALITY t(item_id, score, match, because, source, rank))$$, 'as one by one');
SELECT is((SELECT count(*) FROM big.top_n_all(10) WHERE user_id IN (SELECT id FROM newcomer)), (SELECT count(*) FROM newcomer n, LATERAL big.top_n(n.id, 10)), 'and no more of them');

/*
 * Trending in the user's categories.  Items 1 to 8 are of old, 11 to 18 of the last days only, so these rise, 11 most.  No two items have three users in common, so nothing is personal.  u1 has chosen 1, 2, 3 of category a, 4 and 5
 * of b and, of one item each, 6 of d and 7 of c: its categories are a, b and, of equals, c.  What it disliked counts for none.
 */
CREATE TABLE wares (id int, category text, tags text[]);
INSERT INTO wares VALUES (1, 'a', '{}'), (2, 'a', '{}'), (3, 'a', '{x}'), (4, 'b', '{}'), (5, 'b', '{}'), (6, 'd', '{}'), (7, 'c', '{}'), (8, 'e', '{}'), (8, 'e', '{}'),
  (11, 'e', '{y}'), (12, 'd', '{x,y}'), (13, 'c', '{y,x,x}'), (14, NULL, NULL), (15, 'a', '{NULL}'), (16, 'e', '{}'), (17, 'b', '{}'), (18, 'c', '{z}');
CREATE TABLE buys (u int, i int, at timestamptz, w float8 DEFAULT 1);
INSERT INTO buys SELECT 100 * i + n, i, '2026-01-01'::timestamptz + n * interval '9 days' FROM generate_series(1, 8) i, generate_series(1, 9) n;
INSERT INTO buys SELECT 100 * i + n, i, '2026-04-01'::timestamptz + n * interval '1 hour' FROM generate_series(11, 18) i, generate_series(1, 30 - i) n;
INSERT INTO buys SELECT 1, i, '2026-01-01' FROM unnest(ARRAY[1, 2, 3, 4, 5, 6, 7]) i;
INSERT INTO buys VALUES (1, 8, '2026-01-01', -1), (1, 16, '2026-01-01', -1);
INSERT INTO buys VALUES (2, 3, '2026-01-01'), (3, 14, '2026-01-01'), (4, 6, '2026-01-01');
SELECT reco_create_model('cats', 'SELECT u AS user_id, i AS item_id, at AS occurred_at, w AS weight FROM buys', 'SELECT id AS item_id, category, tags FROM wares');
SELECT reco_configure('cats', min_support => 3);
SELECT pg_temp.refresh('cats');
SELECT is((SELECT string_agg(item_id::text, ' ') FROM cats.trending()), '11 12 13 15 14 16 17 18', 'what rises');
SELECT is(pg_temp.list('cats.top_n(1)'), '13 category, 15 category, 17 category, 18 category, 11 trending, 12 trending, 14 trending', 'a, b and c, in the order of what rises');
SELECT is(pg_temp.list('cats.top_n(1, 2)'), '13 category, 15 category', 'before the cut');
CREATE VIEW cats.rules WITH (security_invoker = true) AS SELECT NULL::int AS item_id, 'category' AS attribute, v AS value, b::float8 AS boost FROM (VALUES ('b', 90.0), ('e', .1)) v(v, b) UNION ALL SELECT 18, NULL, NULL, 95;
SELECT is(pg_temp.list('cats.top_n(1)'), '18 category, 17 category, 13 category, 15 category, 12 trending, 14 trending, 11 trending', 'boosted, and lowered, within a source');
SELECT is(pg_temp.list('cats.top_n(1, 1)'), '18 category', 'before the cut, too');
DROP VIEW cats.rules;
SELECT is(pg_temp.list('cats.top_n(1, 3, exclude => ARRAY[13, 17])'), '15 category, 18 category, 11 trending', 'exclude');
SELECT is(pg_temp.list('cats.top_n(4, 3)'), '12 category, 11 trending, 13 trending', 'd alone');
SELECT is(pg_temp.list('cats.top_n(3, 2)'), '11 trending, 12 trending', 'of what is in none nothing follows');
SELECT is(pg_temp.list('cats.complete(ARRAY[4], 2)'), '17 category, 11 trending', 'a basket has categories, too');
SELECT is(pg_temp.list('cats.top_n(NULL, 2)'), '11 trending, 12 trending', 'a guest has none');
SELECT is(pg_temp.list($$cats.top_n(1, 2, as_of => '2025-12-31')$$), '11 trending, 12 trending', 'nor who has none yet');
INSERT INTO buys VALUES (4, 12, '2026-04-03', 0);
SELECT is(pg_temp.list($$cats.top_n(4, 3, as_of => '2026-04-03')$$), '12 category, 11 trending, 13 trending', 'what was shown is taken back within its source');
SELECT is_empty(format($$(SELECT user_id, item_id, score, source, rank::int FROM cats.top_n_all(%1$s, as_of => '2026-04-04') EXCEPT ALL
  SELECT u, t.item_id, t.score, t.source, t.rank FROM (SELECT DISTINCT u FROM buys) u, LATERAL cats.top_n(u, %1$s, as_of => '2026-04-04') WITH ORDINALITY t(item_id, score, match, because, source, rank))
  UNION ALL (SELECT u, t.item_id, t.score, t.source, t.rank FROM (SELECT DISTINCT u FROM buys) u, LATERAL cats.top_n(u, %1$s, as_of => '2026-04-04') WITH ORDINALITY t(item_id, score, match, because, source, rank)
  EXCEPT ALL SELECT user_id, item_id, score, source, rank::int FROM cats.top_n_all(%1$s, as_of => '2026-04-04'))$$, k), 'for all at once as one by one, ' || k) FROM unnest(ARRAY[2, 20]) k;
SELECT is((SELECT string_agg(DISTINCT source, ' ' ORDER BY source) FROM cats.top_n_all(20)), 'category popular trending', 'with every source');
/* Another attribute, of several values each: u2 has x. */
SELECT is(pg_temp.list('cats.top_n(2, 3)'), '15 category, 11 trending, 12 trending', 'by category');
SELECT reco_configure('cats', category => 'tags');
SELECT is(pg_temp.list('cats.top_n(2, 3)'), '12 category, 13 category, 11 trending', 'by tags');
/* Every eligible item comes, whatever k. */
SELECT is((SELECT count(DISTINCT item_id) FROM cats.top_n(2, NULL)), 15::bigint, 'all but the one it has');

-- What it is worth: 300 people of six towns, each with a taste of its own; the newcomers' first choices.
CREATE TABLE town (id int PRIMARY KEY, town int);
INSERT INTO town SELECT n, n % 6 FROM generate_series(1, 360) n;
CREATE TABLE visits (u int, i int);
INSERT INTO visits SELECT DISTINCT n, CASE WHEN (n * 31 + k * 17) % 10 < 7 THEN 10 * (n % 6) + (n * 13 + k * k * 7) % 10 ELSE (n * 11 + k * 29) % 60 END FROM generate_series(1, 360) n, generate_series(1, 6) k;
SELECT reco_create_model('towns', 'SELECT u AS user_id, i AS item_id FROM visits WHERE u <= 300', users => 'SELECT id AS user_id, town FROM town');
SELECT pg_temp.refresh('towns');
SELECT ok(alike > 2.5 * popular, format('hits of ten: %s alike, %s popular', alike, popular))
FROM (SELECT count(*) AS alike FROM generate_series(301, 360) n CROSS JOIN LATERAL towns.top_n(n, 10) t JOIN visits v ON (v.u, v.i) = (n, t.item_id)) a,
     (SELECT count(*) AS popular FROM generate_series(301, 360) n CROSS JOIN LATERAL towns.top_n(NULL, 10) t JOIN visits v ON (v.u, v.i) = (n, t.item_id)) p;

SELECT * FROM finish();
ROLLBACK;
