-- Metrics over ranked lists: the surface, what NULL means, and every message.
-- One list of five places; of four relevant items it has three, at ranks 1, 3 and 4.
CREATE TABLE listed (rank int, item text, relevant boolean);
INSERT INTO listed VALUES (1, 'a', true), (2, 'b', false), (3, 'c', true), (4, 'd', true), (5, 'e', NULL), (NULL, 'f', true);
SELECT k, reco_recall(rank, relevant, k), round(reco_precision(rank, relevant, k)::numeric, 6) AS precision,
  reco_hit(rank, relevant, k), reco_reciprocal_rank(rank, relevant, k),
  round(reco_average_precision(rank, relevant, k)::numeric, 6) AS ap, round(reco_ndcg(rank, relevant, k)::numeric, 6) AS ndcg
FROM listed, unnest(ARRAY[1, 2, 3, 5, 10]) k GROUP BY k ORDER BY k;
SELECT reco_recall(rank, relevant, NULL), reco_hit(rank, relevant, NULL), reco_reciprocal_rank(rank, relevant, NULL),
  round(reco_average_precision(rank, relevant, NULL)::numeric, 6) AS ap, round(reco_ndcg(rank, relevant, NULL)::numeric, 6) AS ndcg
FROM listed;
SELECT round(reco_ndcg(rank, gain, 5)::numeric, 6) FROM (VALUES (1, 3), (2, 2), (3, 3), (4, 0), (5, 1), (6, 2)) v(rank, gain);
SELECT reco_auc(score, relevant) FROM (VALUES (0.9, true), (0.8, false), (0.7, true), (0.7, false), (NULL, false)) v(score, relevant);
-- The usual question: lists in one table, what people went on to choose in another.
CREATE TABLE shown (user_id int, item_id text, rank bigint);
CREATE TABLE chosen (user_id int, item_id text);
INSERT INTO shown VALUES (1, 'a', 1), (1, 'b', 2), (2, 'a', 1), (2, 'c', 2), (4, 'a', 1);
INSERT INTO chosen VALUES (1, 'b'), (1, 'z'), (2, 'a'), (3, 'a');
SELECT user_id, reco_recall(s.rank, true, 2), reco_hit(s.rank, true, 2), reco_reciprocal_rank(s.rank, true, 2)
FROM chosen c LEFT JOIN shown s USING (user_id, item_id) GROUP BY user_id ORDER BY user_id;
SELECT user_id, reco_recall(s.rank, c.item_id IS NOT NULL, 2), reco_precision(s.rank, c.item_id IS NOT NULL, 2),
  reco_hit(s.rank, c.item_id IS NOT NULL, 2)
FROM chosen c FULL JOIN shown s USING (user_id, item_id) GROUP BY user_id ORDER BY user_id;
-- Nothing relevant, and no rows.
SELECT reco_recall(rank, false, 5), reco_precision(rank, false, 5), reco_hit(rank, false, 5), reco_reciprocal_rank(rank, false, 5),
  reco_average_precision(rank, false, 5), reco_ndcg(rank, false, 5), reco_ndcg(rank, 0.0, 5), reco_auc(rank, false) FROM listed;
SELECT reco_recall(rank, relevant, 5), reco_precision(rank, relevant, 5), reco_hit(rank, relevant, 5), reco_ndcg(rank, 1.0, 5),
  reco_auc(rank, relevant) FROM listed WHERE false;
-- What cannot be a list.
SELECT reco_recall(1, true, 0);
SELECT reco_ndcg(0, true, 5);
SELECT reco_ndcg(-1, 1.5, 5);
SELECT reco_ndcg(9223372036854775807, true, 5);
SELECT reco_precision(1, true, NULL);
SELECT reco_recall(rank, relevant, rank + 1) FROM listed;
SELECT reco_ndcg(r, true, 5) FROM (VALUES (1), (2), (2)) v(r);
SELECT reco_ndcg(r, 2.0, 5) FROM (VALUES (1), (2), (2)) v(r);
SELECT reco_ndcg(1, -1.0, 5);
SELECT reco_ndcg(1, 'Infinity'::float8, 5);
SELECT reco_ndcg(1, 'NaN'::float8, 5);
SELECT reco_auc('NaN', true);
-- The parts can be called by anybody.
SELECT reco_ranking_add(NULL, 1, true, 5);
SELECT reco_ranking_add(reco_ranking_add(NULL, 1, true, 5), 3, true, 5);
SELECT reco_ranking_merge('{5,1,1,1}', '{5,2,1,3}');
SELECT reco_ranking_merge('{5,1,1,1}', '{6,2,1,3}');
SELECT reco_ranking_ndcg('{5,1,1,1}'), reco_ranking_ndcg(NULL), reco_ranking_auc('{0,0,0}');
SELECT reco_ranking_ndcg('{}');
SELECT reco_ranking_ndcg('{5,1,2,1}');
SELECT reco_ranking_ndcg('{5,1,1,NULL}');
SELECT reco_ranking_ndcg('{5,NaN,1,1}');
SELECT reco_ranking_ndcg('{{5,1},{1,1}}');
SELECT reco_ranking_ndcg('{5,1,1,-2}');
SELECT reco_ranking_ndcg('{0.5,1,1,1}');
SELECT reco_ranking_ndcg_gain('{5,1,1,1}');
DROP TABLE listed, shown, chosen;
