-- moments: odd histories, asked every question about what somebody is about to do: an answer without NaN, or a message.

BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;
SET LOCAL timezone = 'UTC';

/*
 * Thirty people with histories as they should be, and beside them:
 *   101 one event            102 forty at one instant         103 the same times as 104, unsorted
 *   105 on clocks that change (Riga, 29 March and 25 October 2026), each hour of both days
 *   106 progress below 0, above 1, NaN and NULL                107 parts of a series without an order
 *   108 dislikes only        109 impressions only              110 infinite times and weights, NULLs
 *   111 two events a century apart                            112 one event in the future
 * and 100 with none, and NULL.
 */
CREATE TABLE item (id int PRIMARY KEY, title text, kind text[], series text, place int, released_at date);
INSERT INTO item SELECT i, 'item ' || i, CASE WHEN i % 9 > 0 THEN ARRAY['kind ' || i % 5] END, CASE WHEN i < 20 THEN 'saga ' || i / 5 END, CASE WHEN i < 15 THEN i % 5 END, date '2026-01-01' + i FROM generate_series(1, 40) i;
CREATE TABLE did (u int, i int, at timestamptz, w float8, progress float8, signal text);
INSERT INTO did SELECT u, 1 + (u * 7 + n * n) % 40, timestamptz '2026-01-05 08:00' + n * (3 + u % 9) * interval '1 day' + u * interval '1 hour', 1 + n % 3, CASE n % 4 WHEN 0 THEN .4 ELSE 1 END, CASE WHEN n % 5 = 0 THEN 'cart' ELSE 'buy' END
FROM generate_series(1, 30) u, generate_series(1, 20) n;
INSERT INTO did VALUES (101, 3, '2026-03-01 12:00', 1, .5, 'buy'), (112, 3, '2126-03-01 12:00', 1, .5, 'buy'), (111, 3, '1926-03-01 12:00', 1, .5, 'buy'), (111, 4, '2026-03-01 12:00', 1, .5, 'cart');
INSERT INTO did SELECT 102, 1 + n % 40, '2026-03-01 12:00', 1, .5, 'cart' FROM generate_series(1, 40) n;
INSERT INTO did SELECT 103, 1 + n % 12, timestamptz '2026-02-01' + (n * 17 % 31) * interval '1 day', 1, 1, 'buy' FROM generate_series(1, 30) n;
INSERT INTO did SELECT 104, i, at, w, progress, signal FROM did WHERE u = 103 ORDER BY at DESC, i;
INSERT INTO did SELECT 105, 1 + n % 12, t + n * interval '1 hour', 1, .9, 'buy' FROM unnest('{2026-03-28 22:00,2026-10-24 21:00}'::timestamptz[]) t, generate_series(0, 25) n;
INSERT INTO did SELECT 106, n, timestamptz '2026-03-01' + n * interval '1 day', 1, p, 'buy' FROM unnest('{-1,2,NaN,NULL,Infinity,-Infinity,0,1}'::float8[]) WITH ORDINALITY p(p, n);
INSERT INTO did SELECT 107, n, timestamptz '2026-03-01' + n * interval '1 day', 1, 1, 'buy' FROM generate_series(15, 19) n;
INSERT INTO did SELECT 108, n, timestamptz '2026-03-01' + n * interval '1 day', -2, .5, 'buy' FROM generate_series(1, 9) n;
INSERT INTO did SELECT 109, n, timestamptz '2026-03-01' + n * interval '1 day', 0, NULL, NULL FROM generate_series(1, 9) n;
INSERT INTO did VALUES (110, 1, 'infinity', 1, .5, 'buy'), (110, 2, '-infinity', 1, .5, 'buy'), (110, 3, '2026-03-01', 'Infinity', .5, 'buy'), (110, 4, '2026-03-01', 'NaN', .5, 'buy'), (110, 5, NULL, 1, .5, 'buy'), (110, NULL, '2026-03-01', 1, .5, 'buy'),
  (110, 6, '2026-03-01', NULL, .5, 'buy'), (NULL, 6, '2026-03-01', 1, .5, 'buy');
