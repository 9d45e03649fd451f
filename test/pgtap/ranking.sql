-- ranking: a network learns what a score cannot say, is kept only where that is so, and what it does is what plain SQL makes of
-- its table.

\ir head/ranking.sql

/*
 * Six kinds of items, one of each released every half a day, and 2,400 people who each have a kind. Four in five of their choices
 * are of it: those of people who choose a lot are a month old at most, those of others two to three months. So what is recent is
 * good for some and bad for others, which no weight of recency says, nor any score of what was chosen together.
 */
CREATE TABLE act AS
  SELECT u, CASE WHEN own < 0.8 THEN (greatest(floor((day - CASE WHEN u % 12 < 6 THEN 60 ELSE 0 END - 30 * ago) * 2 / 6), 0) * 6 + u % 6)::int
      ELSE floor(any_item * day * 2)::int END AS i,
    timestamptz '2024-01-01' + make_interval(secs => floor(day * 86400)) AS at
  FROM (SELECT u, pg_temp.lot(u, n, 1) * 300 AS day, pg_temp.lot(u, n, 2) AS own, pg_temp.lot(u, n, 3) AS ago, pg_temp.lot(u, n, 4) AS any_item
    FROM generate_series(1, 2400) u, generate_series(1, CASE WHEN u % 12 < 6 THEN 6 ELSE 30 END) n) e;
CREATE INDEX ON act (u);
SELECT reco_create_model('plant', 'SELECT u AS user_id, i AS item_id, at AS occurred_at FROM public.act');
SELECT pg_temp.refresh_by_cosine('plant', 400);
CREATE TEMP TABLE plain AS SELECT * FROM plant.top_n_all(120) WHERE user_id <= 30;

-- Without a hidden layer, then with one.
CREATE TEMP TABLE line AS SELECT * FROM reco_learn_ranking('plant', holdout => 0.1, units => 0);
SELECT is((SELECT count(*) FROM plant.learned_ranking WHERE layer = 'hidden'), 0::bigint, 'no units, no hidden layer');
CREATE TEMP TABLE net AS SELECT * FROM reco_learn_ranking('plant', holdout => 0.1);
SELECT results_eq('SELECT metric, kept, units, lists > 300 FROM net', $$VALUES ('ndcg', true, 8, true), ('recall', true, 8, true)$$, 'a network with a hidden layer is kept');
SELECT cmp_ok((SELECT low FROM net WHERE metric = 'ndcg'), '>', 0.15::float8, 'it is better beyond chance');
SELECT cmp_ok((SELECT n.reranked FROM net n WHERE metric = 'ndcg'), '>', (SELECT 1.2 * l.reranked FROM line l WHERE metric = 'ndcg'), 'by more than any line is');
SELECT cmp_ok((SELECT n.low FROM net n WHERE metric = 'ndcg'), '>', (SELECT l.high FROM line l WHERE metric = 'ndcg'), 'beyond its interval');
SELECT is((SELECT reranked_first FROM plant.model), 100, 'the model knows of it');

-- All that it learned from are lists of a hundred: what a place is, log2 of it, has the mean and the deviation of log2 of 1 to 100.
SELECT ok(abs(mean.weight - want.mean) < 1e-6 AND abs(scale.weight * want.deviation - 1) < 1e-6, format('inputs are brought to one scale: places have the mean %s and the scale %s', mean.weight, scale.weight))
  FROM (SELECT avg(log(2, n)) AS mean, stddev_pop(log(2, n)) AS deviation FROM generate_series(1::numeric, 100) n) want, plant.learned_ranking mean, plant.learned_ranking scale
  WHERE (mean.layer, mean.feature, scale.layer, scale.feature) = ('mean', 'place', 'scale', 'place');

-- Learned again, of rows in another order and by several processes, it is the same to the last bit.
CREATE TEMP TABLE before AS TABLE plant.learned_ranking;
CREATE TABLE turned AS SELECT * FROM act ORDER BY i DESC, u DESC;
TRUNCATE act;
INSERT INTO act TABLE turned;
SET LOCAL max_parallel_maintenance_workers = 2;
SET LOCAL min_parallel_table_scan_size = 0;
CREATE TEMP TABLE again AS SELECT * FROM reco_learn_ranking('plant', holdout => 0.1);
SELECT is_empty('(TABLE before EXCEPT TABLE plant.learned_ranking) UNION ALL (TABLE plant.learned_ranking EXCEPT TABLE before)', 'the same events give the same network');
SELECT is_empty('SELECT metric, scored, reranked, gain, users, rounds FROM again EXCEPT SELECT metric, scored, reranked, gain, users, rounds FROM net', 'and the same figures');

