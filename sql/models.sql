-- Models: a query over the owner's tables becomes a schema of views, tables and typed doors.

CREATE TYPE reco_model AS (
  format_version      int,
  algorithm           text,
  similarity          text,
  user_exponent       float8,
  source_exponent     float8,
  target_exponent     float8,
  shrinkage           float8,
  min_support         int,
  lambda              float8,
  candidates          int,
  damping             float8,
  blend               float8,
  indirect            float8,
  recency             float8,
  factors             int,
  iterations          int,
  factor_lambda       float8,
  unobserved          float8,
  content             float8,
  neighbors           int,
  keep                text,
  weighting           text,
  max_history         int,
  half_life           interval,
  popular_half_life   interval,
  trend_half_life     interval,
  min_match           float8,
  target_signal       text,
  exclude_seen        jsonb,
  fatigue_half_life   interval,
  category            text,
  contexts            text[],
  time_zone           text,
  unfinished          jsonb,
  reranked            boolean,
  reranked_first      int,
  reranked_of         text,
  picked_signals      text[],
  picked_weights      float8[],
  picked_similarity   text,
  picked_keep         text,
  picked_lambda       float8,
  picked_damping      float8,
  picked_blend        float8,
  picked_indirect     float8,
  picked_neighbors    int,
  picked_shrinkage    float8,
  picked_recency      float8,
  refreshed_at        timestamptz,
  last_event_at       timestamptz,
  events              bigint,
  users               bigint,
  items               bigint,
  item_slots          int,
  neighbor_pairs      bigint,
  content_pairs       bigint,
  popularity_offset   float8,
  recent_offset       float8,
  trend_prior         float8,
  curve_pairs         bigint,
  curve_score         float8[],
  curve_match         float8[],
  picked_algorithm    text,
  picked_factor_lambda float8,
  factor_base         real[]
);
COMMENT ON TYPE reco_model IS
  'the row of a model''s table "model": every setting, what the last refresh did, and the match curve; a table OF this type is what makes a schema a model';

CREATE FUNCTION reco_create_model(name text, events text, items text DEFAULT NULL, users text DEFAULT NULL,
  rules text DEFAULT NULL)
RETURNS void
LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'reco_create_model';
COMMENT ON FUNCTION reco_create_model(text, text, text, text, text) IS
  'creates a model: a schema of that name, owned by the caller. events is one SELECT with the columns user_id and item_id, and if wanted occurred_at, weight and signal; items is the live catalogue (item_id and attributes); users holds user_id and attributes; rules says what lists are to be like (item_id, or attribute and value; boost, pin, share; starts_at, ends_at)';

CREATE FUNCTION reco_configure(
  model text DEFAULT NULL,
  algorithm text DEFAULT NULL,
  similarity text DEFAULT NULL,
  user_exponent float8 DEFAULT NULL,
  source_exponent float8 DEFAULT NULL,
  target_exponent float8 DEFAULT NULL,
  shrinkage float8 DEFAULT NULL,
  min_support int DEFAULT NULL,
  lambda float8 DEFAULT NULL,
  candidates int DEFAULT NULL,
  damping float8 DEFAULT NULL,
  blend float8 DEFAULT NULL,
  indirect float8 DEFAULT NULL,
  recency float8 DEFAULT NULL,
  factors int DEFAULT NULL,
  iterations int DEFAULT NULL,
  factor_lambda float8 DEFAULT NULL,
  unobserved float8 DEFAULT NULL,
  content float8 DEFAULT NULL,
  neighbors int DEFAULT NULL,
  keep text DEFAULT NULL,
  weighting text DEFAULT NULL,
  max_history int DEFAULT NULL,
  half_life interval DEFAULT NULL,
  popular_half_life interval DEFAULT NULL,
  trend_half_life interval DEFAULT NULL,
  min_match float8 DEFAULT NULL,
  target_signal text DEFAULT NULL,
  exclude_seen jsonb DEFAULT NULL,
  fatigue_half_life interval DEFAULT NULL,
  category text DEFAULT NULL,
  contexts text[] DEFAULT NULL,
  time_zone text DEFAULT NULL,
  unfinished jsonb DEFAULT NULL,
  reranked boolean DEFAULT NULL,
  reset text[] DEFAULT NULL)
RETURNS void
LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'reco_configure';
COMMENT ON FUNCTION reco_configure(text, text, text, float8, float8, float8, float8, int, float8, int, float8, float8, float8, float8, int, int, float8, float8, float8, int, text, text, int, interval, interval, interval, float8, text, jsonb, interval, text, text[], text, jsonb, boolean, text[]) IS
  'changes settings of a model; NULL leaves a setting as it is; reset names those that go back to their defaults, all for every one without a value here. min_match, recency, exclude_seen, fatigue_half_life, category, unfinished and reranked count at once, half_life at once and in what is learned, every other setting from the next reco_refresh on';

CREATE FUNCTION reco_drop_model(model text)
RETURNS void
LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'reco_drop_model';
COMMENT ON FUNCTION reco_drop_model(text) IS
  'drops a model, its schema and all that was learned; refuses while anything not made by reco lives in the schema or depends on it';

CREATE FUNCTION reco_models()
RETURNS TABLE(
  model text, owner text, user_type text, item_type text, similarity text,
  refreshed_at timestamptz, events bigint, users bigint, items bigint, neighbor_pairs bigint, bytes bigint)
LANGUAGE C STABLE PARALLEL SAFE ROWS 5 AS 'MODULE_PATHNAME', 'reco_models';
COMMENT ON FUNCTION reco_models() IS
  'the models the caller may read, with what the last refresh learned; bytes is the size of the learned tables and their indexes';
