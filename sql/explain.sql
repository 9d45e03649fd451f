-- Explaining: which items of a history speak for a recommendation, and how much; what keeps an item out.

CREATE FUNCTION reco_why(user_id bigint, item_id bigint, model text DEFAULT NULL)
RETURNS TABLE(because bigint, share float8, similarity float8, weight float8, occurred_at timestamptz)
LANGUAGE C STABLE PARALLEL SAFE COST 200 ROWS 10 AS 'MODULE_PATHNAME', 'reco_why';
CREATE FUNCTION reco_why(user_id text, item_id text, model text DEFAULT NULL)
RETURNS TABLE(because text, share float8, similarity float8, weight float8, occurred_at timestamptz)
LANGUAGE C STABLE PARALLEL SAFE COST 200 ROWS 10 AS 'MODULE_PATHNAME', 'reco_why';
CREATE FUNCTION reco_why(user_id uuid, item_id uuid, model text DEFAULT NULL)
RETURNS TABLE(because uuid, share float8, similarity float8, weight float8, occurred_at timestamptz)
LANGUAGE C STABLE PARALLEL SAFE COST 200 ROWS 10 AS 'MODULE_PATHNAME', 'reco_why';
COMMENT ON FUNCTION reco_why(bigint, bigint, text) IS
  'the items of the user''s history that contribute to the score of item_id, largest first: share = f(weight) * similarity / norm, and the shares sum to reco_score to the last digit, in any order; weight is the decayed weight of the history item and f its form by the setting weighting, occurred_at its newest event';
COMMENT ON FUNCTION reco_why(text, text, text) IS
  'the items of the user''s history that contribute to the score of item_id, largest first: share = f(weight) * similarity / norm, and the shares sum to reco_score to the last digit, in any order; weight is the decayed weight of the history item and f its form by the setting weighting, occurred_at its newest event';
COMMENT ON FUNCTION reco_why(uuid, uuid, text) IS
  'the items of the user''s history that contribute to the score of item_id, largest first: share = f(weight) * similarity / norm, and the shares sum to reco_score to the last digit, in any order; weight is the decayed weight of the history item and f its form by the setting weighting, occurred_at its newest event';

CREATE FUNCTION reco_typed_why(user_id "any", item_id "any", model regclass)
RETURNS SETOF record
LANGUAGE C STABLE PARALLEL SAFE COST 200 ROWS 10 AS 'MODULE_PATHNAME', 'reco_why';
COMMENT ON FUNCTION reco_typed_why("any", "any", regclass) IS
  'what the typed doors of a model call: reco_why for any mix of id types, the model given as its table';

CREATE FUNCTION reco_why_not(user_id bigint, item_id bigint, model text DEFAULT NULL)
RETURNS TABLE(code text, reason text, hint text, rank bigint)
LANGUAGE C STABLE PARALLEL SAFE COST 200 ROWS 2 AS 'MODULE_PATHNAME', 'reco_why_not';
CREATE FUNCTION reco_why_not(user_id text, item_id text, model text DEFAULT NULL)
RETURNS TABLE(code text, reason text, hint text, rank bigint)
LANGUAGE C STABLE PARALLEL SAFE COST 200 ROWS 2 AS 'MODULE_PATHNAME', 'reco_why_not';
CREATE FUNCTION reco_why_not(user_id uuid, item_id uuid, model text DEFAULT NULL)
RETURNS TABLE(code text, reason text, hint text, rank bigint)
LANGUAGE C STABLE PARALLEL SAFE COST 200 ROWS 2 AS 'MODULE_PATHNAME', 'reco_why_not';
COMMENT ON FUNCTION reco_why_not(bigint, bigint, text) IS
  'why reco_top_n does not show an item to a user: a row for each rule that keeps it out (unknown_item, not_in_catalogue, disliked, seen); where none does, what is wrong with its evidence (no_evidence, against, below_min_match), what rules do about it (boosted, pinned, share) and, as listed, the rank it has in the whole list';
COMMENT ON FUNCTION reco_why_not(text, text, text) IS
  'why reco_top_n does not show an item to a user: a row for each rule that keeps it out (unknown_item, not_in_catalogue, disliked, seen); where none does, what is wrong with its evidence (no_evidence, against, below_min_match), what rules do about it (boosted, pinned, share) and, as listed, the rank it has in the whole list';
COMMENT ON FUNCTION reco_why_not(uuid, uuid, text) IS
  'why reco_top_n does not show an item to a user: a row for each rule that keeps it out (unknown_item, not_in_catalogue, disliked, seen); where none does, what is wrong with its evidence (no_evidence, against, below_min_match), what rules do about it (boosted, pinned, share) and, as listed, the rank it has in the whole list';

CREATE FUNCTION reco_typed_why_not(user_id "any", item_id "any", model regclass)
RETURNS SETOF record
LANGUAGE C STABLE PARALLEL SAFE COST 200 ROWS 2 AS 'MODULE_PATHNAME', 'reco_why_not';
COMMENT ON FUNCTION reco_typed_why_not("any", "any", regclass) IS
  'what the typed doors of a model call: reco_why_not for any mix of id types, the model given as its table';