-- What is measured is what reco_evaluate measures, of the same people.
SELECT is_empty($$SELECT n.metric, n.reranked, e.value, n.users, e.users FROM net n LEFT JOIN reco_evaluate('plant', holdout => 0.1) e ON e.algorithm = 'reranked' AND e.metric = n.metric
  WHERE e.value IS DISTINCT FROM n.reranked OR e.users IS DISTINCT FROM n.users$$, 'reco_evaluate has the same figures');
SELECT diag(format('planted: NDCG@10 %s as scored, %s by a line, %s by a network', round(n.scored::numeric, 3), round(l.reranked::numeric, 3), round(n.reranked::numeric, 3))) FROM net n JOIN line l USING (metric) WHERE metric = 'ndcg';

-- Where everybody's last is kept back, what happened with an item since would be hindsight: it counts for nothing.
CREATE TEMP TABLE hindsight AS SELECT metric, value FROM reco_evaluate('plant', split => 'leave_last_out') WHERE algorithm = 'reranked';
SELECT cmp_ok(count(value), '>', 5::bigint, 'a network is measured on the last of everybody, too') FROM hindsight;
UPDATE plant.learned_ranking SET weight = 0 WHERE layer IN ('direct', 'hidden') AND feature IN ('trend', 'age', 'idle');
SELECT is_empty($$SELECT h.metric FROM hindsight h JOIN reco_evaluate('plant', split => 'leave_last_out') e USING (metric) WHERE e.algorithm = 'reranked' AND e.value IS DISTINCT FROM h.value$$, 'by nothing that is hindsight');
DELETE FROM plant.learned_ranking;
INSERT INTO plant.learned_ranking TABLE before;

-- What is served is the same whoever asks: for one, for all, of a list that is given.
CREATE TEMP TABLE served AS SELECT u AS user_id, t.* FROM generate_series(1, 30) u, plant.top_n(u, 120) WITH ORDINALITY AS t(item_id, score, match, because, source, rank);
SELECT is_empty('SELECT user_id, item_id, score, match, because, source, rank::int FROM served EXCEPT SELECT user_id, item_id, score, match, because, source, rank FROM plant.top_n_all(120)', 'top_n and top_n_all agree');
SELECT is_empty($$SELECT s.user_id FROM (SELECT user_id, array_agg(item_id ORDER BY rank) AS items FROM served WHERE rank <= 100 AND source = 'personal' GROUP BY user_id) s,
  LATERAL (SELECT array_agg(item_id ORDER BY n) AS items FROM plant.rank(s.user_id, (SELECT array_agg(i ORDER BY i) FROM unnest(s.items) i)) WITH ORDINALITY AS r(item_id, score, match, because, source, n)) r WHERE r.items <> s.items$$, 'and rank');
