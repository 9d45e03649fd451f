-- `reco_bucket`, `reco_interleave` of two lists of ten, `reco_sign_test`, for every customer
WITH p AS MATERIALIZED (SELECT array_agg(item_id) AS items FROM retail.popular(10)), t AS MATERIALIZED (SELECT user_id, array_agg(item_id ORDER BY rank) AS items FROM retail.top_n_all(10) GROUP BY user_id)
SELECT 'rows=' || count(*) FROM (SELECT reco_bucket(t.user_id, 'bench'), reco_sign_test(count(*) FILTER (WHERE team = 'a'), count(*) FILTER (WHERE team = 'b')) FROM p, t, LATERAL reco_interleave(t.items, p.items, 10, t.user_id) i GROUP BY t.user_id) v;
