-- Tuning a model: the report, every message, and whose right it is.
CREATE TABLE plays (who int, what int, at timestamptz);
INSERT INTO plays SELECT u, (u % 4) * 5 + (u * n) % 5, timestamptz '2026-01-01' + (n * 40 + u) * interval '1 hour'
FROM generate_series(1, 40) u, generate_series(1, 4) n;
SELECT reco_create_model('play', 'SELECT who AS user_id, what AS item_id, at AS occurred_at FROM plays');
SELECT trial, settings, ndcg > 0 AS ndcg, gain, low, high, users, kept FROM reco_tune('play', '1 microsecond');
SELECT count(*) > 1 AS some FROM reco_tune('play', '2 seconds', 3, split => 'leave_last_out');
-- What it refuses.
SELECT count(*) FROM reco_tune('play', '0');
SELECT count(*) FROM reco_tune('play', NULL);
SELECT count(*) FROM reco_tune('play', '-1 day');
SELECT count(*) FROM reco_tune('play', '1 second', k => 0);
SELECT count(*) FROM reco_tune('play', '1 second', split => 'week');
SELECT count(*) FROM reco_tune('play', '1 second', holdout => 2);
BEGIN READ ONLY;
SELECT count(*) FROM reco_tune('play', '1 second');
ROLLBACK;
CREATE ROLE regress_tuner;
GRANT USAGE ON SCHEMA play TO regress_tuner;
GRANT SELECT ON ALL TABLES IN SCHEMA play TO regress_tuner;
GRANT SELECT ON plays TO regress_tuner;
SET ROLE regress_tuner;
SELECT count(*) FROM reco_tune('play', '1 second');
RESET ROLE;
DROP OWNED BY regress_tuner;
DROP ROLE regress_tuner;
-- Nothing to measure on.
TRUNCATE plays;
SELECT * FROM reco_tune('play', '1 second');
SELECT reco_drop_model('play');
DROP TABLE plays;
