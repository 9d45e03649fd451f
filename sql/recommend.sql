-- Recommending: what a user, or the holder of a basket, should see next.

CREATE FUNCTION reco_top_n(user_id bigint, k int DEFAULT 10, model text DEFAULT NULL,
  exclude bigint[] DEFAULT NULL, among bigint[] DEFAULT NULL, min_match float8 DEFAULT NULL,
  as_of timestamptz DEFAULT NULL, seen boolean DEFAULT false, fallback boolean DEFAULT true,
  diversity float8 DEFAULT NULL, max_per text DEFAULT NULL, max_per_n int DEFAULT NULL,
  calibrated float8 DEFAULT NULL, calibrated_by text DEFAULT NULL,
  context jsonb DEFAULT NULL)
RETURNS TABLE(item_id bigint, score float8, match float8, because bigint, source text)
LANGUAGE C STABLE PARALLEL SAFE COST 200 ROWS 10 SUPPORT reco_expect_rows AS 'MODULE_PATHNAME', 'reco_top_n';
CREATE FUNCTION reco_top_n(user_id text, k int DEFAULT 10, model text DEFAULT NULL,
  exclude text[] DEFAULT NULL, among text[] DEFAULT NULL, min_match float8 DEFAULT NULL,
  as_of timestamptz DEFAULT NULL, seen boolean DEFAULT false, fallback boolean DEFAULT true,
  diversity float8 DEFAULT NULL, max_per text DEFAULT NULL, max_per_n int DEFAULT NULL,
  calibrated float8 DEFAULT NULL, calibrated_by text DEFAULT NULL,
  context jsonb DEFAULT NULL)
RETURNS TABLE(item_id text, score float8, match float8, because text, source text)
LANGUAGE C STABLE PARALLEL SAFE COST 200 ROWS 10 SUPPORT reco_expect_rows AS 'MODULE_PATHNAME', 'reco_top_n';
CREATE FUNCTION reco_top_n(user_id uuid, k int DEFAULT 10, model text DEFAULT NULL,
  exclude uuid[] DEFAULT NULL, among uuid[] DEFAULT NULL, min_match float8 DEFAULT NULL,
  as_of timestamptz DEFAULT NULL, seen boolean DEFAULT false, fallback boolean DEFAULT true,
  diversity float8 DEFAULT NULL, max_per text DEFAULT NULL, max_per_n int DEFAULT NULL,
  calibrated float8 DEFAULT NULL, calibrated_by text DEFAULT NULL,
  context jsonb DEFAULT NULL)
RETURNS TABLE(item_id uuid, score float8, match float8, because uuid, source text)
LANGUAGE C STABLE PARALLEL SAFE COST 200 ROWS 10 SUPPORT reco_expect_rows AS 'MODULE_PATHNAME', 'reco_top_n';
COMMENT ON FUNCTION reco_top_n(bigint, int, text, bigint[], bigint[], float8, timestamptz, boolean, boolean, float8, text, int, float8, text, jsonb) IS
  'the k items a user should see next, best first (k NULL: every candidate). score orders one answer; match is 0..100, NULL without evidence; because is the item of the history that counted most; source says where the row came from. exclude and among are applied before the cut; as_of asks as if at that time; seen lets items of the history back in; fallback false gives personal rows only. diversity (0..1) weighs each row against those before it by the stored similarities (MMR); max_per names an attribute of the items of which no value comes more than max_per_n times (1); calibrated (0..1) keeps the mix of the attribute calibrated_by as it is in the history (Steck 2018); context, an object of columns of the events query and values, raises what is chosen sooner there (see the setting contexts)';
COMMENT ON FUNCTION reco_top_n(text, int, text, text[], text[], float8, timestamptz, boolean, boolean, float8, text, int, float8, text, jsonb) IS
  'the k items a user should see next, best first (k NULL: every candidate). score orders one answer; match is 0..100, NULL without evidence; because is the item of the history that counted most; source says where the row came from. exclude and among are applied before the cut; as_of asks as if at that time; seen lets items of the history back in; fallback false gives personal rows only. diversity (0..1) weighs each row against those before it by the stored similarities (MMR); max_per names an attribute of the items of which no value comes more than max_per_n times (1); calibrated (0..1) keeps the mix of the attribute calibrated_by as it is in the history (Steck 2018); context, an object of columns of the events query and values, raises what is chosen sooner there (see the setting contexts)';
COMMENT ON FUNCTION reco_top_n(uuid, int, text, uuid[], uuid[], float8, timestamptz, boolean, boolean, float8, text, int, float8, text, jsonb) IS
  'the k items a user should see next, best first (k NULL: every candidate). score orders one answer; match is 0..100, NULL without evidence; because is the item of the history that counted most; source says where the row came from. exclude and among are applied before the cut; as_of asks as if at that time; seen lets items of the history back in; fallback false gives personal rows only. diversity (0..1) weighs each row against those before it by the stored similarities (MMR); max_per names an attribute of the items of which no value comes more than max_per_n times (1); calibrated (0..1) keeps the mix of the attribute calibrated_by as it is in the history (Steck 2018); context, an object of columns of the events query and values, raises what is chosen sooner there (see the setting contexts)';

