-- The best time: the surface, clocks that change, and every message.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
CREATE TABLE visit (u int, at timestamptz);
-- Everybody comes at nine of a weekday in London, 1 at eleven at night on Saturdays and Sundays, 2 between one and two of a night from Saturday to Sunday.
INSERT INTO visit SELECT u, (date '2024-01-01' + n + time '09:30') AT TIME ZONE 'Europe/London' FROM generate_series(3, 12) u, generate_series(0, 60) n WHERE n % 7 < 5;
INSERT INTO visit SELECT 1, (date '2024-01-01' + n + time '23:15') AT TIME ZONE 'Europe/London' FROM generate_series(0, 200) n WHERE n % 7 >= 5;
INSERT INTO visit SELECT 2, (date '2023-01-01' + 7 * n + time '01:15') AT TIME ZONE 'Europe/London' FROM generate_series(0, 60) n;
SELECT reco_create_model('when', 'SELECT u AS user_id, 1 AS item_id, at AS occurred_at FROM public.visit');
SELECT reco_configure('when', time_zone => 'Europe/London');
SELECT events FROM reco_refresh('when');
SELECT reco_best_time(1, 'when');
SELECT users FROM reco_learn_habits('when', '2024-08-01');
SELECT who, b.at AT TIME ZONE 'Europe/London' AS at, b.until - b.at AS length, b.hour, b.lift > 1 AS lift
FROM unnest('{1,2,3,99,NULL}'::int[]) who, "when".best_time(who, '7 days', '2024-08-01 12:00+00') b;
-- In the middle of the hour, what is left of it; within less than an hour, what there is.
SELECT at, until, hour, round(lift::numeric, 4) AS lift FROM "when".best_time(3, '1 day', '2024-08-01 08:40+00');
SELECT at, until, hour, round(lift::numeric, 4) AS lift FROM "when".best_time(3, '10 minutes', '2024-08-01 03:55+00');
-- The night without that hour (2024-03-31), and the one in which it comes twice (2024-10-27): the first of both.
SELECT b.at, b.hour FROM "when".best_time(2, '12 hours', '2024-03-30 18:00+00') b;
SELECT b.at, b.hour FROM "when".best_time(2, '12 hours', '2024-10-26 18:00+00') b;
SELECT b.at, b.hour FROM "when".best_time(2, '12 hours', '2024-10-27 00:59:59+00') b;
SELECT b.at, b.hour FROM "when".best_time(2, '12 hours', '2024-10-27 01:00+00') b;
SELECT hour FROM reco_best_time(1, 'when', '7 days', '2024-08-01 12:00+00');
-- What cannot be.
SELECT "when".best_time(1, '0');
SELECT "when".best_time(1, '1 year');
SELECT "when".best_time(1, as_of => 'infinity');
SELECT reco_best_time('x'::text, 'when');
SELECT reco_drop_model('when');
DROP TABLE visit;
