-- habits, next purchases, the best time: against plain SQL, and by hand.

BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;
SET LOCAL timezone = 'UTC';

CREATE FUNCTION pg_temp.is_near(have float8, want float8, name text, tolerance float8 DEFAULT 1e-9) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE fine boolean := coalesce(abs(have - want) <= tolerance * abs(want), false);
BEGIN
  RETURN ok(fine, name) || CASE WHEN fine THEN '' ELSE E'\n' || diag(format('have %s, want %s', have, want)) END;
END $$;
CREATE FUNCTION pg_temp.seconds(i interval) RETURNS float8 LANGUAGE sql AS 'SELECT extract(epoch FROM i)::float8';

-- 200 people, each with things of their own that come again every so many days, and others.
CREATE TABLE buy (u int, i int, at timestamptz, paid float8);
INSERT INTO buy
  SELECT u, CASE WHEN s = 0 THEN u % 9 ELSE (u * 7 + n * 3 + s) % 40 END, timestamptz '2024-01-01' + make_interval(days => u % 50 + n * (3 + u % 18) + (u * n) % 3, hours => (8 + u + s * 5) % 24, mins => n % 60), CASE WHEN (u + n + s) % 17 = 0 THEN -1 ELSE 1 END
  FROM generate_series(1, 200) u, generate_series(0, 30) n, generate_series(0, 2) s WHERE u % 50 + n * (3 + u % 18) < 200;
INSERT INTO buy VALUES (1000, 39, '2024-03-01 12:00', 1), (1001, 38, '2024-03-01 12:00', 1), (1001, 38, '2024-03-21 12:00', 1);
CREATE INDEX ON buy (u);
SELECT reco_create_model('habit', 'SELECT u AS user_id, i AS item_id, at AS occurred_at, paid AS weight FROM public.buy');
SELECT reco_configure('habit', similarity => 'cosine', min_support => 1, time_zone => 'America/New_York');
SELECT events > 0 FROM reco_refresh('habit');
SELECT users FROM reco_learn_habits('habit', '2024-06-01');
SELECT is(m.bytes, (SELECT sum(pg_total_relation_size(oid))::bigint FROM pg_class WHERE relnamespace = 'habit'::regnamespace AND relkind = 'r' AND relname <> 'model'), 'the size of a model is that of all its learned tables')
  FROM reco_models() m WHERE model = 'habit';

-- Visits are days in New York, of each person, and of each person with each item.
CREATE TEMP TABLE visit AS SELECT u, min(at) AS at FROM buy WHERE paid > 0 AND at <= '2024-06-01' GROUP BY u, (at AT TIME ZONE 'America/New_York')::date;
CREATE TEMP TABLE again AS SELECT u, i, min(at) AS at FROM buy WHERE paid > 0 AND at <= '2024-06-01' GROUP BY u, i, (at AT TIME ZONE 'America/New_York')::date;
CREATE TEMP TABLE pair AS SELECT u, i, count(*) AS visits, max(at) AS last, pg_temp.seconds(max(at) - min(at)) / nullif(count(*) - 1, 0) AS gap FROM again GROUP BY u, i;
CREATE TEMP TABLE g AS SELECT avg(round(gap)) AS g FROM pair;
-- How long ago a last visit is goes by ranges of half an octave, from day 0.
CREATE TEMP TABLE item AS
  SELECT i, sum(visits) AS visits, sum(visits - 1) AS gaps, (coalesce(sum(round(gap)), 0) + 5 * g) / (count(gap) + 5) AS typical,
    sum(1 - (2 * g / (2 * g + (2 ^ ((floor(2 * log(2, (1 + pg_temp.seconds('2024-06-01' - last) / 86400)::numeric)) + 0.5) / 2) - 1)::float8 * 86400)) ^ 2) AS exposed
  FROM pair, g GROUP BY i, g;
