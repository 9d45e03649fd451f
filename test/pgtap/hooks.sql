-- hooks: the part after which viewers stay, by hand, and against a count viewer by viewer.

BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;
SET LOCAL timezone = 'UTC';

/*
 * A show of four parts, placed 10, 20, 30 and 40, of which 10 viewers saw the first, 8 of them the second, 6 the third and 5 the fourth; the fifth
 * of those never saw the third.  So of the first 5 / 10 finish, of the second 5 / 8, of the third 4 / 6, of the fourth all.  Another
 * show of two parts: 4 saw the first, 3 of them the second.
 */
CREATE TABLE part (id int, show text, place int);
INSERT INTO part VALUES (1, 'a', 10), (2, 'a', 20), (3, 'a', 30), (4, 'a', 40), (5, 'b', 1), (6, 'b', 2), (7, NULL, 1), (8, 'c', 1), (9, 'film', 1);
CREATE TABLE saw (viewer int, id int, at timestamptz, progress float8);
INSERT INTO saw SELECT v, 1, timestamptz '2026-01-01' + v * interval '1 day', 1 FROM generate_series(1, 10) v;
INSERT INTO saw SELECT v, 2, timestamptz '2026-02-01', 1 FROM generate_series(1, 8) v UNION ALL SELECT v, 3, '2026-02-02', 1 FROM generate_series(1, 6) v UNION ALL
  SELECT v, 4, '2026-02-03', 1 FROM unnest(ARRAY[1, 2, 3, 4, 8]) v UNION ALL SELECT v, 5, '2026-02-04', 1 FROM generate_series(1, 4) v UNION ALL SELECT v, 6, '2026-02-05', 1 FROM generate_series(2, 4) v;
-- What says nothing more: seen twice, begun only, before the first part.
INSERT INTO saw VALUES (1, 1, '2026-02-01', 1), (9, 2, '2026-02-01', .4), (10, 4, '2026-02-01', .9), (3, 7, '2026-02-01', 1), (3, 9, '2026-02-01', 1);
SELECT reco_create_model('tv', 'SELECT viewer AS user_id, id AS item_id, at AS occurred_at, progress FROM saw', 'SELECT id AS item_id, show, place FROM part');
SELECT reco_configure('tv', unfinished => '{"series": "show", "order": "place"}');
SELECT results_eq('SELECT series, item_id, episode, episodes, viewers, finishers, round(share::numeric, 4), hook FROM tv.hooks(.6, 5, every => true)', $$VALUES
  ('a', 1, 1, 4, 10::bigint, 5::bigint, .5, false), ('a', 2, 2, 4, 8, 5, .6250, true), ('a', 3, 3, 4, 6, 4, .6667, false), ('a', 4, 4, 4, 5, 5, 1, false),
  ('b', 5, 1, 2, 4, 3, .75, false), ('b', 6, 2, 2, 3, 3, 1, false), ('c', 8, 1, 1, 0, 0, NULL, false), ('film', 9, 1, 1, 1, 1, 1, false)$$, 'every part; the hook is the first that holds enough');
SELECT results_eq('SELECT series, item_id FROM tv.hooks(.6, 4)', $$VALUES ('a', 2), ('b', 5)$$, 'hooks alone, of both shows with fewer viewers');
SELECT results_eq('SELECT series, item_id FROM tv.hooks(.66, 6)', $$VALUES ('a', 3)$$, 'a greater share comes later');
SELECT is_empty('SELECT * FROM tv.hooks(.7, 5)', 'the last part is no hook');
SELECT is_empty('SELECT * FROM tv.hooks()', 'without viewers enough there is none');
SELECT results_eq($$SELECT series, item_id FROM reco_hooks('tv', .6, 4)$$, $$VALUES ('a', '2'), ('b', '5')$$, 'ids as text');
-- 95 %, z = 1.96: for 5 of 8 .3057 to .8632, for 5 of 5 .5655 to 1, for none 0 to 1 (Newcombe 1998 gives such values of Wilson''s).
SELECT results_eq('SELECT episode, round(low::numeric, 4), round(high::numeric, 4) FROM tv.hooks(every => true) WHERE item_id IN (2, 4, 8)', 'VALUES (2, .3057, .8632), (4, .5655, 1.0000), (1, 0, 1)', 'bounds by hand');
SELECT ok(bool_and(abs(viewers * (share - low) ^ 2 - 1.959963984540054 ^ 2 * low * (1 - low)) < 1e-9 AND abs(viewers * (share - high) ^ 2 - 1.959963984540054 ^ 2 * high * (1 - high)) < 1e-9),
  'a bound p solves n (share - p)^2 = z^2 p (1 - p)') FROM tv.hooks(every => true) WHERE viewers > 0;
