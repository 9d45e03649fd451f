-- Evaluating a model: the report, every message, and whose rights count.
CREATE TABLE visits (who int, what text, at timestamptz);
INSERT INTO visits SELECT u, chr(97 + (u * n) % 11), timestamptz '2026-01-01' + (n * 40 + u) * interval '1 hour'
FROM generate_series(1, 30) u, generate_series(1, 5) n;
SELECT reco_create_model('visit', 'SELECT who AS user_id, what AS item_id, at AS occurred_at FROM visits');
SELECT algorithm, metric, round(value::numeric, 3) AS value, round(low::numeric, 3) AS low, round(high::numeric, 3) AS high, users
FROM reco_evaluate('visit', 3);
-- As a table with a row for each metric.
SELECT metric, round(max(value) FILTER (WHERE algorithm = 'model')::numeric, 3) AS model,
  round(max(value) FILTER (WHERE algorithm = 'cosine')::numeric, 3) AS cosine,
  round(max(value) FILTER (WHERE algorithm = 'popularity')::numeric, 3) AS popularity
FROM reco_evaluate('visit', 3, split => 'leave_last_out', new_only => false) GROUP BY metric ORDER BY metric;
SELECT algorithm, round(value::numeric, 3) AS value, users FROM reco_evaluate('visit', 3, split => 'users', max_users => 5) WHERE metric = 'recall';
-- As lists are served: the hour at which people went on to choose, and what they were shown in vain before.
SELECT reco_configure('visit', contexts => '{occurred_at}');
SELECT algorithm, metric, round(value::numeric, 3) AS value, users FROM reco_evaluate('visit', 3, as_served => true) WHERE metric IN ('ndcg', 'ndcg_gain');
SELECT reco_configure('visit', contexts => '{}');
SELECT algorithm, round(value::numeric, 3) AS value FROM reco_evaluate('visit', 3, as_served => true) WHERE metric = 'ndcg';
-- Other settings are tried in a transaction that is rolled back.
BEGIN;
SELECT reco_configure('visit', similarity => 'rp3beta', min_support => 1);
SELECT count(*) FROM reco_evaluate('visit', 3);
ROLLBACK;
-- It reads only.
BEGIN READ ONLY;
SELECT count(*) FROM reco_evaluate('visit', 3);
COMMIT;
-- What it refuses.
SELECT count(*) FROM reco_evaluate('visit', NULL);
SELECT count(*) FROM reco_evaluate('visit', 0);
SELECT count(*) FROM reco_evaluate('visit', split => 'random');
SELECT count(*) FROM reco_evaluate('visit', holdout => 1);
SELECT count(*) FROM reco_evaluate('visit', holdout => 'NaN');
SELECT count(*) FROM reco_evaluate('visit', holdout => 0.1, split => 'leave_last_out');
SELECT count(*) FROM reco_evaluate('visit', max_users => 0);
SELECT count(*) FROM reco_evaluate('visit', split => 'users', new_only => false);
SELECT count(*) FROM reco_evaluate('visit', split => 'leave_last_out', as_served => true);
SELECT count(*) FROM reco_evaluate('no_such_model');
SELECT reco_create_model('timeless', 'SELECT who AS user_id, what AS item_id FROM visits');
SELECT count(*) FROM reco_evaluate('timeless', split => 'time');
SELECT count(*) FROM reco_evaluate('timeless', as_served => true);
SELECT algorithm, value, users FROM reco_evaluate('timeless', 1, split => 'users') WHERE metric = 'reachable';
SELECT algorithm, value, users FROM reco_evaluate('timeless', 1) WHERE metric = 'reachable';
-- What follows what takes times.
SELECT reco_configure('timeless', similarity => 'next');
SELECT count(*) FROM reco_evaluate('timeless', 1);
SELECT reco_refresh('timeless');
SELECT * FROM reco_neighbors((SELECT reco_matrix(who, what, 1) FROM visits), similarity => 'next');
SET maintenance_work_mem = '1MB';
INSERT INTO visits SELECT n, 'x', '2026-01-01' FROM generate_series(1, 400000) n;
\set VERBOSITY terse
SELECT count(*) FROM reco_evaluate('visit');
\set VERBOSITY default
RESET maintenance_work_mem;
-- Nothing to hold out.
TRUNCATE visits;
SELECT * FROM reco_evaluate('visit') WHERE algorithm = 'model' AND metric IN ('recall', 'coverage', 'newcomers');
SELECT * FROM reco_evaluate('visit', as_served => true) WHERE metric IN ('ndcg', 'ndcg_gain');
-- The caller's own rights count.
CREATE ROLE regress_analyst;
SET ROLE regress_analyst;
SELECT count(*) FROM reco_evaluate('visit');
RESET ROLE;
GRANT USAGE ON SCHEMA visit TO regress_analyst;
GRANT SELECT ON ALL TABLES IN SCHEMA visit TO regress_analyst;
SET ROLE regress_analyst;
SELECT count(*) FROM reco_evaluate('visit');
RESET ROLE;
GRANT SELECT ON visits TO regress_analyst;
SET ROLE regress_analyst;
SELECT count(*) FROM reco_evaluate('visit');
RESET ROLE;
DROP OWNED BY regress_analyst;
DROP ROLE regress_analyst;
SELECT reco_drop_model('visit'), reco_drop_model('timeless');
DROP TABLE visits;
