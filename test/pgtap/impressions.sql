-- impressions: a network learns from lists that were shown what decided about choices in them, is not taken in by places, and what it
-- is measured by is what plain SQL makes of a model that has seen nothing but what was before.

\ir head/ranking.sql

/*
 * 1,200 people of four kinds and 120 items, low numbers the most popular, four in five events of one's kind, in a hundred days.  From
 * then on, a list a minute, everybody is shown eight items in an order drawn by lot, and every third of them two such lists at once.
 */
CREATE TABLE act AS
  SELECT DISTINCT ON (u, i) u, i, at FROM (
    SELECT u, (floor(30 * pg_temp.lot(u, n, 1) ^ 2) * 4 + CASE WHEN pg_temp.lot(u, n, 2) < 0.8 THEN u % 4 ELSE floor(4 * pg_temp.lot(u, n, 3)) END)::int AS i,
      timestamptz '2024-01-01' + make_interval(secs => floor(pg_temp.lot(u, n, 4) * 8640000)) AS at
    FROM generate_series(1, 1200) u, generate_series(1, 12) n) e ORDER BY u, i, at;
CREATE INDEX ON act (u);
CREATE TABLE asked AS
  SELECT u, l, u * 2 + l AS list_id, timestamptz '2024-04-20' + make_interval(mins => u) AS at FROM generate_series(1, 1200) u, generate_series(0, 1) l WHERE l = 0 OR u % 3 = 0;
CREATE TABLE place AS
  SELECT list_id, u, at, i, row_number() OVER (PARTITION BY list_id ORDER BY pg_temp.lot(list_id, i, 5))::int AS rank
  FROM asked, LATERAL (SELECT i FROM generate_series(0, 119) i WHERE i % 2 = l AND NOT EXISTS (SELECT FROM act a WHERE a.u = asked.u AND a.i = i.i) ORDER BY pg_temp.lot(list_id, i, 6) LIMIT 8) s;

