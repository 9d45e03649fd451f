-- consent: who did not say yes is not learned from; by hand, and byte for byte what is learned where they have never been.

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
CREATE FUNCTION pg_temp.refresh(model text, OUT events bigint, OUT users bigint, OUT skipped bigint) LANGUAGE sql AS $$
  SELECT events, users, skipped_no_consent FROM reco_refresh(model) $$;

/*
 * By hand.  a and b were chosen by users 1, 2, 3, who said yes: n = 3 each, cosine 3 / sqrt(3 * 3) = 1, support 3.  c was chosen with a by
 * 4 (no), 5 (NULL), 6 (no row), 7 (a yes and a no) and 8 (twice yes): of c one user is left, of a four.  So cosine(a, b) = 3 / sqrt(4 * 3) =
 * .866025; a and c have one user in common, less than min_support.  Left out are the two events of each of 4, 5, 6 and 7.
 */
CREATE TABLE act (u int, i text);
CREATE TABLE person (u bigint, consent boolean, age text);
INSERT INTO act SELECT u, i FROM generate_series(1, 3) u, unnest('{a,b}'::text[]) i UNION ALL SELECT u, i FROM generate_series(4, 8) u, unnest('{a,c}'::text[]) i;
INSERT INTO person VALUES (1, true, 'old'), (2, true, 'old'), (3, true, 'old'), (4, false, 'old'), (5, NULL, 'old'), (7, true, 'old'), (7, false, 'old'), (8, true, 'old'), (8, true, 'young'), (NULL, true, 'old'), (NULL, false, 'old');
SELECT reco_create_model('small', 'SELECT u AS user_id, i AS item_id FROM act', users => 'SELECT u AS user_id, consent, age FROM person');
SELECT reco_configure('small', similarity => 'cosine', weighting => 'binary');
SELECT results_eq('SELECT * FROM pg_temp.refresh(''small'')', 'VALUES (8::bigint, 4::bigint, 8::bigint)', 'events learned from, of how many users, and those left out');
SELECT results_eq('SELECT item_id, events, users FROM small.learned_item ORDER BY 1', $$VALUES ('a', 4::bigint, 4), ('b', 3, 3), ('c', 0, 0)$$, 'counts of who said yes; c has one user');
SELECT results_eq('SELECT item_id, similar_item_id, round(similarity::numeric, 6), support FROM small.similar ORDER BY 1', 'VALUES (''a'', ''b'', .866025, 3), (''b'', ''a'', .866025, 3)', 'pairs of who said yes');
SELECT results_eq('SELECT item_id, source FROM small.top_n(4, 1)', $$VALUES ('b', 'personal')$$, 'who said no has a list of their own history, which is read when they ask');
SELECT results_eq('SELECT item_id, source FROM small.top_n(6, 1)', $$VALUES ('b', 'personal')$$, 'and who was not asked');
SELECT results_eq('SELECT events, users FROM reco_estimate(''small'')', 'VALUES (8::bigint, 4::bigint)', 'an estimate knows of it');
UPDATE person SET consent = true;
SELECT results_eq('SELECT * FROM pg_temp.refresh(''small'')', 'VALUES (14::bigint, 7::bigint, 2::bigint)', 'yes makes the difference, and a row');
SELECT results_eq('SELECT similar_item_id FROM small.similar WHERE item_id = ''c''', $$VALUES ('a')$$, 'and c has its neighbour');
UPDATE person SET consent = NULL;
SELECT results_eq('SELECT * FROM pg_temp.refresh(''small'')', 'VALUES (0::bigint, 0::bigint, 16::bigint)', 'no answer is no yes');
SELECT is_empty('SELECT * FROM small.similar', 'nothing is learned');
SELECT is_empty('SELECT * FROM small.learned_item', 'of nothing');
TRUNCATE person;
SELECT results_eq('SELECT * FROM pg_temp.refresh(''small'')', 'VALUES (0::bigint, 0::bigint, 16::bigint)', 'nobody was asked');
/* The column can be taken out of the query again, or put in later, by CREATE VIEW. */
DROP VIEW small.users;
SELECT results_eq('SELECT * FROM pg_temp.refresh(''small'')', 'VALUES (16::bigint, 8::bigint, 0::bigint)', 'without a users query everybody is learned from');
CREATE VIEW small.users WITH (security_invoker = true) AS SELECT u AS user_id, age FROM person;
SELECT results_eq('SELECT * FROM pg_temp.refresh(''small'')', 'VALUES (16::bigint, 8::bigint, 0::bigint)', 'and where it does not ask for consent');

