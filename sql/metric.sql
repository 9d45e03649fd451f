-- Metrics: aggregates over the rows of one ranked list, to be grouped by user and averaged.

CREATE FUNCTION reco_ranking_add(state float8[], rank bigint, relevant boolean, k int) RETURNS float8[]
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'reco_ranking_add';
COMMENT ON FUNCTION reco_ranking_add(float8[], bigint, boolean, int) IS
  'the transition function of reco_recall, reco_precision, reco_hit, reco_reciprocal_rank, reco_average_precision and reco_ndcg';
CREATE FUNCTION reco_ranking_add(state float8[], rank bigint, gain float8, k int) RETURNS float8[]
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'reco_ranking_add_gain';
COMMENT ON FUNCTION reco_ranking_add(float8[], bigint, float8, int) IS
  'the transition function of reco_ndcg with gains';
CREATE FUNCTION reco_ranking_add(state float8[], score float8, relevant boolean) RETURNS float8[]
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'reco_ranking_add_score';
COMMENT ON FUNCTION reco_ranking_add(float8[], float8, boolean) IS
  'the transition function of reco_auc';
CREATE FUNCTION reco_ranking_merge(float8[], float8[]) RETURNS float8[]
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'reco_ranking_merge';
COMMENT ON FUNCTION reco_ranking_merge(float8[], float8[]) IS
  'the combine function of the aggregates over rankings';

CREATE FUNCTION reco_ranking_recall(state float8[]) RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'reco_ranking_recall';
COMMENT ON FUNCTION reco_ranking_recall(float8[]) IS 'the final function of reco_recall';
CREATE FUNCTION reco_ranking_precision(state float8[]) RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'reco_ranking_precision';
COMMENT ON FUNCTION reco_ranking_precision(float8[]) IS 'the final function of reco_precision';
CREATE FUNCTION reco_ranking_hit(state float8[]) RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'reco_ranking_hit';
COMMENT ON FUNCTION reco_ranking_hit(float8[]) IS 'the final function of reco_hit';
CREATE FUNCTION reco_ranking_reciprocal_rank(state float8[]) RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'reco_ranking_reciprocal_rank';
COMMENT ON FUNCTION reco_ranking_reciprocal_rank(float8[]) IS 'the final function of reco_reciprocal_rank';
CREATE FUNCTION reco_ranking_average_precision(state float8[]) RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'reco_ranking_average_precision';
COMMENT ON FUNCTION reco_ranking_average_precision(float8[]) IS 'the final function of reco_average_precision';
CREATE FUNCTION reco_ranking_ndcg(state float8[]) RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'reco_ranking_ndcg';
COMMENT ON FUNCTION reco_ranking_ndcg(float8[]) IS 'the final function of reco_ndcg';
CREATE FUNCTION reco_ranking_ndcg_gain(state float8[]) RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'reco_ranking_ndcg_gain';
COMMENT ON FUNCTION reco_ranking_ndcg_gain(float8[]) IS 'the final function of reco_ndcg with gains';
CREATE FUNCTION reco_ranking_auc(state float8[]) RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'reco_ranking_auc';
COMMENT ON FUNCTION reco_ranking_auc(float8[]) IS 'the final function of reco_auc';

CREATE AGGREGATE reco_recall(rank bigint, relevant boolean, k int) (
  SFUNC = reco_ranking_add, STYPE = float8[], FINALFUNC = reco_ranking_recall,
  COMBINEFUNC = reco_ranking_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE reco_recall(bigint, boolean, int) IS
  'the share of the relevant rows of one list that have a rank up to k, 0..1. A rank of NULL is not listed, relevant NULL is false, k NULL is the whole list; NULL where nothing is relevant';

CREATE AGGREGATE reco_precision(rank bigint, relevant boolean, k int) (
  SFUNC = reco_ranking_add, STYPE = float8[], FINALFUNC = reco_ranking_precision,
  COMBINEFUNC = reco_ranking_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE reco_precision(bigint, boolean, int) IS
  'relevant rows with a rank up to k, divided by k, 0..1: places that a short list leaves empty count as misses';

CREATE AGGREGATE reco_hit(rank bigint, relevant boolean, k int) (
  SFUNC = reco_ranking_add, STYPE = float8[], FINALFUNC = reco_ranking_hit,
  COMBINEFUNC = reco_ranking_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE reco_hit(bigint, boolean, int) IS
  '1 where a relevant row has a rank up to k, else 0: the mean over lists is the hit rate';

CREATE AGGREGATE reco_reciprocal_rank(rank bigint, relevant boolean, k int) (
  SFUNC = reco_ranking_add, STYPE = float8[], FINALFUNC = reco_ranking_reciprocal_rank,
  COMBINEFUNC = reco_ranking_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE reco_reciprocal_rank(bigint, boolean, int) IS
  '1 / the first rank up to k of a relevant row, 0 without one (Voorhees 1999): the mean over lists is MRR';

CREATE AGGREGATE reco_average_precision(rank bigint, relevant boolean, k int) (
  SFUNC = reco_ranking_add, STYPE = float8[], FINALFUNC = reco_ranking_average_precision,
  COMBINEFUNC = reco_ranking_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE reco_average_precision(bigint, boolean, int) IS
  'sum of the precision at each hit up to k / min(k, relevant rows), 0..1: the mean over lists is MAP; NULL where nothing is relevant';

CREATE AGGREGATE reco_ndcg(rank bigint, relevant boolean, k int) (
  SFUNC = reco_ranking_add, STYPE = float8[], FINALFUNC = reco_ranking_ndcg,
  COMBINEFUNC = reco_ranking_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE reco_ndcg(bigint, boolean, int) IS
  'sum of 1 / log2(rank + 1) over the hits up to k, divided by that of the best list, 0..1 (Jarvelin & Kekalainen 2002); NULL where nothing is relevant';

CREATE AGGREGATE reco_ndcg(rank bigint, gain float8, k int) (
  SFUNC = reco_ranking_add, STYPE = float8[], FINALFUNC = reco_ranking_ndcg_gain,
  COMBINEFUNC = reco_ranking_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE reco_ndcg(bigint, float8, int) IS
  'reco_ndcg where rows are worth more or less: sum of gain / log2(rank + 1) up to k, divided by that of the list in order of falling gain; a gain of NULL is 0; NULL where no gain is above 0';

CREATE AGGREGATE reco_auc(score float8, relevant boolean) (
  SFUNC = reco_ranking_add, STYPE = float8[], FINALFUNC = reco_ranking_auc,
  COMBINEFUNC = reco_ranking_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE reco_auc(float8, boolean) IS
  'the chance that a relevant row has a greater score than one that is not, a tie counting one half (Mann & Whitney 1947); a score of NULL is less than any; NULL where all rows are of one kind';