CREATE FUNCTION pg_temp.make(name text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('CREATE TABLE %I AS SELECT u, i, at FROM act', name || '_act');
  EXECUTE format('CREATE INDEX ON %I (u)', name || '_act');
  PERFORM reco_create_model(name, format('SELECT u AS user_id, i AS item_id, at AS occurred_at FROM public.%I', name || '_act'));
  PERFORM pg_temp.refresh_by_cosine(name, 120);
  PERFORM reco_create_log(name);
END $$;

-- Whoever looks at a place, one in so many as its number, takes what is rare, and seldom anything else.
SELECT pg_temp.make('rare');
INSERT INTO rare.served (list_id, rank, served_at, user_id, item_id) SELECT list_id, rank, at, u, i FROM place;
INSERT INTO rare_act SELECT u, i, at + interval '1 hour' FROM place
  WHERE pg_temp.lot(list_id, i, 7) < 1.0 / rank AND pg_temp.lot(list_id, i, 8) < CASE WHEN i >= 60 THEN 0.9 ELSE 0.1 END;
CREATE TEMP TABLE learned AS SELECT * FROM reco_learn_ranking('rare', k => 5, learn_from => 'impressions', within => '2 hours', units => 0);
SELECT diag(format('rare: %s as scored %s, reranked %s (gain %s to %s), %s people, %s lists, %s rounds', metric, round(scored::numeric, 3), round(reranked::numeric, 3), round(low::numeric, 3), round(high::numeric, 3), users, lists, rounds)) FROM learned;
SELECT results_eq('SELECT metric, kept FROM learned', $$VALUES ('ndcg', true), ('recall', true), ('weighed_ndcg', true), ('weighed_recall', true)$$, 'what decides is found');
SELECT cmp_ok(low, '>', 0.05::float8, metric || ' is better beyond chance') FROM learned;
SELECT is((SELECT reranked_first FROM rare.model), 8, 'as many change places as were shown');
SELECT diag(format('rare: %s %s', layer, string_agg(feature || ' ' || round(weight::numeric, 2), ', ' ORDER BY feature))) FROM rare.learned_ranking WHERE layer IN ('direct', 'shown') GROUP BY layer;
SELECT cmp_ok((SELECT weight FROM rare.learned_ranking WHERE layer = 'direct' AND feature = 'popularity'), '<', -0.5::float8, 'it is what is rare');
-- Looked at is one in so many as the place, 2^-1 from one log2 to the next: c is -ln 2 = -.69.
SELECT cmp_ok((SELECT abs(weight + ln(2)) FROM rare.learned_ranking WHERE layer = 'shown'), '<', 0.2::float8, 'and how far down is looked');
SELECT is_empty($$SELECT FROM rare.learned_ranking WHERE layer <> 'shown' AND feature = 'place'$$, 'the place by score, which is nearly that, says nothing');

-- The same figures from a model of what was there before the first list, asked for everybody's list as it scores and with that network.
SELECT reco_create_model('before', $$SELECT u AS user_id, i AS item_id, at AS occurred_at FROM public.rare_act WHERE at < '2024-04-20 00:01'$$);
SELECT pg_temp.refresh_by_cosine('before', 120);
CREATE TEMP TABLE outcome AS
  SELECT list_id, user_id, item_id, rank AS place, chosen_at IS NOT NULL AS chosen, served_at FROM rare.attribute('2 hours') a;
DELETE FROM outcome o WHERE NOT EXISTS (SELECT FROM outcome c WHERE c.list_id = o.list_id AND c.chosen);
CREATE TEMP TABLE tested AS
  SELECT list_id, user_id, array_agg(item_id) AS items FROM outcome
  WHERE served_at >= (SELECT served_at FROM (SELECT DISTINCT list_id, served_at FROM outcome) l ORDER BY served_at DESC, list_id DESC OFFSET (SELECT ceil(0.2 * count(DISTINCT list_id))::int - 1 FROM outcome) LIMIT 1) GROUP BY 1, 2;
CREATE FUNCTION pg_temp.worth() RETURNS TABLE(metric text, value float8, users bigint) LANGUAGE sql AS $$
  WITH rows AS (SELECT t.user_id, t.list_id, r.n, o.chosen, CASE WHEN o.chosen THEN least(o.place ^ greatest(-(SELECT weight FROM rare.learned_ranking WHERE layer = 'shown') / ln(2), 0), 10) ELSE 0 END AS gain
      FROM tested t, LATERAL (SELECT item_id, row_number() OVER (ORDER BY x) AS n FROM before.rank(t.user_id, t.items) WITH ORDINALITY AS r(item_id, score, match, because, source, x) WHERE source = 'personal') r
      JOIN outcome o USING (item_id) WHERE o.list_id = t.list_id),
    lists AS (SELECT user_id, list_id, reco_ndcg(n, chosen, 5) AS ndcg, reco_recall(n, chosen, 5) AS recall, reco_ndcg(n, gain, 5) AS weighed_ndcg, sum(gain) FILTER (WHERE n <= 5) / sum(gain) AS weighed_recall
      FROM rows GROUP BY user_id, list_id HAVING count(*) > 1 AND bool_or(chosen)),
    people AS (SELECT avg(ndcg) AS ndcg, avg(recall) AS recall, avg(weighed_ndcg) AS weighed_ndcg, avg(coalesce(weighed_recall, 0)) AS weighed_recall FROM lists GROUP BY user_id)
  SELECT v.metric, avg(v.value), count(*) FROM people, LATERAL (VALUES ('ndcg', ndcg), ('recall', recall), ('weighed_ndcg', weighed_ndcg), ('weighed_recall', weighed_recall)) v(metric, value) GROUP BY 1 $$;
SELECT is_empty('SELECT metric, l.scored, w.value, l.users, w.users FROM learned l LEFT JOIN pg_temp.worth() w USING (metric) WHERE (abs(l.scored - w.value) < 1e-9 AND l.users = w.users) IS NOT TRUE', 'as scored lists are worth what plain SQL says');
INSERT INTO before.learned_ranking TABLE rare.learned_ranking;
UPDATE before.model SET reranked_first = 8, reranked_of = 'cosine';
SELECT is_empty('SELECT metric, l.reranked, w.value FROM learned l LEFT JOIN pg_temp.worth() w USING (metric) WHERE (abs(l.reranked - w.value) < 1e-9) IS NOT TRUE', 'and reranked, too, as nothing but what was before tells');
CREATE TEMP TABLE kept AS TABLE rare.learned_ranking;
SELECT is((SELECT count(*) FROM reco_learn_ranking('rare', k => 5, learn_from => 'impressions', within => '2 hours', units => 0) JOIN learned USING (metric, scored, reranked, gain, low, users, rounds)), 4::bigint, 'learned again it is the same');
SELECT is_empty('(TABLE kept EXCEPT TABLE rare.learned_ranking) UNION ALL (TABLE rare.learned_ranking EXCEPT TABLE kept)', 'to the last bit');
SELECT cmp_ok((SELECT avg((item_id >= 60)::int) FROM (SELECT u FROM generate_series(1, 100) u, rare.top_n(u, 8) t GROUP BY u HAVING max(item_id) >= 60) p, LATERAL (SELECT item_id FROM rare.top_n(u, 1)) t), '>', 0.8, 'lists begin with what is rare, where the best eight have it');

-- Shown in order of popularity, and chosen by place alone: what comes first is chosen most, and nothing but its place is why.
SELECT pg_temp.make('places');
INSERT INTO places.served (list_id, rank, served_at, user_id, item_id) SELECT list_id, row_number() OVER (PARTITION BY list_id ORDER BY i / 4, pg_temp.lot(list_id, i, 9)), at, u, i FROM place;
INSERT INTO places_act SELECT user_id, item_id, served_at + interval '1 hour' FROM places.served WHERE pg_temp.lot(list_id::int, item_id, 10) < 0.9 / rank;
CREATE TEMP TABLE by_place AS SELECT * FROM reco_learn_ranking('places', k => 5, learn_from => 'impressions', within => '2 hours');
SELECT diag(format('places: %s as scored %s, reranked %s (gain %s to %s), %s lists', metric, round(scored::numeric, 3), round(reranked::numeric, 3), round(low::numeric, 3), round(high::numeric, 3), lists)) FROM by_place;
SELECT is_empty('SELECT FROM by_place WHERE kept', 'places are no reason to be kept');
SELECT is_empty('TABLE places.learned_ranking', 'and nothing is written');

-- Chosen by lot.
SELECT pg_temp.make('noise');
INSERT INTO noise.served (list_id, rank, served_at, user_id, item_id) SELECT list_id, rank, at, u, i FROM place;
INSERT INTO noise_act SELECT u, i, at + interval '1 hour' FROM place WHERE pg_temp.lot(list_id, i, 11) < 0.2;
CREATE TEMP TABLE by_lot AS SELECT * FROM reco_learn_ranking('noise', k => 5, learn_from => 'impressions', within => '2 hours');
SELECT diag(format('noise: %s as scored %s, reranked %s (gain %s to %s), %s lists', metric, round(scored::numeric, 3), round(reranked::numeric, 3), round(low::numeric, 3), round(high::numeric, 3), lists)) FROM by_lot;
SELECT results_eq('SELECT kept, lists > 300, users > 100 FROM by_lot', 'SELECT false, true, true FROM generate_series(1, 4)', 'of noise nothing is kept, however many lists there are');

-- Who did not say yes is not learned from: half of the people, and of their lists.
CREATE TABLE person AS SELECT u, u % 2 = 0 AS consent FROM generate_series(1, 1200) u;
SELECT reco_create_model('half', 'SELECT u AS user_id, i AS item_id, at AS occurred_at FROM public.noise_act', NULL, 'SELECT u AS user_id, consent FROM public.person');
SELECT pg_temp.refresh_by_cosine('half', 120);
SELECT reco_create_log('half');
INSERT INTO half.served (list_id, rank, served_at, user_id, item_id) SELECT list_id, rank, at, u, i FROM place;
SELECT ok(bool_and(h.lists BETWEEN 0.4 * l.lists AND 0.6 * l.lists AND h.users BETWEEN 0.4 * l.users AND 0.6 * l.users), 'lists of who did not consent are not read')
FROM reco_learn_ranking('half', k => 5, learn_from => 'impressions', within => '2 hours') h JOIN by_lot l USING (metric);
UPDATE person SET consent = NULL;
SELECT throws_like($$SELECT FROM reco_learn_ranking('half', learn_from => 'impressions', within => '2 hours')$$, 'model "half" served no list more than%', 'and of nobody there is none');

-- By factors.
SELECT reco_configure('rare', algorithm => 'factors', factors => 8, iterations => 6);
SELECT reco_refresh('rare');
CREATE TEMP TABLE factors AS SELECT * FROM reco_learn_ranking('rare', k => 5, learn_from => 'impressions', within => '2 hours', units => 0);
SELECT is(bool_and(kept), true, 'lists by factors are learned from alike') FROM factors;

-- Rows of a log that lack what they should have, as its owner may let them, are none: NULL of a text is nowhere in memory.
SELECT reco_create_model('worded', $$SELECT 'u' || u AS user_id, 'i' || i AS item_id, at AS occurred_at FROM public.rare_act WHERE u % 3 = 0$$);
SELECT pg_temp.refresh_by_cosine('worded', 120);
SELECT reco_create_log('worded');
INSERT INTO worded.served (list_id, rank, served_at, user_id, item_id) SELECT list_id, rank, at, 'u' || u, 'i' || i FROM place WHERE u % 3 = 0;
CREATE TEMP TABLE sound AS SELECT metric, scored, reranked, gain, users, lists FROM reco_learn_ranking('worded', k => 5, learn_from => 'impressions', within => '2 hours', units => 0);
ALTER TABLE worded.served DROP CONSTRAINT served_pkey, ALTER list_id DROP NOT NULL, ALTER rank DROP NOT NULL, ALTER served_at DROP NOT NULL, ALTER user_id DROP NOT NULL, ALTER item_id DROP NOT NULL;
INSERT INTO worded.served (list_id, rank, served_at, user_id, item_id) VALUES
  (NULL, 1, '2024-04-20', 'u3', 'i1'), (9001, NULL, '2024-04-20', 'u3', 'i1'), (9002, 1, NULL, 'u3', 'i1'), (9003, 1, '2024-04-20', NULL, 'i1'), (9004, 1, '2024-04-20', 'u3', NULL), (NULL, NULL, NULL, NULL, NULL);
SELECT bag_eq($$SELECT metric, scored, reranked, gain, users, lists FROM reco_learn_ranking('worded', k => 5, learn_from => 'impressions', within => '2 hours', units => 0)$$, 'TABLE sound', 'rows of a log without a user, an item, a list, a place or a time change nothing');

SELECT * FROM finish();
ROLLBACK;
