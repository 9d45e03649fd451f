-- Demand: an item that does not exist yet, by its attributes: how many users it will have, and who.

CREATE FUNCTION reco_demand(attributes jsonb, model text DEFAULT NULL)
RETURNS TABLE(expected float8, low float8, high float8, learned_from int, unknown int, explained float8)
LANGUAGE C STABLE PARALLEL SAFE COST 1000000 ROWS 1 AS 'MODULE_PATHNAME', 'reco_demand';
COMMENT ON FUNCTION reco_demand(jsonb, text) IS
  'how many users an item with these attributes can expect, an object such as {"genre": ["drama", "war"]}, by those that the catalogue''s items had at the last refresh: log(1 + users) as a sum over values of attributes (ridge regression, Hoerl & Kennard 1970), turned back by smearing (Duan 1983). low and high hold it with 90 %, by what was wrong with items left out in turns (conformal prediction, Vovk et al. 2005; NULL with fewer than 20 items); learned_from says how many items there were, explained is the share of the variance of log(1 + users) that attributes explain of items left out, unknown how many values no item has';
CREATE FUNCTION reco_typed_demand(attributes jsonb, model regclass) RETURNS SETOF record
LANGUAGE C STABLE PARALLEL SAFE COST 1000000 ROWS 1 AS 'MODULE_PATHNAME', 'reco_demand';
COMMENT ON FUNCTION reco_typed_demand(jsonb, regclass) IS
  'what the typed doors of a model call: reco_demand, the model given as its table';

CREATE FUNCTION reco_audience_of(attributes jsonb, k int DEFAULT 10, model text DEFAULT NULL)
RETURNS TABLE(user_id text, score float8, because text, shared int)
LANGUAGE C STABLE PARALLEL SAFE COST 1000000 ROWS 10 SUPPORT reco_expect_rows AS 'MODULE_PATHNAME', 'reco_audience_of';
COMMENT ON FUNCTION reco_audience_of(jsonb, int, text) IS
  'the k users for an item with these attributes that does not exist yet, best first: those who have most of the 50 items most like it (cosine of their values, weighed by how rare each is), score being the sum of the likenesses over the root of how many items the user has, because the item most like it, shared how many of them. Reads all events, as the caller; ids as text, the typed door has the model''s own types';
CREATE FUNCTION reco_typed_audience_of(attributes jsonb, k int, model regclass) RETURNS SETOF record
LANGUAGE C STABLE PARALLEL SAFE COST 1000000 ROWS 10 SUPPORT reco_expect_rows AS 'MODULE_PATHNAME', 'reco_audience_of';
COMMENT ON FUNCTION reco_typed_audience_of(jsonb, int, regclass) IS
  'what the typed doors of a model call: reco_audience_of with ids of the model''s own types';