CREATE TEMP TABLE q AS SELECT (sum(gaps) / (sum(gaps) + sum(exposed)))::float8 AS q FROM item;
SELECT is((SELECT count(*) FROM habit.learned_repeat), (SELECT count(*) FROM item), 'every item is there');
SELECT is_empty($$SELECT * FROM habit.learned_repeat l JOIN item s ON s.i = l.item_id, q WHERE l.visits <> s.visits OR l.gaps <> s.gaps OR abs(pg_temp.seconds(l.typical_gap) - s.typical) > 1
  OR abs(l.share - (s.gaps + 10 * q) / (s.gaps + s.exposed + 10)) > 1e-9$$, 'with the numbers of plain SQL');
SELECT is_empty($$SELECT * FROM habit.learned_habit h, q, g, (SELECT count(DISTINCT u) AS users, count(*) AS visits, count(*) - count(DISTINCT u) AS gaps FROM visit) v,
    (SELECT avg(round(gap)) AS gap FROM (SELECT pg_temp.seconds(max(at) - min(at)) / nullif(count(*) - 1, 0) AS gap FROM visit GROUP BY u) p) p
  WHERE h.users <> v.users OR h.visits <> v.visits OR h.gaps <> v.gaps OR abs(h.repeat_share - q) > 1e-9 OR abs(pg_temp.seconds(h.repeat_gap) - g) > 1e-3 OR abs(pg_temp.seconds(h.visit_gap) - p.gap) > 1e-3
    OR abs(h.new_items - (SELECT count(*) FROM pair)::float8 / v.visits) > 1e-12$$, 'everybody''s, too');
SELECT is_empty($$SELECT * FROM habit.learned_habit h, (SELECT reco_fit_bgnbd(r, '2024-06-01') AS f FROM (SELECT reco_rhythm(at) AS r FROM visit GROUP BY u) r) f
  WHERE abs(h.r / (f).r - 1) > 1e-6 OR abs(h.alpha / (f).alpha - 1) > 1e-6 OR abs(h.a / (f).a - 1) > 1e-6 OR abs(h.b / (f).b - 1) > 1e-6$$, 'and the parameters are those of reco_fit_bgnbd');
CREATE TEMP TABLE met AS SELECT DISTINCT u, date_trunc('hour', at) AS at FROM buy WHERE paid > 0 AND at <= '2024-06-01';
SELECT is((SELECT hours FROM habit.learned_habit), (SELECT reco_hours(at, 'America/New_York') FROM met), 'hours are those in which people chose something');

-- What fewer than min_support people chose is not written down.
SELECT reco_configure('habit', min_support => 30);
SELECT users FROM reco_learn_habits('habit', '2024-06-01');
SELECT is((SELECT array_agg(item_id ORDER BY item_id) FROM habit.learned_repeat), (SELECT array_agg(i ORDER BY i) FROM (SELECT i FROM pair GROUP BY i HAVING count(*) >= 30) s), 'items that few chose are not told of');
SELECT is_empty($$SELECT n FROM habit.learned_habit h, unnest(hours) WITH ORDINALITY w(c, n) WHERE (c > 0) <> (SELECT count(DISTINCT u) >= 30 FROM met WHERE (extract(isodow FROM at AT TIME ZONE 'America/New_York') - 1) * 24 + extract(hour FROM at AT TIME ZONE 'America/New_York') + 1 = n)$$, 'nor hours at which few did');
SELECT reco_configure('habit', min_support => 1);
SELECT users FROM reco_learn_habits('habit', '2024-06-01');

-- The same again in another order of rows, and with what was there before.
CREATE TEMP TABLE before AS SELECT * FROM habit.learned_repeat;
CREATE TEMP TABLE row_before AS SELECT * FROM habit.learned_habit;
CREATE TABLE other AS SELECT * FROM buy ORDER BY md5(buy::text);
CREATE OR REPLACE VIEW habit.events WITH (security_invoker = true) AS SELECT u AS user_id, i AS item_id, at AS occurred_at, paid AS weight FROM public.other;
SELECT users FROM reco_learn_habits('habit', '2024-06-01');
SELECT is_empty('(TABLE before EXCEPT TABLE habit.learned_repeat) UNION ALL (TABLE habit.learned_repeat EXCEPT TABLE before)', 'in another order it is the same');
SELECT is_empty('(TABLE row_before EXCEPT TABLE habit.learned_habit)', 'to the last bit');
CREATE OR REPLACE VIEW habit.events WITH (security_invoker = true) AS SELECT u AS user_id, i AS item_id, at AS occurred_at, paid AS weight FROM public.buy;

