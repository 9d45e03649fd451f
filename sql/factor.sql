-- Factors: a user as a few numbers, from the history as it is now.

CREATE FUNCTION reco_user_factor(user_id bigint, model text DEFAULT NULL)
RETURNS real[]
LANGUAGE C STABLE PARALLEL SAFE COST 200 AS 'MODULE_PATHNAME', 'reco_user_factor';
COMMENT ON FUNCTION reco_user_factor(bigint, text) IS
  'the factors of a user by a model learned with algorithm => ''factors'', as many as the setting factors: the history as it is now, folded in (Hu, Koren, Volinsky 2008). The score of an item is the dot product with its factors in the table item_factor; NULL where nothing of the history was learned. Where pgvector is there the result can be cast to vector';
CREATE FUNCTION reco_user_factor(user_id text, model text DEFAULT NULL)
RETURNS real[]
LANGUAGE C STABLE PARALLEL SAFE COST 200 AS 'MODULE_PATHNAME', 'reco_user_factor';
COMMENT ON FUNCTION reco_user_factor(text, text) IS
  'the factors of a user by a model learned with algorithm => ''factors'', as many as the setting factors: the history as it is now, folded in (Hu, Koren, Volinsky 2008). The score of an item is the dot product with its factors in the table item_factor; NULL where nothing of the history was learned. Where pgvector is there the result can be cast to vector';
CREATE FUNCTION reco_user_factor(user_id uuid, model text DEFAULT NULL)
RETURNS real[]
LANGUAGE C STABLE PARALLEL SAFE COST 200 AS 'MODULE_PATHNAME', 'reco_user_factor';
COMMENT ON FUNCTION reco_user_factor(uuid, text) IS
  'the factors of a user by a model learned with algorithm => ''factors'', as many as the setting factors: the history as it is now, folded in (Hu, Koren, Volinsky 2008). The score of an item is the dot product with its factors in the table item_factor; NULL where nothing of the history was learned. Where pgvector is there the result can be cast to vector';

CREATE FUNCTION reco_typed_user_factor(user_id "any", model regclass)
RETURNS real[]
LANGUAGE C STABLE PARALLEL SAFE COST 200 AS 'MODULE_PATHNAME', 'reco_user_factor';
COMMENT ON FUNCTION reco_typed_user_factor("any", regclass) IS
  'what the typed doors of a model call: reco_user_factor for any type of user ids, the model given as its table';

CREATE FUNCTION reco_user_factors(model text DEFAULT NULL, as_of timestamptz DEFAULT NULL)
RETURNS TABLE(user_id text, factor real[])
LANGUAGE C STABLE PARALLEL SAFE COST 1000000 ROWS 100000 AS 'MODULE_PATHNAME', 'reco_user_factors';
COMMENT ON FUNCTION reco_user_factors(text, timestamptz) IS
  'the factors of every user of whose history up to as_of (NULL: now) something was learned, as reco_user_factor gives them, from one read of the events: for segments, and for tables with an index of pgvector. user_id is text whatever its type is; the function user_factors in the schema of a model has it as it is';

CREATE FUNCTION reco_typed_user_factors(model regclass, as_of timestamptz)
RETURNS SETOF record
LANGUAGE C STABLE PARALLEL SAFE COST 1000000 ROWS 100000 AS 'MODULE_PATHNAME', 'reco_user_factors';
COMMENT ON FUNCTION reco_typed_user_factors(regclass, timestamptz) IS
  'what the typed doors of a model call: reco_user_factors with user ids of the model''s own type, the model given as its table';
