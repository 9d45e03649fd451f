-- Onboarding: what to show somebody who is to pick favourites at sign-up.

CREATE FUNCTION reco_onboarding(k int DEFAULT 10, model text DEFAULT NULL)
RETURNS TABLE(item_id text, rank int, popularity float8, users int, nearest float8)
LANGUAGE C STABLE PARALLEL SAFE COST 1000 ROWS 10 SUPPORT reco_expect_rows AS 'MODULE_PATHNAME', 'reco_onboarding';
COMMENT ON FUNCTION reco_onboarding(int, text) IS
  'k items (1 to 100) of the live catalogue to pick favourites from: well known and far apart. Each is the one with the greatest popularity * (1 - nearest), where nearest, 0..1, says how near the nearest of those before it is: the greater similarity of the two, as a share of the greatest of its row; a greedy choice after Carbonell and Goldstein (1998). What is picked goes to reco_complete; ids as text, the typed door has the model''s own type';
CREATE FUNCTION reco_typed_onboarding(k int, model regclass)
RETURNS SETOF record
LANGUAGE C STABLE PARALLEL SAFE COST 1000 ROWS 10 SUPPORT reco_expect_rows AS 'MODULE_PATHNAME', 'reco_onboarding';
COMMENT ON FUNCTION reco_typed_onboarding(int, regclass) IS
  'what the typed doors of a model call: reco_onboarding with ids of the model''s own type';
