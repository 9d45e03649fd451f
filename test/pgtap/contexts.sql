-- contexts: what is chosen when and on what; by hand, against SQL, and what it is worth on planted tastes and on none.

BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;
SET LOCAL timezone = 'UTC';

CREATE FUNCTION pg_temp.refresh(model text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM reco_refresh(model); END $$;

/*
 * 800 events, half on the phone.  Item 1 has 100 of them there and 20 on the desk, item 2 the reverse, item 3 280 on each.  So
 * E is 60 of items 1 and 2 on either; with z = 3 and s = 10
 *   lift(phone, 1) = (100 - 3 * sqrt(100) + 10) / (60 + 10) = 80 / 70 = 1.142857
 *   lift(desk, 1)  = (20 + 3 * sqrt(60) + 10) / 70 = (30 + 23.237900) / 70 = .760541
 * and of item 3, which differs in nothing, there is none.  Dislikes, what was shown, what weighs no number, and a device nobody names do not count.
 */
CREATE TABLE clicks (u int, i int, device text, at timestamptz DEFAULT '2026-01-05 12:00', w float8 DEFAULT 1);
INSERT INTO clicks SELECT i * 1000 + n % 50, i, 'phone' FROM (VALUES (1, 100), (2, 20), (3, 280)) v(i, c), generate_series(1, c) n;
INSERT INTO clicks SELECT i * 1000 + 500 + n % 50, i, 'desk' FROM (VALUES (1, 20), (2, 100), (3, 280)) v(i, c), generate_series(1, c) n;
INSERT INTO clicks SELECT n, 3, 'phone', '2026-01-05', 0 FROM generate_series(1, 200) n;
INSERT INTO clicks SELECT n, 3, 'phone', '2026-01-05', -1 FROM generate_series(1, 200) n;
INSERT INTO clicks SELECT n, 3, NULL FROM generate_series(1, 200) n;
INSERT INTO clicks SELECT n, 1, 'desk', '2026-01-05', w FROM generate_series(1, 50) n, unnest(ARRAY['NaN', 'Infinity', '3.41e38']::float8[]) w;
SELECT reco_create_model('shop', 'SELECT u AS user_id, i AS item_id, device, at AS occurred_at, w AS weight FROM clicks');
SELECT pg_temp.refresh('shop');
SELECT is_empty('SELECT * FROM shop.learned_context', 'nothing is learned unless it is asked for');
SELECT reco_configure('shop', contexts => '{device}');
SELECT pg_temp.refresh('shop');
SELECT results_eq('SELECT context, value, item_id, events, round(lift::numeric, 6) FROM shop.learned_context ORDER BY 1, 2, 3',
  $$VALUES ('device', 'desk', 1, 20, .760541), ('device', 'desk', 2, 100, 1.142857), ('device', 'phone', 1, 100, 1.142857), ('device', 'phone', 2, 20, .760541)$$, 'lifts by hand');
CREATE TEMP TABLE before AS SELECT ctid AS place, * FROM shop.learned_context;
SELECT pg_temp.refresh('shop');
SELECT set_eq('SELECT ctid AS place, * FROM shop.learned_context', 'TABLE before', 'what says the same is not written again');
-- Of a column of 500 values something is learned, of one of 501 nothing, not even of the values that came first.
INSERT INTO clicks SELECT 9000 + n, 4, 'device ' || n FROM generate_series(1, 498) n;
SELECT pg_temp.refresh('shop');
SELECT set_eq('SELECT value, item_id FROM shop.learned_context WHERE lift > 1', $$VALUES ('phone', 1), ('desk', 2), ('phone', 3), ('desk', 3)$$, 'lifts of 500 values');
INSERT INTO clicks VALUES (9999, 4, 'one more');
SELECT pg_temp.refresh('shop');
SELECT is_empty('SELECT * FROM shop.learned_context', 'none of 501');
DELETE FROM clicks WHERE i = 4;
SELECT reco_configure('shop', contexts => '{}');
SELECT pg_temp.refresh('shop');
SELECT is_empty('SELECT * FROM shop.learned_context', 'no contexts, and what was learned of them is gone');

/* A list goes by score * lift, its match by taste; thin contexts and values never seen change nothing. */
CREATE TABLE many (u int, i int, device text, at timestamptz, slot int);
INSERT INTO many SELECT u, 1 + (u * 7 + n * n * 3 + u * n) % 60, CASE WHEN (u * 7 + n * n * 3 + u * n) % 60 < 30 AND n % 3 > 0 THEN 'phone' WHEN n = 1 AND u = 5 THEN 'watch' ELSE 'desk' END,
  '2026-01-05'::timestamptz + ((u * 37 + n * 101) % 2400) * interval '1 hour', (u + n) % 3 FROM generate_series(1, 300) u, generate_series(1, 24) n;
SELECT reco_create_model('many', 'SELECT u AS user_id, i AS item_id, device, at AS occurred_at, slot FROM many');
SELECT reco_configure('many', similarity => 'cosine', min_support => 1, contexts => '{device, slot, occurred_at}', time_zone => 'America/New_York');
SELECT pg_temp.refresh('many');
CREATE FUNCTION pg_temp.lift(n float8, e float8) RETURNS float8 LANGUAGE sql AS $$
  SELECT least(greatest(CASE WHEN n > e THEN greatest(1, (n - 3 * sqrt(greatest(n, e)) + 10) / (e + 10)) ELSE least(1, (n + 3 * sqrt(greatest(n, e)) + 10) / (e + 10)) END, .25), 4) $$;
CREATE TEMP TABLE want AS
  WITH e AS (SELECT i, 'device' AS context, device AS value FROM many UNION ALL SELECT i, 'slot', slot::text FROM many),
       v AS (SELECT context, value, count(*)::float8 AS nv FROM e GROUP BY 1, 2), it AS (SELECT i, count(*) / 2.0 AS ni FROM e GROUP BY 1),
       c AS (SELECT context, value, i, coalesce(n, 0) AS n, nv * ni / 7200 AS expected FROM v CROSS JOIN it LEFT JOIN (SELECT context, value, i, count(*) AS n FROM e GROUP BY 1, 2, 3) m USING (context, value, i))
  SELECT context, value, i AS item_id, n AS events, pg_temp.lift(n, expected) AS lift FROM c;
SELECT is_empty($$SELECT * FROM (SELECT * FROM want WHERE lift <> 1) w FULL JOIN (SELECT * FROM many.learned_context WHERE context <> 'occurred_at') l USING (context, value, item_id)
  WHERE (w.events = l.events AND abs(w.lift - l.lift) < 1e-12) IS NOT TRUE$$, 'every lift of every value');
SELECT ok(count(*) > 20, count(*) || ' of them') FROM many.learned_context WHERE context = 'device';
/* Hours of the week: first the hour of the day, then that hour of that day against what the hour foresees, each with its neighbours. */
CREATE TEMP TABLE hours AS
  WITH e AS (SELECT i, ((extract(isodow FROM t) - 1) * 24 + extract(hour FROM t))::int AS h FROM (SELECT i, at AT TIME ZONE 'America/New_York' AS t FROM many) m),
       w AS (SELECT i, (h + d + 168) % 168 AS h, count(*)::float8 AS n FROM e, generate_series(-1, 1) d GROUP BY 1, 2),
       it AS (SELECT i, count(*) / 7200.0::float8 AS share FROM e GROUP BY 1),
       c AS (SELECT i, h, coalesce(n, 0) AS n, share FROM it CROSS JOIN generate_series(0, 167) h LEFT JOIN w USING (i, h)),
       d AS (SELECT *, sum(n) OVER (PARTITION BY h) AS of_hour, sum(n) OVER (PARTITION BY i, h % 24) AS daily FROM c),
       f AS (SELECT *, pg_temp.lift(daily, share * sum(n) OVER (PARTITION BY h % 24)) AS of_day FROM d)
  SELECT to_char('2026-01-05'::timestamp + h * interval '1 hour', 'Dy HH24') AS value, i AS item_id, n AS events,
    least(greatest(of_day * pg_temp.lift(n, of_hour * share * of_day), .25), 4) AS lift FROM f;
SELECT is_empty($$SELECT * FROM (SELECT * FROM hours WHERE abs(lift - 1) > 1e-9) w FULL JOIN (SELECT * FROM many.learned_context WHERE context = 'occurred_at') l USING (value, item_id)
  WHERE (w.events = l.events AND abs(w.lift - l.lift) < 1e-9) IS NOT TRUE$$, 'every lift of every hour, in its zone');
SELECT ok(count(*) > 20, count(*) || ' of them') FROM many.learned_context WHERE context = 'occurred_at';

CREATE FUNCTION pg_temp.differ(context jsonb, lifts text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE wrong bigint;
BEGIN
  EXECUTE format($q$WITH lift AS (%s), plain AS (SELECT u, t.* FROM generate_series(1, 300, 7) u, many.top_n(u, 100, fallback => false) t),
    asked AS (SELECT u, t.*, row_number() OVER (PARTITION BY u ORDER BY n) AS rank FROM generate_series(1, 300, 7) u, many.top_n(u, 100, fallback => false, context => %L) WITH ORDINALITY AS t(item_id, score, match, because, source, n))
    SELECT count(*) FROM plain p FULL JOIN asked a USING (u, item_id) LEFT JOIN lift l USING (item_id)
    WHERE (abs(a.score - p.score * coalesce(l.lift, 1)) <= 1e-9 * a.score AND a.match IS NOT DISTINCT FROM p.match AND a.because = p.because) IS NOT TRUE$q$, lifts, context) INTO wrong;
  RETURN wrong;
END $$;
SELECT is(pg_temp.differ('{"device": "phone"}', $$SELECT item_id, lift FROM many.learned_context WHERE (context, value) = ('device', 'phone')$$), 0::bigint, 'a list goes by score * lift');
SELECT is(pg_temp.differ('{"device": "phone", "slot": 1}', $$SELECT item_id, least(greatest(exp(sum(ln(lift))), .25), 4) AS lift FROM many.learned_context WHERE (context, value) IN (('device', 'phone'), ('slot', '1')) GROUP BY 1$$), 0::bigint, 'lifts multiply');
SELECT is(pg_temp.differ(c::jsonb, 'SELECT 0 AS item_id, 1::float8 AS lift LIMIT 0'), 0::bigint, 'nothing changes: ' || c)
FROM unnest(ARRAY['{}', '{"device": "watch"}', '{"device": "toaster"}', '{"device": null}', '{"occurred_at": "infinity"}', '{"time_zone": "Asia/Tokyo"}']) c;
SELECT is(pg_temp.differ('{"occurred_at": "2026-03-03 22:30+00"}', $$SELECT item_id, lift FROM many.learned_context WHERE (context, value) = ('occurred_at', 'Tue 17')$$), 0::bigint, 'a time, in the zone of the model');
SELECT is(pg_temp.differ('{"occurred_at": "2026-03-03 22:30+00", "time_zone": "Asia/Tokyo"}', $$SELECT item_id, lift FROM many.learned_context WHERE (context, value) = ('occurred_at', 'Wed 07')$$), 0::bigint, 'and in the zone of who asks');
SELECT is_empty($$(SELECT user_id, item_id, score, match, because, source, rank::int FROM many.top_n_all(20, context => '{"device": "phone"}'))
  EXCEPT ALL (SELECT u, t.* FROM (SELECT DISTINCT u FROM many) u, LATERAL many.top_n(u, 20, context => '{"device": "phone"}') WITH ORDINALITY t(item_id, score, match, because, source, rank))$$, 'for everybody at once as one by one');
/* What fills a list: of a guest everything, by its popularity or trend times lift within its source, whatever k. */
CREATE TEMP TABLE guest AS SELECT item_id, source, n FROM many.top_n(NULL, NULL) WITH ORDINALITY AS t(item_id, score, match, because, source, n);
CREATE FUNCTION pg_temp.guest_differs(k int) RETURNS bigint LANGUAGE sql AS $$
  SELECT count(*) FROM many.top_n(NULL, k, context => '{"device": "phone"}') WITH ORDINALITY AS t(item_id, score, match, because, source, n)
    FULL JOIN (SELECT item_id, source, row_number() OVER (ORDER BY step, round(ln(CASE source WHEN 'trending' THEN trend ELSE popularity END * coalesce(lift, 1))::numeric, 6) DESC, guest.n) AS n
      FROM guest JOIN many.popular USING (item_id) JOIN (SELECT source, min(n) AS step FROM guest GROUP BY 1) s USING (source) LEFT JOIN (SELECT item_id, lift FROM many.learned_context WHERE (context, value) = ('device', 'phone')) l USING (item_id)) w USING (n)
  WHERE (k IS NULL OR n <= k) AND (t.item_id, t.source) IS DISTINCT FROM (w.item_id, w.source) $$;
SELECT is(pg_temp.guest_differs(k), 0::bigint, 'a guest by the context, ' || coalesce(k::text, 'all')) FROM unnest(ARRAY[1, 7, 30, NULL]) k;
SELECT ok((SELECT avg(n) FROM many.top_n(NULL, NULL) WITH ORDINALITY AS t(i, s, m, b, source, n) JOIN many.learned_context c ON c.item_id = i AND (context, value) = ('device', 'phone') AND lift > 1)
        > 1.3 * (SELECT avg(n) FROM many.top_n(NULL, NULL, context => '{"device": "phone"}') WITH ORDINALITY AS t(i, s, m, b, source, n) JOIN many.learned_context c ON c.item_id = i AND (context, value) = ('device', 'phone') AND lift > 1),
  'what is for the phone is further up');
INSERT INTO many VALUES (9999, 999, 'desk', '2026-01-06', 1);
SELECT is_empty($$(SELECT item_id, source, score, rank::int FROM many.top_n_all(60, context => '{"device": "phone", "slot": 1}') WHERE user_id = 9999)
  EXCEPT ALL (SELECT item_id, source, score, rank::int FROM many.top_n(9999, 60, context => '{"device": "phone", "slot": 1}') WITH ORDINALITY AS t(item_id, score, match, because, source, rank))$$, 'for everybody at once, what fills lists, too');
/* With rules besides: a boost on top of the lift, pins and shares; a list is the beginning of a longer one, and the same for everybody at once. */
CREATE VIEW many.rules WITH (security_invoker = true) AS SELECT * FROM (VALUES (4, 3.0, NULL::int, NULL::float8), (21, .3, NULL, NULL), (44, 8, NULL, .3), (50, NULL, 2, NULL), (51, NULL, 9, NULL), (52, NULL, NULL, .2)) v(item_id, boost, pin, share);
SELECT is_empty($$SELECT * FROM many.top_n(9999, NULL, context => '{"device": "phone"}') a JOIN guest USING (item_id) WHERE a.source NOT IN ('pinned', 'promoted', guest.source)$$, 'nothing leaves its source but by a pin or a share');
SELECT is_empty(format($$SELECT * FROM (SELECT u, t.* FROM unnest(ARRAY[1, 8, 77, 9999]) u, many.top_n(u, %s, context => '{"device": "phone"}') WITH ORDINALITY AS t(item_id, score, match, because, source, n)) k
  FULL JOIN (SELECT u, t.* FROM unnest(ARRAY[1, 8, 77, 9999]) u, many.top_n(u, NULL, context => '{"device": "phone"}') WITH ORDINALITY AS t(item_id, score, match, because, source, n) WHERE n <= %1$s) w USING (u, n)
  WHERE (k.item_id, k.source) IS DISTINCT FROM (w.item_id, w.source)$$, k), format('under rules, the first %s', k)) FROM unnest(ARRAY[1, 2, 5, 9, 20]) k;
SELECT is_empty($$(SELECT user_id, item_id, score, match, because, source, rank::int FROM many.top_n_all(12, context => '{"device": "phone"}'))
  EXCEPT ALL (SELECT u, t.* FROM (SELECT DISTINCT u FROM many) u, LATERAL many.top_n(u, 12, context => '{"device": "phone"}') WITH ORDINALITY t(item_id, score, match, because, source, rank))$$, 'under rules, for everybody at once as one by one');
DROP VIEW many.rules;
DELETE FROM many WHERE u = 9999;
/* Baskets and given lists go by the context as lists do; the match of both is that of taste. */
CREATE TEMP VIEW phone AS SELECT item_id, lift FROM many.learned_context WHERE (context, value) = ('device', 'phone');
SELECT is_empty($$SELECT * FROM many.complete(ARRAY[3, 40, 17], 100, fallback => false) p FULL JOIN many.complete(ARRAY[3, 40, 17], 100, fallback => false, context => '{"device": "phone"}') a USING (item_id)
  LEFT JOIN phone USING (item_id) WHERE (abs(a.score - p.score * coalesce(lift, 1)) <= 1e-9 * a.score AND a.match IS NOT DISTINCT FROM p.match AND a.because = p.because AND a.source = p.source) IS NOT TRUE$$, 'a basket');
SELECT is_empty($$SELECT * FROM (SELECT score, lag(score) OVER (ORDER BY n) AS above FROM many.complete(ARRAY[3, 40, 17], 100, context => '{"device": "phone"}') WITH ORDINALITY AS t(i, score, m, b, s, n)) o WHERE above < score$$, 'best first');
SELECT is_empty($$SELECT u, p.* FROM generate_series(1, 300, 29) u, LATERAL (SELECT p.score AS plain, a.score, p.match AS was, a.match, lift, p.source AS source_was, a.source FROM many.rank(u, ARRAY(SELECT generate_series(1, 70))) p
    FULL JOIN many.rank(u, ARRAY(SELECT generate_series(1, 70)), context => '{"device": "phone"}') a USING (item_id) LEFT JOIN phone USING (item_id)) p
  WHERE (was IS NOT DISTINCT FROM match AND source_was = source AND CASE WHEN plain > 0 THEN abs(score - plain * coalesce(lift, 1)) <= 1e-9 * score ELSE score = plain END) IS NOT TRUE$$, 'a given list');
SELECT is_empty($$SELECT * FROM (SELECT score, lag(score) OVER (ORDER BY n) AS above FROM many.rank(8, ARRAY(SELECT generate_series(1, 70)), context => '{"device": "phone"}') WITH ORDINALITY AS t(i, score, m, b, s, n)) o WHERE above < score$$, 'best first, too');
SELECT is(many.rank(8, ARRAY[3, 4], context => '{"device": "toaster"}')::text, many.rank(8, ARRAY[3, 4])::text, 'a value that was never seen');
/* min_match goes by taste: whoever matches is there, in another order. */
SELECT set_eq($$SELECT u, item_id, match FROM generate_series(1, 300, 7) u, many.top_n(u, 100, min_match => 55, context => '{"device": "phone"}')$$,
              $$SELECT u, item_id, match FROM generate_series(1, 300, 7) u, many.top_n(u, 100, min_match => 55)$$, 'min_match');
SELECT is_empty($$SELECT * FROM generate_series(1, 300, 29) u, generate_series(1, 60) i
  WHERE float8send(many.score(u, i)) IS DISTINCT FROM float8send(coalesce((SELECT sum(share) FROM many.why(u, i)), 0))$$, 'shares go on summing to scores');

/*
 * What it is worth.  400 people of four tastes with ten items for the evening and ten for the morning each; those of odd
 * numbers are asked, at eight and at twenty, for what they go on to choose after the middle of February.
 */
CREATE TABLE plays (u int, i int, at timestamptz);
CREATE INDEX ON plays (u);
CREATE FUNCTION pg_temp.plant(planted boolean) RETURNS void LANGUAGE sql AS $$
  INSERT INTO plays SELECT DISTINCT ON (u, i) u, i, '2026-01-05'::timestamptz + d % 56 * interval '1 day' + CASE WHEN n % 2 = 0 THEN interval '8 hours' ELSE interval '20 hours' END AS at
  FROM (SELECT u, n, 20 * (u % 4) + CASE WHEN planted THEN 10 * (n % 2) + r[1] % 10 ELSE r[1] % 20 END AS i, r[2] AS d
    FROM generate_series(1, 400) u, generate_series(1, 14) n,
      LATERAL (SELECT ARRAY(SELECT ('x' || substr(md5(u || ':' || n), 1 + 7 * k, 7))::bit(28)::int FROM generate_series(0, 1) k) AS r) r) p
  ORDER BY u, i, at $$;
SELECT reco_create_model('plays', $$SELECT u AS user_id, i AS item_id, at AS occurred_at FROM plays WHERE u % 2 = 0 OR at < '2026-02-15'$$);
CREATE FUNCTION pg_temp.hits(with_context boolean) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
  DROP TABLE IF EXISTS lists;
  CREATE TEMP TABLE lists AS SELECT u, t, r.item_id FROM generate_series(1, 400, 2) u, unnest(ARRAY['2026-02-23 08:00', '2026-02-23 20:00']::timestamptz[]) t,
    LATERAL plays.top_n(u, 5, context => CASE WHEN with_context THEN jsonb_build_object('occurred_at', t) END) r;
  RETURN (SELECT count(*) FROM lists l JOIN plays p ON (p.u, p.i) = (l.u, l.item_id) WHERE p.at >= '2026-02-15' AND extract(hour FROM p.at) = extract(hour FROM l.t));
END $$;
SELECT pg_temp.plant(true);
SELECT reco_configure('plays', similarity => 'cosine', contexts => '{occurred_at}');
SELECT pg_temp.refresh('plays');
SELECT ok((SELECT bool_and((item_id / 10 % 2 = 1) = (lift > 1)) AND count(*) > 60 FROM plays.learned_context WHERE value ~ ' 20'), 'what the evening is for');
CREATE FUNCTION pg_temp.for_then(with_context boolean) RETURNS numeric LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_temp.hits(with_context);
  RETURN (SELECT round(avg(((item_id / 10 % 2 = 1) = (extract(hour FROM t) = 20))::int), 3) FROM lists);
END $$;
SELECT ok(aware > .9 AND plain < .6, format('of the lists at eight and at twenty %s is for then, without the hour %s', aware, plain)) FROM pg_temp.for_then(true) aware, pg_temp.for_then(false) plain;
SELECT ok(evening >= 16 AND plain BETWEEN 6 AND 14, format('for the evening of twenty that a guest is shown: %s with the hour, %s without', evening, plain))
FROM (SELECT count(*) FILTER (WHERE item_id / 10 % 2 = 1) AS evening FROM plays.top_n(NULL, 20, context => '{"occurred_at": "2026-02-23 20:00"}')) a, (SELECT count(*) FILTER (WHERE item_id / 10 % 2 = 1) AS plain FROM plays.top_n(NULL, 20)) p;
SELECT ok(evening >= 8 AND plain <= 7, format('for the evening of ten that go with both kinds: %s with the hour, %s without', evening, plain))
FROM (SELECT count(*) FILTER (WHERE item_id / 10 % 2 = 1) AS evening FROM plays.complete(ARRAY[21, 31], 10, context => '{"occurred_at": "2026-02-23 20:00"}')) a, (SELECT count(*) FILTER (WHERE item_id / 10 % 2 = 1) AS plain FROM plays.complete(ARRAY[21, 31], 10)) p;
SELECT ok(aware > 1.5 * plain, format('hits of five, planted: %s with the hour, %s without', aware, plain)) FROM pg_temp.hits(true) aware, pg_temp.hits(false) plain;
TRUNCATE plays;
SELECT pg_temp.plant(false);
SELECT pg_temp.refresh('plays');
SELECT ok(aware >= .98 * plain, format('hits of five, none planted: %s with the hour, %s without', aware, plain)) FROM pg_temp.hits(true) aware, pg_temp.hits(false) plain;

SELECT * FROM finish();
ROLLBACK;