/*
 * The property: what is learned with a no for some is, byte for byte, what is learned where these have neither events nor a row.  With events of
 * weight below 0, times, contexts, attributes of items and users, rows that are left out for other reasons, for every kind of learning.
 */
CREATE TABLE visit (u int, i int, at timestamptz, w float8, device text);
INSERT INTO visit SELECT u, 1 + (u * 7 + n * n * 3 + u * n) % (40 + u % 3), '2026-01-05'::timestamptz + ((u * 37 + n * 101) % 2400) * interval '1 hour', CASE WHEN (u + n) % 11 = 0 THEN -1 WHEN (u + n) % 13 = 0 THEN 0 ELSE 1 + (u * n) % 3 END,
  CASE WHEN (u * 7 + n * n * 3 + u * n) % 40 < 20 AND n % 3 > 0 THEN 'phone' ELSE 'desk' END FROM generate_series(1, 400) u, generate_series(1, 12) n;
INSERT INTO visit SELECT u, 90 + u % 7, '2026-04-01', 1, 'watch' FROM generate_series(1, 400, 3) u;
INSERT INTO visit VALUES (NULL, 1, '2026-01-01', 1, NULL), (3, NULL, '2026-01-01', 1, NULL), (3, 1, NULL, 1, NULL), (3, 1, '2026-01-01', NULL, NULL), (3, 1, '2026-01-01', 'NaN', NULL), (4, 1, '2036-01-01', 1, NULL);
CREATE TABLE thing AS SELECT i AS id, 'kind ' || i % 5 AS kind, ARRAY['tag ' || i % 7, 'tag ' || i % 4] AS tags FROM generate_series(1, 100) i;
CREATE TABLE people AS SELECT u AS id, 'segment ' || u % 4 AS segment, u % 6 AS grade FROM generate_series(1, 400) u;
CREATE TABLE said (id int, yes boolean);
CREATE TABLE left_over (id int);
SELECT reco_create_model('asked', 'SELECT u AS user_id, i AS item_id, at AS occurred_at, w AS weight, device, (u * 3 + i) % 5 / 4.0 AS progress, CASE i % 3 WHEN 0 THEN ''like'' WHEN 1 THEN ''view'' ELSE ''buy'' END AS signal FROM visit', 'SELECT id AS item_id, kind, tags FROM thing',
  'SELECT p.id AS user_id, segment, grade, yes AS consent FROM people p LEFT JOIN said USING (id)');
SELECT reco_create_model('never', 'SELECT u AS user_id, i AS item_id, at AS occurred_at, w AS weight, device, (u * 3 + i) % 5 / 4.0 AS progress, CASE i % 3 WHEN 0 THEN ''like'' WHEN 1 THEN ''view'' ELSE ''buy'' END AS signal FROM visit WHERE u IN (SELECT id FROM left_over) OR u IS NULL', 'SELECT id AS item_id, kind, tags FROM thing',
  'SELECT id AS user_id, segment, grade FROM people WHERE id IN (SELECT id FROM left_over)');
CREATE FUNCTION pg_temp.compare(what text, VARIADIC settings text[]) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE s text; m text; r record;
BEGIN
  FOREACH m IN ARRAY '{asked,never}'::text[] LOOP
    FOREACH s IN ARRAY settings LOOP EXECUTE format('SELECT reco_configure(%L, %s)', m, s); END LOOP;
  END LOOP;
  TRUNCATE left_over;
  INSERT INTO left_over SELECT p.id FROM people p JOIN said s ON s.id = p.id GROUP BY 1 HAVING bool_and(coalesce(s.yes, false));
  SELECT * INTO r FROM pg_temp.refresh('asked');
  PERFORM pg_temp.refresh('never');
  RETURN NEXT is(r.skipped, (SELECT count(*) FROM visit WHERE u > 0 AND u NOT IN (SELECT id FROM left_over) AND i > 0 AND at < now() AND w < 'NaN'), what || ': so many events are left out');
  RETURN NEXT bag_eq('SELECT * FROM pg_temp.learned(''asked'')', 'SELECT * FROM pg_temp.learned(''never'')', what || ': what is learned is the same');
