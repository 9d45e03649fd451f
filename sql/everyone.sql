-- Everyone at once: the list of every user, from one read of the events.

CREATE FUNCTION reco_top_n_all(k int DEFAULT 10, model text DEFAULT NULL, min_match float8 DEFAULT NULL,
  as_of timestamptz DEFAULT NULL, seen boolean DEFAULT false, fallback boolean DEFAULT true,
  part int DEFAULT 1, parts int DEFAULT 1,
  diversity float8 DEFAULT NULL, max_per text DEFAULT NULL, max_per_n int DEFAULT NULL,
  calibrated float8 DEFAULT NULL, calibrated_by text DEFAULT NULL,
  context jsonb DEFAULT NULL)
RETURNS TABLE(user_id text, item_id text, score float8, match float8, because text, source text, rank int)
LANGUAGE C STABLE PARALLEL SAFE COST 1000000 ROWS 100000 SUPPORT reco_expect_rows AS 'MODULE_PATHNAME', 'reco_top_n_all';
COMMENT ON FUNCTION reco_top_n_all(int, text, float8, timestamptz, boolean, boolean, int, int, float8, text, int, float8, text, jsonb) IS
  'what reco_top_n gives, for every user who has an event that counts, from one read of the events; rank counts the rows of a user from 1. part of parts serves a share of the users, so that sessions can share the work. Memory is charged to maintenance_work_mem; ids as text, the typed door has the model''s own types. diversity, max_per, max_per_n, calibrated, calibrated_by and context as in reco_top_n';
CREATE FUNCTION reco_typed_top_n_all(k int, model regclass, min_match float8,
  as_of timestamptz, seen boolean, fallback boolean, part int, parts int,
  diversity float8 DEFAULT NULL, max_per text DEFAULT NULL, max_per_n int DEFAULT NULL,
  calibrated float8 DEFAULT NULL, calibrated_by text DEFAULT NULL,
  context jsonb DEFAULT NULL)
RETURNS SETOF record
LANGUAGE C STABLE PARALLEL SAFE COST 1000000 ROWS 100000 SUPPORT reco_expect_rows AS 'MODULE_PATHNAME', 'reco_top_n_all';
COMMENT ON FUNCTION reco_typed_top_n_all(int, regclass, float8, timestamptz, boolean, boolean, int, int, float8, text, int, float8, text, jsonb) IS
  'what the typed doors of a model call: reco_top_n_all with ids of the model''s own types';
