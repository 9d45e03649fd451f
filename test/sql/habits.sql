-- Habits: what is learned of everybody, and what is said where there is nothing to learn.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET intervalstyle = 'postgres';
CREATE TABLE buy (u text, i int, at timestamptz, weight int DEFAULT 1);
SELECT reco_create_model('habit', 'SELECT u AS user_id, i AS item_id, at AS occurred_at, weight FROM public.buy');
SELECT reco_learn_habits('habit');
-- Nothing, one event, all at one time.
SELECT events FROM reco_refresh('habit');
SELECT users, visits, items, repeat_share FROM reco_learn_habits('habit', '2024-03-01');
INSERT INTO buy VALUES ('a', 1, '2024-01-01 12:00');
SELECT users, visits, items, repeat_share FROM reco_learn_habits('habit', '2024-03-01');
INSERT INTO buy SELECT 'b', i, '2024-01-01 12:00' FROM generate_series(1, 3) i;
SELECT users, visits, items, repeat_share FROM reco_learn_habits('habit', '2024-03-01');
SELECT users, visits, gaps, visit_gap, r, new_items, repeat_gap, repeat_share, (SELECT sum(n) FROM unnest(hours) n), time_zone FROM habit.learned_habit;
-- Repeats: a chooses 1 every ten days, b chooses 2 twice; what is returned or shown says nothing.
INSERT INTO buy SELECT 'a', 1, timestamptz '2024-01-01 12:00' + make_interval(days => 10 * n) FROM generate_series(1, 3) n;
INSERT INTO buy VALUES ('b', 2, '2024-01-21 12:00', 1), ('c', 1, '2024-01-05', 0), ('c', 3, '2024-01-06', -1), ('b', 3, '2024-05-05', 1);
SELECT users, visits, items FROM reco_learn_habits('habit', '2024-03-01');
SELECT item_id, visits, gaps, date_trunc('second', typical_gap) AS typical_gap, round(share::numeric, 6) AS share FROM habit.learned_repeat ORDER BY item_id;
SELECT as_of, users, visits, gaps, date_trunc('second', visit_gap) AS visit_gap, r > 0 AS fitted, round(new_items::numeric, 6) AS new_items, date_trunc('second', repeat_gap) AS repeat_gap, round(repeat_share::numeric, 6) AS repeat_share FROM habit.learned_habit;
-- What only one person chose is not written down, unless the owner says so; who did not consent is not learned from.
SELECT reco_configure('habit', min_support => 1);
SELECT users, visits, items FROM reco_learn_habits('habit', '2024-03-01');
SELECT item_id, visits, gaps, date_trunc('second', typical_gap) AS typical_gap, round(share::numeric, 6) AS share FROM habit.learned_repeat ORDER BY item_id;
CREATE VIEW habit.users WITH (security_invoker = true) AS SELECT 'a'::text AS user_id, true AS consent;
SELECT users, visits, items FROM reco_learn_habits('habit', '2024-03-01');
DROP VIEW habit.users;
SELECT users, visits, items FROM reco_learn_habits('habit', '2024-03-01');
-- Who is forgotten takes all of it along.
SELECT users FROM reco_refresh('habit');
SELECT traces FROM reco_traces('b'::text, 'habit') WHERE place = 'learned_repeat';
-- Events that went take what was learned of them along.
DELETE FROM buy WHERE i = 3;
SELECT items FROM reco_learn_habits('habit', '2024-03-01');
SELECT item_id FROM habit.learned_repeat ORDER BY item_id;
-- What cannot be.
SELECT reco_learn_habits('habit', 'infinity');
SELECT reco_learn_habits('nobody');
SELECT reco_create_model('timeless', 'SELECT u AS user_id, i AS item_id FROM public.buy');
SELECT reco_learn_habits('timeless');
SELECT reco_drop_model('timeless');
DELETE FROM buy WHERE u = 'b';
SELECT rows_written >= 0 AS forgotten FROM reco_forget('b'::text, 'habit');
SELECT (SELECT count(*) FROM habit.learned_repeat) AS repeats, (SELECT count(*) FROM habit.learned_habit) AS habits;
SELECT reco_drop_model('habit');
DROP TABLE buy;
