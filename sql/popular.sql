-- Popular: what most people choose, and what is rising, with time decay.

CREATE FUNCTION reco_popular(k int DEFAULT 10, model text DEFAULT NULL)
RETURNS TABLE(item_id text, popularity float8, trend float8, users int)
LANGUAGE C STABLE PARALLEL SAFE COST 200 ROWS 10 SUPPORT reco_expect_rows AS 'MODULE_PATHNAME', 'reco_popular';
COMMENT ON FUNCTION reco_popular(int, text) IS
  'the k most popular items of the live catalogue: popularity is the decayed weight of their events a day, each in its form by the setting weighting, at the time of the newest event; ids as text, the typed door has the model''s own type';
CREATE FUNCTION reco_typed_popular(k int, model regclass)
RETURNS SETOF record
LANGUAGE C STABLE PARALLEL SAFE COST 200 ROWS 10 SUPPORT reco_expect_rows AS 'MODULE_PATHNAME', 'reco_popular';
COMMENT ON FUNCTION reco_typed_popular(int, regclass) IS
  'what the typed doors of a model call: reco_popular with ids of the model''s own type';

CREATE FUNCTION reco_trending(k int DEFAULT 10, model text DEFAULT NULL)
RETURNS TABLE(item_id text, popularity float8, trend float8, users int)
LANGUAGE C STABLE PARALLEL SAFE COST 200 ROWS 10 SUPPORT reco_expect_rows AS 'MODULE_PATHNAME', 'reco_trending';
COMMENT ON FUNCTION reco_trending(int, text) IS
  'the k fastest rising items of the live catalogue: trend is the recent rate of events over the long-run rate, with a prior; 1 means steady; ids as text, the typed door has the model''s own type';
CREATE FUNCTION reco_typed_trending(k int, model regclass)
RETURNS SETOF record
LANGUAGE C STABLE PARALLEL SAFE COST 200 ROWS 10 SUPPORT reco_expect_rows AS 'MODULE_PATHNAME', 'reco_trending';
COMMENT ON FUNCTION reco_typed_trending(int, regclass) IS
  'what the typed doors of a model call: reco_trending with ids of the model''s own type';
