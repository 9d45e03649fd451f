-- Lifetime: whether customers still come, and how often they will: BG/NBD (Fader, Hardie & Lee 2005).

CREATE TYPE reco_bgnbd AS (
  r float8, alpha float8, a float8, b float8, log_likelihood float8, customers bigint, converged boolean);
COMMENT ON TYPE reco_bgnbd IS
  'the parameters of BG/NBD: buying rates are gamma distributed over customers (r, alpha, the latter in the unit of the times that were fitted: days where these came as reco_rhythm), the chance to leave after a purchase beta (a, b); the log-likelihood of how many customers; converged is false where the likelihood has no maximum within the bounds, since customers do not tell. ROW(0.243, 4.414, 0.793, 2.426, NULL, NULL, NULL)::reco_bgnbd writes known ones';

CREATE FUNCTION reco_bgnbd_add(state float8[], frequency float8, recency float8, age float8) RETURNS float8[]
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'reco_bgnbd_add';
COMMENT ON FUNCTION reco_bgnbd_add(float8[], float8, float8, float8) IS 'the transition function of reco_fit_bgnbd over numbers';
CREATE FUNCTION reco_bgnbd_add(state float8[], rhythm reco_rhythm, as_of timestamptz) RETURNS float8[]
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'reco_bgnbd_add_rhythm';
COMMENT ON FUNCTION reco_bgnbd_add(float8[], reco_rhythm, timestamptz) IS 'the transition function of reco_fit_bgnbd over rhythms';
CREATE FUNCTION reco_bgnbd_merge(float8[], float8[]) RETURNS float8[]
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'reco_bgnbd_merge';
COMMENT ON FUNCTION reco_bgnbd_merge(float8[], float8[]) IS 'the combine function of reco_fit_bgnbd';
CREATE FUNCTION reco_bgnbd_final(state float8[]) RETURNS reco_bgnbd
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100000 AS 'MODULE_PATHNAME', 'reco_bgnbd_final';
COMMENT ON FUNCTION reco_bgnbd_final(float8[]) IS 'the final function of reco_fit_bgnbd: maximum likelihood by Newton''s method';

CREATE AGGREGATE reco_fit_bgnbd(frequency float8, recency float8, age float8) (
  SFUNC = reco_bgnbd_add, STYPE = float8[], FINALFUNC = reco_bgnbd_final,
  COMBINEFUNC = reco_bgnbd_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE reco_fit_bgnbd(float8, float8, float8) IS
  'the parameters of BG/NBD (Fader, Hardie & Lee, Marketing Science 2005) of greatest likelihood over customers, one a row: frequency is how often one came again after the first time, recency when last, age how long one is known, both counted from the first time, in one unit. The likelihood of a customer: gamma(r+x)/gamma(r) alpha^r B(a,b+x)/B(a,b) ((alpha+T)^-(r+x) + a/(b+x-1) (alpha+t_x)^-(r+x), the second where x > 0). Rows with a NULL do not count; the parameters are NULL where nobody came again. The same whatever the order of rows';
CREATE AGGREGATE reco_fit_bgnbd(rhythm reco_rhythm, as_of timestamptz) (
  SFUNC = reco_bgnbd_add, STYPE = float8[], FINALFUNC = reco_bgnbd_final,
  COMBINEFUNC = reco_bgnbd_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE reco_fit_bgnbd(reco_rhythm, timestamptz) IS
  'the same over the rhythms of customers, in days: frequency is times - 1, recency last_at - first_at, age as_of - first_at. Events after as_of are an error, since what is not known then must not count';

CREATE FUNCTION reco_p_alive(fit reco_bgnbd, frequency float8, recency float8, age float8) RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'reco_p_alive';
COMMENT ON FUNCTION reco_p_alive(reco_bgnbd, float8, float8, float8) IS
  'the chance that a customer still comes at all: 1 / (1 + a/(b+x-1) ((alpha+T)/(alpha+t_x))^(r+x)), and 1 where x = 0, as nobody leaves before the first purchase after the one that made them known; NULL where a fit found no parameters';
CREATE FUNCTION reco_p_alive(fit reco_bgnbd, rhythm reco_rhythm, as_of timestamptz) RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'reco_p_alive_rhythm';
COMMENT ON FUNCTION reco_p_alive(reco_bgnbd, reco_rhythm, timestamptz) IS
  'the chance that whoever has that rhythm still comes at all, as of a time; the parameters are those of days; NULL for a rhythm without events';

CREATE FUNCTION reco_expected_purchases(fit reco_bgnbd, frequency float8, recency float8, age float8, horizon float8) RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'reco_expected_purchases';
COMMENT ON FUNCTION reco_expected_purchases(reco_bgnbd, float8, float8, float8, float8) IS
  'how often a customer is expected to come within horizon, a span in the unit of the other times, from now on: equation (10) of Fader, Hardie & Lee, by a sum of positive terms in place of 2F1. 0, 0, 0 is a new customer';
CREATE FUNCTION reco_expected_purchases(fit reco_bgnbd, rhythm reco_rhythm, as_of timestamptz, horizon interval) RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'reco_expected_purchases_rhythm';
COMMENT ON FUNCTION reco_expected_purchases(reco_bgnbd, reco_rhythm, timestamptz, interval) IS
  'how often whoever has that rhythm is expected to come in horizon after as_of, a month counting 30 days; the parameters are those of days';
