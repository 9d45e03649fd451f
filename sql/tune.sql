-- Tuning: settings tried on events kept from learning.

CREATE FUNCTION reco_tune(
  model text DEFAULT NULL, budget interval DEFAULT '5 minutes', k int DEFAULT 10, split text DEFAULT NULL,
  holdout float8 DEFAULT NULL, new_only boolean DEFAULT true)
RETURNS TABLE(trial int, settings text, ndcg float8, gain float8, low float8, high float8, users bigint, seconds float8, kept boolean)
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000000 ROWS 50 AS 'MODULE_PATHNAME', 'reco_tune';
COMMENT ON FUNCTION reco_tune(text, interval, int, text, float8, boolean) IS
  'tries settings of a model on events kept from learning, for the time given, and keeps the best if it is surely better than the present ones, for the next reco_refresh. Reports every trial: what it changes, its NDCG at k, and on half of the users, who had no part in picking it, the gain over the present with its interval of 95 %';
