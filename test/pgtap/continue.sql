-- continue: what was left unfinished, by hand, and how likely it is resumed, against a count of every single visit.

BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;
SET LOCAL timezone = 'UTC';

CREATE FUNCTION pg_temp.refresh(model text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM reco_refresh(model); END $$;

-- Of users asked about one after the other in one statement what is alike is held in memory after some: answers that differ, or come in
-- another order, from those of a statement a user.
CREATE FUNCTION pg_temp.one_by_one(asked text, users int[]) RETURNS SETOF text[] LANGUAGE plpgsql AS $$
DECLARE u int; a text[];
BEGIN
  FOREACH u IN ARRAY users LOOP EXECUTE format('SELECT array_agg(c::text) FROM %s c', format(asked, u)) INTO a; RETURN NEXT a; END LOOP;
END $$;
CREATE FUNCTION pg_temp.differing(asked text, users int[]) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE differ bigint;
BEGIN
  users := users || users || users || users;
  EXECUTE format('SELECT count(*) FROM ROWS FROM (unnest($1), pg_temp.one_by_one($2, $1)) WITH ORDINALITY o(u, a, n) FULL JOIN'
    ' (SELECT n, (SELECT array_agg(c::text) FROM %s c) AS a FROM unnest($1) WITH ORDINALITY u(u, n)) m USING (n) WHERE o.a IS DISTINCT FROM m.a', format(asked, 'u')) INTO differ USING users, asked;
  RETURN differ;
END $$;

/*
 * One viewer, five visits: 1, 3, 6, 10 and 12 January.  Film 1 stops at .4 on the 1st and goes on on the 6th: it waited for two
 * visits, and the second was it.  Film 2 stops at .6 on the 3rd and waits ever since: three visits.  So of the first visits
 * after 0 of 2, of the second 1 of 2, of the third 0 of 1, of all 1 of 5:
 *   p = 2 / 7    p(third or fourth) = (0 + 20 * 2/7) / 21 = 40 / 147    p(half to three quarters, third or fourth) = (0 + 20 * 40/147) / 21 = 800 / 3087
 */
CREATE TABLE watched (viewer int, film int, at timestamptz, progress float8, signal text, weight float8 DEFAULT 1);
INSERT INTO watched VALUES (1, 2, '2026-01-03 20:00Z', .6), (1, 1, '2026-01-01 20:00Z', .4), (1, 1, '2026-01-06 20:00Z', 1),
  (1, 3, '2026-01-12 20:00Z', 1), (1, 3, '2026-01-10 20:00Z', 1);
CREATE TABLE film (id int, show text, episode int);
INSERT INTO film SELECT n FROM generate_series(1, 9) n;
SELECT reco_create_model('tv', 'SELECT viewer AS user_id, film AS item_id, at AS occurred_at, progress, signal, weight FROM watched',
  'SELECT id AS item_id, show, episode FROM film');
SELECT reco_configure('tv', min_support => 1);
SELECT pg_temp.refresh('tv');
SELECT results_eq($$SELECT progress_from, progress_to, visit_from, visit_to, trials, resumed FROM tv.learned_resume WHERE kind = 'unfinished' AND trials > 0 ORDER BY 1, 3$$,
  $$VALUES (.25::float8, .5::float8, 1, 1, 1::bigint, 0::bigint), (.25, .5, 2, 2, 1, 1), (.5, .75, 1, 1, 1, 0), (.5, .75, 2, 2, 1, 0), (.5, .75, 3, 4, 1, 0)$$,
  'trials are the later visits, until one resumes it');
SELECT results_eq($$SELECT item_id, kind, round(probability::numeric, 9), progress, last_at, series, after FROM tv.continue(1, as_of => '2026-01-13')$$,
  $$VALUES (2, 'unfinished', round(800 / 3087::numeric, 9), .6::float8, timestamptz '2026-01-03 20:00Z', NULL::text, NULL::int)$$, 'film 2 waits for its fourth visit');
SELECT results_eq($$SELECT item_id, progress FROM tv.continue(1, as_of => '2026-01-04')$$, 'VALUES (1, .4::float8), (2, .6)', 'as of the fourth, film 1 waited for its second visit, 2 for its first');
SELECT results_eq($$SELECT count(*), min(probability), max(probability) FROM tv.learned_resume$$, 'SELECT 20::bigint, min(probability), max(probability) FROM tv.learned_resume WHERE probability BETWEEN 0 AND 1',
  'every quarter of progress and every visit has its share, between 0 and 1');

-- What a statement adds itself is not there for it, as for any query, but for the next.
CREATE FUNCTION pg_temp.watch(viewer int) RETURNS int LANGUAGE sql AS $$INSERT INTO watched VALUES (viewer, 1, '2026-01-02 20:00Z', .5) RETURNING viewer$$;
SELECT results_eq($$SELECT viewer, item_id FROM (SELECT pg_temp.watch(8) AS viewer OFFSET 0) w LEFT JOIN LATERAL tv.continue(viewer) ON true$$, 'VALUES (8, NULL::int)', 'begun by the statement that asks');
SELECT results_eq('SELECT item_id FROM tv.continue(8)', 'VALUES (1)', 'and asked by the next');
DELETE FROM watched WHERE viewer = 8;

-- Whose history is empty, or of one event, or all at one instant.
SELECT is_empty('SELECT * FROM tv.continue(77)', 'nobody');
SELECT is_empty('SELECT * FROM tv.continue(NULL)', 'a guest');
INSERT INTO watched VALUES (2, 4, '2026-01-02', .5);
SELECT results_eq('SELECT item_id FROM tv.continue(2)', 'VALUES (4)', 'one event');
INSERT INTO watched SELECT 3, n, '2026-01-02', n / 10.0 FROM generate_series(1, 9) n;
SELECT results_eq('SELECT count(*), count(DISTINCT last_at), max(progress) FROM tv.continue(3, NULL)', 'VALUES (9::bigint, 1::bigint, .9::float8)', 'all at one instant');
INSERT INTO watched VALUES (3, 1, '2026-01-02', .7);
SELECT results_eq('SELECT progress FROM tv.continue(3, NULL) WHERE item_id = 1', 'VALUES (.7::float8)', 'of two at one instant the further');

-- Progress that is none, or beyond.
INSERT INTO watched VALUES (4, 1, '2026-01-02', 0), (4, 2, '2026-01-02', -3), (4, 3, '2026-01-02', 1.5), (4, 4, '2026-01-02', 'NaN'), (4, 5, '2026-01-02', 'Infinity'),
  (4, 6, '2026-01-02', '-Infinity'), (4, 7, '2026-01-02', NULL), (4, 8, '2026-01-02', .95), (4, 9, '2026-01-02', .949);
SELECT results_eq('SELECT item_id, progress FROM tv.continue(4)', 'VALUES (9, .949::float8)', 'below 0 is not begun, above 1 is finished, NaN and NULL say nothing');
INSERT INTO watched VALUES (8, 1, '2026-01-02', .4), (8, 1, '2026-01-03', NULL), (8, 2, '2026-01-02', .4), (8, 2, '2026-01-03', 'NaN');
SELECT results_eq('SELECT item_id, progress FROM tv.continue(8) ORDER BY 1', 'VALUES (1, .4::float8), (2, .4)', 'not even that it is finished');
SELECT results_eq($$SELECT item_id FROM tv.continue(4, unfinished => '{"finished": 0.99}') ORDER BY 1$$, 'VALUES (8), (9)', 'what is all of it may be said');

-- What may not come: disliked, not in the catalogue, in the future.
INSERT INTO watched VALUES (5, 1, '2026-01-02', .5, NULL, 1), (5, 1, '2026-01-03', NULL, NULL, -2), (5, 2, '2026-01-02', .5, NULL, 1), (5, 99, '2026-01-02', .5, NULL, 1), (5, 3, '2999-01-01', .5, NULL, 1), (5, 4, 'infinity', .5, NULL, 1);
SELECT results_eq('SELECT item_id FROM tv.continue(5)', 'VALUES (2)', 'neither disliked nor gone nor to come');

-- Baskets: what was put in, and neither bought nor removed since; at one instant bought counts.
SELECT reco_configure('tv', unfinished => '{"basket": ["cart", "again"], "bought": ["buy"], "removed": ["drop"]}');
INSERT INTO watched VALUES (6, 1, '2026-01-02', NULL, 'cart'), (6, 2, '2026-01-02', NULL, 'again'), (6, 2, '2026-01-03', NULL, 'buy'), (6, 3, '2026-01-04', NULL, 'cart'), (6, 3, '2026-01-02', NULL, 'buy'),
  (6, 4, '2026-01-02', NULL, 'cart'), (6, 4, '2026-01-02', NULL, 'buy'), (6, 5, '2026-01-02', NULL, 'cart'), (6, 5, '2026-01-03', NULL, 'drop'), (6, 6, '2026-01-02', NULL, 'view'),
  (6, 7, '2026-01-02', .5, 'view'), (6, 7, '2026-01-03', NULL, 'drop'), (6, 8, '2026-01-02', .5, 'view'), (6, 9, '2026-01-02', .5, 'cart');
SELECT results_eq('SELECT item_id, kind FROM tv.continue(6) ORDER BY 1', $$VALUES (1, 'basket'), (3, 'basket'), (8, 'unfinished'), (9, 'basket')$$, 'baskets, and what was removed does not wait either; each item once');
SELECT is(pg_temp.differing($$tv.continue(%s, NULL, as_of => '2026-01-05')$$, ARRAY[1, 2, 3, 4, 5, 6, 7]), 0::bigint, 'of many users in one statement the same');
-- Every cart of a visit before the last that is bought later: film 2 at the next visit; film 3 is in the last, 1 waits for two; what is removed was not resumed.
SELECT pg_temp.refresh('tv');
SELECT results_eq($$SELECT visit_from, trials, resumed FROM tv.learned_resume WHERE kind = 'basket' AND trials > 0 ORDER BY 1$$, 'VALUES (1, 4::bigint, 1::bigint), (2, 2, 0)',
  'of four baskets one was bought at the next visit, two waited longer');

-- Days are those of the time zone of the model: half past eleven at night in London is the next day in Riga.
INSERT INTO watched VALUES (7, 1, '2026-01-02 12:00Z', .5), (7, 2, '2026-01-02 23:30Z', .5);
SELECT results_eq($$SELECT count(DISTINCT probability) FROM tv.continue(7)$$, 'VALUES (1::bigint)', 'one visit in UTC');
SELECT reco_configure('tv', time_zone => 'Europe/Riga');
UPDATE tv.learned_resume SET probability = visit_from / 100.0;
SELECT results_eq($$SELECT item_id, probability FROM tv.continue(7)$$, 'VALUES (1, .02::float8), (2, .01)', 'two in Riga');

/*
 * Series: a show of four parts and one of two.  Whoever finished 1 and 2 is to see 3; who is in the middle of a part goes on with
 * that; who saw the last has nothing before them, whatever was left out; a part without a place is none.
 */
SELECT reco_configure('tv', time_zone => 'UTC', unfinished => '{"series": "show", "order": "episode", "removed": ["drop"]}');
UPDATE film SET show = CASE WHEN id <= 5 THEN 'long' ELSE 'short' END, episode = CASE WHEN id <= 4 THEN 5 - id WHEN id IN (6, 7) THEN id END;
DELETE FROM watched;
INSERT INTO watched VALUES (1, 4, '2026-01-01', 1), (1, 3, '2026-01-02', 1), (1, 6, '2026-01-04', 1), (2, 4, '2026-01-01', 1), (2, 3, '2026-01-02', .3),
  (3, 1, '2026-01-01', 1), (4, 6, '2026-01-01', NULL), (5, 5, '2026-01-01', 1), (6, 2, '2026-01-01', 1), (6, 3, '2026-01-03', 1);
INSERT INTO watched VALUES (6, 1, '2026-01-01', NULL, 'drop', 0);
SELECT results_eq('SELECT item_id, kind, series, after, last_at FROM tv.continue(1) ORDER BY 1', $$VALUES (2, 'next', 'long', 3, timestamptz '2026-01-02'), (7, 'next', 'short', 6, '2026-01-04')$$, 'the next of each series');
SELECT results_eq('SELECT item_id, kind, series FROM tv.continue(2)', $$VALUES (3, 'unfinished', 'long')$$, 'a part under way comes before the next');
SELECT is_empty('SELECT * FROM tv.continue(3)', 'after the last nothing comes');
SELECT results_eq('SELECT item_id FROM tv.continue(4)', 'VALUES (7)', 'without progress an event is all of it');
SELECT is_empty('SELECT * FROM tv.continue(5)', 'a part without a place leads nowhere');
SELECT is_empty('SELECT * FROM tv.continue(6)', 'what was removed is not next');

SELECT is(pg_temp.differing('tv.continue(%s, NULL)', ARRAY[1, 2, 3, 4, 5, 6, 7]), 0::bigint, 'of series, too');
SELECT is(pg_temp.differing('tv.continue(%s, 1)', ARRAY[1, 2, 3, 4, 5, 6, 7]), 0::bigint, 'of each the likeliest');

-- Kept out of discovery lists: by what is seen, and what is next by exclude.
SELECT reco_configure('tv', min_support => 1, similarity => 'cosine');
SELECT pg_temp.refresh('tv');
SELECT is_empty('SELECT item_id FROM tv.top_n(2, NULL) INTERSECT SELECT item_id FROM tv.continue(2, NULL)', 'what is unfinished is seen');
SELECT isnt_empty('SELECT item_id FROM tv.top_n(1, NULL) INTERSECT SELECT item_id FROM tv.continue(1, NULL)', 'what is next is not');
SELECT is_empty('SELECT item_id FROM tv.top_n(1, NULL, exclude => ARRAY(SELECT item_id FROM tv.continue(1, NULL))) INTERSECT SELECT item_id FROM tv.continue(1, NULL)', 'and can be excluded');

-- Events without times: no visits to count by, and a half for everything.
SELECT reco_create_model('timeless', $$SELECT viewer AS user_id, film AS item_id, progress, CASE WHEN film = 9 THEN 'cart' WHEN film = 8 THEN 'buy' END AS signal FROM watched
  UNION ALL VALUES (9, 1, .2, NULL), (9, 1, .4, NULL), (9, 2, 1, NULL), (9, 9, NULL, NULL), (9, 9, NULL, 'cart'), (9, 8, NULL, 'cart'), (9, 8, NULL, 'buy')$$);
SELECT pg_temp.refresh('timeless');
SELECT results_eq($$SELECT item_id, kind, probability, progress, last_at FROM timeless.continue(9, unfinished => '{"basket": ["cart"], "bought": ["buy"]}') ORDER BY 1$$,
  $$VALUES (1, 'unfinished', .5::float8, .4::float8, NULL::timestamptz), (9, 'basket', .5, NULL, NULL)$$, 'without times the furthest counts');
SELECT is_empty('SELECT * FROM timeless.learned_resume', 'and nothing is counted');

/*
 * Planted: 200 viewers leave films at one of four places and come back to them, or put films in baskets, or follow series, at visits drawn by
 * hashes.  Counted anew, one row for every pause and every visit that followed it.
 */
CREATE TABLE planted (u int, i int, at timestamptz, progress float8, signal text);
CREATE INDEX ON planted (u, i);
CREATE FUNCTION pg_temp.lot(VARIADIC n int[]) RETURNS float8 LANGUAGE sql AS $$ SELECT (hashtextextended(n::text, 0) & 1048575) / 1048576.0 $$;
INSERT INTO planted
SELECT u, i, '2026-03-01'::timestamptz + d * interval '1 day' + i * interval '1 minute', CASE WHEN kind = 0 THEN .125 + .25 * (i % 4) END, CASE WHEN kind = 1 THEN 'cart' END
FROM generate_series(1, 200) u, generate_series(0, 40) d, LATERAL (SELECT (hashint4(u * 50 + d) & 1023) % 60 AS i) x, LATERAL (SELECT i / 20 AS kind) y
WHERE pg_temp.lot(u, d) < .15 + u % 4 * .1;
-- Of what was left, the further on the sooner it is taken up, each time somebody is there.
INSERT INTO planted SELECT p.u, p.i, v.at, CASE WHEN p.progress IS NOT NULL THEN 1 END, CASE WHEN p.signal = 'cart' THEN CASE WHEN pg_temp.lot(p.u, p.i, 3) < .2 THEN 'drop' ELSE 'buy' END END
FROM planted p CROSS JOIN LATERAL (SELECT v.at FROM planted v WHERE v.u = p.u AND v.at::date > p.at::date AND pg_temp.lot(p.u, p.i, extract(doy FROM v.at)::int) < coalesce(p.progress, .3) * .6 ORDER BY v.at LIMIT 1) v
WHERE p.i < 40;
SELECT reco_create_model('planted', 'SELECT u AS user_id, i AS item_id, at AS occurred_at, progress, signal FROM planted',
  $$SELECT i AS item_id, CASE WHEN i >= 40 THEN 'series ' || i % 4 END AS show, i AS part FROM generate_series(0, 59) i$$);
SELECT reco_configure('planted', unfinished => '{"basket": ["cart"], "bought": ["buy"], "removed": ["drop"], "series": "show", "order": "part"}');
SELECT pg_temp.refresh('planted');
CREATE TABLE visit AS SELECT DISTINCT u, at::date AS day FROM planted;
CREATE TABLE touch AS -- what the end of a visit left of each thing
  SELECT 'unfinished' AS kind, u, i::text AS what, at::date AS day, (array_agg(progress ORDER BY at DESC, progress DESC))[1] AS state, false AS gone FROM planted WHERE progress IS NOT NULL GROUP BY u, i, at::date
  UNION ALL SELECT 'basket', u, i::text, at::date, CASE s[1] WHEN 'cart' THEN .5 ELSE 1 END, s[1] = 'drop'
    FROM (SELECT u, i, at::date AS at, array_agg(signal ORDER BY at DESC, signal = 'cart', signal DESC) AS s FROM planted WHERE signal IS NOT NULL GROUP BY u, i, at::date) b
  UNION ALL SELECT 'next', p.u, 'series ' || p.s, p.day, CASE WHEN (SELECT max(e.i) FROM planted e WHERE e.u = p.u AND e.i >= 40 AND e.i % 4 = p.s AND e.at::date <= p.day) < 56 + p.s THEN .5 ELSE 1 END, false
    FROM (SELECT DISTINCT u, i % 4 AS s, at::date AS day FROM planted WHERE i >= 40) p;
CREATE INDEX ON touch (u, kind, what, day);
ANALYZE visit, touch;
CREATE TABLE anew AS SELECT kind, quarter / 4.0 AS progress_from, CASE WHEN number <= 2 THEN number WHEN number <= 4 THEN 3 WHEN number <= 8 THEN 5 ELSE 9 END AS visit_from, count(*) AS trials, count(*) FILTER (WHERE resumed) AS resumed
  FROM (SELECT t.kind, CASE WHEN t.kind = 'unfinished' THEN floor(t.state * 4)::int ELSE 0 END AS quarter, number, coalesce(NOT (SELECT gone FROM touch a WHERE (a.kind, a.u, a.what, a.day) = (t.kind, t.u, t.what, v.day)), false) AS resumed
    FROM touch t CROSS JOIN LATERAL (SELECT v.day, row_number() OVER (ORDER BY v.day) AS number FROM visit v WHERE v.u = t.u AND v.day > t.day) v
    WHERE t.state < .95 AND NOT EXISTS (SELECT FROM touch b WHERE (b.kind, b.u, b.what) = (t.kind, t.u, t.what) AND b.day > t.day AND b.day < v.day)) n
  GROUP BY 1, 2, 3;
SELECT bag_eq('SELECT kind, progress_from::numeric, visit_from::int, trials, resumed FROM planted.learned_resume WHERE trials > 0', 'SELECT kind, progress_from, visit_from::int, trials, resumed FROM anew', 'trials counted one by one are the same');
SELECT cmp_ok((SELECT sum(trials) FROM anew WHERE kind = k), '>', 300::numeric, 'and many, of ' || k) FROM unnest(ARRAY['unfinished', 'basket', 'next']) k;
SELECT bag_eq('SELECT kind, progress_from, visit_from, round(probability::numeric, 12) FROM planted.learned_resume',
  $$SELECT l.kind, l.progress_from, l.visit_from, round((((c.resumed + 20 * ((v.resumed + 20 * ((k.resumed + 1) / (k.trials + 2))) / (v.trials + 20))) / (c.trials + 20)))::numeric, 12)
    FROM planted.learned_resume l, LATERAL (SELECT coalesce(sum(trials), 0)::float8 AS trials, coalesce(sum(resumed), 0)::float8 AS resumed FROM anew a WHERE a.kind = l.kind AND a.progress_from = l.progress_from AND a.visit_from = l.visit_from) c,
    LATERAL (SELECT coalesce(sum(trials), 0)::float8 AS trials, coalesce(sum(resumed), 0)::float8 AS resumed FROM anew a WHERE a.kind = l.kind AND a.visit_from = l.visit_from) v,
    LATERAL (SELECT sum(trials)::float8 AS trials, sum(resumed)::float8 AS resumed FROM anew a WHERE a.kind = l.kind) k$$, 'shares are shrunk as the formula says');
SELECT ok(bool_and(probability > before), 'the further on, the likelier') FROM (SELECT probability, lag(probability) OVER (ORDER BY progress_from) AS before FROM planted.learned_resume WHERE kind = 'unfinished' AND visit_from = 1) p WHERE before IS NOT NULL;

SELECT is(pg_temp.differing($$planted.continue(%s, NULL, as_of => '2026-03-31')$$, ARRAY(SELECT generate_series(0, 201))), 0::bigint, 'of many viewers in one statement the same');
SELECT cmp_ok(count(*), '>', 100::bigint, 'and it is ' || kind) FROM generate_series(1, 200) u, LATERAL planted.continue(u, NULL, as_of => '2026-03-31') GROUP BY kind;

/*
 * Ids of text, in the order of their bytes where nothing else decides; parts that share a place, a part of two series, parts
 * without a place; a signal of two lists; what has no weight, or is disliked.
 */
CREATE TABLE odd (u int, i text, at timestamptz, progress float8, signal text, weight float8);
INSERT INTO odd SELECT u, (ARRAY['a', 'B', 'b', 'A b', 'ab', 'Z', 'z-1', 'z1', 'ä', ''])[1 + (hashint4(u * 97 + n) & 1023) % 10], '2026-01-01'::timestamptz + (hashint4(u + n * 31) & 1023) % 5 * interval '7 hours',
    CASE WHEN n % 3 = 0 THEN (hashint4(n) & 7) / 6.0 WHEN n % 7 = 0 THEN 'NaN' END, (ARRAY['cart', 'buy', 'drop', 'both', 'view', NULL])[1 + (hashint4(u * 13 + n) & 1023) % 6],
    (ARRAY[1, 1, 1, 0, -1, NULL, 2e38])[1 + (hashint4(u * 7 + n) & 1023) % 7]
  FROM generate_series(1, 60) u, generate_series(1, 8) n WHERE n <= 1 + u % 8;
INSERT INTO odd VALUES (61, 'a', '2026-01-01', .5, NULL, 1), (61, 'b', '2026-01-01', .5, NULL, 1);
CREATE TABLE odd_part (i text, show text, part numeric);
INSERT INTO odd_part VALUES ('a', 'two', 3), ('b', 'two', 4), ('Z', 'two', 5), ('a', 'one', 1), ('B', 'one', 2), ('b', 'one', 2), ('A b', 'one', 3), ('ab', 'two', 1), ('Z', 'two', 'NaN'), ('z-1', 'two', NULL), ('A b', 'two', 2), ('z1', NULL, 1), ('ä', 'three', 1), ('new', 'three', 2),
  ('newer', 'three', 2), ('new', 'two', 1.5), (NULL, 'three', 1.5);
SELECT reco_create_model('odd', 'SELECT u AS user_id, i AS item_id, at AS occurred_at, progress, signal, weight FROM odd', 'SELECT i AS item_id, show, part FROM odd_part');
SELECT reco_configure('odd', min_support => 1, unfinished => '{"basket": ["cart", "both"], "bought": ["buy", "both"], "removed": ["drop"], "series": "show", "order": "part", "finished": 0.8}');
SELECT pg_temp.refresh('odd');
SELECT is(pg_temp.differing($$odd.continue(%s, NULL, as_of => '2026-01-02')$$, ARRAY(SELECT generate_series(1, 61))), 0::bigint, 'of odd ones the same');
SELECT results_eq($$SELECT item_id, series FROM odd.continue(61, NULL, as_of => '2026-01-02')$$, $$VALUES ('a', 'one'), ('b', 'one')$$, 'of what is a part of two series the first');
SELECT cmp_ok(count(*), '>', 10::bigint, 'of which there is ' || kind) FROM generate_series(1, 60) u, LATERAL odd.continue(u, NULL, as_of => '2026-01-02') GROUP BY kind;
DELETE FROM odd.learned_resume;
SELECT is(pg_temp.differing('odd.continue(%s, NULL)', ARRAY(SELECT generate_series(1, 60))), 0::bigint, 'where nothing was counted, too');
SET LOCAL maintenance_work_mem = '1MB';
INSERT INTO odd_part SELECT 'more ' || n FROM generate_series(1, 10000) n;
SELECT is(pg_temp.differing('odd.continue(%s, NULL)', ARRAY(SELECT generate_series(1, 60))), 0::bigint, 'and where there is no room to hold the catalogue');
RESET maintenance_work_mem;
SELECT is(pg_temp.differing('timeless.continue(%s, NULL)', ARRAY(SELECT generate_series(1, 9))), 0::bigint, 'without times and catalogue');

-- Columns of different collations are compared all the same.
SELECT reco_create_model('mixed', 'SELECT u AS user_id, i COLLATE "C" AS item_id, at AS occurred_at, progress, signal COLLATE "POSIX" AS signal, weight FROM odd',
                         'SELECT i COLLATE "POSIX" AS item_id, show COLLATE "C" AS show, part FROM odd_part');
SELECT reco_configure('mixed', min_support => 1, unfinished => '{"basket": ["cart", "both"], "bought": ["buy", "both"], "removed": ["drop"], "series": "show", "order": "part", "finished": 0.8}');
SELECT pg_temp.refresh(m) FROM unnest(ARRAY['odd', 'mixed']) m;
SELECT cmp_ok(count(*), '>', 0::bigint, 'series are counted') FROM mixed.learned_resume WHERE kind = 'next' AND trials > 0;
SELECT bag_eq('TABLE mixed.learned_resume', 'TABLE odd.learned_resume', 'of columns of different collations the same is counted');
SELECT bag_eq('SELECT u, c.* FROM generate_series(1, 61) u, LATERAL mixed.continue(u, NULL, as_of => ''2026-01-02'') c',
              'SELECT u, c.* FROM generate_series(1, 61) u, LATERAL odd.continue(u, NULL, as_of => ''2026-01-02'') c', 'and the same goes on');
SELECT is(pg_temp.differing($$mixed.continue(%s, NULL, as_of => '2026-01-02')$$, ARRAY(SELECT generate_series(1, 61))), 0::bigint, 'in one statement the same');
SELECT bag_eq('SELECT * FROM reco_hooks(''mixed'', .01, 1, true)', 'SELECT * FROM reco_hooks(''odd'', .01, 1, true)', 'and viewers stay at the same');
DELETE FROM odd.learned_resume;

-- A thing that is next in two series, which were both gone on with at one moment: it waits in the first of them by name, whichever event comes first.
INSERT INTO odd VALUES (100, 'ab', '2026-01-01'), (100, 'ä', '2026-01-01'), (101, 'ä', '2026-01-01'), (101, 'ab', '2026-01-01');
UPDATE odd SET weight = 1 WHERE u >= 100;
SELECT results_eq($$SELECT u, item_id, series FROM generate_series(100, 101) u, LATERAL odd.continue(u, NULL) WHERE item_id = 'new' ORDER BY u$$, $$VALUES (100, 'new', 'three'), (101, 'new', 'three')$$, 'next in two series');
SELECT is(pg_temp.differing('odd.continue(%s, NULL)', ARRAY(SELECT generate_series(90, 101))), 0::bigint, 'in one statement the same');

-- More things than there is room for at first, which are in the way of one user after the other.
INSERT INTO watched (viewer, film, progress) SELECT v, 100 + n, (n + v) % 8 / 8.0 FROM generate_series(21, 23) v, generate_series(1, 2500) n WHERE n % 3 <> v % 3;
SELECT is(count(*), (SELECT count(*) FROM watched WHERE viewer >= 21 AND progress > 0), 'all that was begun') FROM generate_series(21, 23) v, timeless.continue(v, NULL);
SELECT is(pg_temp.differing('timeless.continue(%s, NULL)', ARRAY[21, 22, 23]), 0::bigint, 'of thousands of things the same');

-- Order of rows: the same table whatever order events come in.
CREATE TABLE first_time AS SELECT * FROM planted.learned_resume;
CREATE OR REPLACE VIEW planted.events WITH (security_invoker = true) AS SELECT u AS user_id, i AS item_id, at AS occurred_at, progress, signal FROM planted ORDER BY hashint4(i * 1000 + u), at DESC;
SELECT pg_temp.refresh('planted');
SELECT bag_eq('TABLE planted.learned_resume', 'TABLE first_time', 'in another order of rows the same');

-- Does it hold of what was not counted?  Learned from the first half, asked before every visit of the second.
CREATE OR REPLACE VIEW planted.events WITH (security_invoker = true) AS SELECT u AS user_id, i AS item_id, at AS occurred_at, progress, signal FROM planted WHERE at < '2026-03-22';
SELECT pg_temp.refresh('planted');
CREATE OR REPLACE VIEW planted.events WITH (security_invoker = true) AS SELECT u AS user_id, i AS item_id, at AS occurred_at, progress, signal FROM planted;
CREATE TABLE listed AS SELECT a.u, a.day, c.*, row_number() OVER (PARTITION BY a.u, a.day ORDER BY c.probability DESC, c.last_at DESC) AS likely, row_number() OVER (PARTITION BY a.u, a.day ORDER BY c.last_at DESC) AS latest,
    EXISTS (SELECT FROM planted p WHERE p.u = a.u AND p.i = c.item_id AND p.at::date = a.day) AS resumed
  FROM visit a CROSS JOIN LATERAL planted.continue(a.u, NULL, a.day - interval '1 second') c WHERE c.kind = 'unfinished' AND a.day >= '2026-03-22' AND a.u % 2 = 0;
SELECT cmp_ok(count(*) FILTER (WHERE likely = 1 AND resumed), '>', count(*) FILTER (WHERE latest = 1 AND resumed), 'the likeliest is taken up more often than the latest') FROM listed;
SELECT ok(abs(sum(probability) - count(*) FILTER (WHERE resumed)) < .15 * sum(probability), format('%s of %s were resumed, %s were to be expected', count(*) FILTER (WHERE resumed), count(*), round(sum(probability)::numeric, 1))) FROM listed;
SELECT diag(format('first of the list resumed: %s of %s, the latest: %s', count(*) FILTER (WHERE likely = 1 AND resumed), count(*) FILTER (WHERE likely = 1), count(*) FILTER (WHERE latest = 1 AND resumed))) FROM listed;
SELECT diag(format('%s of %s were resumed, %s were to be expected', count(*) FILTER (WHERE resumed), count(*), round(sum(probability)::numeric, 1))) FROM listed;

-- Read with the rights of whoever asks.
CREATE ROLE reco_continue_reader;
GRANT USAGE ON SCHEMA planted TO reco_continue_reader;
SET LOCAL ROLE reco_continue_reader;
SELECT throws_ok('SELECT * FROM planted.continue(1)', '42501', NULL, 'who may not read the events is told nothing');
SELECT throws_ok('SELECT * FROM planted.hooks()', '42501', NULL, 'of series neither');
RESET ROLE;

SELECT * FROM finish();
ROLLBACK;