SELECT is_empty($$SELECT s.user_id, s.rank FROM served s, LATERAL (SELECT item_id FROM plant.top_n(s.user_id, 10) WITH ORDINALITY AS t(item_id, score, match, because, source, n) WHERE n = s.rank) t WHERE s.rank <= 10 AND t.item_id <> s.item_id$$, 'a list is the beginning of a longer one');
SELECT cmp_ok((SELECT count(*) FROM served s JOIN plain p USING (user_id, item_id) WHERE s.rank <> p.rank), '>', 1000::bigint, 'items changed places');
SELECT is_empty('SELECT user_id, item_id, match, because, source FROM served EXCEPT SELECT user_id, item_id, match, because, source FROM plain', 'with their match and because');
SELECT is_empty('SELECT user_id, rank FROM served s JOIN plain p USING (user_id, rank) WHERE rank > 100 AND s.item_id <> p.item_id', 'but for those after the first hundred');
SELECT is_empty('SELECT * FROM (SELECT user_id, score, lag(score) OVER (PARTITION BY user_id ORDER BY rank) AS above FROM served) s WHERE above <= score', 'scores fall from place to place');
SELECT is_empty('SELECT user_id, rank FROM served s JOIN plain p USING (user_id, rank) WHERE abs(s.score - p.score) > 1e-12 * p.score', 'and are those of the places');
SELECT is_empty($$SELECT w.user_id FROM (SELECT DISTINCT user_id FROM served) w, plant.top_n(w.user_id, 20, min_match => 60) t WHERE t.match < 60$$, 'min_match leaves out what matches less');
SELECT is_empty($$SELECT w.user_id, n.items, m.items FROM (SELECT DISTINCT user_id FROM served) w, LATERAL (SELECT array_agg(item_id ORDER BY n) AS items FROM plant.top_n(w.user_id, 400, min_match => 60) WITH ORDINALITY AS t(item_id, score, match, because, source, n)) m,
  LATERAL (SELECT array_agg(item_id ORDER BY n) AS items FROM plant.top_n(w.user_id, 400) WITH ORDINALITY AS t(item_id, score, match, because, source, n) WHERE match >= 60) n WHERE n.items IS DISTINCT FROM m.items$$, 'and nothing else');

-- With a catalogue that lacks every fourth item the first hundred are those of what is there, and rules and variety come after.
SELECT reco_create_model('stock', 'SELECT u AS user_id, i AS item_id, at AS occurred_at FROM public.act', 'SELECT DISTINCT i AS item_id, i % 5 AS brand FROM public.act WHERE i % 4 <> 1');
SELECT pg_temp.refresh_by_cosine('stock', 400);
CREATE TEMP TABLE in_stock AS SELECT * FROM stock.top_n_all(120) WHERE user_id <= 30;
INSERT INTO stock.learned_ranking TABLE plant.learned_ranking;
UPDATE stock.model SET reranked_first = 100, reranked_of = 'cosine';
CREATE TEMP TABLE shelf AS SELECT u AS user_id, t.* FROM generate_series(1, 30) u, stock.top_n(u, 120) WITH ORDINALITY AS t(item_id, score, match, because, source, rank);
SELECT is_empty('SELECT user_id, item_id, score, match, because, source, rank::int FROM shelf EXCEPT SELECT user_id, item_id, score, match, because, source, rank FROM stock.top_n_all(120)', 'with a catalogue top_n and top_n_all agree');
SELECT is_empty('SELECT * FROM shelf WHERE item_id % 4 = 1', 'and nothing is out of stock');
SELECT is_empty('(SELECT user_id, item_id FROM shelf WHERE rank <= 100 EXCEPT SELECT user_id, item_id FROM in_stock WHERE rank <= 100) UNION ALL (SELECT user_id, shelf.item_id FROM shelf JOIN in_stock i USING (user_id, rank) WHERE rank > 100 AND i.item_id <> shelf.item_id)', 'the first hundred are the same items, and so is what comes after');
SELECT cmp_ok((SELECT count(*) FROM shelf JOIN in_stock i USING (user_id, item_id) WHERE shelf.rank <> i.rank), '>', 1000::bigint, 'in another order');
SELECT is_empty($$SELECT u, n FROM generate_series(1, 30) u, stock.top_n(u, 20, diversity => 0.3, max_per => 'brand', max_per_n => 6) WITH ORDINALITY AS t(item_id, score, match, because, source, n)
  EXCEPT SELECT user_id, rank FROM (SELECT user_id, rank, item_id, score FROM stock.top_n_all(20, diversity => 0.3, max_per => 'brand', max_per_n => 6)) a JOIN (SELECT one, t.item_id, t.n FROM generate_series(1, 30) one, stock.top_n(one, 40, diversity => 0.3, max_per => 'brand', max_per_n => 6) WITH ORDINALITY AS t(item_id, score, match, because, source, n)) b ON b.one = a.user_id AND b.n = a.rank AND b.item_id = a.item_id$$,
  'variety chooses alike for one and for all, and from the beginning of a longer list');
