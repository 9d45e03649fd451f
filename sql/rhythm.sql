-- Rhythm: how regularly something happens, and when it will again.

CREATE TYPE reco_rhythm AS (
  events bigint, times bigint, first_at timestamptz, last_at timestamptz,
  mean_gap interval, median_gap interval, spread interval,
  next_at timestamptz, next_from timestamptz, next_until timestamptz);
COMMENT ON TYPE reco_rhythm IS
  'what the aggregate reco_rhythm says: events, and the different times they were at; the first and the last; mean, median and standard deviation of the gaps between times that follow each other, NULL where there are none (for spread, fewer than two); when the next is expected: as likely before next_at as after it, and between next_from and next_until with a chance of 80 %';

CREATE FUNCTION reco_rhythm_add(state bigint[], occurred_at timestamptz) RETURNS bigint[]
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'reco_rhythm_add';
COMMENT ON FUNCTION reco_rhythm_add(bigint[], timestamptz) IS 'the transition function of reco_rhythm';
CREATE FUNCTION reco_rhythm_merge(bigint[], bigint[]) RETURNS bigint[]
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'reco_rhythm_merge';
COMMENT ON FUNCTION reco_rhythm_merge(bigint[], bigint[]) IS 'the combine function of reco_rhythm';
CREATE FUNCTION reco_rhythm_final(state bigint[]) RETURNS reco_rhythm
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 20 AS 'MODULE_PATHNAME', 'reco_rhythm_final';
COMMENT ON FUNCTION reco_rhythm_final(bigint[]) IS 'the final function of reco_rhythm';

CREATE AGGREGATE reco_rhythm(occurred_at timestamptz) (
  SFUNC = reco_rhythm_add, STYPE = bigint[], FINALFUNC = reco_rhythm_final,
  COMBINEFUNC = reco_rhythm_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE reco_rhythm(timestamptz) IS
  'the rhythm of events, in any order: gaps are those between different times, so that a basket is one; NULL and infinite times do not count. The next gap G after n gaps of the sum S: G / (G + S) has the distribution Beta(c, c n), as for gamma distributed gaps of the shape c (Aitchison & Dunsmore 1975), c = 1 / cv^2, cv^2 = (1 + (n - 1) (spread / mean_gap)^2) / n: by one gap nothing is known of how regular it is. next_at and its bounds do not know what time it is: past next_until, somebody is late';
