-- wrapped: a stretch of time as a story, by hand, and part by part against plain SQL.

BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;
SET LOCAL timezone = 'UTC';

/*
 * Ana in February, beside January, of 28 days then: from 4 January.  Song 1 four times at 22 hours, twice a day on the 1st and 2nd, song 2 on the 3rd at 9 and, with 2.5, on the
 * 7th at 9, song 3 on the 8th at 22; what weighs nothing or less does not count.  That is 7 events, 4 + 3.5 + 1 = 8.5, 3 songs, 5 days, the
 * longest run 1 to 3 February.  Before, song 1 three times on 10 and 11 January; on 2 January, too, which is neither, though song 2 is then not new.
 * Ben has one event, Cy two of song 3, Di none.  Songs 1 and 3 are of genre a, song 3 of b as well, so that a has 4 + .5 and b .5; song 2 has none.
 */
CREATE TABLE play (listener text, song int, at timestamptz, weight float8);
INSERT INTO play VALUES ('ana', 3, '2026-02-08 22:10Z', 1), ('ana', 1, '2026-02-01 22:00Z', 1), ('ana', 1, '2026-02-01 22:05Z', 1), ('ana', 1, '2026-02-02 22:00Z', 1), ('ana', 1, '2026-02-02 22:59Z', 1),
  ('ana', 2, '2026-02-03 09:00Z', 1), ('ana', 2, '2026-02-07 09:00Z', 2.5), ('ana', 4, '2026-02-07 09:00Z', 0), ('ana', 4, '2026-02-07 09:00Z', -1), ('ana', 4, '2026-02-07 09:00Z', 'NaN'), ('ana', 4, NULL, 1),
  ('ana', 1, '2026-01-10 22:00Z', 1), ('ana', 1, '2026-01-10 22:30Z', 1), ('ana', 1, '2026-01-11 22:30Z', 1), ('ana', 2, '2026-01-02 22:00Z', 1), ('ana', 2, '2026-03-01 00:00Z', 1),
  ('ben', 1, '2026-02-05 12:00Z', 1), ('cy', 3, '2026-02-05 12:00Z', 1), ('cy', 3, '2026-02-05 12:00Z', 1), ('di', 1, '2026-01-20 12:00Z', 1);
CREATE TABLE song (id int, title text, category text[]);
INSERT INTO song VALUES (1, 'One', '{a}'), (2, 'Two', NULL), (3, 'Three', '{a,b}');
SELECT reco_create_model('radio', 'SELECT listener AS user_id, song AS item_id, at AS occurred_at, weight FROM play', 'SELECT id AS item_id, title, category FROM song');
CREATE VIEW ana AS SELECT * FROM radio.wrapped('ana', '2026-02-01', '2026-03-01');
SELECT results_eq($$SELECT part, value, before, round(change::numeric, 4), percentile FROM ana WHERE part IN ('events', 'amount', 'items', 'days')$$,
  $$VALUES ('events', 7::float8, 3::float8, 1.3333, 1::float8), ('amount', 8.5, 3, 1.8333, NULL), ('items', 3, 1, 2.0000, NULL), ('days', 5, 2, 1.5000, NULL)$$, 'totals beside those before');
