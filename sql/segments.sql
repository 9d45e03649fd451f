-- Segments: a few groups of users, each with a taste.

CREATE FUNCTION reco_segments(model text DEFAULT NULL, k int DEFAULT NULL, by text DEFAULT NULL, keep jsonb DEFAULT NULL)
RETURNS TABLE(segment int, users int, share float8, silhouette float8, centre jsonb, attributes text[], items text[])
LANGUAGE C STABLE PARALLEL SAFE COST 1000000 ROWS 5 AS 'MODULE_PATHNAME', 'reco_segments';
COMMENT ON FUNCTION reco_segments(text, int, text, jsonb) IS
  'users in k (1..20) groups: k-means (Lloyd 1982; k-means++, Arthur & Vassilvitskii 2007) over the roots of their shares of the values of one attribute (by; without it the setting category), or, by => ''factors'', which also is what a model without a category goes by if it was learned by factors, over their factors, divided by their length. k => NULL is the number, 10 at most, with the greatest simplified silhouette (Hruschka et al. 2004), which is -1..1; groups have 20 users at least, and fewer are made where they would not. centre is the mean of each value''s root, or, by factors, what the mean member would score the best-known items, which says where the centre lies among the factors of any refresh (least squares); given back, as keep => (SELECT jsonb_object_agg(segment, centre) FROM what was kept), segments that are still there have the number they had. attributes and items are the five that most tell the segment from everybody, by share * ln(lift). Learned from all events that may be learned from, as the caller; nothing is written. O(events), within maintenance_work_mem';
CREATE FUNCTION reco_typed_segments(model regclass, k int, by text, keep jsonb) RETURNS SETOF record
LANGUAGE C STABLE PARALLEL SAFE COST 1000000 ROWS 5 AS 'MODULE_PATHNAME', 'reco_segments';
COMMENT ON FUNCTION reco_typed_segments(regclass, int, text, jsonb) IS
  'what the typed doors of a model call: reco_segments, the model given as its table';

CREATE FUNCTION reco_segment_members(centres jsonb, model text DEFAULT NULL, by text DEFAULT NULL)
RETURNS TABLE(user_id text, segment int, membership float8, best boolean)
LANGUAGE C STABLE PARALLEL SAFE COST 1000000 ROWS 100000 AS 'MODULE_PATHNAME', 'reco_segment_members';
COMMENT ON FUNCTION reco_segment_members(jsonb, text, text) IS
  'how much every user belongs to each segment, 0..1, summing to 1 (fuzzy c-means, Bezdek 1981): centres is an object of the numbers and centres of reco_segments, jsonb_object_agg(segment, centre), by the attribute they were made by. best is true for the nearest one. Who has chosen nothing with a value is not there. Reads all events, as the caller; ids as text, the typed door has the model''s own type';
CREATE FUNCTION reco_typed_segment_members(centres jsonb, model regclass, by text) RETURNS SETOF record
LANGUAGE C STABLE PARALLEL SAFE COST 1000000 ROWS 100000 AS 'MODULE_PATHNAME', 'reco_segment_members';
COMMENT ON FUNCTION reco_typed_segment_members(jsonb, regclass, text) IS
  'what the typed doors of a model call: reco_segment_members with ids of the model''s own type';

CREATE FUNCTION reco_segment_of(user_id bigint, centres jsonb, model text DEFAULT NULL, by text DEFAULT NULL)
RETURNS TABLE(segment int, membership float8, best boolean)
LANGUAGE C STABLE PARALLEL SAFE COST 100000 ROWS 5 AS 'MODULE_PATHNAME', 'reco_segment_of';
CREATE FUNCTION reco_segment_of(user_id text, centres jsonb, model text DEFAULT NULL, by text DEFAULT NULL)
RETURNS TABLE(segment int, membership float8, best boolean)
LANGUAGE C STABLE PARALLEL SAFE COST 100000 ROWS 5 AS 'MODULE_PATHNAME', 'reco_segment_of';
CREATE FUNCTION reco_segment_of(user_id uuid, centres jsonb, model text DEFAULT NULL, by text DEFAULT NULL)
RETURNS TABLE(segment int, membership float8, best boolean)
LANGUAGE C STABLE PARALLEL SAFE COST 100000 ROWS 5 AS 'MODULE_PATHNAME', 'reco_segment_of';
COMMENT ON FUNCTION reco_segment_of(bigint, jsonb, text, text) IS
  'how much one user belongs to each segment, by the events there are now; see reco_segment_members. Reads the catalogue, and the history of that user';
COMMENT ON FUNCTION reco_segment_of(text, jsonb, text, text) IS
  'how much one user belongs to each segment, by the events there are now; see reco_segment_members. Reads the catalogue, and the history of that user';
COMMENT ON FUNCTION reco_segment_of(uuid, jsonb, text, text) IS
  'how much one user belongs to each segment, by the events there are now; see reco_segment_members. Reads the catalogue, and the history of that user';
CREATE FUNCTION reco_typed_segment_of(user_id "any", centres jsonb, model regclass, by text) RETURNS SETOF record
LANGUAGE C STABLE PARALLEL SAFE COST 100000 ROWS 5 AS 'MODULE_PATHNAME', 'reco_segment_of';
COMMENT ON FUNCTION reco_typed_segment_of("any", jsonb, regclass, text) IS
  'what the typed doors of a model call: reco_segment_of for any mix of id types, the model given as its table';
