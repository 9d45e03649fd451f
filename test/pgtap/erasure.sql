-- erasure: what a model holds of a person, row by row by hand; forgotten, it is what it would be if they had never been.

BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;
SET LOCAL timezone = 'UTC';

/* Everything that a model holds besides its settings, row by row; the time of the refresh is its own. */
CREATE FUNCTION pg_temp.learned(model text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY EXECUTE format('SELECT t::text FROM %1$I.learned_item t UNION ALL SELECT t::text FROM %1$I.learned_group t UNION ALL SELECT t::text FROM %1$I.learned_context t '
    'UNION ALL SELECT t::text FROM %1$I.item_factor t UNION ALL SELECT t::text FROM %1$I.learned_resume t UNION ALL SELECT (to_jsonb(m) - ''refreshed_at'')::text FROM %1$I.model m', model);
END $$;
CREATE FUNCTION pg_temp.refresh(model text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM reco_refresh(model); END $$;

/*
 * By hand.  1, 2 and 3 have a and b; 3 has c as well, and 4 has c and d.  So what is held of 3 are three events, a and b with three users each and
 * c with two, and the pair a, b, of three users, in either direction; a and c, b and c have 3 alone and are not there.  Of 4: c with two users; d, of 4 alone,
 * has no counts.
 */
CREATE TABLE act (u int, i text, w float8 DEFAULT 1);
INSERT INTO act SELECT u, i FROM generate_series(1, 3) u, unnest('{a,b}'::text[]) i UNION ALL VALUES (3, 'c'), (4, 'c'), (4, 'd');
CREATE TABLE person (u int, consent boolean, age text);
INSERT INTO person SELECT u, true, 'old' FROM generate_series(1, 4) u;
SELECT reco_create_model('small', 'SELECT u AS user_id, i AS item_id, w AS weight FROM act', users => 'SELECT u AS user_id, consent, age FROM person');
SELECT reco_configure('small', similarity => 'cosine', weighting => 'binary');
SELECT results_eq('SELECT place, item_id, detail FROM small.disclose(3)', $$VALUES ('events', 'a', '{"weight": 1}'::jsonb), ('events', 'b', '{"weight": 1}'), ('events', 'c', '{"weight": 1}'), ('users', NULL, '{"age": "old", "consent": true}')$$,
  'before anything is learned: the rows of the queries');
SELECT results_eq('SELECT place, traces FROM small.traces(3)', $$VALUES ('events', 3::bigint)$$, 'of which a refresh would learn three');
SELECT pg_temp.refresh('small');
SELECT results_eq($$SELECT place, item_id, CASE place WHEN 'similar' THEN detail || jsonb_build_object('similarity', round((detail ->> 'similarity')::numeric, 6)) ELSE detail END FROM small.disclose(3)$$,
  $$VALUES ('events', 'a', '{"weight": 1}'::jsonb), ('events', 'b', '{"weight": 1}'), ('events', 'c', '{"weight": 1}'), ('users', NULL, '{"age": "old", "consent": true}'),
    ('learned_item', 'a', '{"events": 3, "users": 3}'), ('learned_item', 'b', '{"events": 3, "users": 3}'), ('learned_item', 'c', '{"events": 2, "users": 2}'),
    ('similar', 'a', '{"support": 3, "similarity": 1.000000, "similar_item_id": "b"}'), ('similar', 'b', '{"support": 3, "similarity": 1.000000, "similar_item_id": "a"}')$$, 'of 3');
SELECT results_eq('SELECT place, item_id FROM small.disclose(4)', $$VALUES ('events', 'c'), ('events', 'd'), ('users', NULL), ('learned_item', 'c')$$, 'of 4: d, which 4 alone has, has no counts');
SELECT is_empty('SELECT * FROM small.disclose(99)', 'of somebody unknown');
SELECT is_empty('SELECT * FROM small.traces(99)', 'there is nothing');
SELECT results_eq('SELECT place, traces FROM small.traces(3)', $$VALUES ('events', 3::bigint), ('learned_item', 3), ('similar', 2)$$, 'traces of 3');
SELECT throws_like('SELECT * FROM small.forget(3)', 'model "small" still has events of this user to learn from', 'the events come first');
DELETE FROM act WHERE u = 3;
SELECT results_eq('SELECT place, traces FROM small.traces(3)', $$VALUES ('unaccounted', 3::bigint)$$, 'gone, they are still counted for three items');
SELECT results_eq('SELECT place, item_id FROM small.disclose(3)', $$VALUES ('users', NULL::text)$$, 'whose, nothing says');
SELECT ok(rows_written > 0 AND seconds > 0, 'forgotten') FROM small.forget(3);
SELECT is_empty('SELECT * FROM small.traces(3)', 'and nothing is left');
SELECT results_eq('SELECT item_id, events, users FROM small.learned_item ORDER BY 1', $$VALUES ('a', 2::bigint, 2), ('b', 2, 2), ('c', 0, 0), ('d', 0, 0)$$, 'counts of the others');
SELECT results_eq('SELECT item_id, similar_item_id, support FROM small.similar ORDER BY 1', $$VALUES ('a', 'b', 2), ('b', 'a', 2)$$, 'pairs of the others');
/* The events may stay where consent is taken back. */
SELECT results_eq('SELECT place, traces FROM small.traces(1)', $$VALUES ('events', 2::bigint), ('learned_item', 2), ('similar', 2)$$, 'traces of 1');
UPDATE person SET consent = false WHERE u = 1;
SELECT results_eq('SELECT place, traces FROM small.traces(1)', $$VALUES ('learned_item', 2::bigint), ('similar', 2), ('unaccounted', 2)$$, 'who takes consent back, and is in the counts still');
SELECT results_eq('SELECT place, item_id FROM small.disclose(1) WHERE place = ''learned_item''', $$VALUES ('learned_item', 'a'), ('learned_item', 'b')$$, 'which are disclosed');
SELECT ok(rows_written > 0, 'and forgotten') FROM small.forget(1);
SELECT is_empty('SELECT * FROM small.traces(1)', 'leaves no trace');
SELECT results_eq('SELECT place, item_id FROM small.disclose(1)', $$VALUES ('events', 'a'), ('events', 'b'), ('users', NULL)$$, 'but the events, which the owner has kept');
SELECT pg_temp.refresh('small');
SELECT is_empty('SELECT * FROM small.traces(1)', 'nor after the next refresh');
SELECT is_empty('SELECT * FROM small.similar', 'a and b have 2 alone');
/* A return undoes nothing of what is told: three events, of which two are counted. */
INSERT INTO act VALUES (2, 'a', -1), (2, NULL, 1), (2, 'b', NULL);
SELECT is((SELECT traces FROM small.traces(2) WHERE place = 'events'), 5::bigint, 'every row of theirs');

/*
 * The property: forgotten, a model is byte for byte one that never saw them, numbers of items, curve, groups, contexts and factors with it, although it
 * had learned from them, and items of theirs alone came first; and so it stays.
 */
CREATE TABLE visit (u int, i int, at timestamptz, device text);
INSERT INTO visit SELECT u, 1 + (u * 7 + n * n * 3 + u * n) % 40, '2026-01-05'::timestamptz + ((u * 37 + n * 101) % 2400) * interval '1 hour',
  CASE WHEN (u * 7 + n * n * 3 + u * n) % 40 < 20 AND n % 3 > 0 THEN 'phone' ELSE 'desk' END FROM generate_series(1, 400) u, generate_series(1, 12) n;
INSERT INTO visit SELECT 7, i, timestamptz '2026-01-01', 'watch' FROM generate_series(50, 59) i UNION ALL SELECT 8, i, timestamptz '2026-01-01', 'watch' FROM generate_series(50, 59) i;
CREATE TABLE thing AS SELECT i AS id, 'kind ' || i % 5 AS kind, ARRAY['tag ' || i % 7, 'tag ' || i % 4] AS tags FROM generate_series(1, 60) i;
CREATE TABLE people AS SELECT u AS id, 'segment ' || u % 4 AS segment FROM generate_series(1, 400) u;
SELECT reco_create_model('shop', 'SELECT u AS user_id, i AS item_id, at AS occurred_at, device FROM visit', 'SELECT id AS item_id, kind, tags FROM thing', 'SELECT id AS user_id, segment FROM people');
SELECT reco_create_model('never', 'SELECT u AS user_id, i AS item_id, at AS occurred_at, device FROM visit WHERE u <> 7', 'SELECT id AS item_id, kind, tags FROM thing', 'SELECT id AS user_id, segment FROM people');
CREATE FUNCTION pg_temp.compare(what text, VARIADIC settings text[]) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE s text; m text;
BEGIN
  FOREACH m IN ARRAY '{shop,never}'::text[] LOOP
    FOREACH s IN ARRAY settings LOOP EXECUTE format('SELECT reco_configure(%L, %s)', m, s); END LOOP;
  END LOOP;
  CREATE TEMP TABLE kept ON COMMIT DROP AS SELECT * FROM visit WHERE u = 7;
  DELETE FROM visit WHERE u <> 7;
  PERFORM pg_temp.refresh('shop');
  INSERT INTO visit SELECT * FROM pg_temp.everybody WHERE u <> 7;
  PERFORM pg_temp.refresh('shop');
  RETURN NEXT ok((SELECT count(*) FROM shop.traces(7) WHERE place IN ('events', 'learned_item')) = 2, what || ': there are traces');
  DELETE FROM visit WHERE u = 7;
  PERFORM shop.forget(7);
  DELETE FROM never.learned_item;
  PERFORM pg_temp.refresh('never');
  RETURN NEXT bag_eq('SELECT * FROM pg_temp.learned(''shop'')', 'SELECT * FROM pg_temp.learned(''never'')', what || ': as if they had never been');
  RETURN NEXT is_empty('SELECT * FROM shop.traces(7)', what || ': no traces');
  PERFORM pg_temp.refresh('shop');
  RETURN NEXT bag_eq('SELECT * FROM pg_temp.learned(''shop'')', 'SELECT * FROM pg_temp.learned(''never'')', what || ': nor after the next refresh');
  INSERT INTO visit SELECT * FROM kept;
  DROP TABLE kept;
END $$;
CREATE TEMP TABLE everybody AS SELECT * FROM visit;
SELECT pg_temp.compare('auto', 'contexts => ''{device, occurred_at}''', 'time_zone => ''Europe/Riga''');
SELECT pg_temp.compare('next', 'similarity => ''next''');
SELECT pg_temp.compare('cosine', 'similarity => ''cosine''', 'min_support => 1');
SELECT pg_temp.compare('factors', 'algorithm => ''factors''', 'factors => 4', 'iterations => 4', 'min_support => 2');

/* Disclosed are the groups and contexts of a person that they are counted in, and factors of their items. */
SELECT pg_temp.refresh('shop');
CREATE TEMP TABLE held AS SELECT * FROM shop.disclose(11);
SELECT bag_eq('SELECT item_id, detail FROM held WHERE place = ''events''', 'SELECT i, to_jsonb(v) - ''u'' - ''i'' - ''at'' || jsonb_build_object(''occurred_at'', at) FROM visit v WHERE u = 11', 'events');
SELECT results_eq('SELECT detail FROM held WHERE place = ''users''', $$VALUES ('{"segment": "segment 3"}'::jsonb)$$, 'the row of the users query');
SELECT bag_eq('SELECT item_id, detail ->> ''users'' FROM held WHERE place = ''learned_item''', 'SELECT item_id, users::text FROM shop.learned_item WHERE item_id IN (SELECT i FROM visit WHERE u = 11)', 'items');
SELECT bag_eq('SELECT item_id, detail ->> ''lift'' FROM held WHERE place = ''learned_group''', 'SELECT item_id, (to_jsonb(g) -> ''lift'')::text FROM shop.learned_group g WHERE value = ''segment 3'' AND item_id IN (SELECT i FROM visit WHERE u = 11)', 'groups');
SELECT ok(count(*) > 5, 'of which there are some') FROM held WHERE place = 'learned_group';
SELECT bag_eq('SELECT item_id, detail ->> ''value'' FROM held WHERE place = ''learned_context'' AND detail ->> ''context'' = ''device''',
  'SELECT DISTINCT item_id, value FROM shop.learned_context JOIN visit ON i = item_id AND value = device WHERE u = 11 AND context = ''device''', 'devices');
SELECT bag_eq('SELECT item_id, detail ->> ''value'' FROM held WHERE place = ''learned_context'' AND detail ->> ''context'' = ''occurred_at''',
  $$SELECT DISTINCT item_id, value FROM shop.learned_context JOIN visit ON i = item_id JOIN generate_series(-1, 1) h ON value = to_char(at AT TIME ZONE 'Europe/Riga' + h * interval '1 hour', 'Dy HH24') WHERE u = 11 AND context = 'occurred_at' AND events > 0$$, 'hours');
SELECT ok(count(*) > 5, 'of which there are some') FROM held WHERE place = 'learned_context';
SELECT bag_eq('SELECT item_id, detail -> ''factor'' FROM held WHERE place = ''item_factor''', 'SELECT item_id, to_jsonb(factor) FROM shop.item_factor WHERE item_id IN (SELECT i FROM visit WHERE u = 11)', 'factors of items');
SELECT bag_eq('SELECT item_id, (detail ->> ''similar_item_id'')::int FROM held WHERE place = ''similar''', 'SELECT item_id, similar_item_id FROM shop.similar WHERE support > 0 AND item_id IN (SELECT i FROM visit WHERE u = 11) AND similar_item_id IN (SELECT i FROM visit WHERE u = 11)', 'pairs');
SELECT bag_eq('SELECT place, traces FROM shop.traces(11)', 'SELECT place, count(*) FROM held WHERE place <> ''users'' GROUP BY 1', 'traces count what is disclosed');
SELECT bag_eq('SELECT place, item_id, detail FROM reco_disclose(11, ''shop'')', 'TABLE held', 'by the function and by the door');

/*
 * What fewer than min_support users did is in nothing that a reader can read: not in the counts, times and ranks of items, pairs, groups, contexts and factors.
 * 1 and 2 share a secret item and another one, 1 has one alone, and both use a device of their own.
 */
CREATE TABLE deed (u int, i text, at timestamptz, device text);
INSERT INTO deed SELECT u, 'item ' || (u + n * n) % 12, '2026-01-05'::timestamptz + ((u * 37 + n * 101) % 2400) * interval '1 hour', CASE WHEN n % 2 = 0 THEN 'phone' ELSE 'desk' END FROM generate_series(1, 200) u, generate_series(1, 6) n;
INSERT INTO deed SELECT 1, i, '2026-03-01'::timestamptz + n * interval '1 minute', 'watch' FROM generate_series(1, 80) n, unnest('{alone,item 5,secret}'::text[]) i;
INSERT INTO deed SELECT 2, i, '2026-03-02'::timestamptz + n * interval '1 minute', 'watch' FROM generate_series(1, 80) n, unnest('{item 5,secret,other}'::text[]) i;
CREATE TABLE doer AS SELECT u, CASE WHEN u < 3 THEN 'founder' ELSE 'segment ' || u % 2 END AS segment FROM generate_series(1, 200) u;
SELECT reco_create_model('deeds', 'SELECT u AS user_id, i AS item_id, at AS occurred_at, device FROM deed', users => 'SELECT u AS user_id, segment FROM doer');
SELECT reco_configure('deeds', contexts => '{device, occurred_at}');
CREATE FUNCTION pg_temp.few(support int, similarity text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('SELECT reco_configure(''deeds'', min_support => %s, similarity => %L)', support, similarity);
  PERFORM pg_temp.refresh('deeds');
  RETURN NEXT is_empty(format('SELECT l.* FROM deeds.learned_item l JOIN (SELECT i, count(DISTINCT u) AS users FROM deed GROUP BY 1) d ON i = item_id
    WHERE d.users < %s AND (l.events, l.users) <> (0, 0) OR d.users < %1$s AND num_nonnulls(popularity_log2, recent_log2, trending_rank, first_at, last_at) > 0', support), similarity || ', ' || support || ': items');
  RETURN NEXT is_empty(format('SELECT s.* FROM deeds.similar s WHERE support > 0 AND (SELECT count(*) FROM (SELECT u FROM deed WHERE i = item_id INTERSECT SELECT u FROM deed WHERE i = similar_item_id) b) < %s', support), similarity || ', ' || support || ': pairs');
  RETURN NEXT is_empty(format('SELECT g.* FROM deeds.learned_group g WHERE (SELECT count(DISTINCT u) FROM deed JOIN doer USING (u) WHERE i = item_id AND segment = value) < %s', support), similarity || ', ' || support || ': groups');
  RETURN NEXT is_empty(format('SELECT c.* FROM deeds.learned_context c WHERE context = ''device'' AND (SELECT count(DISTINCT u) FROM deed WHERE i = item_id AND device = value) BETWEEN 1 AND %s - 1', support), similarity || ', ' || support || ': contexts');
  RETURN NEXT is_empty(format('SELECT c.* FROM deeds.learned_context c WHERE context = ''occurred_at'' AND events > 0 AND (SELECT count(DISTINCT u) FROM deed, generate_series(-1, 1) h
    WHERE i = item_id AND value = to_char(at AT TIME ZONE ''UTC'' + h * interval ''1 hour'', ''Dy HH24'')) < %s', support), similarity || ', ' || support || ': hours');
  RETURN NEXT is_empty(format('SELECT f.* FROM deeds.item_factor f WHERE (SELECT count(DISTINCT u) FROM deed WHERE i = item_id) < %s', support), similarity || ', ' || support || ': factors');
END $$;
SELECT pg_temp.few(k, s) FROM unnest('{2,3,20,150}'::int[]) k, unnest('{cosine,ridge,next}'::text[]) s;
SELECT reco_configure('deeds', algorithm => 'factors', factors => 3, iterations => 3);
SELECT pg_temp.few(3, 'cosine');
SELECT ok(count(*) > 5, 'there are factors') FROM deeds.item_factor;
SELECT reco_configure('deeds', min_support => 1, algorithm => 'neighbors');
SELECT pg_temp.refresh('deeds');
SELECT ok(EXISTS (SELECT FROM deeds.learned_context WHERE value = 'watch' AND item_id = 'alone'), 'which would be there: a context of one');
SELECT ok(EXISTS (SELECT FROM deeds.similar WHERE item_id = 'alone'), 'a pair of one');
SELECT ok(EXISTS (SELECT FROM deeds.learned_item WHERE item_id = 'alone' AND events = 80 AND first_at IS NOT NULL), 'an item of one');

SELECT * FROM finish();
ROLLBACK;
