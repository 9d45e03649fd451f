-- Watching: the refreshes that run now, in any session.

CREATE FUNCTION reco_progress()
RETURNS TABLE(
  pid int, database text, model text, phase text, done bigint, total bigint, percent float8,
  elapsed interval, expected_end timestamptz, workers int)
LANGUAGE C STABLE PARALLEL RESTRICTED ROWS 5 AS 'MODULE_PATHNAME', 'reco_progress';
COMMENT ON FUNCTION reco_progress() IS
  'the refreshes that run now; what the view reco_progress shows';

CREATE VIEW reco_progress AS SELECT * FROM reco_progress();
GRANT SELECT ON reco_progress TO PUBLIC;
COMMENT ON VIEW reco_progress IS
  'the refreshes that run now on this server. done of total counts events (phases read, encode), items of users (learn), items (solve, write) or chosen items (curve), percent is of the phase, expected_end of the whole refresh. Details only for roles of yours and pg_read_all_stats; models of other databases have no name here';
COMMENT ON COLUMN reco_progress.phase IS
  'wait (another refresh of the model goes first), read, encode, learn, solve (ridge only), curve, write; learn comes twice where a match curve is learned first';