/*
 * By hand: 1000 chose 39 once, 92 days (s) before 2024-06-01 12:00.  Of the typical gap T: c = 1 and G / (G + 2 T) ~ Beta(1, 2), so that it
 * is longer than g with the chance (2T / (2T + g))^2.  1001 chose 38 twice, 20 days apart and 72 days ago: one gap, still c = 1, S = 2 T + 20 and
 * Beta(1, 3), a share of (1 + q) / 2.
 */
SELECT pg_temp.is_near(n.chance, q * (a - b) / (1 - q + q * a), 'the chance of an item chosen once') FROM habit.next_purchases(1000, NULL, '30 days', '2024-06-01 12:00') n,
  (SELECT share AS q, (t / (t + 92)) ^ 2 AS a, (t / (t + 122)) ^ 2 AS b FROM (SELECT share, 2 * pg_temp.seconds(typical_gap) / 86400 AS t FROM habit.learned_repeat WHERE item_id = 39) r) s WHERE n.item_id = 39;
SELECT pg_temp.is_near(n.chance, q * (a - b) / (1 - q + q * a), 'the chance of an item chosen twice') FROM habit.next_purchases(1001, NULL, '30 days', '2024-06-01 12:00') n,
  (SELECT (1 + share) / 2 AS q, (t / (t + 72)) ^ 3 AS a, (t / (t + 102)) ^ 3 AS b FROM (SELECT share, 20 + 2 * pg_temp.seconds(typical_gap) / 86400 AS t FROM habit.learned_repeat WHERE item_id = 38) r) s WHERE n.item_id = 38;
-- Half of those that are 92 days late come before expected_at: (t / (t + g))^2 is half of what it was.
SELECT pg_temp.is_near(pg_temp.seconds(n.expected_at - '2024-03-01 12:00') / 86400, t * (sqrt(2 / ((t / (t + 92)) ^ 2)) - 1), 'and when it is expected') FROM habit.next_purchases(1000, NULL, '30 days', '2024-06-01 12:00') n,
  (SELECT 2 * pg_temp.seconds(typical_gap) / 86400 AS t FROM habit.learned_repeat WHERE item_id = 39) s WHERE n.item_id = 39;

-- What is new, against the formula over reco_top_n; and what is there at all.
CREATE TEMP TABLE next AS SELECT u, n.* FROM generate_series(1, 20) u, habit.next_purchases(u, NULL, '45 days', '2024-06-01') n;
SELECT is_empty($$SELECT u, item_id FROM next GROUP BY 1, 2 HAVING count(*) > 1$$, 'no item comes twice');
SELECT is_empty($$SELECT * FROM next n FULL JOIN (SELECT u, item_id FROM generate_series(1, 20) u, habit.top_n(u, NULL, as_of => '2024-06-01') t UNION
    SELECT p.u, p.i FROM pair p JOIN (SELECT u, i FROM buy WHERE at <= '2024-06-01' GROUP BY 1, 2 HAVING sum(paid) > 0) w USING (u, i) WHERE u <= 20) s USING (u, item_id) WHERE n.source IS NULL OR s.item_id IS NULL$$, 'repeats and the list, nothing else');
SELECT is_empty($$SELECT * FROM next n JOIN pair p ON (p.u, p.i) = (n.u, n.item_id) WHERE n.source = 'repeat' AND n.times <> p.visits$$, 'repeats say on how many days');
SELECT is_empty($$WITH score AS (SELECT u, item_id, score, sum(greatest(score, 0)) FILTER (WHERE score > 0) OVER (PARTITION BY u) AS all FROM generate_series(1, 20) u, habit.top_n(u, NULL, as_of => '2024-06-01') t WHERE score > 0),
    e AS (SELECT u, reco_expected_purchases(ROW(h.r, h.alpha, h.a, h.b, NULL, NULL, NULL)::reco_bgnbd, v.r, '2024-06-01', '45 days') * ((SELECT count(*) FROM pair p JOIN (SELECT u, i FROM buy WHERE at <= '2024-06-01' GROUP BY 1, 2 HAVING sum(paid) > 0) w USING (u, i) WHERE p.u = v.u) + h.new_items) / ((v.r).times + 1) AS e
      FROM (SELECT u, reco_rhythm(at) AS r FROM visit WHERE u <= 20 GROUP BY u) v, habit.learned_habit h)
  SELECT * FROM next n JOIN score s USING (u, item_id) JOIN e USING (u) WHERE abs(n.chance - (1 - exp(-e * s.score / s.all))) > 1e-9$$, 'what is new has the chance that is said');