END $$;
INSERT INTO said SELECT u, CASE u % 5 WHEN 0 THEN false WHEN 1 THEN NULL ELSE true END FROM generate_series(1, 390) u;
SELECT pg_temp.compare('auto', 'contexts => ''{device, occurred_at}''');
SELECT ok(count(*) > 40, count(*) || ' items') FROM asked.learned_item;
SELECT ok(count(*) > 40, count(*) || ' rows of groups') FROM asked.learned_group;
SELECT ok(count(*) > 10, count(*) || ' of contexts') FROM asked.learned_context;
SELECT ok(curve_pairs > 0 AND content_pairs > 0, 'a curve, and neighbours by attributes') FROM asked.model;
SELECT ok(sum(trials) > 100, sum(trials) || ' trials of what was unfinished') FROM asked.learned_resume;
SELECT pg_temp.compare('ridge', 'similarity => ''ridge''', 'half_life => ''30 days''');
SELECT pg_temp.compare('next', 'similarity => ''next''', 'min_support => 3');
SELECT pg_temp.compare('one signal by all', 'target_signal => ''buy''', 'similarity => ''cosine''');
SELECT pg_temp.compare('cosine', 'similarity => ''cosine''', 'min_support => 1', 'max_history => 5');
SELECT pg_temp.compare('factors', 'algorithm => ''factors''', 'factors => 4', 'iterations => 4', 'max_history => 5000');
SELECT ok(count(*) > 40, count(*) || ' factors') FROM asked.item_factor;
TRUNCATE said;
INSERT INTO said SELECT u, u = 17 FROM generate_series(1, 400) u;
SELECT pg_temp.compare('one alone', 'algorithm => ''neighbors''', 'similarity => ''auto''');
TRUNCATE said;
INSERT INTO said SELECT u, u <> 17 FROM generate_series(1, 400) u;
SELECT pg_temp.compare('all but one', 'min_support => 2');
TRUNCATE said;
INSERT INTO said SELECT u, true FROM generate_series(1, 400) u;
SELECT pg_temp.compare('everybody', 'similarity => ''llr''');
INSERT INTO said SELECT u, false FROM generate_series(1, 400) u;
SELECT pg_temp.compare('nobody any more', 'similarity => ''llr''');
SELECT is_empty('SELECT * FROM asked.learned_group', 'and no groups');
TRUNCATE said;
INSERT INTO said SELECT u, u % 3 > 0 FROM generate_series(1, 400) u;
SELECT pg_temp.compare('for evaluation', 'similarity => ''cosine''', 'exclude_seen => ''{}''');
SELECT results_eq('SELECT algorithm, metric, value, users FROM reco_evaluate(''asked'', 5) ORDER BY 1, 2', 'SELECT algorithm, metric, value, users FROM reco_evaluate(''never'', 5) ORDER BY 1, 2', 'what is measured is measured on those alone');
SELECT results_eq('SELECT events, users, items, round(pairs) FROM reco_estimate(''asked'')', 'SELECT events, users, items, round(pairs) FROM reco_estimate(''never'')', 'what is estimated, too');

/* Ids of text compare by their bytes, whatever the collations of the columns; uuid too. */
CREATE TABLE spoke (u text COLLATE "C", i text, yes boolean);
INSERT INTO spoke SELECT u, i, u = 'Ann' FROM unnest('{Ann,ann,ANN}'::text[]) u, unnest('{x,y,z}'::text[]) i;
SELECT reco_create_model('texts', 'SELECT u AS user_id, i AS item_id FROM spoke', users => 'SELECT DISTINCT u COLLATE "POSIX" AS user_id, yes AS consent FROM spoke');
SELECT results_eq('SELECT * FROM pg_temp.refresh(''texts'')', 'VALUES (3::bigint, 1::bigint, 6::bigint)', 'Ann said yes, ann and ANN did not');
CREATE TABLE keyed AS SELECT ('00000000-0000-0000-0000-00000000000' || u)::uuid AS u, i, u > 2 AS yes FROM generate_series(1, 5) u, generate_series(1, 3) i;
SELECT reco_create_model('keys', 'SELECT u AS user_id, i AS item_id FROM keyed', users => 'SELECT DISTINCT u AS user_id, yes AS consent FROM keyed');
SELECT results_eq('SELECT * FROM pg_temp.refresh(''keys'')', 'VALUES (9::bigint, 3::bigint, 6::bigint)', 'uuids');

SELECT * FROM finish();
ROLLBACK;
