-- served: what came of lists, against a slow join, and a trial of two models from end to end.

BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;

-- Events and showings drawn by lot: some at the same instant, some shown again, some disliked.
CREATE TABLE did AS
  SELECT (h & 7)::int AS u, md5((h >> 3 & 3)::text)::uuid AS i, '2026-01-01'::timestamptz + (h >> 5 & 255) * interval '1 hour' AS at,
    (ARRAY['buy', 'view', NULL])[1 + (h >> 13 & 1023) % 3] AS how, ((h >> 23 & 3) - 1)::int AS much
  FROM generate_series(1, 400) n, LATERAL (SELECT hashint8extended(n, 5) AS h) x;
SELECT reco_create_model('shop', 'SELECT u AS user_id, i AS item_id, at AS occurred_at, how AS signal, much AS weight FROM did');
SELECT reco_create_log('shop');
INSERT INTO shop.served (list_id, rank, served_at, user_id, item_id, variant)
  SELECT n, 1, '2026-01-01'::timestamptz + (h >> 5 & 255) * interval '1 hour', h & 7, md5((h >> 3 & 3)::text)::uuid, h >> 13 & 1
  FROM generate_series(1, 300) n, LATERAL (SELECT hashint8extended(n, 6) AS h) x;

-- Plainly: for each event the last showing before it, if it is within the window; the latest list where two were shown at once.
CREATE FUNCTION pg_temp.plain(within interval, signal text) RETURNS TABLE(list_id bigint, chosen_at timestamptz, events bigint, weight float8) LANGUAGE sql AS $$
  SELECT s.list_id, min(e.at), count(e.at), coalesce(sum(e.much), 0)
  FROM shop.served s LEFT JOIN did e ON e.much > 0 AND (signal IS NULL OR e.how = signal)
    AND s.list_id = (SELECT l.list_id FROM shop.served l WHERE l.user_id = e.u AND l.item_id = e.i AND l.served_at <= e.at ORDER BY l.served_at DESC, l.list_id DESC LIMIT 1)
    AND e.at < s.served_at + within
  GROUP BY s.list_id $$;
SELECT is((SELECT count(*) FROM shop.attribute(w, s) a FULL JOIN pg_temp.plain(w, s) p USING (list_id)
    WHERE (a.chosen_at, a.events, a.weight) IS DISTINCT FROM (p.chosen_at, p.events, p.weight)), 0::bigint, format('within %s, signal %s: as a plain join has it', w, s))
FROM (VALUES ('1 day'::interval), ('3 hours'), ('30 days'), ('0 hours')) w(w), (VALUES (NULL), ('buy'), ('none')) s(s);
SELECT cmp_ok((SELECT count(chosen_at) FROM shop.attribute('30 days')), '>', 50::bigint, 'of which there is something to compare');
SELECT is(string_agg(r::text, ' ' ORDER BY variant), string_agg(p::text, ' ' ORDER BY variant), 'reco_attribute sums it up')
FROM (SELECT variant, (lists, shown, chosen) AS r FROM reco_attribute('shop', '2 days')) a
JOIN (SELECT variant, (count(DISTINCT list_id), count(*), count(chosen_at)) AS p FROM shop.attribute('2 days') GROUP BY variant) b USING (variant);

/*
 * Wilson's interval by hand: 8 of 10, z^2 = 3.8414588; middle (.8 + .1920729) / 1.3841459 = .7167402,
 * half of it 1.959964 / 1.3841459 * sqrt(.016 + .0096036) = .2265777; so .4901625 to .9433178.
 */
DELETE FROM shop.served;
INSERT INTO shop.served (list_id, rank, served_at, user_id, item_id) SELECT n, 1, '2030-01-01', 100 + n, md5('0')::uuid FROM generate_series(1, 10) n;
INSERT INTO did SELECT 100 + n, md5('0')::uuid, '2030-01-01 12:00', 'buy', 1 FROM generate_series(1, 8) n;
SELECT is((lists, shown, chosen, rate::numeric(3, 2), low::numeric(8, 6), high::numeric(8, 6))::text, '(10,10,8,0.80,0.490162,0.943318)', 'a rate and its interval, by hand') FROM reco_attribute();
SELECT reco_drop_model('shop');

/*
 * A trial from end to end.  Everybody likes one of two kinds of items; one model has learned that, the
 * other only from people whose choices are drawn by lot.  Their lists are interleaved, each person
 * takes what is of their kind, and the picks of the better model win.
 */
CREATE TABLE liked AS SELECT u, (u % 2) * 50 + (hashint8extended(n, u) & 1023) % 50 AS i, '2026-01-01'::timestamptz + n * interval '1 hour' AS at FROM generate_series(1, 120) u, generate_series(1, 8) n;
CREATE TABLE by_lot AS SELECT u, (hashint8extended(n, u + 1000) & 1023) % 100 AS i, at FROM generate_series(1, 8) n JOIN liked ON true WHERE at = '2026-01-01'::timestamptz + n * interval '1 hour';
SELECT reco_create_model('good', 'SELECT u AS user_id, i AS item_id, at AS occurred_at FROM liked');
SELECT reco_create_model('poor', 'SELECT u AS user_id, i AS item_id, at AS occurred_at FROM by_lot');
SELECT reco_configure(m, similarity => 'cooccurrence') FROM unnest('{good,poor}'::text[]) m;
SELECT reco_refresh(m) IS NOT NULL FROM unnest('{good,poor}'::text[]) m;
SELECT reco_create_log('good');
INSERT INTO good.served (list_id, rank, served_at, user_id, item_id, variant)
  SELECT u, i.rank, '2027-01-01', u, i.item_id, i.team
  FROM generate_series(1, 120) u, reco_interleave(ARRAY(SELECT item_id FROM reco_top_n(u, 10, 'good')), ARRAY(SELECT item_id FROM reco_top_n(u, 10, 'poor')), 10, u) i;
INSERT INTO liked SELECT user_id, item_id, served_at + interval '1 hour' FROM good.served WHERE item_id / 50 = user_id % 2;
CREATE TEMP TABLE won AS SELECT list_id, count(chosen_at) FILTER (WHERE variant = 'a') AS a, count(chosen_at) FILTER (WHERE variant = 'b') AS b FROM good.attribute() GROUP BY list_id;
SELECT cmp_ok(reco_sign_test(count(*) FILTER (WHERE a > b), count(*) FILTER (WHERE b > a)), '<', 0.001::float8, 'the better model wins') FROM won;
SELECT cmp_ok(sum(a), '>', sum(b), 'it is the better that wins') FROM won;
SELECT ok(a.low > b.high, 'so say the rates') FROM reco_attribute('good') a, reco_attribute('good') b WHERE a.variant = 'a' AND a.source = 'personal' AND b.variant = 'b' AND b.source = 'personal';

SELECT * FROM finish();
ROLLBACK;
