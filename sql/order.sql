-- Ordering: a given list in the order of one user's taste.

CREATE FUNCTION reco_rank(user_id bigint, items bigint[], model text DEFAULT NULL, context jsonb DEFAULT NULL)
RETURNS TABLE(item_id bigint, score float8, match float8, because bigint, source text)
LANGUAGE C STABLE PARALLEL SAFE COST 200 ROWS 100 AS 'MODULE_PATHNAME', 'reco_rank';
CREATE FUNCTION reco_rank(user_id text, items text[], model text DEFAULT NULL, context jsonb DEFAULT NULL)
RETURNS TABLE(item_id text, score float8, match float8, because text, source text)
LANGUAGE C STABLE PARALLEL SAFE COST 200 ROWS 100 AS 'MODULE_PATHNAME', 'reco_rank';
CREATE FUNCTION reco_rank(user_id uuid, items uuid[], model text DEFAULT NULL, context jsonb DEFAULT NULL)
RETURNS TABLE(item_id uuid, score float8, match float8, because uuid, source text)
LANGUAGE C STABLE PARALLEL SAFE COST 200 ROWS 100 AS 'MODULE_PATHNAME', 'reco_rank';
COMMENT ON FUNCTION reco_rank(bigint, bigint[], text, jsonb) IS
  'a given list, search results or a campaign, in personal order: every item once, whatever the user has seen and whatever the catalogue has. source is personal, or content where attributes are most of the evidence, for what the history speaks for (score, match and because as in reco_top_n, with its option context), given for what it says nothing of, in the given order, against for what it speaks against or the user disliked, unknown for what was never learned; rows without evidence for them have scores -1, -2, ...';
COMMENT ON FUNCTION reco_rank(text, text[], text, jsonb) IS
  'a given list, search results or a campaign, in personal order: every item once, whatever the user has seen and whatever the catalogue has. source is personal, or content where attributes are most of the evidence, for what the history speaks for (score, match and because as in reco_top_n, with its option context), given for what it says nothing of, in the given order, against for what it speaks against or the user disliked, unknown for what was never learned; rows without evidence for them have scores -1, -2, ...';
COMMENT ON FUNCTION reco_rank(uuid, uuid[], text, jsonb) IS
  'a given list, search results or a campaign, in personal order: every item once, whatever the user has seen and whatever the catalogue has. source is personal, or content where attributes are most of the evidence, for what the history speaks for (score, match and because as in reco_top_n, with its option context), given for what it says nothing of, in the given order, against for what it speaks against or the user disliked, unknown for what was never learned; rows without evidence for them have scores -1, -2, ...';

CREATE FUNCTION reco_typed_rank(user_id "any", items "any", model regclass, context jsonb DEFAULT NULL)
RETURNS SETOF record
LANGUAGE C STABLE PARALLEL SAFE COST 200 ROWS 100 AS 'MODULE_PATHNAME', 'reco_rank';
COMMENT ON FUNCTION reco_typed_rank("any", "any", regclass, jsonb) IS
  'what the typed doors of a model call: reco_rank for any mix of id types, the model given as its table';