SELECT results_eq($$SELECT part, item_id, label, began_at FROM ana WHERE part IN ('first', 'last')$$, $$VALUES ('first', 1, 'One', timestamptz '2026-02-01 22:00Z'), ('last', 3, 'Three', '2026-02-08 22:10Z')$$, 'first and last');
SELECT results_eq($$SELECT value, began_at, ended_at FROM ana WHERE part = 'streak'$$, $$VALUES (3::float8, timestamptz '2026-02-01', timestamptz '2026-02-04')$$, 'the longest streak');
SELECT results_eq($$SELECT value, round(share::numeric, 4) FROM ana WHERE part = 'peak_hour'$$, 'VALUES (22::float8, .7143)', 'five of seven at 22');
SELECT results_eq($$SELECT label, value, round(share::numeric, 4) FROM ana WHERE part = 'peak_weekday'$$, $$VALUES ('Sunday', 7::float8, .4286)$$, 'three of seven on a Sunday');
SELECT results_eq($$SELECT rank, item_id, value, before, round(share::numeric, 4), share_before FROM ana WHERE part = 'top_items'$$, 'VALUES (1, 1, 4::float8, 3::float8, .4706, 1::float8), (2, 2, 3.5, 0, .4118, 0), (3, 3, 1, 0, .1176, 0)', 'tops');
SELECT results_eq($$SELECT rank, label, value, before, round(share::numeric, 4) FROM ana WHERE part = 'top_categories'$$, $$VALUES (1, 'a', 4.5::float8, 3::float8, .5294), (2, 'b', .5, 0, .0588)$$, 'categories, an item of two for a half each');
SELECT results_eq($$SELECT part, rank, item_id, value, round(share::numeric, 4) FROM ana WHERE part LIKE 'discover%'$$, $$VALUES ('discovery', 1, NULL::int, 1::float8, .3333), ('discoveries', 1, 3, 1, .1176)$$, 'song 3 is new, song 2 was heard in January');
SELECT results_eq($$SELECT rank, item_id, value, round(share::numeric, 4) FROM ana WHERE part = 'rare_items'$$, 'VALUES (1, 2, 1::float8, .3333), (2, 1, 2, .6667), (3, 3, 2, .6667)', 'song 2 is hers alone');
SELECT results_eq($$SELECT label, rule FROM ana WHERE part = 'type'$$, $$VALUES ('devotee', '0.47 of the amount is one item, from 0.3 on')$$, 'a type, and its rule');
SELECT results_eq($$SELECT user_id, percentile FROM radio.wrapped_all('2026-02-01', '2026-03-01') WHERE part = 'events' ORDER BY 1$$, $$VALUES ('ana', 1::float8), ('ben', 0), ('cy', .5)$$, 'of the other two: none, one, both have fewer');
SELECT results_eq($$SELECT label FROM radio.wrapped('ben', '2026-02-01', '2026-03-01') WHERE part = 'type'$$, $$VALUES ('newcomer')$$, 'who was never there before is a newcomer');
SELECT is_empty($$SELECT * FROM radio.wrapped('di', '2026-02-01', '2026-03-01')$$, 'nothing there, no story');
SELECT is_empty($$SELECT * FROM radio.wrapped(NULL, '2026-02-01', '2026-03-01')$$, 'nobody');
SELECT is(radio.wrapped_json('di', '2026-02-01', '2026-03-01'), NULL::jsonb, 'no document either');
SELECT results_eq($$SELECT part, value, share FROM radio.wrapped('cy', '2026-02-01', '2026-03-01') WHERE part IN ('days', 'streak', 'peak_hour') ORDER BY 1$$, $$VALUES ('days', 1::float8, NULL::float8), ('peak_hour', 12, 1), ('streak', 1, NULL)$$, 'all at one instant');
SELECT results_eq($$SELECT percentile, change FROM radio.wrapped('ana', '2026-03-01', '2026-03-02') WHERE part = 'events'$$, 'VALUES (NULL::float8, NULL::float8)', 'one event of the only one: no others, no before');

