-- Amazon CDs in the split of BGCF and UltraGCN: sparse, with many items few people have.  The variable data names the folder
-- with amazon-cds/train.txt.xz and amazon-cds/test.txt.xz.
--
-- Of all discs not in a user's line of the training file the 20 best, as lists come without any setting: Recall@20 and NDCG@20
-- as test/real/movielens.sql defines them.

SET client_min_messages = warning;

\set there `test -r :'data'/amazon-cds/train.txt.xz -a -r :'data'/amazon-cds/test.txt.xz && echo yes || echo no`
\if :there
\else
\echo 1..0 # SKIP no amazon-cds/train.txt.xz and amazon-cds/test.txt.xz in :data
\quit
\endif

\set split amazon-cds
\set train train
\set test test
\ir read/split.sql

SELECT plan(8);
SELECT is((SELECT (count(*), count(DISTINCT user_id), count(DISTINCT item_id))::text FROM train), '(604475,43169,35648)', 'the published training set');
SELECT is((SELECT count(*) FROM test), 172951::bigint, 'the published test set');

SET maintenance_work_mem = '512MB';
SELECT reco_create_model('discs', 'SELECT user_id, item_id FROM public.train') \g /dev/null
SELECT learned_with FROM reco_refresh('discs') \gset
SELECT alike(:'learned_with'::text, '%ridge%indirect => 0.%', 'what neighbours of neighbours say is listened to');
CREATE TABLE lists AS SELECT user_id, item_id, rank FROM discs.top_n_all(20);
SELECT is((SELECT count(*) FROM lists), 20 * 43169::bigint, 'every list is full');
SELECT avg(recall) AS recall, avg(ndcg) AS ndcg
FROM (SELECT reco_recall(l.rank, true, 20) AS recall, reco_ndcg(l.rank, true, 20) AS ndcg
      FROM test t LEFT JOIN lists l USING (user_id, item_id) GROUP BY user_id) list \gset
SELECT cmp_ok(:recall, '>=', 0.180::numeric, 'Recall@20 without any setting');
SELECT cmp_ok(:ndcg, '>=', 0.122::numeric, 'NDCG@20 without any setting');
SELECT cmp_ok(:recall, '>', 0.1763::numeric, 'above the best that was published: SimpleX');
SELECT cmp_ok(:ndcg, '>', 0.1145::numeric, 'and its NDCG@20');
SELECT diag(format('Amazon CDs: %s, Recall@20 %s, NDCG@20 %s', :'learned_with', round(:recall, 4), round(:ndcg, 4)));
SELECT * FROM finish();