SELECT is_empty($$SELECT u FROM generate_series(1, 30) u, LATERAL (SELECT array_agg(item_id ORDER BY n) AS items FROM stock.top_n(u, 10, among => (SELECT array_agg(i) FROM generate_series(0, 599, 3) i), fallback => false) WITH ORDINALITY AS t(item_id, score, match, because, source, n)) l WHERE EXISTS (SELECT FROM unnest(items) i WHERE i % 3 <> 0 OR i % 4 = 1)$$, 'among names what may come');

-- A query that asks for many people opens the network once for all: each has what they have alone.
SELECT reco_learn_habits('stock') IS NOT NULL AS learned \gset
CREATE FUNCTION pg_temp.alone(question text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
  FOR u IN 1 .. 30 LOOP
    RETURN QUERY EXECUTE format('SELECT %s || t::text FROM ' || question, u, u);
  END LOOP;
END $$;
SELECT bag_eq($$SELECT u || p::text FROM generate_series(1, 30) u, LATERAL reco_next_purchases(u, 8, 'stock', as_of => '2024-10-27') p$$,
  $$SELECT pg_temp.alone('reco_next_purchases(%s, 8, ''stock'', as_of => ''2024-10-27'') t')$$, 'next purchases of many are those of each');
SELECT bag_eq($$SELECT u || p::text FROM generate_series(1, 30) u, LATERAL reco_page(u, 6, 8, 'stock', as_of => '2024-10-27') p$$,
  $$SELECT pg_temp.alone('reco_page(%s, 6, 8, ''stock'', as_of => ''2024-10-27'') t')$$, 'and so are their pages');

/*
 * The same from the table, in plain SQL: of binary histories and all neighbours, score = sum of similarities / sqrt(n), brought to
 * a level by n^-0.2; positions count the later times of the user's.
 */
CREATE TEMP TABLE history AS
  SELECT u, i, (dense_rank() OVER (PARTITION BY u ORDER BY max(at) DESC) - 1)::float8 AS position, count(*) OVER (PARTITION BY u)::float8 AS n FROM act WHERE u <= 20 GROUP BY u, i;
CREATE TEMP TABLE candidate AS
  SELECT h.u, s.similar_item_id AS i, sum(s.similarity::float8) / sqrt(min(n)) AS score, min(n) AS n, count(*) AS voices, max(s.similarity::float8) / sum(s.similarity::float8) AS strongest,
    sum(s.similarity::float8 / (1 + position)) / sum(s.similarity::float8) AS lately
  FROM history h JOIN plant.similar s ON s.item_id = h.i WHERE NOT EXISTS (SELECT FROM history o WHERE o.u = h.u AND o.i = s.similar_item_id) GROUP BY h.u, s.similar_item_id;
CREATE TEMP TABLE listed AS
  SELECT c.*, p.popularity, p.trend, extract(epoch FROM m.last_event_at - p.first_at) / 86400 AS age, extract(epoch FROM m.last_event_at - p.last_at) / 86400 AS idle,
    row_number() OVER (PARTITION BY u ORDER BY round(score::numeric, 10) DESC, l.item_no) AS place
  FROM candidate c JOIN plant.learned_item l ON l.item_id = c.i JOIN plant.popular p ON p.item_id = c.i, plant.model m;
DELETE FROM listed WHERE place > 100;
CREATE TEMP TABLE feature AS
  SELECT l.u, l.i, f.* FROM (SELECT *, max(score) OVER w AS best, avg(log(2, popularity::numeric)) OVER w AS mean FROM listed WINDOW w AS (PARTITION BY u)) l,
    LATERAL (VALUES ('score', log(2, (score / best)::numeric)), ('place', log(2, place)), ('level', log(2, (score * n ^ -0.2)::numeric)), ('voices', log(2, 1 + voices)), ('strongest', strongest::numeric),
      ('lately', lately::numeric), ('history', log(2, (1 + n)::numeric)), ('popularity', log(2, popularity::numeric) - mean), ('trend', log(2, trend::numeric)), ('age', log(2, 1 + age)), ('idle', log(2, 1 + idle))) f(feature, x);
CREATE TEMP TABLE input AS
  SELECT f.u, f.i, f.feature, greatest(least((f.x::float8 - m.weight) * s.weight, 4), -4) AS z
  FROM feature f JOIN plant.learned_ranking m ON m.layer = 'mean' AND m.feature = f.feature JOIN plant.learned_ranking s ON s.layer = 'scale' AND s.feature = f.feature;
CREATE TEMP TABLE unit AS
  SELECT z.u, z.i, w.unit, tanh(sum(z.z * w.weight) + min(b.weight)) * min(o.weight) AS says
  FROM input z JOIN plant.learned_ranking w ON w.layer = 'hidden' AND w.feature = z.feature JOIN plant.learned_ranking b ON b.layer = 'hidden' AND b.unit = w.unit AND b.feature = 'bias'
  JOIN plant.learned_ranking o ON o.layer = 'hidden' AND o.unit = w.unit AND o.feature = 'output' GROUP BY z.u, z.i, w.unit;
CREATE TEMP TABLE valued AS
  SELECT u, i, direct.v + units.v AS v FROM (SELECT u, i, sum(z * weight) AS v FROM input JOIN plant.learned_ranking r ON layer = 'direct' AND r.feature = input.feature GROUP BY u, i) direct
  JOIN (SELECT u, i, sum(says) AS v FROM unit GROUP BY u, i) units USING (u, i);
SELECT cmp_ok((SELECT count(*) FROM valued), '>', 1500::bigint, 'there are lists to work out');
SELECT is((SELECT count(*) FROM plant.learned_ranking), (3 * 11 + 8 * 13)::bigint, 'by all of the table');
-- Inputs are in single precision: items whose values are closer than that may change places.
SELECT is_empty('SELECT * FROM (SELECT s.user_id, s.rank, v.v, lead(v.v) OVER (PARTITION BY s.user_id ORDER BY s.rank) AS below FROM served s JOIN valued v ON v.u = s.user_id AND v.i = s.item_id WHERE s.rank <= 100) o WHERE v < below - 1e-4',
  'the order is the one that plain SQL works out from the table');
SELECT is((SELECT count(*) FROM valued v JOIN served s ON s.user_id = v.u AND s.item_id = v.i WHERE s.rank <= 100), (SELECT count(*) FROM valued), 'of the same items');

/*
 * A line by hand that goes by lately alone, which is 1 for every item where no event has a time: whatever is said was said as late.  So a
 * list without times stays as it is scored, and one with times does not.
 */
SELECT reco_create_model('undated', 'SELECT u AS user_id, i AS item_id FROM public.act');
SELECT pg_temp.refresh_by_cosine('undated', 400);
CREATE TEMP TABLE line_by_hand AS SELECT layer, unit, feature, CASE layer WHEN 'mean' THEN 0 WHEN 'scale' THEN 1 ELSE (feature = 'lately')::int END AS weight FROM plant.learned_ranking WHERE layer IN ('mean', 'scale', 'direct');
CREATE FUNCTION pg_temp.reordered(model text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE moved bigint;
BEGIN
  EXECUTE format('DELETE FROM %I.learned_ranking', model);
  PERFORM reco_configure(model, reranked => false);
  EXECUTE format('CREATE TEMP TABLE as_scored AS SELECT u, t.item_id, n FROM generate_series(1, 30) u, %I.top_n(u, 50) WITH ORDINALITY AS t(item_id, score, match, because, source, n)', model);
  EXECUTE format('INSERT INTO %I.learned_ranking (layer, unit, feature, weight) TABLE line_by_hand', model);
  EXECUTE format('UPDATE %I.model SET reranked_first = 50, reranked_of = %L', model, 'cosine');
  PERFORM reco_configure(model, reranked => true);
  EXECUTE format('SELECT count(*) FROM as_scored s, LATERAL (SELECT t.item_id FROM %I.top_n(s.u, 50) WITH ORDINALITY AS t(item_id, score, match, because, source, n) WHERE t.n = s.n) t WHERE t.item_id <> s.item_id', model) INTO moved;
  DROP TABLE as_scored;
  RETURN moved;
END $$;
SELECT is(pg_temp.reordered('undated'), 0::bigint, 'without times nothing is said lately');
SELECT cmp_ok(pg_temp.reordered('stock'), '>', 500::bigint, 'with times some is');

-- A setting takes it back, and a refresh leaves it alone as long as lists are scored as they were.
SELECT reco_configure('plant', reranked => false);
SELECT is_empty('SELECT p.* FROM plain p, LATERAL (SELECT t.* FROM plant.top_n(p.user_id, 120) WITH ORDINALITY AS t(item_id, score, match, because, source, n) WHERE n = p.rank) t WHERE t.item_id <> p.item_id OR t.score <> p.score', 'without it lists are as scored');
SELECT is((SELECT count(*) FROM reco_evaluate('plant', holdout => 0.1) WHERE algorithm = 'reranked'), 0::bigint, 'and not measured');
SELECT reco_configure('plant', reranked => true);
SELECT events FROM reco_refresh('plant');
SELECT is_empty('(TABLE before EXCEPT TABLE plant.learned_ranking) UNION ALL (TABLE plant.learned_ranking EXCEPT TABLE before)', 'a refresh leaves it');
SELECT is((SELECT array_agg(item_id ORDER BY n) FROM plant.top_n(7, 100) WITH ORDINALITY AS t(item_id, score, match, because, source, n)), (SELECT array_agg(item_id ORDER BY rank) FROM served WHERE user_id = 7 AND rank <= 100), 'and it goes on');
SELECT reco_configure('plant', similarity => 'conditional');
SELECT throws_like($$SELECT * FROM reco_learn_ranking('plant')$$, '%scored by "cosine", and from the next refresh on by "conditional"', 'what comes after the next refresh has to wait for it');
SELECT is((SELECT count(*) FROM reco_evaluate('plant', holdout => 0.1) WHERE algorithm = 'reranked'), 0::bigint, 'lists scored otherwise are not measured with it');
SELECT events FROM reco_refresh('plant');
SELECT is_empty('TABLE plant.learned_ranking', 'a refresh that scores otherwise takes it away');
SELECT is((SELECT (reranked_first, reranked_of)::text FROM plant.model), '(,)', 'and the model knows of none');

-- By factors, too, and who is forgotten takes it along.
SELECT reco_configure('plant', algorithm => 'factors', factors => 8, iterations => 6);
SELECT events FROM reco_refresh('plant');
CREATE TEMP TABLE factors AS SELECT * FROM reco_learn_ranking('plant', holdout => 0.1);
SELECT results_eq('SELECT metric, kept FROM factors', $$VALUES ('ndcg', true), ('recall', true)$$, 'lists by factors are put in order');
SELECT is((SELECT count(*) FROM plant.learned_ranking WHERE feature IN ('voices', 'strongest', 'lately')), 0::bigint, 'by all but what neighbours tell');
SELECT is_empty('SELECT u, t.item_id, t.score, t.match, t.because, t.source, n::int FROM generate_series(1, 10) u, plant.top_n(u, 30) WITH ORDINALITY AS t(item_id, score, match, because, source, n) EXCEPT SELECT user_id, item_id, score, match, because, source, rank FROM plant.top_n_all(30)',
  'top_n and top_n_all agree by factors');
DELETE FROM act WHERE u = 1;
SELECT lives_ok($$SELECT reco_forget(1::bigint, 'plant')$$, 'somebody is forgotten');
SELECT is_empty('TABLE plant.learned_ranking', 'with what was trained on them');

-- Of noise nothing is learned that is worth anything, and nothing is kept.
CREATE TABLE noise AS SELECT u, floor(pg_temp.lot(u, n, 5) ^ 2 * 200)::int AS i, timestamptz '2024-01-01' + make_interval(secs => floor(pg_temp.lot(u, n, 6) * 86400 * 100)) AS at FROM generate_series(1, 1500) u, generate_series(1, 12) n;
SELECT reco_create_model('noise', 'SELECT u AS user_id, i AS item_id, at AS occurred_at FROM public.noise');
SELECT reco_configure('noise', similarity => 'cooccurrence');
SELECT events FROM reco_refresh('noise');
CREATE TEMP TABLE nothing AS SELECT * FROM reco_learn_ranking('noise');
SELECT results_eq('SELECT metric, kept, lists > 300 AND users > 300, gain IS NOT NULL FROM nothing', $$VALUES ('ndcg', false, true, true), ('recall', false, true, true)$$, 'of noise no network is kept, however many lists there are');
SELECT is_empty('TABLE noise.learned_ranking', 'and nothing is written');

SELECT * FROM finish();
ROLLBACK;
