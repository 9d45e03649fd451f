-- Similar items: the neighbours of one item of a model.

CREATE FUNCTION reco_similar_items(similar_to bigint, k int DEFAULT 10, model text DEFAULT NULL)
RETURNS TABLE(item_id bigint, similarity float8, support int)
LANGUAGE C STABLE PARALLEL SAFE COST 200 ROWS 10 SUPPORT reco_expect_rows AS 'MODULE_PATHNAME', 'reco_similar_items';
CREATE FUNCTION reco_similar_items(similar_to text, k int DEFAULT 10, model text DEFAULT NULL)
RETURNS TABLE(item_id text, similarity float8, support int)
LANGUAGE C STABLE PARALLEL SAFE COST 200 ROWS 10 SUPPORT reco_expect_rows AS 'MODULE_PATHNAME', 'reco_similar_items';
CREATE FUNCTION reco_similar_items(similar_to uuid, k int DEFAULT 10, model text DEFAULT NULL)
RETURNS TABLE(item_id uuid, similarity float8, support int)
LANGUAGE C STABLE PARALLEL SAFE COST 200 ROWS 10 SUPPORT reco_expect_rows AS 'MODULE_PATHNAME', 'reco_similar_items';
COMMENT ON FUNCTION reco_similar_items(bigint, int, text) IS
  'the k nearest neighbours of an item, those of the live catalogue only, best first; support is the number of users behind the pair, 0 where attributes alone tie the two';
COMMENT ON FUNCTION reco_similar_items(text, int, text) IS
  'the k nearest neighbours of an item, those of the live catalogue only, best first; support is the number of users behind the pair, 0 where attributes alone tie the two';
COMMENT ON FUNCTION reco_similar_items(uuid, int, text) IS
  'the k nearest neighbours of an item, those of the live catalogue only, best first; support is the number of users behind the pair, 0 where attributes alone tie the two';

CREATE FUNCTION reco_typed_similar_items(similar_to "any", k int, model regclass)
RETURNS SETOF record
LANGUAGE C STABLE PARALLEL SAFE COST 200 ROWS 10 SUPPORT reco_expect_rows AS 'MODULE_PATHNAME', 'reco_similar_items';
COMMENT ON FUNCTION reco_typed_similar_items("any", int, regclass) IS
  'what the typed doors of a model call: reco_similar_items for any mix of id types, the model given as its table';

CREATE FUNCTION reco_unpack_neighbors(neighbors bytea, number int, item "any", OUT rank int, OUT item_no int, OUT similarity float8, OUT support int)
RETURNS SETOF record
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 100 AS 'MODULE_PATHNAME', 'reco_unpack_neighbors';
COMMENT ON FUNCTION reco_unpack_neighbors(bytea, int, "any") IS
  'the rows of the packed list of neighbours of an item with that number, as the view "similar" of a model shows them; damaged bytes raise data_corrupted, which names the item';
