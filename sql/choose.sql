-- Choosing among variants of an item (pictures, titles) by what others chose, and what a policy is worth by its log.

CREATE FUNCTION reco_choose(user_id "any", item_id "any", variants text[], log regclass, segment text DEFAULT NULL,
  seed bigint DEFAULT 0, explore float8 DEFAULT 0.05, prior float8 DEFAULT 20)
RETURNS TABLE(variant text, propensity float8, expected float8, shown float8)
LANGUAGE C STABLE PARALLEL SAFE COST 1000 ROWS 1 AS 'MODULE_PATHNAME', 'reco_choose';
COMMENT ON FUNCTION reco_choose("any", "any", text[], regclass, text, bigint, float8, float8) IS
  'the variant of an item that a user should see, by Thompson sampling (1933; Chapelle & Li 2011). log is a table or view with the columns item_id, variant and chosen (boolean, or how often), and may have shown (how often; 1 without it) and segment; it is read live, as the caller. After c choices in n showings a rate is Beta(1 + c, 1 + n - c); in a segment, what was seen elsewhere counts before it, as at most prior showings. propensity is the chance with which the variant was drawn: that of being the best, with the share explore (0..1) of choices made evenly: write it down for reco_replay. expected is its rate, shown how often it was shown in the segment. seed, user and item decide the lot. At most 100 variants; an unknown segment has no showings of its own';

CREATE FUNCTION reco_best_chances(chosen float8[], shown float8[]) RETURNS float8[]
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000 AS 'MODULE_PATHNAME', 'reco_best_chances';
COMMENT ON FUNCTION reco_best_chances(float8[], float8[]) IS
  'the chance of each of at most 100 variants to have the greatest rate, where they were chosen and shown so often: the integral of the density of Beta(1 + chosen, 1 + shown - chosen) times the distributions of all others; right to 1e-6. They sum to 1';
