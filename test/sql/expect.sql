-- What the planner expects of lists: as many rows as were asked for, where it can know.
CREATE TABLE visits AS SELECT n % 50 AS u, (n * n) % 23 AS i FROM generate_series(1, 1500) n;
SELECT reco_create_model('site', 'SELECT u AS user_id, i AS item_id FROM visits');
SELECT events FROM reco_refresh('site');
CREATE FUNCTION rows_expected(query text) RETURNS int LANGUAGE plpgsql AS $$
DECLARE plan json;
BEGIN
  EXECUTE 'EXPLAIN (FORMAT JSON) ' || query INTO plan;
  RETURN plan -> 0 -> 'Plan' -> 'Plan Rows';
END $$;
SELECT query, rows_expected('SELECT * FROM ' || query) FROM (VALUES
  ('reco_top_n(5)'), ('reco_top_n(5, 3)'), ('reco_top_n(5, 30 + 4)'), ('reco_top_n(5, k => 100, seen => true)'), ('reco_top_n(5, NULL)'),
  ('reco_top_n(5, 0)'), ('site.top_n(5)'), ('site.top_n(5, 25)'), ('reco_complete(''{1}''::bigint[], 7)'), ('reco_similar_items(1, 40)'),
  ('site.similar_items(1, 40)'), ('reco_audience(1, 500)'), ('reco_similar_users(1, 2)'), ('reco_popular(60)'), ('reco_trending(6)'),
  ('reco_top_n_all(1)'), ('reco_top_n_all(20)'), ('site.top_n_all(20)'), ('reco_onboarding(4)'),
  ('reco_page(5)'), ('reco_page(5, 2)'), ('reco_page(5, 3, 20)'), ('site.page(5, per_row => 5)'), ('reco_page(5, NULL, 5)'),
  ('generate_series(1, 3) k, reco_top_n(5, k)')) AS q(query);
-- a k that is only known when the query runs
PREPARE list(int) AS SELECT * FROM reco_top_n(5, $1);
SET plan_cache_mode = force_generic_plan;
SELECT rows_expected('EXECUTE list(50)');
SET plan_cache_mode = force_custom_plan;
SELECT rows_expected('EXECUTE list(50)');
RESET plan_cache_mode;
DEALLOCATE list;
SELECT reco_drop_model('site');
DROP FUNCTION rows_expected;
DROP TABLE visits;
