-- What a policy would have been worth, by the log of another that drew its choices by lot.

CREATE TYPE reco_policy_value AS (events bigint, matched bigint, value float8, low float8, high float8, weighted float8, effective float8);
COMMENT ON TYPE reco_policy_value IS
  'the result of reco_replay: rows of the log, those that the policy may choose as well, the reward of a choice of the policy with an interval of 95 % (self-normalised: sum(w r) / sum(w)), the same unbiased but less steady (sum(w r) / rows), and as how many rows of the policy itself the log counts (sum(w)^2 / sum(w^2))';

CREATE FUNCTION reco_replay_add(state float8[], reward float8, propensity float8, chance float8) RETURNS float8[]
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'reco_replay_add';
COMMENT ON FUNCTION reco_replay_add(float8[], float8, float8, float8) IS 'the transition function of reco_replay';
CREATE FUNCTION reco_replay_merge(float8[], float8[]) RETURNS float8[]
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'reco_replay_merge';
COMMENT ON FUNCTION reco_replay_merge(float8[], float8[]) IS 'the combine function of reco_replay';
CREATE FUNCTION reco_replay_value(state float8[]) RETURNS reco_policy_value
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'reco_replay_value';
COMMENT ON FUNCTION reco_replay_value(float8[]) IS 'the final function of reco_replay';
CREATE AGGREGATE reco_replay(reward float8, propensity float8, chance float8) (
  SFUNC = reco_replay_add, STYPE = float8[], FINALFUNC = reco_replay_value, COMBINEFUNC = reco_replay_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE reco_replay(float8, float8, float8) IS
  'what a policy is worth, by a log of choices that another one drew by lot: reward of each, propensity with which it was drawn (1e-9..1), chance (0..1) with which the policy in question makes the same choice; for one that is sure of its choice (its_choice = that_of_the_log)::int. Weights are w = chance / propensity (Horvitz & Thompson 1952; self-normalised, Swaminathan & Joachims 2015). A row with a NULL is none. Sums are of float8: the last digits may depend on the order of rows';
