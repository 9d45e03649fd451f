-- Scoring: one item for one user, as a number for any expression.

CREATE FUNCTION reco_score(user_id bigint, item_id bigint, model text DEFAULT NULL)
RETURNS float8
LANGUAGE C STABLE PARALLEL SAFE COST 200 AS 'MODULE_PATHNAME', 'reco_score';
CREATE FUNCTION reco_score(user_id text, item_id text, model text DEFAULT NULL)
RETURNS float8
LANGUAGE C STABLE PARALLEL SAFE COST 200 AS 'MODULE_PATHNAME', 'reco_score';
CREATE FUNCTION reco_score(user_id uuid, item_id uuid, model text DEFAULT NULL)
RETURNS float8
LANGUAGE C STABLE PARALLEL SAFE COST 200 AS 'MODULE_PATHNAME', 'reco_score';
COMMENT ON FUNCTION reco_score(bigint, bigint, text) IS
  'the score of one item for a user, as reco_top_n computes it; 0 where there is no evidence';
COMMENT ON FUNCTION reco_score(text, text, text) IS
  'the score of one item for a user, as reco_top_n computes it; 0 where there is no evidence';
COMMENT ON FUNCTION reco_score(uuid, uuid, text) IS
  'the score of one item for a user, as reco_top_n computes it; 0 where there is no evidence';

CREATE FUNCTION reco_typed_score(user_id "any", item_id "any", model regclass)
RETURNS float8
LANGUAGE C STABLE PARALLEL SAFE COST 200 AS 'MODULE_PATHNAME', 'reco_score';
COMMENT ON FUNCTION reco_typed_score("any", "any", regclass) IS
  'what the typed doors of a model call: reco_score for any mix of id types, the model given as its table';

CREATE FUNCTION reco_match(user_id bigint, item_id bigint, model text DEFAULT NULL)
RETURNS float8
LANGUAGE C STABLE PARALLEL SAFE COST 200 AS 'MODULE_PATHNAME', 'reco_match';
CREATE FUNCTION reco_match(user_id text, item_id text, model text DEFAULT NULL)
RETURNS float8
LANGUAGE C STABLE PARALLEL SAFE COST 200 AS 'MODULE_PATHNAME', 'reco_match';
CREATE FUNCTION reco_match(user_id uuid, item_id uuid, model text DEFAULT NULL)
RETURNS float8
LANGUAGE C STABLE PARALLEL SAFE COST 200 AS 'MODULE_PATHNAME', 'reco_match';
COMMENT ON FUNCTION reco_match(bigint, bigint, text) IS
  'how well one item matches a user, 0..100: 100 * P(chosen | score) in a balanced sample of chosen and random items, so 50 is chance; NULL below min_match or without evidence';
COMMENT ON FUNCTION reco_match(text, text, text) IS
  'how well one item matches a user, 0..100: 100 * P(chosen | score) in a balanced sample of chosen and random items, so 50 is chance; NULL below min_match or without evidence';
COMMENT ON FUNCTION reco_match(uuid, uuid, text) IS
  'how well one item matches a user, 0..100: 100 * P(chosen | score) in a balanced sample of chosen and random items, so 50 is chance; NULL below min_match or without evidence';

CREATE FUNCTION reco_typed_match(user_id "any", item_id "any", model regclass)
RETURNS float8
LANGUAGE C STABLE PARALLEL SAFE COST 200 AS 'MODULE_PATHNAME', 'reco_match';
COMMENT ON FUNCTION reco_typed_match("any", "any", regclass) IS
  'what the typed doors of a model call: reco_match for any mix of id types, the model given as its table';
