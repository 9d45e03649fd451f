-- One set of bench/quality.sql: psql variables data, data_set, settings and reader.
\set train 'xzcat \'' :data '/' :data_set '/train.txt.xz\'' :reader
\set test 'xzcat \'' :data '/' :data_set '/test.txt.xz\'' :reader
CREATE TABLE train (user_id int, item_id int);
CREATE TABLE test (user_id int, item_id int);
COPY train FROM PROGRAM :'train';
COPY test FROM PROGRAM :'test';
ANALYZE train, test;

SELECT reco_create_model('quality', 'SELECT user_id, item_id FROM public.train') \g /dev/null
SELECT reco_configure('quality', :settings) \g /dev/null
SELECT coalesce(learned_with, '') AS learned_with, seconds_learn, seconds_total FROM reco_refresh('quality') \gset
SELECT clock_timestamp() AS began \gset
CREATE TABLE lists AS SELECT user_id, item_id, rank FROM quality.top_n_all(20);
SELECT extract(epoch FROM clock_timestamp() - :'began') AS lists_seconds \gset
INSERT INTO quality
SELECT :'data_set', :'learned_with', round(:'seconds_learn', 2), round(:'seconds_total', 2), round(:lists_seconds, 2), round(avg(recall)::numeric, 4), round(avg(ndcg)::numeric, 4)
FROM (SELECT reco_recall(l.rank, true, 20) AS recall, reco_ndcg(l.rank, true, 20) AS ndcg
      FROM test t LEFT JOIN lists l USING (user_id, item_id) GROUP BY user_id) list;
SELECT reco_drop_model('quality') \g /dev/null
DROP TABLE train, test, lists;