SELECT is_empty($$SELECT * FROM (SELECT *, lag(chance) OVER (PARTITION BY u ORDER BY n) AS before FROM (SELECT u, n.* FROM generate_series(1, 5) u, habit.next_purchases(u, NULL, '45 days', '2024-06-01') WITH ORDINALITY n(item_id, chance, a, b, c, source, times, n)) s) l WHERE chance > before$$, 'the likeliest first');
SELECT is_empty($$SELECT * FROM next WHERE NOT (expected_from <= expected_at AND expected_at <= expected_until AND expected_from >= '2024-06-01') OR chance NOT BETWEEN 0 AND 1$$, 'times follow each other, none is over, and chances are such');
-- Who has an item every ten days, and is due, has it first.
INSERT INTO buy SELECT 2000, CASE WHEN n % 2 = 0 THEN 5 ELSE 20 + n END, timestamptz '2024-01-01' + make_interval(days => 5 * n), 1 FROM generate_series(0, 18) n;
SELECT is(item_id, 5, 'what is due comes first') FROM habit.next_purchases(2000, 1, '14 days', timestamptz '2024-01-01' + interval '99 days');
SELECT ok(expected_at < '2024-04-19' AND expected_until < '2024-05-09', format('and soon: %s to %s', expected_from, expected_until)) FROM habit.next_purchases(2000, 1, '14 days', timestamptz '2024-01-01' + interval '99 days');