CREATE FUNCTION reco_typed_top_n(user_id "any", k int, model regclass,
  exclude "any", among "any", min_match float8,
  as_of timestamptz, seen boolean, fallback boolean,
  diversity float8 DEFAULT NULL, max_per text DEFAULT NULL, max_per_n int DEFAULT NULL,
  calibrated float8 DEFAULT NULL, calibrated_by text DEFAULT NULL,
  context jsonb DEFAULT NULL)
RETURNS SETOF record
LANGUAGE C STABLE PARALLEL SAFE COST 200 ROWS 10 SUPPORT reco_expect_rows AS 'MODULE_PATHNAME', 'reco_top_n';
COMMENT ON FUNCTION reco_typed_top_n("any", int, regclass, "any", "any", float8, timestamptz, boolean, boolean, float8, text, int, float8, text, jsonb) IS
  'what the typed doors of a model call: reco_top_n for any mix of id types, the model given as its table';

CREATE FUNCTION reco_complete(items bigint[], k int DEFAULT 10, model text DEFAULT NULL,
  exclude bigint[] DEFAULT NULL, among bigint[] DEFAULT NULL, min_match float8 DEFAULT NULL,
  fallback boolean DEFAULT true,
  diversity float8 DEFAULT NULL, max_per text DEFAULT NULL, max_per_n int DEFAULT NULL,
  calibrated float8 DEFAULT NULL, calibrated_by text DEFAULT NULL,
  context jsonb DEFAULT NULL)
RETURNS TABLE(item_id bigint, score float8, match float8, because bigint, source text)
LANGUAGE C STABLE PARALLEL SAFE COST 200 ROWS 10 SUPPORT reco_expect_rows AS 'MODULE_PATHNAME', 'reco_complete';
CREATE FUNCTION reco_complete(items text[], k int DEFAULT 10, model text DEFAULT NULL,
  exclude text[] DEFAULT NULL, among text[] DEFAULT NULL, min_match float8 DEFAULT NULL,
  fallback boolean DEFAULT true,
  diversity float8 DEFAULT NULL, max_per text DEFAULT NULL, max_per_n int DEFAULT NULL,
  calibrated float8 DEFAULT NULL, calibrated_by text DEFAULT NULL,
  context jsonb DEFAULT NULL)
RETURNS TABLE(item_id text, score float8, match float8, because text, source text)
LANGUAGE C STABLE PARALLEL SAFE COST 200 ROWS 10 SUPPORT reco_expect_rows AS 'MODULE_PATHNAME', 'reco_complete';
CREATE FUNCTION reco_complete(items uuid[], k int DEFAULT 10, model text DEFAULT NULL,
  exclude uuid[] DEFAULT NULL, among uuid[] DEFAULT NULL, min_match float8 DEFAULT NULL,
  fallback boolean DEFAULT true,
  diversity float8 DEFAULT NULL, max_per text DEFAULT NULL, max_per_n int DEFAULT NULL,
  calibrated float8 DEFAULT NULL, calibrated_by text DEFAULT NULL,
  context jsonb DEFAULT NULL)
RETURNS TABLE(item_id uuid, score float8, match float8, because uuid, source text)
LANGUAGE C STABLE PARALLEL SAFE COST 200 ROWS 10 SUPPORT reco_expect_rows AS 'MODULE_PATHNAME', 'reco_complete';
COMMENT ON FUNCTION reco_complete(bigint[], int, text, bigint[], bigint[], float8, boolean, float8, text, int, float8, text, jsonb) IS
  'the k items that go best with a basket, a guest''s clicks or titles picked at sign-up; same columns and options as reco_top_n';
COMMENT ON FUNCTION reco_complete(text[], int, text, text[], text[], float8, boolean, float8, text, int, float8, text, jsonb) IS
  'the k items that go best with a basket, a guest''s clicks or titles picked at sign-up; same columns and options as reco_top_n';
COMMENT ON FUNCTION reco_complete(uuid[], int, text, uuid[], uuid[], float8, boolean, float8, text, int, float8, text, jsonb) IS
  'the k items that go best with a basket, a guest''s clicks or titles picked at sign-up; same columns and options as reco_top_n';

CREATE FUNCTION reco_typed_complete(items "any", k int, model regclass,
  exclude "any", among "any", min_match float8,
  fallback boolean,
  diversity float8 DEFAULT NULL, max_per text DEFAULT NULL, max_per_n int DEFAULT NULL,
  calibrated float8 DEFAULT NULL, calibrated_by text DEFAULT NULL,
  context jsonb DEFAULT NULL)
RETURNS SETOF record
LANGUAGE C STABLE PARALLEL SAFE COST 200 ROWS 10 SUPPORT reco_expect_rows AS 'MODULE_PATHNAME', 'reco_complete';
COMMENT ON FUNCTION reco_typed_complete("any", int, regclass, "any", "any", float8, boolean, float8, text, int, float8, text, jsonb) IS
  'what the typed doors of a model call: reco_complete for any mix of id types, the model given as its table';
