-- Exploring: lists with places for what nobody knows enough of, and the chance of each row.

CREATE FUNCTION reco_explore(user_id bigint, k int DEFAULT 10, model text DEFAULT NULL, explore float8 DEFAULT 0.1, seed bigint DEFAULT 0,
  exclude bigint[] DEFAULT NULL, among bigint[] DEFAULT NULL, as_of timestamptz DEFAULT NULL, seen boolean DEFAULT false, fallback boolean DEFAULT true,
  diversity float8 DEFAULT NULL, max_per text DEFAULT NULL, max_per_n int DEFAULT NULL,
  calibrated float8 DEFAULT NULL, calibrated_by text DEFAULT NULL, context jsonb DEFAULT NULL)
RETURNS TABLE(item_id bigint, score float8, match float8, because bigint, source text, propensity float8)
LANGUAGE C STABLE PARALLEL SAFE COST 2000 ROWS 10 SUPPORT reco_expect_rows AS 'MODULE_PATHNAME', 'reco_explore';
CREATE FUNCTION reco_explore(user_id text, k int DEFAULT 10, model text DEFAULT NULL, explore float8 DEFAULT 0.1, seed bigint DEFAULT 0,
  exclude text[] DEFAULT NULL, among text[] DEFAULT NULL, as_of timestamptz DEFAULT NULL, seen boolean DEFAULT false, fallback boolean DEFAULT true,
  diversity float8 DEFAULT NULL, max_per text DEFAULT NULL, max_per_n int DEFAULT NULL,
  calibrated float8 DEFAULT NULL, calibrated_by text DEFAULT NULL, context jsonb DEFAULT NULL)
RETURNS TABLE(item_id text, score float8, match float8, because text, source text, propensity float8)
LANGUAGE C STABLE PARALLEL SAFE COST 2000 ROWS 10 SUPPORT reco_expect_rows AS 'MODULE_PATHNAME', 'reco_explore';
CREATE FUNCTION reco_explore(user_id uuid, k int DEFAULT 10, model text DEFAULT NULL, explore float8 DEFAULT 0.1, seed bigint DEFAULT 0,
  exclude uuid[] DEFAULT NULL, among uuid[] DEFAULT NULL, as_of timestamptz DEFAULT NULL, seen boolean DEFAULT false, fallback boolean DEFAULT true,
  diversity float8 DEFAULT NULL, max_per text DEFAULT NULL, max_per_n int DEFAULT NULL,
  calibrated float8 DEFAULT NULL, calibrated_by text DEFAULT NULL, context jsonb DEFAULT NULL)
RETURNS TABLE(item_id uuid, score float8, match float8, because uuid, source text, propensity float8)
LANGUAGE C STABLE PARALLEL SAFE COST 2000 ROWS 10 SUPPORT reco_expect_rows AS 'MODULE_PATHNAME', 'reco_explore';
COMMENT ON FUNCTION reco_explore(bigint, int, text, float8, bigint, bigint[], bigint[], timestamptz, boolean, boolean, float8, text, int, float8, text, jsonb) IS
  'the list of reco_top_n with its options, but that a share of its places (explore, 0..1; rounded down or up by lot) goes to items drawn by lot from those new and those known least, an item of n users with a chance in proportion to 1 / (1 + n). seed and user decide the lot: the same ask has the same answer. propensity is the chance, over seeds, of a row to be in the list (Madow 1949): weighed by 1 / propensity, what is measured on such lists is unbiased';
COMMENT ON FUNCTION reco_explore(text, int, text, float8, bigint, text[], text[], timestamptz, boolean, boolean, float8, text, int, float8, text, jsonb) IS
  'the list of reco_top_n with its options, but that a share of its places (explore, 0..1; rounded down or up by lot) goes to items drawn by lot from those new and those known least, an item of n users with a chance in proportion to 1 / (1 + n). seed and user decide the lot: the same ask has the same answer. propensity is the chance, over seeds, of a row to be in the list (Madow 1949): weighed by 1 / propensity, what is measured on such lists is unbiased';
COMMENT ON FUNCTION reco_explore(uuid, int, text, float8, bigint, uuid[], uuid[], timestamptz, boolean, boolean, float8, text, int, float8, text, jsonb) IS
  'the list of reco_top_n with its options, but that a share of its places (explore, 0..1; rounded down or up by lot) goes to items drawn by lot from those new and those known least, an item of n users with a chance in proportion to 1 / (1 + n). seed and user decide the lot: the same ask has the same answer. propensity is the chance, over seeds, of a row to be in the list (Madow 1949): weighed by 1 / propensity, what is measured on such lists is unbiased';

CREATE FUNCTION reco_typed_explore(user_id "any", k int, model regclass, explore float8, seed bigint,
  exclude "any", among "any", as_of timestamptz, seen boolean, fallback boolean,
  diversity float8, max_per text, max_per_n int, calibrated float8, calibrated_by text, context jsonb)
RETURNS SETOF record
LANGUAGE C STABLE PARALLEL SAFE COST 2000 ROWS 10 SUPPORT reco_expect_rows AS 'MODULE_PATHNAME', 'reco_explore';
COMMENT ON FUNCTION reco_typed_explore("any", int, regclass, float8, bigint, "any", "any", timestamptz, boolean, boolean, float8, text, int, float8, text, jsonb) IS
  'what the typed doors of a model call: reco_explore for any mix of id types, the model given as its table';
