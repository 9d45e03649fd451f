-- MovieLens 1M in the split of LCFN, UltraGCN and SimpleX: numbers that others published, and a check of the evaluator that
-- all other comparisons rest on.  The variable data names the folder with ml-1m/train.txt.xz and ml-1m/test.txt.xz.
--
-- Of all movies not in a user's line of the training file the 20 best: Recall@20 = |list and test| / |test|,
-- NDCG@20 = DCG / ideal DCG, gains 0 or 1, discount log2(rank + 1), ideal over min(20, |test|); means over test users.

SET client_min_messages = warning;

\set there `test -r :'data'/ml-1m/train.txt.xz -a -r :'data'/ml-1m/test.txt.xz && echo yes || echo no`
\if :there
\else
\echo 1..0 # SKIP no ml-1m/train.txt.xz and ml-1m/test.txt.xz in :data
\quit
\endif

\set split ml-1m
\set train train
\set test test
\ir read/split.sql
ALTER TABLE train ADD PRIMARY KEY (user_id, item_id);
ALTER TABLE test ADD PRIMARY KEY (user_id, item_id);
CREATE TABLE person AS SELECT user_id, count(*) AS wanted FROM test GROUP BY user_id;
ANALYZE train, test, person;

-- What a table of lists (user_id, rank, item_id) is worth, and the same by plain SQL.
CREATE FUNCTION pg_temp.worth(lists regclass, OUT recall numeric, OUT ndcg numeric) LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('
    SELECT round(avg(recall)::numeric, 4), round(avg(ndcg)::numeric, 4)
    FROM (SELECT reco_recall(l.rank, true, 20) AS recall, reco_ndcg(l.rank, true, 20) AS ndcg
          FROM test t LEFT JOIN %s l USING (user_id, item_id) GROUP BY user_id) list', lists)
  INTO recall, ndcg;
END $$;
CREATE FUNCTION pg_temp.plain_worth(lists regclass, OUT recall numeric, OUT ndcg numeric) LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('
    WITH hit AS (
      SELECT l.user_id, count(*) AS hits, sum(1 / log(2, l.rank + 1)) AS dcg
      FROM %s l JOIN test t ON t.user_id = l.user_id AND t.item_id = l.item_id
      WHERE l.rank <= 20 GROUP BY l.user_id),
    ideal AS (
      SELECT n AS wanted, sum(1 / log(2, n + 1)) OVER (ORDER BY n) AS dcg FROM generate_series(1, 20) n)
    SELECT avg(coalesce(h.hits, 0) / p.wanted::numeric), avg(coalesce(h.dcg, 0) / i.dcg)
    FROM person p JOIN ideal i ON i.wanted = least(p.wanted, 20) LEFT JOIN hit h ON h.user_id = p.user_id', lists)
  INTO recall, ndcg;
  recall := round(recall, 4);
  ndcg := round(ndcg, 4);
END $$;

SELECT plan(29);

SELECT results_eq('SELECT count(*), count(DISTINCT user_id), count(DISTINCT item_id) FROM train',
  'VALUES (796244::bigint, 6022::bigint, 3043::bigint)', 'the training part is the one its description speaks of');
SELECT is(count(*), 99455::bigint, 'and so is the test part') FROM test;
SELECT is_empty('SELECT * FROM train JOIN test USING (user_id, item_id)', 'they share no pair');


-- Popularity: the most seen movies that the user has not seen.

CREATE TABLE hitlist AS
  SELECT item_id, row_number() OVER (ORDER BY count(*) DESC, item_id) AS place FROM train GROUP BY item_id;
CREATE INDEX ON hitlist (place);
ANALYZE hitlist;
CREATE TEMP TABLE popular AS
  SELECT p.user_id, l.rank, l.item_id
  FROM person p CROSS JOIN LATERAL
    (SELECT item_id, row_number() OVER (ORDER BY place) AS rank FROM
       (SELECT item_id, place FROM hitlist h
        WHERE NOT EXISTS (SELECT FROM train t WHERE t.user_id = p.user_id AND t.item_id = h.item_id)
        ORDER BY place LIMIT 20) best) l;
SELECT results_eq($$SELECT * FROM pg_temp.worth('popular')$$, 'VALUES (0.1161, 0.1176)',
  'the popularity list has the published Recall@20 and NDCG@20');


-- Plain cosine, 200 neighbours by source, as the prototype had it.

SELECT reco_create_model('film', 'SELECT user_id, item_id FROM train');
SELECT reco_configure('film', similarity => 'cosine', keep => 'source', neighbors => 200, min_support => 1,
  weighting => 'binary');
SELECT results_eq($$SELECT events, users, items FROM reco_refresh('film')$$,
  'VALUES (796244::bigint, 6022::bigint, 3043::bigint)', 'the refresh learns from every pair');

CREATE TEMP TABLE cosine AS
  SELECT p.user_id, t.rank, t.item_id
  FROM person p CROSS JOIN LATERAL reco_top_n(p.user_id, 20, 'film', fallback => false)
    WITH ORDINALITY AS t(item_id, score, match, because, source, rank);
SELECT is_empty('SELECT * FROM cosine JOIN train USING (user_id, item_id)', 'no list has a movie of the history');
SELECT results_eq($$SELECT * FROM pg_temp.worth('cosine')$$, 'VALUES (0.1723, 0.1775)',
  'plain cosine has the Recall@20 and NDCG@20 of the reference');
SELECT results_eq($$SELECT * FROM pg_temp.plain_worth('cosine')$$, $$SELECT * FROM pg_temp.worth('cosine')$$,
  'as plain SQL has it');

-- The evaluator's own core, with a time for each part: 99,455 of 895,699 events are the newest.
SELECT reco_create_model('both', $$SELECT user_id, item_id, timestamptz '2001-01-01' AS occurred_at FROM train
  UNION ALL SELECT user_id, item_id, '2002-01-01' FROM test$$);
SELECT reco_configure('both', similarity => 'cosine', keep => 'source', neighbors => 200, min_support => 1, weighting => 'binary');
SELECT set_config('maintenance_work_mem', '128MB', false);
SELECT results_eq($$SELECT algorithm, metric, round(value::numeric, 4), users FROM reco_evaluate('both', 20, holdout => 0.12)
  WHERE metric IN ('recall', 'ndcg')$$,
  $$VALUES ('model', 'recall', 0.1723, 6022::bigint), ('model', 'ndcg', 0.1775, 6022),
    ('cosine', 'recall', 0.1723, 6022), ('cosine', 'ndcg', 0.1775, 6022),
    ('popularity', 'recall', 0.1161, 6022), ('popularity', 'ndcg', 0.1176, 6022)$$, 'reco_evaluate has the same');

-- The kernel against SQL: one item's neighbours, counted and divided by hand.
SELECT results_eq($$
  WITH n AS (SELECT item_id, count(*) AS users FROM train GROUP BY item_id),
  pair AS (
    SELECT b.item_id, count(*) AS support, count(*) / sqrt(max(na.users)::float8 * max(nb.users)) AS cosine
    FROM train a JOIN train b ON b.user_id = a.user_id AND b.item_id <> a.item_id
    JOIN n na ON na.item_id = a.item_id JOIN n nb ON nb.item_id = b.item_id
    WHERE a.item_id = (SELECT item_id FROM hitlist WHERE place = 100) GROUP BY b.item_id)
  SELECT count(*), count(p.item_id), count(*) FILTER (WHERE p.support <> s.support),
    count(*) FILTER (WHERE abs(p.cosine - s.similarity) > 1e-5 * p.cosine),
    min(s.similarity) >= 0.999 * (SELECT cosine FROM pair ORDER BY cosine DESC OFFSET 199 LIMIT 1)
  FROM reco_similar_items((SELECT item_id FROM hitlist WHERE place = 100), 200, 'film') s LEFT JOIN pair p USING (item_id)
$$, 'VALUES (200::bigint, 200::bigint, 0::bigint, 0::bigint, true)',
  'the 200 neighbours of a movie are the nearest, with the support and the cosine that SQL counts');


-- Everybody at once: the lists just made, and for some users every column, bit by bit.
CREATE FUNCTION pg_temp.differing(model text, lists regclass, OUT lists_differ bigint, OUT rows_compared bigint, OUT rows_differ bigint) LANGUAGE plpgsql AS $$
BEGIN
  DROP TABLE IF EXISTS at_once, one_by_one;
  EXECUTE format('CREATE TEMP TABLE at_once AS SELECT * FROM %I.top_n_all(20, fallback => false)', model);
  EXECUTE format('SELECT count(*) FROM (SELECT user_id, rank, item_id FROM %1$s EXCEPT SELECT user_id, rank, item_id FROM at_once) d', lists) INTO lists_differ;
  EXECUTE format('CREATE TEMP TABLE one_by_one AS
    SELECT p.user_id, t.item_id, float8send(score) AS score, match, because, source, rank::int FROM person p
    CROSS JOIN LATERAL %I.top_n(p.user_id, 20, fallback => false) WITH ORDINALITY AS t(item_id, score, match, because, source, rank) WHERE p.user_id %% 10 = 3', model);
  SELECT count(*) INTO rows_compared FROM one_by_one;
  SELECT count(*) INTO rows_differ FROM (TABLE one_by_one EXCEPT SELECT user_id, item_id, float8send(score), match, because, source, rank FROM at_once) d;
END $$;
SELECT results_eq($$SELECT lists_differ, rows_compared > 10000, rows_differ FROM pg_temp.differing('film', 'cosine')$$,
  'VALUES (0::bigint, true, 0::bigint)', 'cosine: reco_top_n_all gives what reco_top_n gives');


-- What anybody gets who sets nothing.

SELECT reco_create_model('plain', 'SELECT user_id, item_id FROM train');
SELECT lives_ok($$SELECT reco_refresh('plain')$$, 'a refresh with every setting as it comes');
CREATE TEMP TABLE plain AS
  SELECT p.user_id, t.rank, t.item_id
  FROM person p CROSS JOIN LATERAL reco_top_n(p.user_id, 20, 'plain', fallback => false)
    WITH ORDINALITY AS t(item_id, score, match, because, source, rank);
SELECT is_empty('SELECT p.user_id FROM person p LEFT JOIN plain l USING (user_id)
  GROUP BY p.user_id HAVING count(l.item_id) <> 20', 'twenty personal movies for everybody');
SELECT results_eq($$SELECT lists_differ, rows_compared > 10000, rows_differ FROM pg_temp.differing('plain', 'plain')$$,
  'VALUES (0::bigint, true, 0::bigint)', 'defaults: reco_top_n_all gives what reco_top_n gives');
SELECT is(count(DISTINCT user_id), 6022::bigint, 'everybody of the training part is there') FROM at_once;
SELECT is_empty('SELECT user_id FROM at_once GROUP BY user_id HAVING count(*) <> 20 OR max(rank) <> 20', 'with twenty movies each');
SELECT diag(format('defaults: Recall@20 %s, NDCG@20 %s; cosine %s, %s; popular %s, %s',
  d.recall, d.ndcg, c.recall, c.ndcg, p.recall, p.ndcg))
FROM pg_temp.worth('plain') d, pg_temp.worth('cosine') c, pg_temp.worth('popular') p;
SELECT cmp_ok(recall, '>=', 0.22, 'Recall@20 of the defaults') FROM pg_temp.worth('plain');
SELECT cmp_ok(ndcg, '>=', 0.21, 'NDCG@20 of the defaults') FROM pg_temp.worth('plain');



-- Ridge, with its own defaults: the published EASE, from the whole matrix, has .2787 and .2691.

SET maintenance_work_mem = '256MB';
SELECT reco_configure('plain', similarity => 'ridge', neighbors => 200);
SELECT lives_ok($$SELECT reco_refresh('plain')$$, 'a refresh with ridge');
CREATE TEMP TABLE ridge AS
  SELECT p.user_id, t.rank, t.item_id
  FROM person p CROSS JOIN LATERAL reco_top_n(p.user_id, 20, 'plain', fallback => false)
    WITH ORDINALITY AS t(item_id, score, match, because, source, rank);
SELECT results_eq($$SELECT lists_differ, rows_compared > 10000, rows_differ FROM pg_temp.differing('plain', 'ridge')$$,
  'VALUES (0::bigint, true, 0::bigint)', 'ridge: reco_top_n_all gives what reco_top_n gives');
SELECT cmp_ok((SELECT count(*) FROM plain.similar WHERE similarity < 0), '>', 1000::bigint, 'also with weights below 0');
SELECT diag(format('ridge: Recall@20 %s, NDCG@20 %s', recall, ndcg)) FROM pg_temp.worth('ridge');
SELECT cmp_ok(recall, '>=', 0.27, 'Recall@20 of ridge') FROM pg_temp.worth('ridge');
SELECT cmp_ok(ndcg, '>=', 0.26, 'NDCG@20 of ridge') FROM pg_temp.worth('ridge');

-- Without any setting: what is picked is as good as what was published of the best.

SELECT reco_create_model('bare', 'SELECT user_id, item_id FROM public.train');
SELECT learned_with FROM reco_refresh('bare') \gset
CREATE TABLE bare_lists AS SELECT user_id, item_id, rank FROM bare.top_n_all(20);
SELECT diag('picked: ' || :'learned_with');
SELECT cmp_ok((SELECT recall FROM pg_temp.worth('bare_lists')), '>=', 0.275, 'no setting: Recall@20');
SELECT cmp_ok((SELECT ndcg FROM pg_temp.worth('bare_lists')), '>=', 0.265, 'no setting: NDCG@20');
SELECT cmp_ok((SELECT recall FROM pg_temp.worth('bare_lists')), '>', 0.2802, 'above every published figure: SimpleX');
SELECT cmp_ok((SELECT ndcg FROM pg_temp.worth('bare_lists')), '>', 0.2691, 'EASE');
SELECT diag(format('no setting: Recall@20 %s, NDCG@20 %s', recall, ndcg)) FROM pg_temp.worth('bare_lists');
-- Of so few items more neighbours are kept than elsewhere, by trial.
SELECT is((SELECT picked_neighbors FROM bare.model), 200, 'more neighbours are kept than without a choice');
SELECT is((SELECT max(rank) FROM bare.similar), 200, 'and there they are');

SELECT * FROM finish();
