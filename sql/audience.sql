-- Audiences: users instead of items.

CREATE FUNCTION reco_audience(item_id bigint, k int DEFAULT 10, model text DEFAULT NULL)
RETURNS TABLE(user_id bigint, score float8, match float8, because bigint)
LANGUAGE C STABLE PARALLEL SAFE COST 10000 ROWS 10 SUPPORT reco_expect_rows AS 'MODULE_PATHNAME', 'reco_audience';
CREATE FUNCTION reco_audience(item_id text, k int DEFAULT 10, model text DEFAULT NULL)
RETURNS TABLE(user_id text, score float8, match float8, because text)
LANGUAGE C STABLE PARALLEL SAFE COST 10000 ROWS 10 SUPPORT reco_expect_rows AS 'MODULE_PATHNAME', 'reco_audience';
CREATE FUNCTION reco_audience(item_id uuid, k int DEFAULT 10, model text DEFAULT NULL)
RETURNS TABLE(user_id uuid, score float8, match float8, because uuid)
LANGUAGE C STABLE PARALLEL SAFE COST 10000 ROWS 10 SUPPORT reco_expect_rows AS 'MODULE_PATHNAME', 'reco_audience';
COMMENT ON FUNCTION reco_audience(bigint, int, text) IS
  'the k users (k NULL: all) with the greatest score for an item, those who have seen or disliked it left out: score and match are those of reco_score and reco_match, because is the item of the user''s history that counted most. Reads the events of everybody, once; where indexes on user and item lead to them, which items everybody has, and the events of those who can be among the k';
COMMENT ON FUNCTION reco_audience(text, int, text) IS
  'the k users (k NULL: all) with the greatest score for an item, those who have seen or disliked it left out: score and match are those of reco_score and reco_match, because is the item of the user''s history that counted most. Reads the events of everybody, once; where indexes on user and item lead to them, which items everybody has, and the events of those who can be among the k';
COMMENT ON FUNCTION reco_audience(uuid, int, text) IS
  'the k users (k NULL: all) with the greatest score for an item, those who have seen or disliked it left out: score and match are those of reco_score and reco_match, because is the item of the user''s history that counted most. Reads the events of everybody, once; where indexes on user and item lead to them, which items everybody has, and the events of those who can be among the k';

CREATE FUNCTION reco_typed_audience(item_id "any", k int, model regclass)
RETURNS SETOF record
LANGUAGE C STABLE PARALLEL SAFE COST 10000 ROWS 10 SUPPORT reco_expect_rows AS 'MODULE_PATHNAME', 'reco_audience';
COMMENT ON FUNCTION reco_typed_audience("any", int, regclass) IS
  'what the typed doors of a model call: reco_audience for any mix of id types, the model given as its table';

CREATE FUNCTION reco_similar_users(similar_to bigint, k int DEFAULT 10, model text DEFAULT NULL)
RETURNS TABLE(user_id bigint, similarity float8, shared int, because bigint)
LANGUAGE C STABLE PARALLEL SAFE COST 10000 ROWS 10 SUPPORT reco_expect_rows AS 'MODULE_PATHNAME', 'reco_similar_users';
CREATE FUNCTION reco_similar_users(similar_to text, k int DEFAULT 10, model text DEFAULT NULL)
RETURNS TABLE(user_id text, similarity float8, shared int, because text)
LANGUAGE C STABLE PARALLEL SAFE COST 10000 ROWS 10 SUPPORT reco_expect_rows AS 'MODULE_PATHNAME', 'reco_similar_users';
CREATE FUNCTION reco_similar_users(similar_to uuid, k int DEFAULT 10, model text DEFAULT NULL)
RETURNS TABLE(user_id uuid, similarity float8, shared int, because uuid)
LANGUAGE C STABLE PARALLEL SAFE COST 10000 ROWS 10 SUPPORT reco_expect_rows AS 'MODULE_PATHNAME', 'reco_similar_users';
COMMENT ON FUNCTION reco_similar_users(bigint, int, text) IS
  'the k users (k NULL: all) whose taste is nearest: the cosine of f(weight) * ln(users / users of the item) over two histories, with shared items that both like or both dislike, because the one that counted most. Reads the events of everybody, once, or of those who can be meant, where they are few and indexes lead to them';
COMMENT ON FUNCTION reco_similar_users(text, int, text) IS
  'the k users (k NULL: all) whose taste is nearest: the cosine of f(weight) * ln(users / users of the item) over two histories, with shared items that both like or both dislike, because the one that counted most. Reads the events of everybody, once, or of those who can be meant, where they are few and indexes lead to them';
COMMENT ON FUNCTION reco_similar_users(uuid, int, text) IS
  'the k users (k NULL: all) whose taste is nearest: the cosine of f(weight) * ln(users / users of the item) over two histories, with shared items that both like or both dislike, because the one that counted most. Reads the events of everybody, once, or of those who can be meant, where they are few and indexes lead to them';

CREATE FUNCTION reco_typed_similar_users(similar_to "any", k int, model regclass)
RETURNS SETOF record
LANGUAGE C STABLE PARALLEL SAFE COST 10000 ROWS 10 SUPPORT reco_expect_rows AS 'MODULE_PATHNAME', 'reco_similar_users';
COMMENT ON FUNCTION reco_typed_similar_users("any", int, regclass) IS
  'what the typed doors of a model call: reco_similar_users for any mix of id types, the model given as its table';