-- Once learned, they are learned anew by every refresh, as of then; where they never were, or were taken away, they are not.
CREATE FUNCTION pg_temp.refresh(model text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM reco_refresh(model); END $$;
CREATE TABLE bought AS SELECT u, i, at, paid FROM buy;
SELECT reco_create_model('kept', 'SELECT u AS user_id, i AS item_id, at AS occurred_at, paid AS weight FROM public.bought');
SELECT reco_configure('kept', similarity => 'cosine', min_support => 1, time_zone => 'America/New_York');
SELECT pg_temp.refresh('kept');
SELECT is_empty('SELECT FROM kept.learned_habit', 'a refresh does not begin with habits');
SELECT users FROM reco_learn_habits('kept', '2024-02-01') \gset
CREATE TEMP TABLE early AS SELECT users, visits FROM kept.learned_habit;
INSERT INTO bought SELECT 5000 + u, 77, timestamptz '2024-05-01 12:00' + n * interval '1 day', 1 FROM generate_series(1, 9) u, generate_series(1, u) n;
SELECT pg_temp.refresh('kept');
SELECT ok(h.users > e.users AND h.visits > e.visits AND h.as_of > '2024-06-01', 'the next learns them anew, as of then') FROM kept.learned_habit h, early e;
SELECT is(visits, 45::bigint, 'with what is new') FROM kept.learned_repeat WHERE item_id = 77;
CREATE TEMP TABLE by_refresh AS SELECT h.* FROM kept.learned_habit h;
SELECT users FROM reco_learn_habits('kept', (SELECT as_of FROM by_refresh)) \gset
SELECT results_eq('SELECT h::text FROM kept.learned_habit h', 'SELECT h::text FROM by_refresh h', 'the same as by a call of its own');
DELETE FROM bought WHERE u = 5009;
SELECT rows_written FROM reco_forget(5009, 'kept') \gset
SELECT is(visits, 36::bigint, 'forgetting somebody leaves the habits of the others') FROM kept.learned_repeat WHERE item_id = 77;
SELECT is(h.users, count(DISTINCT b.u), 'all of them') FROM kept.learned_habit h, bought b WHERE b.paid > 0 GROUP BY h.users;
DELETE FROM kept.learned_habit;
SELECT pg_temp.refresh('kept');
SELECT is_empty('SELECT FROM kept.learned_habit', 'a row taken away stays away');

-- What a query remembers from one call to the next says the same as what one call reads.
CREATE FUNCTION pg_temp.alone(u int) RETURNS SETOF text LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY SELECT n::text FROM habit.next_purchases(u, 20, '14 days', timestamptz '2024-01-01' + interval '99 days') n; END $$;
SELECT results_eq($$SELECT u, n::text FROM generate_series(1, 60) u, LATERAL habit.next_purchases(u, 20, '14 days', timestamptz '2024-01-01' + interval '99 days') n ORDER BY 1, 2$$, $$SELECT u, n FROM generate_series(1, 60) u, LATERAL pg_temp.alone(u) n ORDER BY 1, 2$$, 'asked about many users in one query the same as one by one');
SELECT reco_create_model('stocked', 'SELECT u AS user_id, i AS item_id, at AS occurred_at, paid AS weight FROM public.buy', 'SELECT i AS item_id FROM generate_series(0, 60) i WHERE i % 3 > 0');
SELECT reco_configure('stocked', similarity => 'cosine', min_support => 3, time_zone => 'America/New_York');
SELECT events > 0 FROM reco_refresh('stocked');
SELECT users FROM reco_learn_habits('stocked', '2024-06-01') \gset
CREATE FUNCTION pg_temp.alone_stocked(u int) RETURNS SETOF text LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY SELECT n::text FROM stocked.next_purchases(u, 20, '14 days', timestamptz '2024-01-01' + interval '99 days') n; END $$;
SELECT results_eq($$SELECT u, n::text FROM generate_series(1, 60) u, LATERAL stocked.next_purchases(u, 20, '14 days', timestamptz '2024-01-01' + interval '99 days') n ORDER BY 1, 2$$, $$SELECT u, n FROM generate_series(1, 60) u, LATERAL pg_temp.alone_stocked(u) n ORDER BY 1, 2$$, 'where the catalogue has not all of them, too');
SELECT is_empty($$SELECT FROM generate_series(1, 60) u, LATERAL stocked.next_purchases(u, 20, '14 days', timestamptz '2024-01-01' + interval '99 days') n WHERE item_id % 3 = 0$$, 'and what it has not does not come');

-- The best time against plain SQL, hour by hour of days around those on which clocks change, too.
CREATE OR REPLACE VIEW habit.events WITH (security_invoker = true) AS SELECT u AS user_id, i AS item_id, at AS occurred_at, paid AS weight FROM public.buy WHERE at <= '2024-06-01';
CREATE TEMP TABLE share AS SELECT u, reco_smooth_hours(own, hours) AS s FROM (SELECT u, reco_hours(at, 'America/New_York') AS own FROM met WHERE u BETWEEN 1 AND 20 GROUP BY u) o, habit.learned_habit;
SELECT is_empty($$SELECT f.*, s.* FROM unnest('{2024-06-01 00:00,2024-06-02 05:00,2024-11-03 00:00,2024-11-02 12:00,2025-03-09 00:00}'::timestamptz[]) t(at), share,
    LATERAL (SELECT (array_agg(h ORDER BY s[n] DESC, h))[1] AS best, max(s[n]) / avg(s[n]) AS lift FROM (SELECT h, ((extract(isodow FROM h AT TIME ZONE 'America/New_York') - 1) * 24 + extract(hour FROM h AT TIME ZONE 'America/New_York') + 1)::int AS n FROM generate_series(t.at, t.at + interval '71 hours', '1 hour') h) n) s,
    LATERAL (SELECT b.* FROM habit.best_time(share.u, '3 days', t.at) b) f WHERE (f.at <> s.best OR abs(f.lift / s.lift - 1) > 1e-9)$$, 'the best hour is that of plain SQL');

SELECT * FROM finish();
ROLLBACK;
