-- occasions: what a network makes of the context that a list is asked in: learned where lifts are shyer than they might be, as plain
-- SQL has it when it serves, and nothing where there is no such taste.

\ir head/ranking.sql

-- Room for all lists: a quarter of it.
SET LOCAL maintenance_work_mem = '256MB';

/*
 * 3,000 people of four tastes with 200 items each, 50 of which are for each of four devices, for part of the time.  An item has so few
 * events on a device that its lift, at the bound of three deviations, says less than it might.
 */
CREATE TABLE act (u int, i int, at timestamptz, device text);
CREATE FUNCTION pg_temp.plant(taste float8) RETURNS void LANGUAGE sql AS $$
  TRUNCATE act;
  INSERT INTO act SELECT DISTINCT ON (u, i) u, i, at, 'd' || d FROM (
    SELECT u, n, d, 200 * (u % 4) + CASE WHEN pg_temp.lot(u, n, 1) < taste THEN 50 * d + floor(50 * pg_temp.lot(u, n, 2) ^ 2)::int ELSE floor(200 * pg_temp.lot(u, n, 2))::int END AS i,
      '2026-01-05'::timestamptz + 56 * pg_temp.lot(u, n, 3) * interval '1 day' AS at
    FROM (SELECT u, n, floor(4 * pg_temp.lot(u, n, 4))::int AS d FROM generate_series(1, 3000) u, generate_series(1, 14) n) a) p ORDER BY u, i, at $$;
SELECT pg_temp.plant(.3);
CREATE INDEX ON act (u);
SELECT reco_create_model('plant', 'SELECT u AS user_id, i AS item_id, at AS occurred_at, device FROM public.act');
SELECT reco_configure('plant', contexts => '{device}');
SELECT pg_temp.refresh_by_cosine('plant', 400);
CREATE TEMP TABLE plain AS SELECT u, d, t.* FROM generate_series(1, 20) u, (VALUES ('d0'), ('d3')) v(d), LATERAL plant.top_n(u, 150, context => jsonb_build_object('device', d), fallback => false) WITH ORDINALITY AS t(item_id, score, match, because, source, n);

CREATE TEMP TABLE line AS SELECT * FROM reco_learn_ranking('plant', 5, units => 0);
SELECT ok(kept AND low > 0, format('NDCG@5 as scored %s, by a line %s, gain %s to %s, of %s people', round(scored::numeric, 4), round(reranked::numeric, 4), round(low::numeric, 4), round(high::numeric, 4), users)) FROM line WHERE metric = 'ndcg';
SELECT cmp_ok(weight, '>', 0.1::float8, 'context weighs ' || round(weight::numeric, 2)) FROM plant.learned_ranking WHERE layer = 'direct' AND feature = 'context';
SELECT cmp_ok(sum(weight) FILTER (WHERE layer = 'scale'), '>', 0::float8, 'it differs from item to item') FROM plant.learned_ranking WHERE feature = 'context';
-- Lists are as many as moments, people as many as are measured on.
SELECT cmp_ok(lists, '>', 2 * users, 'people have lists for each of their devices') FROM line WHERE metric = 'ndcg';

/*
 * By hand: a network of no more than the context, log2 of the lift, has the first hundred in order of their lifts, and of equals as they
 * were.  An item without a row has a lift of 1.
 */
DELETE FROM plant.learned_ranking;
INSERT INTO plant.learned_ranking VALUES ('mean', 0, 'context', 0), ('scale', 0, 'context', 1), ('direct', 0, 'context', 1);
CREATE TEMP TABLE hand AS SELECT p.*, row_number() OVER (PARTITION BY u, d ORDER BY n > 100, CASE WHEN n <= 100 THEN float4(log(2, coalesce(c.lift, 1)::numeric)) END DESC, n) AS place
  FROM plain p LEFT JOIN plant.learned_context c ON c.context = 'device' AND c.value = d AND c.item_id = p.item_id;
CREATE TEMP TABLE served AS SELECT u, d, t.* FROM generate_series(1, 20) u, (VALUES ('d0'), ('d3')) v(d), LATERAL plant.top_n(u, 150, context => jsonb_build_object('device', d), fallback => false) WITH ORDINALITY AS t(item_id, score, match, because, source, n);
SELECT is_empty('SELECT u, d, item_id, match, because, n FROM served EXCEPT SELECT u, d, item_id, match, because, place FROM hand', 'by context alone, as plain SQL has it');
SELECT cmp_ok(count(*), '>', 1000::bigint, 'others come first than before') FROM hand WHERE n <> place;
SELECT is_empty($$SELECT user_id, item_id, rank FROM plant.top_n_all(150, context => '{"device": "d3"}', fallback => false) WHERE user_id <= 20 EXCEPT SELECT u, item_id, n::int FROM served WHERE d = 'd3'$$, 'and for everybody at once');
SELECT is_empty($$SELECT u FROM (SELECT u, array_agg(item_id ORDER BY n) AS items FROM served WHERE d = 'd3' AND n <= 100 GROUP BY u) s,
  LATERAL (SELECT array_agg(r.item_id ORDER BY n) AS items FROM plant.rank(u, (SELECT array_agg(i ORDER BY i) FROM unnest(s.items) i), context => '{"device": "d3"}') WITH ORDINALITY AS r(item_id, score, match, because, source, n)) r WHERE r.items <> s.items$$, 'and for a given list');
CREATE TEMP TABLE at_home AS SELECT u, t.* FROM generate_series(1, 20) u, LATERAL plant.top_n(u, 150, fallback => false) WITH ORDINALITY AS t(item_id, score, match, because, source, n);
SELECT reco_configure('plant', reranked => false);
SELECT is_empty($$SELECT u, item_id, n FROM at_home EXCEPT SELECT u, t.item_id, n FROM generate_series(1, 20) u, LATERAL plant.top_n(u, 150, fallback => false) WITH ORDINALITY AS t(item_id, score, match, because, source, n)$$, 'without a context all lifts are 1, and nothing moves');
SELECT reco_configure('plant', reranked => true);

-- Where no device has a taste of its own there is nothing to learn of it; without the setting lists are of one moment.
SELECT pg_temp.plant(0);
SELECT pg_temp.refresh_by_cosine('plant', 400);
CREATE TEMP TABLE nothing AS SELECT * FROM reco_learn_ranking('plant', 5);
SELECT ok(NOT kept AND low < 0 AND high > 0, format('of none NDCG@5 as scored %s, by a network %s, gain %s to %s', round(scored::numeric, 4), round(reranked::numeric, 4), round(low::numeric, 4), round(high::numeric, 4))) FROM nothing WHERE metric = 'ndcg';
SELECT reco_configure('plant', contexts => '{}');
SELECT is(l.users, n.users, 'without contexts as many people are measured on') FROM reco_learn_ranking('plant', 5) l, nothing n WHERE l.metric = 'ndcg' AND n.metric = 'ndcg';

SELECT * FROM finish();
ROLLBACK;
