-- signals: what keeps an item out of lists, for how long, and what being shown takes from it; by hand, and against SQL.

BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;
SET LOCAL timezone = 'UTC';

CREATE FUNCTION pg_temp.refresh(model text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM reco_refresh(model); END $$;
-- A list as "item score source, ...", in its order; scores in four digits, fallback ranks as they are.
CREATE FUNCTION pg_temp.list(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE answer text;
BEGIN
  EXECUTE format($q$SELECT string_agg(concat_ws(' ', item_id, CASE WHEN source = 'personal' THEN round(score::numeric, 4)::text ELSE source END), ', ' ORDER BY n)
    FROM %s WITH ORDINALITY AS t(item_id, score, match, because, source, n)$q$, call) INTO answer;
  RETURN answer;
END $$;

/* The 5 x 5 matrix of matrix.sql, linear, and its cosines: 12 .771517, 13 .569803, 14 .462910, 23 .369274, 24 .333333, 34 .615457, 45 .408248. */
CREATE TABLE five (user_id int, item_id int, signal text, occurred_at timestamptz DEFAULT '2026-01-01', weight float8);
INSERT INTO five (user_id, item_id, weight) VALUES
  (1, 1, 1), (1, 2, 2), (1, 3, 1),
  (2, 1, 2), (2, 2, 1),
  (3, 1, 1), (3, 3, 3), (3, 4, 1),
  (4, 1, 1), (4, 2, 1), (4, 3, 1), (4, 4, 2),
  (5, 4, 1), (5, 5, 1);
SELECT reco_create_model('five', 'SELECT user_id, item_id, signal, occurred_at, weight FROM five');
SELECT reco_configure('five', similarity => 'cosine', weighting => 'linear', min_support => 1);
SELECT pg_temp.refresh('five');

/*
 * u6 bought 1 on January 1st and 2 on January 21st, norm sqrt 2:
 *   1: .771517 / 1.414214 = .5455 = 2   3: (.569803 + .369274) / 1.414214 = .6640   4: (.462910 + .333333) / 1.414214 = .5630
 */
INSERT INTO five VALUES (6, 1, 'buy', '2026-01-01', 1), (6, 2, 'buy', '2026-01-21', 1);
SELECT is(pg_temp.list($$five.top_n(6, as_of => '2026-12-31', fallback => false)$$), '3 0.6640, 4 0.5630', 'what was bought stays out for good');
SELECT reco_configure('five', exclude_seen => '{"buy": "90 days"}');
SELECT is(pg_temp.list($$five.top_n(6, as_of => '2026-01-21', fallback => false)$$), '3 0.6640, 4 0.5630', 'both are out');
SELECT is(pg_temp.list($$five.top_n(6, as_of => '2026-03-31 23:59:59.999999', fallback => false)$$), '3 0.6640, 4 0.5630', 'to the last microsecond of 90 days');
SELECT is(pg_temp.list($$five.top_n(6, as_of => '2026-04-01', fallback => false)$$), '3 0.6640, 4 0.5630, 1 0.5455', 'then the first is back');
SELECT is(pg_temp.list($$five.top_n(6, as_of => '2026-04-21', fallback => false)$$), '3 0.6640, 4 0.5630, 1 0.5455, 2 0.5455', 'and then the second');
SELECT is(pg_temp.list($$five.top_n(6, as_of => 'infinity', fallback => false)$$), '3 0.6640, 4 0.5630, 1 0.5455, 2 0.5455', 'in the end all are');
SELECT is(pg_temp.list($$five.top_n(6, as_of => '-infinity', fallback => false)$$), NULL, 'before the first event there is no history');
SELECT is(pg_temp.list($$five.top_n(6, as_of => '2026-01-21', fallback => false, seen => true)$$), '3 0.6640, 4 0.5630, 1 0.5455, 2 0.5455', 'seen lets them back in at once');
/* A later event begins anew; one of another signal does not shorten it. */
INSERT INTO five VALUES (6, 1, 'view', '2026-03-01', 1e-30);
SELECT reco_configure('five', exclude_seen => '{"buy": "90 days", "view": "60 days"}');
SELECT is(pg_temp.list($$five.top_n(6, as_of => '2026-04-01', fallback => false)$$), '3 0.6640, 4 0.5630', 'a view keeps 1 out until April 30th');
SELECT is(pg_temp.list($$five.top_n(6, as_of => '2026-04-30', fallback => false)$$), '3 0.6640, 4 0.5630, 1 0.5455, 2 0.5455', 'no longer');
SELECT reco_configure('five', exclude_seen => '{"buy": "90 days", "view": "1 day"}');
SELECT is(pg_temp.list($$five.top_n(6, as_of => '2026-03-30', fallback => false)$$), '3 0.6640, 4 0.5630', 'nor does it shorten what the purchase says');
SELECT reco_configure('five', exclude_seen => '{"view": "never", "*": "1 mon"}');
SELECT is(pg_temp.list($$five.top_n(6, as_of => '2026-01-31', fallback => false)$$), '3 0.6640, 4 0.5630, 1 0.5455', 'a month is thirty days, and * is whatever is not named');
SELECT reco_configure('five', exclude_seen => '{"buy": "never"}');
SELECT is(pg_temp.list($$five.top_n(6, as_of => '2026-02-01', fallback => false)$$), '3 0.6640, 4 0.5630, 1 0.5455, 2 0.5455', 'never means at once');
SELECT is(pg_temp.list($$five.top_n(6, as_of => '2026-03-02', fallback => false)$$), '3 0.6640, 4 0.5630, 2 0.5455', 'what is not named stays out for good');
/* A dislike removes whatever the policy says, and lowers its neighbours: 4 / sqrt 3 each less for 2. */
INSERT INTO five VALUES (7, 1, 'buy', '2026-01-01', 1), (7, 2, 'rate', '2026-01-02', -1);
SELECT reco_configure('five', exclude_seen => '{"*": "never"}');
SELECT is(pg_temp.list($$five.top_n(7, fallback => false)$$), '3 0.1418, 4 0.0916', 'a dislike stays out and lowers its neighbours');
SELECT is(pg_temp.list($$five.top_n(7, fallback => false, seen => true)$$), '3 0.1418, 4 0.0916', 'and seen does not let it in');
SELECT is((SELECT string_agg(code, ' ') FROM five.why_not(7, 2)), 'disliked', 'it says so');
/* Events without a signal are "*". */
INSERT INTO five VALUES (8, 1, NULL, '2026-01-01', 1);
SELECT is(pg_temp.list($$five.top_n(8, fallback => false)$$), '2 0.7715, 3 0.5698, 4 0.4629', 'nothing speaks for 1 itself');
SELECT ok(EXISTS (SELECT FROM five.top_n(8) WHERE item_id = 1), 'but it fills the list');
SELECT reco_configure('five', exclude_seen => '{"buy": "never"}');
SELECT ok(NOT EXISTS (SELECT FROM five.top_n(8) WHERE item_id = 1), 'it stays out where it is not named');
/* Who asks for whom: the audience of 1 has u6 as soon as the policy lets it. */
SELECT reco_configure('five', exclude_seen => '{"buy": "never", "view": "never"}');
SELECT ok(EXISTS (SELECT FROM five.audience(1, NULL) WHERE user_id = 6), 'an audience goes by the policy');
SELECT reco_configure('five', exclude_seen => '{}');
SELECT ok(NOT EXISTS (SELECT FROM five.audience(1, NULL) WHERE user_id = 6), 'and by the default');

/*
 * Fatigue.  u9 likes 1: 2 .7715, 3 .5698, 4 .4629.  2 was shown on January 2nd and, twice, on the 3rd.  With a half-life
 * of a day, as of January 3rd F = .5 + 2 = 2.5: .771517 / 3.5 = .220433; as of the 5th F = .625: .771517 / 1.625 = .474780.
 */
INSERT INTO five VALUES (9, 1, 'buy', '2026-01-01', 1), (9, 2, 'impression', '2026-01-02', 0), (9, 2, 'impression', '2026-01-03', 0), (9, 2, 'impression', '2026-01-03', 0);
SELECT is(pg_temp.list($$five.top_n(9, as_of => '2026-01-01', fallback => false)$$), '2 0.7715, 3 0.5698, 4 0.4629', 'before it was shown');
SELECT is(pg_temp.list($$five.top_n(9, as_of => '2026-01-03', fallback => false)$$), '3 0.5698, 4 0.4629, 2 0.2204', 'F = .5 + 1 + 1');
SELECT is(pg_temp.list($$five.top_n(9, as_of => '2026-01-05', fallback => false)$$), '3 0.5698, 2 0.4748, 4 0.4629', 'F = .125 + .25 + .25');
SELECT is(pg_temp.list($$five.top_n(9, as_of => '2026-03-01', fallback => false)$$), '2 0.7715, 3 0.5698, 4 0.4629', 'it passes');
SELECT is(pg_temp.list($$five.top_n(9, as_of => 'infinity', fallback => false)$$), '2 0.7715, 3 0.5698, 4 0.4629', 'it passes for good');
SELECT is(pg_temp.list($$five.top_n(9, 1, as_of => '2026-01-03')$$), '3 0.5698', 'before the cut');
SELECT reco_configure('five', fatigue_half_life => '12 hours');
SELECT is(pg_temp.list($$five.top_n(9, as_of => '2026-01-04', fallback => false)$$), '3 0.5698, 2 0.4938, 4 0.4629', 'half a day: F = .0625 + .25 + .25, .771517 / 1.5625');
SELECT reco_configure('five', fatigue_half_life => '0');
SELECT is(pg_temp.list($$five.top_n(9, as_of => '2026-01-03', fallback => false)$$), '2 0.7715, 3 0.5698, 4 0.4629', 'none');
SELECT reco_configure('five', fatigue_half_life => '1 day');
/* However often it is shown, it keeps a quarter. */
INSERT INTO five SELECT 9, 2, 'impression', '2026-01-03', 0 FROM generate_series(1, 50);
SELECT is(pg_temp.list($$five.top_n(9, as_of => '2026-01-03', fallback => false)$$), '3 0.5698, 4 0.4629, 2 0.1929', 'F counts as 3 at most: .771517 / 4');
/* A click answers for what came before it; what comes after it counts again. */
INSERT INTO five VALUES (10, 1, 'buy', '2026-01-01', 1), (10, 2, 'impression', '2026-01-02', 0), (10, 2, 'click', '2026-01-02', 1e-12);
SELECT reco_configure('five', exclude_seen => '{"click": "never"}');
SELECT is(pg_temp.list($$five.top_n(10, as_of => '2026-01-02', fallback => false)$$), '2 0.7715, 3 0.5698, 4 0.4629', 'a click at the time of the impression answers for it');
INSERT INTO five VALUES (10, 2, 'impression', '2026-01-03', 0);
SELECT is(pg_temp.list($$five.top_n(10, as_of => '2026-01-03', fallback => false)$$), '3 0.5698, 4 0.4629, 2 0.3858', 'shown again: F = 1');
SELECT reco_configure('five', exclude_seen => '{}');
/* Scores, and with them why, rank and match, are those of taste: fatigue is of lists alone. */
INSERT INTO five VALUES (11, 1, 'buy', '2026-01-01', 1), (11, 2, 'impression', clock_timestamp(), 0);
SELECT ok(abs(five.score(11, 2) - 5 / sqrt(42::float8)) < 1e-6, 'a score does not tire');
SELECT is((SELECT sum(share) FROM five.why(11, 2)), five.score(11, 2), 'shares sum to it');
SELECT is(pg_temp.list('five.rank(11, ARRAY[4, 3, 2, 1])'), '2 0.7715, 3 0.5698, 4 0.4629, 1 given', 'nor does a list that is given');
SELECT ok((SELECT t.score BETWEEN five.score(11, 2) / 2.001 AND five.score(11, 2) / 1.99 FROM five.top_n(11) t WHERE item_id = 2), 'in a list it is halved');
SELECT is((SELECT string_agg(code, ' ') FROM five.why_not(11, 2)), 'fatigue listed', 'why_not says so');
/*
 * Where no score ranks, the place of an item in its source is multiplied: a guest who never did a thing sees 1, 3, 2, 4, 5;
 * 1 shown twice goes from place 1 to 3, after what is there itself; 3, shown three times, from 2 to 8, the end.
 */
SELECT is(pg_temp.list('five.top_n(NULL)'), '1 popular, 3 popular, 2 popular, 4 popular, 5 popular', 'a guest');
INSERT INTO five SELECT 12, item_id, 'impression', '2026-01-03', 0 FROM unnest(ARRAY[1, 1, 3, 3, 3]) item_id;
SELECT is(pg_temp.list($$five.top_n(12, as_of => '2026-01-03')$$), '2 popular, 1 popular, 4 popular, 5 popular, 3 popular', 'places are multiplied as scores are divided');
SELECT is(pg_temp.list($$five.top_n(12, 2, as_of => '2026-01-03')$$), '2 popular, 1 popular', 'before the cut');
SELECT is(pg_temp.list($$five.top_n(12, as_of => '2026-06-03')$$), pg_temp.list('five.top_n(NULL)'), 'it passes there, too');
/* Rules order it first: 4, raised most, then 1, 3, 2, 5; of these places, 1 goes from 2 to 6, 3 from 3 to 12. */
CREATE VIEW five.rules WITH (security_invoker = true) AS SELECT 4 AS item_id, 90 AS boost;
SELECT is(pg_temp.list('five.top_n(NULL)'), '4 popular, 1 popular, 3 popular, 2 popular, 5 popular', 'a guest under rules');
SELECT is(pg_temp.list($$five.top_n(12, as_of => '2026-01-03')$$), '4 popular, 2 popular, 5 popular, 1 popular, 3 popular', 'what was shown is taken back in the order that rules make');
DROP VIEW five.rules;
/* Without times nobody knows how long ago it was: no fatigue. */
SELECT reco_create_model('timeless', 'SELECT user_id, item_id, signal, weight FROM five WHERE user_id NOT BETWEEN 6 AND 8');
SELECT reco_configure('timeless', similarity => 'cosine', weighting => 'linear', min_support => 1);
SELECT pg_temp.refresh('timeless');
SELECT is((SELECT string_agg(item_id::text, ' ') FROM timeless.top_n(12)), (SELECT string_agg(item_id::text, ' ') FROM timeless.top_n(NULL)), 'no times, no fatigue');

-- Everybody of a larger model, under several policies, against SQL: who may come, and with what score.
CREATE TABLE many (u bigint, i bigint, s text, at timestamptz, w real);
INSERT INTO many
SELECT u, 1 + (u * 7 + n * n * 3 + u * n) % 60, (ARRAY['buy', 'view', 'impression', NULL, 'hide'])[1 + (u * 3 + n * 5 + n * n) % 5],
       '2026-01-01'::timestamptz + ((u * 37 + n * 101) % 2400) * interval '1 hour',
       (ARRAY[3, .5, 0, 1, 0, -1])[1 + (u * 3 + n * 5 + n * n) % 5 + CASE WHEN (u + n) % 29 = 0 THEN 1 ELSE 0 END]
FROM generate_series(1, 150) u, generate_series(1, 24) n;
SELECT reco_create_model('many', 'SELECT u AS user_id, i AS item_id, s AS signal, at AS occurred_at, w AS weight FROM many');
SELECT reco_configure('many', similarity => 'cosine');
SELECT pg_temp.refresh('many');

/* What keeps an item out for a user as of a time, and its F, from the events alone. */
CREATE FUNCTION pg_temp.known(policy jsonb, half_life interval, now timestamptz)
RETURNS TABLE(user_id bigint, item_id bigint, kept_out boolean, f float8) LANGUAGE sql AS $$
  WITH e AS (SELECT u, i, at, w, coalesce(policy ->> s, policy ->> '*', 'forever') AS time, policy ? coalesce(s, '') AS named FROM many WHERE at <= now),
       last AS (SELECT u, i, max(at) FILTER (WHERE w <> 0) AS at, sum(w) AS w FROM e GROUP BY u, i)
  SELECT u, i, last.w < 0 OR bool_or((e.w <> 0 OR named) AND CASE time WHEN 'forever' THEN true WHEN 'never' THEN false ELSE e.at + time::interval > now END),
         coalesce(sum(CASE WHEN half_life > '0' THEN exp(-ln(2) * extract(epoch FROM now - e.at) / extract(epoch FROM half_life)) END) FILTER (WHERE e.w = 0 AND (last.at IS NULL OR e.at > last.at)), 0)
  FROM e JOIN last USING (u, i) GROUP BY u, i, last.w $$;
CREATE FUNCTION pg_temp.holds(policy jsonb, half_life interval, now timestamptz) RETURNS text LANGUAGE plpgsql AS $$
DECLARE wrong bigint; rows bigint; tired bigint; kept bigint;
BEGIN
  PERFORM reco_configure('many', exclude_seen => policy, fatigue_half_life => half_life);
  DROP TABLE IF EXISTS listed, every_one, want;
  CREATE TEMP TABLE listed AS SELECT u.u AS user_id, t.* FROM (SELECT DISTINCT u FROM many) u, LATERAL many.top_n(u.u, 100, as_of => now, fallback => false) t;
  CREATE TEMP TABLE every_one AS SELECT * FROM many.top_n_all(100, as_of => now, fallback => false);
  -- with everything let in and nothing tired, the scores of taste
  PERFORM reco_configure('many', exclude_seen => '{"*": "never"}', fatigue_half_life => '0');
  CREATE TEMP TABLE want AS
    SELECT user_id, item_id, a.score / (1 + least(coalesce(f, 0), 3)) AS score, f
    FROM (SELECT u.u AS user_id, t.* FROM (SELECT DISTINCT u FROM many) u, LATERAL many.top_n(u.u, 100, as_of => now, fallback => false) t) a
    LEFT JOIN pg_temp.known(policy, half_life, now) k USING (user_id, item_id) WHERE kept_out IS NOT TRUE;
  SELECT count(*) INTO wrong FROM listed l FULL JOIN want w USING (user_id, item_id) WHERE abs(l.score - w.score) < 1e-6 * w.score IS NOT TRUE;
  wrong := wrong + (SELECT count(*) FROM (SELECT user_id, item_id, score, match, because, source FROM listed EXCEPT ALL SELECT user_id, item_id, score, match, because, source FROM every_one) d)
    + abs((SELECT count(*) FROM listed) - (SELECT count(*) FROM every_one));
  SELECT count(*), count(*) FILTER (WHERE f > .01) INTO rows, tired FROM want;
  RETURN ok(wrong = 0 AND rows > 300 AND (half_life = '0' OR tired > 20), format('%s, %s, as of %s: %s rows, %s tired, %s wrong', policy, half_life, now, rows, tired, wrong));
END $$;
SELECT pg_temp.holds(policy::jsonb, half_life, as_of)
FROM unnest(ARRAY['{}', '{"buy": "30 days", "view": "never"}', '{"buy": "never", "hide": "forever", "*": "10 days"}', '{"*": "20 days"}', '{"impression": "2 days", "view": "12 hours"}']) policy,
     unnest(ARRAY['0', '3 days']::interval[]) half_life, unnest(ARRAY['2026-02-15 07:00', '2026-04-20']::timestamptz[]) as_of;

/* match is that of taste, and min_match goes by it: fatigue hides nobody who matches. */
SELECT reco_configure('many', exclude_seen => '{"buy": "30 days", "view": "never"}', fatigue_half_life => '30 days');
SELECT ok((SELECT count(*) > 0 AND bool_and(match >= 55) FROM many.top_n_all(100, min_match => 55, as_of => '2026-04-20')), 'rows that match at least 55');
SELECT is_empty($$(SELECT user_id, item_id, match FROM many.top_n_all(100, fallback => false, as_of => '2026-04-20') WHERE match >= 55)
  EXCEPT (SELECT user_id, item_id, match FROM many.top_n_all(100, min_match => 55, as_of => '2026-04-20'))$$, 'and all of them');
SELECT set_eq(format($$SELECT user_id, item_id, rank FROM many.top_n_all(%s, min_match => 55, as_of => '2026-04-20')$$, k),
              format($$SELECT user_id, item_id, rank FROM many.top_n_all(100, min_match => 55, as_of => '2026-04-20') WHERE rank <= %s$$, k), k || ' of them')
FROM unnest(ARRAY[1, 4]) k;

/* Whatever the policy, a score is the sum of its shares to the last bit, and a given list keeps its order. */
SELECT is_empty($$SELECT * FROM generate_series(1, 150, 13) u, generate_series(1, 60) i
  WHERE float8send(many.score(u, i)) IS DISTINCT FROM float8send(coalesce((SELECT sum(share) FROM many.why(u, i)), 0))$$, 'shares sum to scores, bit by bit');
CREATE TEMP TABLE ranked AS SELECT u, t.* FROM generate_series(1, 150, 7) u, many.rank(u, ARRAY(SELECT generate_series(1, 60))) t;
SELECT reco_configure('many', exclude_seen => '{}', fatigue_half_life => '0');
SELECT is_empty($$(SELECT u, t.* FROM generate_series(1, 150, 7) u, many.rank(u, ARRAY(SELECT generate_series(1, 60))) t) EXCEPT ALL TABLE ranked$$, 'reco_rank knows neither');

/*
 * Measured as it is served, where repeats count.  Twenty users buy 1 on day 0 and 2 on day 95; on day 100 ten buy 1 once more,
 * ten 2.  Kept out for 90 days, 1 may be listed on day 100 and 2 may not: half of the users find what they bought in a list of
 * all there is.  Fallen due, both are; for 200 days, neither is.  Lists by neighbours and by popularity go by the same rule.
 */
CREATE TABLE again (u int, i int, s text, at timestamptz);
INSERT INTO again SELECT n, 1, 'buy', '2026-01-01'::timestamptz FROM generate_series(1, 20) n UNION ALL SELECT n, 2, 'buy', '2026-04-06' FROM generate_series(1, 20) n
  UNION ALL SELECT n, 1 + n % 2, 'buy', '2026-04-11' FROM generate_series(1, 20) n UNION ALL SELECT 100 + n, 1 + n % 2, 'view', '2026-01-01' FROM generate_series(1, 6) n;
SELECT reco_create_model('again', 'SELECT u AS user_id, i AS item_id, s AS signal, at AS occurred_at FROM again');
CREATE FUNCTION pg_temp.found(policy jsonb, split text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM reco_configure('again', similarity => 'cosine', exclude_seen => policy);
  RETURN (SELECT string_agg(value::text, ' ' ORDER BY algorithm) FROM reco_evaluate('again', 2, split => split, holdout => CASE WHEN split = 'time' THEN .31 END, new_only => false)
          WHERE metric = 'hit_rate');
END $$;
SELECT is(pg_temp.found('{}', split), '1 1 1', 'with repeats, ' || split) FROM unnest(ARRAY['time', 'leave_last_out']) split;
SELECT is(pg_temp.found('{"buy": "90 days"}', split), '0.5 0.5 0.5', '90 days, ' || split) FROM unnest(ARRAY['time', 'leave_last_out']) split;
SELECT is(pg_temp.found('{"buy": "never"}', split), '1 1 1', 'never, ' || split) FROM unnest(ARRAY['time', 'leave_last_out']) split;
SELECT is(pg_temp.found('{"buy": "4 days"}', 'leave_last_out'), '1 1 1', '4 days, as of each user''s last purchase');
SELECT is(pg_temp.found('{"buy": "4 days"}', 'time'), '0.5 0.5 0.5', '4 days, as of the line, which is on day 95');
SELECT is(pg_temp.found('{"buy": "200 days"}', split), '0 0 0', '200 days, ' || split) FROM unnest(ARRAY['time', 'leave_last_out']) split;
SELECT is(pg_temp.found('{"view": "never"}', split), '0 0 0', 'what is not named, ' || split) FROM unnest(ARRAY['time', 'leave_last_out']) split;
SELECT ok((SELECT count(*) FROM reco_tune('again', '1 second', 2, new_only => false)) > 0, 'tuning measures so, too');

-- Between visits a list refreshes: of five that are shown and left alone some come again, others do not, and in time all are back.
SELECT reco_configure('many', exclude_seen => '{}', fatigue_half_life => '1 day');
CREATE TEMP TABLE visit (n int, u bigint, i bigint);
CREATE FUNCTION pg_temp.visit(n int, now timestamptz) RETURNS void LANGUAGE sql AS $$
  INSERT INTO visit SELECT n, u, t.item_id FROM generate_series(1, 150, 5) u, many.top_n(u, 5, as_of => now) t;
  INSERT INTO many SELECT u, i, 'impression', now, 0 FROM visit v WHERE v.n = visit.n $$;
SELECT pg_temp.visit(n, '2026-06-01'::timestamptz + n * interval '2 hours') FROM generate_series(1, 4) n;
SELECT pg_temp.visit(5, '2027-06-01');
SELECT ok(avg(d) > 7.5, format('shown in four visits: %s different items, where one list has 5', avg(d))) FROM (SELECT count(DISTINCT i) AS d FROM visit WHERE n < 5 GROUP BY u) v;
SELECT ok(avg(d) < 4, format('of the first list %s are in the second', avg(d))) FROM (SELECT count(*) AS d FROM visit a JOIN visit b USING (u, i) WHERE (a.n, b.n) = (1, 2) GROUP BY u) v;
SELECT set_eq('SELECT u, i FROM visit WHERE n = 5', 'SELECT u, i FROM visit WHERE n = 1', 'and a year later the first list is back');
SELECT reco_configure('many', fatigue_half_life => '0');
SELECT set_eq($$SELECT u, t.item_id FROM generate_series(1, 150, 5) u, many.top_n(u, 5, as_of => '2026-06-01 09:00') t$$, 'SELECT u, i FROM visit WHERE n = 1', 'without fatigue it never left');

-- Signals are told apart by their bytes where the column has a collation, for which a server needs ICU, that finds more of them equal.
DO $$ BEGIN
  CREATE COLLATION pg_temp.no_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
EXCEPTION WHEN feature_not_supported THEN
  CREATE COLLATION pg_temp.no_case FROM "C";
END $$;
CREATE TABLE cased AS SELECT u, i, '2026-01-01'::timestamptz + i * interval '1 hour' AS at, (ARRAY['buy', 'BUY', 'view'])[1 + (u + i) % 3] COLLATE pg_temp.no_case AS kind
  FROM generate_series(1, 60) u, generate_series(1, 12) i WHERE (u * i) % 5 > 0;
SELECT reco_create_model(m, format('SELECT u AS user_id, i AS item_id, at AS occurred_at, kind COLLATE %s AS signal FROM cased', c))
FROM (VALUES ('folded', 'pg_temp.no_case'), ('plain', '"C"')) v(m, c);
SELECT throws_ok($$SELECT reco_configure('folded', exclude_seen => '{"Buy": "never"}')$$, '22023', 'no event of model "folded" has the signal "Buy"', 'of what case a signal is matters');
SELECT reco_configure(m, target_signal => 'BUY', exclude_seen => '{"buy": "never"}') FROM unnest('{folded,plain}'::text[]) m;
SELECT pg_temp.refresh(m) FROM unnest('{folded,plain}'::text[]) m;
SELECT set_eq('TABLE folded.learned_item', 'TABLE plain.learned_item', 'in what is learned,');
SELECT set_eq('SELECT u, t.* FROM generate_series(1, 60) u, LATERAL folded.top_n(u, 5) t', 'SELECT u, t.* FROM generate_series(1, 60) u, LATERAL plain.top_n(u, 5) t', 'and in what is listed');

SELECT * FROM finish();
ROLLBACK;
