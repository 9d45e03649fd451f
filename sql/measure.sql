-- Measures over counts, for pairs that SQL has already counted, and a decayed sum.

CREATE FUNCTION reco_cosine(users_both float8, users_a float8, users_b float8) RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'reco_cosine';
COMMENT ON FUNCTION reco_cosine(float8, float8, float8) IS
  'users_both / sqrt(users_a * users_b), 0..1; NULL where a count of items is 0';

CREATE FUNCTION reco_jaccard(users_both float8, users_a float8, users_b float8) RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'reco_jaccard';
COMMENT ON FUNCTION reco_jaccard(float8, float8, float8) IS
  'users_both / (users_a + users_b - users_both), 0..1; NULL where both counts are 0';

CREATE FUNCTION reco_llr(users_both float8, users_a float8, users_b float8, users_all float8) RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'reco_llr';
COMMENT ON FUNCTION reco_llr(float8, float8, float8, float8) IS
  'log-likelihood ratio G2 of the 2 x 2 table of two items (Dunning 1993), 0 or more; 10.83 is significance at 0.001. Large for items that avoid each other too: compare with reco_lift';

CREATE FUNCTION reco_lift(users_both float8, users_a float8, users_b float8, users_all float8) RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'reco_lift';
COMMENT ON FUNCTION reco_lift(float8, float8, float8, float8) IS
  'users_both * users_all / (users_a * users_b): 1 means independent; NULL where a count of items is 0';

CREATE FUNCTION reco_decayed_add(sum float8, weight float8, occurred_at timestamptz, half_life interval, as_of timestamptz)
RETURNS float8
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'reco_decayed_add';
COMMENT ON FUNCTION reco_decayed_add(float8, float8, timestamptz, interval, timestamptz) IS
  'the transition function of the aggregate reco_decayed_sum';

CREATE AGGREGATE reco_decayed_sum(weight float8, occurred_at timestamptz, half_life interval, as_of timestamptz) (
  SFUNC = reco_decayed_add, STYPE = float8, COMBINEFUNC = float8pl, PARALLEL = SAFE);
COMMENT ON AGGREGATE reco_decayed_sum(float8, timestamptz, interval, timestamptz) IS
  'sum of weight * 2^(-(as_of - occurred_at) / half_life); rows with a NULL and rows after as_of do not count; NULL without rows, like sum()';