-- Patience: who saw a part less than 30 days before the newest event does not count with it; of the first that leaves 1 to 5.
SELECT results_eq($$SELECT viewers, finishers FROM tv.hooks(every => true, patience => '30 days') WHERE item_id = 1$$, 'VALUES (5::bigint, 4::bigint)', 'with patience');
-- The threshold of what is seen whole.
SELECT results_eq($$SELECT finishers FROM tv.hooks(every => true, unfinished => '{"series": "show", "order": "place", "finished": 0.9}') WHERE item_id = 1$$, 'VALUES (6::bigint)', 'who saw .9 of the last, too');
-- No column of progress: an event above 0 is all of it; no times: no patience.
SELECT reco_create_model('plain', 'SELECT viewer AS user_id, id AS item_id FROM saw WHERE progress = 1', 'SELECT id AS item_id, show, place FROM part');
SELECT bag_eq($$SELECT * FROM plain.hooks(.6, 5, true, '30 days', '{"series": "show", "order": "place"}')$$, 'SELECT * FROM tv.hooks(.6, 5, true)', 'without progress and times');
-- Nobody, one viewer, all at one instant.
CREATE TABLE kept AS SELECT series, viewers, finishers FROM tv.hooks(every => true);
UPDATE saw SET at = '2026-02-01';
SELECT bag_eq('SELECT series, viewers, finishers FROM tv.hooks(every => true)', 'TABLE kept', 'all at one instant');
DELETE FROM saw WHERE viewer > 1;
SELECT results_eq('SELECT item_id FROM tv.hooks(min_viewers => 1)', 'VALUES (1)', 'one viewer');
DELETE FROM saw;
SELECT results_eq('SELECT sum(viewers), sum(finishers), bool_or(hook), count(share) FROM tv.hooks(every => true)', 'VALUES (0::numeric, 0::numeric, false, 0::bigint)', 'nobody');
DELETE FROM part WHERE show IS NOT NULL;
SELECT is_empty('SELECT * FROM tv.hooks(every => true)', 'no series at all');

-- 500 viewers of 12 shows by a lot, counted viewer by viewer.
DELETE FROM part;
INSERT INTO part SELECT s * 20 + e, 'show ' || s, hashint4(s) & 7 + e * 3 FROM generate_series(1, 12) s, generate_series(1, 2 + s) e;
INSERT INTO saw SELECT u, s * 20 + e, '2026-01-01'::timestamptz + (hashint4(u * 100 + s + e) & 255) * interval '1 hour', (hashint4(u * 1000 + s * 20 + e) & 127) / 100.0
FROM generate_series(1, 500) u, generate_series(1, 12) s, generate_series(1, 2 + s) e WHERE (hashint4(u * 777 + s * 20 + e * 3) & 15) > e;
CREATE FUNCTION pg_temp.one_by_one(OUT series text, OUT item_id int, OUT viewers bigint, OUT finishers bigint) RETURNS SETOF record LANGUAGE plpgsql AS $$
DECLARE p record; last int;
BEGIN
  FOR p IN SELECT * FROM part ORDER BY show, place, id LOOP
    series := p.show; item_id := p.id; viewers := 0; finishers := 0;
    SELECT id INTO last FROM part WHERE show = p.show ORDER BY place DESC, id DESC LIMIT 1;
    SELECT count(*), count(*) FILTER (WHERE EXISTS (SELECT FROM saw f WHERE f.viewer = v.viewer AND f.id = last AND f.progress >= .95)) INTO viewers, finishers
    FROM (SELECT DISTINCT viewer FROM saw WHERE id = p.id AND progress >= .95) v;
    RETURN NEXT;
  END LOOP;
END $$;
SELECT bag_eq('SELECT series, item_id, viewers, finishers FROM tv.hooks(every => true)', 'SELECT * FROM pg_temp.one_by_one()', 'counted viewer by viewer the same');
SELECT ok(count(*) FILTER (WHERE viewers > 20) > 40, 'and many of them') FROM tv.hooks(every => true);

SELECT * FROM finish();
ROLLBACK;