-- The documents say what the rows say.
SELECT is(radio.wrapped_json('ana', '2026-02-01', '2026-03-01') #> '{events}', '{"value": 7, "before": 3, "change": 1.3333333333333335, "percentile": 1}', 'one of a kind is an object');
SELECT is(radio.wrapped_json('ana', '2026-02-01', '2026-03-01', 2) #>> '{top_items,1,label}', 'Two', 'a list is an array');
SELECT is(jsonb_array_length(radio.wrapped_json('ana', '2026-02-01', '2026-03-01', 2) -> 'top_items'), 2, 'of k');
SELECT is(radio.wrapped_json('ana', '2026-02-01', '2026-03-01') ->> 'time_zone', 'UTC', 'and the time zone is there');
SELECT results_eq($$SELECT user_id, wrapped FROM radio.wrapped_json_all('2026-02-01', '2026-03-01')$$, $$SELECT u, radio.wrapped_json(u, '2026-02-01', '2026-03-01') FROM unnest('{ana,ben,cy}'::text[]) u$$, 'each document of all is that of one');

/*
 * Days and hours are those of a time zone whose offset changes: in Riga the clocks go from 3 to 4 on 29 March 2026.  Events at 22:30Z on 27, 28 and 29 March are at 0:30 on the 28th, at 0:30 on
 * the 29th and at 1:30 on the 30th: three days in a row there as in UTC, but no hour twice; and on 25 October, of 25 hours, 23:30Z and 00:30Z are both at half past 2 or 3.
 */
INSERT INTO play VALUES ('eve', 1, '2026-03-27 22:30Z', 1), ('eve', 1, '2026-03-28 22:30Z', 1), ('eve', 1, '2026-03-29 22:30Z', 1), ('eve', 2, '2026-10-25 00:30Z', 1), ('eve', 2, '2026-10-25 01:30Z', 1);
SELECT results_eq($$SELECT part, value, began_at, ended_at FROM radio.wrapped('eve', '2026-03-01', '2026-04-01', time_zone => 'Europe/Riga') WHERE part IN ('streak', 'peak_hour', 'days')$$,
  $$VALUES ('days', 3::float8, NULL::timestamptz, NULL::timestamptz), ('streak', 3, '2026-03-27 22:00Z', '2026-03-30 21:00Z'), ('peak_hour', 0, NULL, NULL)$$, 'a day of 23 hours is a day');
SELECT results_eq($$SELECT value, share FROM radio.wrapped('eve', '2026-10-01', '2026-11-01', time_zone => 'Europe/Riga') WHERE part = 'peak_hour'$$, $$VALUES (3::float8, 1::float8)$$, 'an hour that comes twice is one');
SELECT results_eq($$SELECT value FROM radio.wrapped('eve', '2026-03-01', '2026-04-01') WHERE part = 'peak_hour'$$, 'VALUES (22::float8)', 'in UTC all at 22');

-- What was next to nothing before has grown by more than a number holds.
INSERT INTO play VALUES ('flo', 1, '2026-01-20 12:00Z', 1e-310), ('flo', 1, '2026-02-20 12:00Z', 5);
SELECT results_eq($$SELECT value, before, change FROM radio.wrapped('flo', '2026-02-01', '2026-03-01') WHERE part = 'amount'$$, 'VALUES (5::float8, 1e-310::float8, NULL::float8)', 'which is no change that can be told');
SELECT is(radio.wrapped_json('flo', '2026-02-01', '2026-03-01') -> 'amount', '{"value": 5, "before": 1e-310}', 'nor one that is written');

-- Planted: 80 listeners, 200 songs, a year and a half; every part counted by a query of its own.
CREATE TABLE planted (u int, i int, at timestamptz, w int);
INSERT INTO planted SELECT u, (hashint4(u * 7919 + n) & 4095) % (20 + u * 2), '2025-01-01'::timestamptz + ((hashint4(n * 31 + u) & 1048575) % 13000) * interval '1 hour' + (n % 60) * interval '1 minute', 1 + (u + n) % 3
FROM generate_series(1, 80) u, generate_series(1, 40 + u) n;
CREATE INDEX ON planted (u, i);
SELECT reco_create_model('planted', 'SELECT u AS user_id, i AS item_id, at AS occurred_at, w AS weight FROM planted', $$SELECT i AS item_id, 'genre ' || i % 7 AS category FROM generate_series(0, 199) i$$);
CREATE TABLE story AS SELECT * FROM planted.wrapped_all('2025-07-01', '2026-01-01', time_zone => 'America/New_York');
CREATE TABLE now AS SELECT *, at AT TIME ZONE 'America/New_York' AS local FROM planted WHERE at >= '2025-07-01' AND at < '2026-01-01';
CREATE TABLE before AS SELECT *, at AT TIME ZONE 'America/New_York' AS local FROM planted WHERE at >= '2024-12-29' AND at < '2025-07-01';
CREATE TABLE listener AS SELECT DISTINCT u FROM now;
CREATE INDEX ON now (u);
CREATE INDEX ON now (i);
ANALYZE planted, now, before, listener;
SELECT is(count(*), 80::bigint, 'all have something') FROM listener;
CREATE FUNCTION pg_temp.part(name text) RETURNS TABLE(u int, rank int, item_id int, label text, value numeric, before numeric, share numeric) LANGUAGE sql AS $$
  SELECT user_id, rank, item_id, label, round(value::numeric, 9), round(before::numeric, 9), round(share::numeric, 9) FROM story WHERE part = name $$;
SELECT bag_eq($$SELECT u, value, before FROM pg_temp.part('events')$$, 'SELECT u, (SELECT count(*) FROM now n WHERE n.u = l.u)::numeric AS value, (SELECT count(*) FROM before b WHERE b.u = l.u)::numeric AS before FROM listener l', 'events');
SELECT bag_eq($$SELECT u, value, before FROM pg_temp.part('amount')$$, 'SELECT u, (SELECT sum(w) FROM now n WHERE n.u = l.u)::numeric AS value, (SELECT coalesce(sum(w), 0) FROM before b WHERE b.u = l.u)::numeric AS before FROM listener l', 'amount');
SELECT bag_eq($$SELECT u, value, before FROM pg_temp.part('items')$$, 'SELECT u, (SELECT count(DISTINCT i) FROM now n WHERE n.u = l.u)::numeric AS value, (SELECT count(DISTINCT i) FROM before b WHERE b.u = l.u)::numeric AS before FROM listener l', 'items');
SELECT bag_eq($$SELECT u, value, before FROM pg_temp.part('days')$$, 'SELECT u, (SELECT count(DISTINCT local::date) FROM now n WHERE n.u = l.u)::numeric AS value, (SELECT count(DISTINCT local::date) FROM before b WHERE b.u = l.u)::numeric AS before FROM listener l', 'days');
SELECT bag_eq($$SELECT user_id, round(percentile::numeric, 9) FROM story WHERE part = 'events'$$,
  $$SELECT l.u, round((SELECT count(*) FROM listener o WHERE (SELECT count(*) FROM now n WHERE n.u = o.u) < (SELECT count(*) FROM now n WHERE n.u = l.u)) / 79.0, 9) FROM listener l$$, 'percentiles');
SELECT bag_eq($$SELECT u, rank, item_id, value, share FROM pg_temp.part('top_items')$$,
  $$SELECT l.u, t.rank::int, t.i, t.w::numeric, round(t.w::numeric / (SELECT sum(w) FROM now n WHERE n.u = l.u), 9) FROM listener l CROSS JOIN LATERAL (SELECT i, sum(w) AS w, row_number() OVER (ORDER BY sum(w) DESC, count(*) DESC, i) AS rank FROM now n WHERE n.u = l.u GROUP BY i LIMIT 5) t$$, 'tops');
SELECT bag_eq($$SELECT u, rank, label, value, share FROM pg_temp.part('top_categories')$$,
  $$SELECT l.u, t.rank::int, t.g, t.w::numeric, round(t.w::numeric / (SELECT sum(w) FROM now n WHERE n.u = l.u), 9) FROM listener l CROSS JOIN LATERAL (SELECT 'genre ' || i % 7 AS g, sum(w) AS w, row_number() OVER (ORDER BY sum(w) DESC, 'genre ' || i % 7) AS rank FROM now n WHERE n.u = l.u GROUP BY 1, i % 7 ORDER BY rank LIMIT 5) t$$, 'categories');
SELECT bag_eq($$SELECT u, value, share FROM pg_temp.part('discovery')$$,
  $$SELECT l.u, n::numeric, round(n::numeric / (SELECT count(DISTINCT i) FROM now n WHERE n.u = l.u), 9) FROM listener l CROSS JOIN LATERAL (SELECT count(DISTINCT i) AS n FROM now n WHERE n.u = l.u AND NOT EXISTS (SELECT FROM planted p WHERE p.u = n.u AND p.i = n.i AND p.at < '2025-07-01')) d$$, 'discovery');
SELECT bag_eq($$SELECT u, rank, item_id, value FROM pg_temp.part('discoveries')$$,
  $$SELECT l.u, t.rank::int, t.i, t.w::numeric FROM listener l CROSS JOIN LATERAL (SELECT i, sum(w) AS w, row_number() OVER (ORDER BY sum(w) DESC, count(*) DESC, i) AS rank FROM now n WHERE n.u = l.u AND NOT EXISTS (SELECT FROM planted p WHERE p.u = n.u AND p.i = n.i AND p.at < '2025-07-01') GROUP BY i ORDER BY rank LIMIT 5) t$$, 'discoveries');
SELECT bag_eq($$SELECT u, rank, item_id, value, share FROM pg_temp.part('rare_items')$$,
  $$SELECT l.u, t.rank::int, t.i, t.fans::numeric, round(t.fans / 80.0, 9) FROM listener l CROSS JOIN LATERAL (SELECT i, fans, row_number() OVER (ORDER BY fans, sum(w) DESC, i) AS rank FROM now n JOIN LATERAL (SELECT count(DISTINCT u) AS fans FROM now f WHERE f.i = n.i) f ON true WHERE n.u = l.u GROUP BY i, fans ORDER BY rank LIMIT 5) t$$, 'rare tastes');
SELECT bag_eq($$SELECT u, value, share FROM pg_temp.part('peak_hour')$$,
  $$SELECT l.u, h.hour::numeric, round(h.n::numeric / (SELECT count(*) FROM now n WHERE n.u = l.u), 9) FROM listener l CROSS JOIN LATERAL (SELECT extract(hour FROM local) AS hour, count(*) AS n FROM now n WHERE n.u = l.u GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 1) h$$, 'peak hours');
SELECT bag_eq($$SELECT u, label FROM pg_temp.part('peak_weekday')$$,
  $$SELECT l.u, h.day FROM listener l CROSS JOIN LATERAL (SELECT trim(to_char(local, 'Day')) AS day, extract(isodow FROM local) AS d, count(*) AS n FROM now n WHERE n.u = l.u GROUP BY 1, 2 ORDER BY 3 DESC, 2 LIMIT 1) h$$, 'peak weekdays');
-- A streak, walked day by day.
CREATE FUNCTION pg_temp.streak(who int, OUT best int, OUT since date) LANGUAGE plpgsql AS $$
DECLARE d date; last date; run int := 0; began date;
BEGIN
  best := 0;
  FOR d IN SELECT DISTINCT local::date FROM now WHERE u = who ORDER BY 1 LOOP
    IF last IS NULL OR d > last + 1 THEN run := 0; began := d; END IF;
    run := run + 1; last := d;
    IF run > best THEN best := run; since := began; END IF;
  END LOOP;
END $$;
SELECT bag_eq($$SELECT user_id, value, (began_at AT TIME ZONE 'America/New_York')::date AS b, (ended_at AT TIME ZONE 'America/New_York')::date AS e FROM story WHERE part = 'streak'$$, 'SELECT u, best::float8, since, since + best AS e FROM listener, pg_temp.streak(u)', 'streaks');
SELECT ok(max(value) >= 3, 'some of them days long') FROM pg_temp.part('streak');
SELECT bag_eq($$SELECT u, label FROM pg_temp.part('type')$$, $$SELECT l.u, CASE WHEN NOT EXISTS (SELECT FROM planted p WHERE p.u = l.u AND p.at < '2025-07-01') THEN 'newcomer'
    WHEN (SELECT max(share) FROM pg_temp.part('top_items') t WHERE t.u = l.u) >= .3 THEN 'devotee' WHEN (SELECT share FROM pg_temp.part('discovery') d WHERE d.u = l.u) >= .8 THEN 'explorer'
    WHEN (SELECT max(share) FROM pg_temp.part('top_categories') c WHERE c.u = l.u) >= .5 THEN 'specialist' WHEN (SELECT value FROM pg_temp.part('events') e WHERE e.u = l.u) >= 3 * (SELECT value FROM pg_temp.part('items') i WHERE i.u = l.u) THEN 'returner'
    WHEN (SELECT share FROM pg_temp.part('discovery') d WHERE d.u = l.u) <= .2 THEN 'loyalist' ELSE 'allrounder' END AS label FROM listener l$$, 'types by their rules');
SELECT cmp_ok(count(DISTINCT label), '>=', 2::bigint, 'and are not all the same') FROM pg_temp.part('type');
-- One by one the same as all at once; and no order of rows shows.
SELECT bag_eq($$SELECT l.u, w.* FROM listener l CROSS JOIN LATERAL planted.wrapped(l.u, '2025-07-01', '2026-01-01', time_zone => 'America/New_York') w WHERE l.u % 16 = 1$$, 'SELECT * FROM story WHERE user_id % 16 = 1', 'one by one');
CREATE OR REPLACE VIEW planted.events WITH (security_invoker = true) AS SELECT u AS user_id, i AS item_id, at AS occurred_at, w AS weight FROM planted ORDER BY hashint4(i * 1000 + u), at DESC;
SELECT bag_eq($$SELECT * FROM planted.wrapped_all('2025-07-01', '2026-01-01', time_zone => 'America/New_York')$$, 'TABLE story', 'in another order of rows');
SELECT results_eq($$SELECT user_id, part, item_id FROM reco_wrapped_all('2025-07-01', '2026-01-01', 'planted', 1) WHERE part = 'first' AND user_id = '7'$$, $$SELECT '7', 'first', i::text FROM now WHERE u = 7 ORDER BY at, i LIMIT 1$$, 'ids as text');

-- With the rights of whoever asks.
CREATE ROLE reco_wrapped_reader;
GRANT USAGE ON SCHEMA planted TO reco_wrapped_reader;
SET LOCAL ROLE reco_wrapped_reader;
SELECT throws_ok($$SELECT * FROM planted.wrapped(1, '2025-07-01', '2026-01-01')$$, '42501', NULL, 'who may not read the events hears no story');
RESET ROLE;

-- In little memory, by way of temporary files, and in another order of rows, the same to the last digit; weights of every type are summed as decimals.
CREATE TABLE many AS SELECT (n * 7 + n / 400) % 500 AS u, n * 13 % 211 AS i, timestamptz '2025-10-01' + (n * 37 % 9000) * interval '17 minutes' AS at, (n % 100) / 100.0 + .01 AS w FROM generate_series(1, 60000) n;
SELECT reco_create_model('many', 'SELECT u AS user_id, i AS item_id, at AS occurred_at, w::float8 AS weight FROM many', $$SELECT i AS item_id, ARRAY['g' || i % 7, 'h' || i % 3] AS category FROM generate_series(0, 210) i$$);
CREATE TABLE plenty AS SELECT * FROM many.wrapped_all('2025-11-15', '2026-01-01');
SET LOCAL maintenance_work_mem = '1MB';
CREATE TABLE little AS SELECT * FROM many.wrapped_all('2025-11-15', '2026-01-01');
RESET maintenance_work_mem;
SELECT cmp_ok(count(*), '>', 10000::bigint, 'stories of many') FROM plenty;
SELECT is_empty('(TABLE plenty EXCEPT TABLE little) UNION ALL (TABLE little EXCEPT TABLE plenty)', 'the same in a megabyte');
SELECT is(array_agg(user_id), array_agg(user_id ORDER BY user_id), 'users come in their order') FROM many.wrapped_json_all('2025-11-15', '2026-01-01');
CREATE TABLE turned AS SELECT * FROM many ORDER BY w, at DESC;
CREATE OR REPLACE VIEW many.events WITH (security_invoker = true) AS SELECT u AS user_id, i AS item_id, at AS occurred_at, w::float8 AS weight FROM turned;
SELECT is_empty($$(TABLE plenty EXCEPT SELECT * FROM many.wrapped_all('2025-11-15', '2026-01-01')) UNION ALL (SELECT * FROM many.wrapped_all('2025-11-15', '2026-01-01') EXCEPT TABLE plenty)$$, 'in another order the same');
SELECT is_empty($$SELECT user_id, value FROM plenty p WHERE part = 'amount' AND value <> (SELECT sum(w)::float8 FROM many m WHERE m.u = p.user_id AND at >= '2025-11-15' AND at < '2026-01-01')$$, 'amounts are the decimal sums');
SELECT is_empty($$SELECT user_id, label, value FROM plenty p WHERE part = 'top_categories' AND abs(value - (SELECT sum(w / 2)::float8 FROM many m WHERE m.u = p.user_id AND p.label IN ('g' || m.i % 7, 'h' || m.i % 3) AND at >= '2025-11-15' AND at < '2026-01-01')) > 1e-12$$, 'and of categories');
SELECT reco_create_model('by_' || t, format('SELECT u AS user_id, i AS item_id, at AS occurred_at, w::%s AS weight FROM many', t), 'SELECT i AS item_id, NULL::text AS category FROM generate_series(0, 210) i') FROM unnest('{real,numeric}'::text[]) t;
SELECT is_empty($$SELECT user_id, value FROM plenty WHERE part IN ('amount', 'top_items', 'rare_items') EXCEPT SELECT user_id, value FROM by_real.wrapped_all('2025-11-15', '2026-01-01')$$, 'of reals');
SELECT is_empty($$SELECT user_id, value FROM plenty WHERE part IN ('amount', 'top_items', 'rare_items') EXCEPT SELECT user_id, value FROM by_numeric.wrapped_all('2025-11-15', '2026-01-01')$$, 'of numeric');

SELECT * FROM finish();
ROLLBACK;
