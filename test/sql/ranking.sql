-- Ranking: what is said where there is nothing to learn from, and what cannot be.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
CREATE TABLE buy (u int, i text, at timestamptz);
SELECT reco_create_model('rank', 'SELECT u AS user_id, i AS item_id, at AS occurred_at FROM public.buy');
-- Never refreshed; no events; too few.
SELECT * FROM reco_learn_ranking('rank');
SELECT events FROM reco_refresh('rank');
SELECT metric, scored, reranked, gain, users, lists, kept FROM reco_learn_ranking('rank');
INSERT INTO buy SELECT u, 'item ' || i, timestamptz '2024-01-01' + make_interval(days => i * 7 + u) FROM generate_series(1, 20) u, generate_series(1, 9) i WHERE (u * i) % 7 <> 3;
SELECT events FROM reco_refresh('rank');
SELECT metric, scored, reranked, gain, users, lists, kept FROM reco_learn_ranking('rank');
SELECT count(*) FROM rank.learned_ranking;
-- Arguments.
SELECT * FROM reco_learn_ranking('rank', k => 0);
SELECT * FROM reco_learn_ranking('rank', k => 200);
SELECT * FROM reco_learn_ranking('rank', first => 9);
SELECT * FROM reco_learn_ranking('rank', first => 501);
SELECT * FROM reco_learn_ranking('rank', units => 17);
SELECT * FROM reco_learn_ranking('rank', units => -1);
SELECT * FROM reco_learn_ranking('rank', split => 'users');
SELECT * FROM reco_learn_ranking('rank', holdout => 1);
SELECT * FROM reco_learn_ranking('nobody');
-- From lists that were shown: no log, nothing in it, nothing chosen, too little; and what does not go with it.
SELECT * FROM reco_learn_ranking('rank', learn_from => 'impressions');
SELECT reco_create_log('rank');
SELECT * FROM reco_learn_ranking('rank', learn_from => 'clicks');
SELECT * FROM reco_learn_ranking('rank', learn_from => 'impressions', within => '0');
SELECT * FROM reco_learn_ranking('rank', learn_from => 'impressions', within => NULL);
SELECT * FROM reco_learn_ranking('rank', learn_from => 'impressions', split => 'time');
SELECT * FROM reco_learn_ranking('rank', learn_from => 'impressions', new_only => false);
SELECT * FROM reco_learn_ranking('rank', learn_from => 'impressions', holdout => 0);
SELECT * FROM reco_learn_ranking('rank', learn_from => 'impressions');
INSERT INTO rank.served (list_id, rank, served_at, user_id, item_id) VALUES (1, 1, 'infinity', 1, 'item 1'), (2, 1, '-infinity', 1, 'item 1'), (3, 1, now(), 1, 'item 1');
SELECT * FROM reco_learn_ranking('rank', learn_from => 'impressions');
-- Places that are none, one item twice, one that nobody ever had, somebody whom nobody knows.
INSERT INTO rank.served (list_id, rank, served_at, user_id, item_id) VALUES (4, -5, '2024-03-01', 1, 'item 1'), (4, 0, '2024-03-01', 1, 'item 1'), (4, 2147483647, '2024-03-01', 1, 'item 2'), (5, 1, '2024-03-01', 2, 'nothing'), (6, 1, '2024-03-01', 99, 'item 1');
SELECT * FROM reco_learn_ranking('rank', learn_from => 'impressions');
SELECT metric FROM reco_learn_ranking('rank', learn_from => 'impressions', within => '1 year');
UPDATE rank.served SET served_at = '2000-01-01' WHERE list_id = 4;
SELECT metric FROM reco_learn_ranking('rank', learn_from => 'impressions', within => '50 years');
SELECT metric FROM reco_learn_ranking('rank', learn_from => 'impressions', within => '25 years');
SELECT count(*) FROM rank.learned_ranking;
BEGIN READ ONLY;
SELECT * FROM reco_learn_ranking('rank');
ROLLBACK;
CREATE ROLE regress_ranker;
GRANT USAGE ON SCHEMA rank TO regress_ranker;
SET ROLE regress_ranker;
SELECT * FROM reco_learn_ranking('rank');
RESET ROLE;
DROP OWNED BY regress_ranker;
DROP ROLE regress_ranker;
SELECT reco_configure('rank', reranked => false);
SELECT reranked, reranked_first, reranked_of FROM rank.model;
SELECT reco_configure('rank', reranked => true);
-- People of two kinds, who each go on to what of their kind is new; told who has the same kinds of what is old.
TRUNCATE buy;
INSERT INTO buy
  SELECT u, 'item ' || lpad((CASE WHEN lot % 5 > 0 THEN greatest(d - lot % 20, 0) / 4 * 2 + u % 2 ELSE lot % (d / 2 + 1) END)::text, 3, '0'), timestamptz '2024-01-01' + make_interval(days => d, secs => u)
  FROM (SELECT u, ('x' || substr(md5(u || '.' || n), 1, 6))::bit(24)::int % 200 AS d, ('x' || substr(md5(u || '.' || n), 7, 6))::bit(24)::int AS lot FROM generate_series(1, 600) u, generate_series(1, 14) n) e;
SELECT reco_configure('rank', similarity => 'cosine');
SELECT events FROM reco_refresh('rank');
SELECT metric, gain > 0.1 AS gained, low > 0 AS surely, high > gain AS bounded, users > 50 AS users, lists > 100 AS lists, units, rounds > 0 AS rounds, kept FROM reco_learn_ranking('rank', holdout => 0.1, units => 2);
SELECT layer, unit, count(*) FROM rank.learned_ranking GROUP BY layer, unit ORDER BY layer, unit;
SELECT reranked, reranked_first, reranked_of FROM rank.model;
SELECT algorithm, count(*), count(*) FILTER (WHERE users > 0) AS measured FROM reco_evaluate('rank', holdout => 0.1) GROUP BY algorithm ORDER BY algorithm;
-- Lists for nobody, of nothing, of few: no more of a network than of scores.
SELECT item_id, source FROM rank.top_n(NULL, 2, fallback => false);
SELECT count(*) FROM rank.top_n(1, 10, among => ARRAY['item 070'], fallback => false);
SELECT count(*) FROM rank.rank(1, '{}');
SELECT item_id, source FROM rank.rank(1, ARRAY['item 000', 'nothing']) ORDER BY item_id;
-- Rows that are not what was learned are refused, and can be learned again or left.
UPDATE rank.learned_ranking SET weight = 'NaN' WHERE layer = 'mean' AND feature = 'score';
SELECT * FROM rank.top_n(1, 1);
SELECT reco_configure('rank', reranked => false);
SELECT count(*) FROM rank.top_n(1, 1);
SELECT reco_configure('rank', reranked => true);
UPDATE rank.learned_ranking SET weight = 1, feature = 'luck' WHERE layer = 'mean' AND feature = 'score';
SELECT * FROM rank.top_n(1, 1);
UPDATE rank.learned_ranking SET unit = 99, feature = 'bias' WHERE layer = 'hidden' AND unit = 2 AND feature = 'bias';
SELECT * FROM rank.rank(1, ARRAY['item 000']);
UPDATE rank.model SET reranked_first = 100000;
SELECT * FROM rank.top_n(1, 1);
DROP TABLE rank.learned_ranking;
SELECT * FROM rank.top_n(1, 1);
SELECT metric, kept FROM reco_learn_ranking('rank', holdout => 0.1);
SELECT reco_drop_model('rank');
DROP TABLE buy;