SELECT reco_create_model('odd', 'SELECT u AS user_id, i AS item_id, at AS occurred_at, w AS weight, progress, signal FROM did', 'SELECT id AS item_id, title, kind, series, place, released_at FROM item');
SELECT reco_configure('odd', similarity => 'cosine', min_support => 1, category => 'kind', time_zone => 'Europe/Riga', unfinished => '{"basket": ["cart"], "bought": ["buy"], "series": "series", "order": "place"}');
CREATE FUNCTION pg_temp.learn(model text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM reco_refresh(model); PERFORM reco_learn_habits(model); END $$;
SELECT pg_temp.learn('odd');

-- What a query answers: how many rows, and whether any has a number that is none; or the message. $1 is a person, or NULL, $2 a time.
CREATE FUNCTION pg_temp.answer(query text, who int, at timestamptz, OUT rows bigint, OUT broken bigint, OUT state text) LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('SELECT count(*), count(*) FILTER (WHERE q::text ~ ''NaN|Infinity'') FROM (%s) q', query) INTO rows, broken USING who, at;
EXCEPTION WHEN OTHERS THEN state := SQLSTATE || ' ' || SQLERRM;
END $$;
CREATE TABLE question (name text, query text);
INSERT INTO question VALUES
  ('rhythm', 'SELECT reco_rhythm(at) FROM did WHERE u IS NOT DISTINCT FROM $1 AND at <= $2'),
  ('p_alive', 'WITH v AS (SELECT u, reco_rhythm(at) AS r FROM did WHERE at <= $2 AND isfinite(at) GROUP BY u), f AS (SELECT reco_fit_bgnbd(r, $2) AS f FROM v) SELECT reco_p_alive(f, r, $2), reco_expected_purchases(f, r, $2, ''90 days'') FROM v, f WHERE u = $1'),
  ('next_purchases', 'SELECT * FROM odd.next_purchases($1, 10, as_of => $2)'),
  ('best_time', 'SELECT * FROM odd.best_time($1, ''3 days'', $2)'),
  ('hours', 'SELECT unnest(reco_smooth_hours((SELECT reco_hours(at, ''Europe/Riga'') FROM did WHERE u = $1 AND at <= $2), (SELECT reco_hours(at, ''Europe/Riga'') FROM did)))'),
  ('pace', 'SELECT reco_pace(reco_sends(at, signal = ''buy'')) FROM did WHERE u = $1 AND at <= $2 AND isfinite(at)'),
  ('win_back', 'SELECT * FROM odd.win_back(NULL, 3, max_chance => 1, as_of => $2) WHERE user_id = $1'),
  ('continue', 'SELECT * FROM odd.continue($1, NULL, $2)'),
  ('page', 'SELECT * FROM odd.page($1, 8, 5, 1, as_of => $2)'),
  ('affinity', 'SELECT * FROM odd.affinity($1, NULL, NULL) WHERE $2 IS NOT NULL'),
  ('segment_of', 'SELECT s.* FROM odd.segment_of($1, (SELECT coalesce(jsonb_object_agg(segment, centre), ''{}'') FROM reco_segments(''odd'', 1))) s WHERE $2 IS NOT NULL'),
  ('choose', 'SELECT * FROM reco_choose($1, 3, ''{a,b}'', log => ''shown_log'') WHERE $2 IS NOT NULL'),
  ('wrapped', 'SELECT * FROM odd.wrapped($1, $2 - interval ''60 days'', $2)'),
  ('wrapped_json', 'SELECT odd.wrapped_json($1, $2 - interval ''60 days'', $2)'),
  ('complete', 'SELECT * FROM odd.complete(ARRAY(SELECT i FROM did WHERE u = $1 LIMIT 3), 10) WHERE $2 IS NOT NULL'),
  ('bucket', 'SELECT reco_bucket($1, ''page'') WHERE $2 IS NOT NULL'),
  ('interleave', 'SELECT * FROM reco_interleave(ARRAY(SELECT item_id FROM odd.top_n($1, 5)), ARRAY(SELECT item_id FROM odd.popular(5)), 8, $1) WHERE $2 IS NOT NULL');
CREATE TABLE shown_log (item_id int, variant text, chosen boolean);
INSERT INTO shown_log VALUES (3, 'a', true), (3, 'b', NULL), (NULL, 'a', true), (3, NULL, true);
CREATE TABLE answer AS SELECT name, who, at, a.* FROM question, unnest('{1,100,101,102,103,104,105,106,107,108,109,110,111,112,NULL}'::int[]) who, unnest('{2026-03-01 12:00,2026-04-15,2026-10-25 01:30,1900-01-01}'::timestamptz[]) at, pg_temp.answer(query, who, at) a;
SELECT is(count(*), 17 * 15 * 4::bigint, 'every question of everybody at every time') FROM answer;
SELECT is_empty('SELECT name, who, at, broken FROM answer WHERE broken > 0', 'no number that is none');
SELECT is_empty('SELECT name, who, at, state FROM answer WHERE state IS NOT NULL', 'no message where there is an answer');
SELECT is_empty($$SELECT name FROM answer WHERE who = 1 AND at = '2026-04-15' AND rows = 0 AND name <> 'win_back'$$, 'an ordinary person has an answer to all');
SELECT is_empty($$SELECT a.name, a.at FROM answer a JOIN answer b USING (name, at) WHERE a.who = 103 AND b.who = 104 AND a.rows <> b.rows AND name <> 'page'$$, 'unsorted or sorted');
SELECT results_eq('SELECT item_id, chance, expected_at, source, times FROM odd.next_purchases(103, 20, as_of => ''2026-04-15'')', 'SELECT item_id, chance, expected_at, source, times FROM odd.next_purchases(104, 20, as_of => ''2026-04-15'')', 'the same next purchases');
SELECT results_eq('SELECT * FROM odd.best_time(103, ''3 days'', ''2026-04-15'')', 'SELECT * FROM odd.best_time(104, ''3 days'', ''2026-04-15'')', 'the same best time');
SELECT is_empty($$SELECT name, who, at, rows FROM answer WHERE name IN ('win_back', 'continue', 'segment_of', 'wrapped') AND who IN (100, 110) AND rows > 0$$, 'who has no history has nothing begun, lost or wrapped');
SELECT is_empty($$SELECT name, who FROM answer WHERE name = 'page' AND at = '2026-04-15' AND rows < 5$$, 'everybody has a page, guests too');
SELECT is_empty('SELECT * FROM odd.continue(106, NULL, ''2026-04-15'') WHERE kind = ''unfinished'' AND NOT (progress > 0 AND progress < 1)', 'progress beyond 0 and 1 is none or all');
SELECT is_empty('SELECT * FROM odd.continue(107, NULL, ''2026-04-15'')', 'a series without an order has no next part');
SELECT is_empty('SELECT * FROM odd.hooks(min_viewers => 1, every => true) WHERE series = ''saga 3''', 'and no hook');
SELECT is(value, 2::float8, 'days of 23 and 25 hours are days') FROM odd.wrapped(105, '2026-10-24 21:00Z', '2026-10-26 22:00Z', time_zone => 'Europe/Riga') WHERE part = 'days';
SELECT is((SELECT sum(h) FROM unnest((SELECT reco_hours(at, 'Europe/Riga') FROM did WHERE u = 105)) h), 52::float8, 'no event is lost to a clock that changes');
SELECT results_eq('SELECT (r).events, (r).times, (r).mean_gap, (r).next_at FROM (SELECT reco_rhythm(at) AS r FROM did WHERE u = 102) v', 'VALUES (40::bigint, 1::bigint, NULL::interval, NULL::timestamptz)', 'at one instant there is no gap');
SELECT is(times, 1, 'and one day') FROM odd.next_purchases(102, 1, as_of => '2026-04-15') WHERE source = 'repeat';

-- All of it, of nobody: a model whose events have gone.
DELETE FROM did;
SELECT pg_temp.learn('odd');
CREATE TABLE of_none AS SELECT name, who, a.* FROM question, unnest('{1,NULL}'::int[]) who, pg_temp.answer(query, who, '2026-04-15') a;
SELECT is_empty('SELECT name, who, state FROM of_none WHERE state IS NOT NULL', 'no message where there are no events');
SELECT is_empty('SELECT name, who FROM of_none WHERE broken > 0', 'and no number that is none');
SELECT is_empty($$SELECT * FROM reco_hooks('odd', min_viewers => 1)$$, 'no hooks');
SELECT is_empty($$SELECT * FROM reco_segments('odd')$$, 'no segments');
SELECT is_empty($$SELECT * FROM reco_win_back(NULL, 'odd')$$, 'nobody to win back');
SELECT is_empty($$SELECT * FROM reco_wrapped_all('2026-01-01', '2027-01-01', 'odd')$$, 'no stories');

SELECT * FROM finish();
ROLLBACK;
