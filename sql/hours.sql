-- Hours: when in the week somebody is about.

CREATE FUNCTION reco_hours_add(state float8[], occurred_at timestamptz, time_zone text) RETURNS float8[]
LANGUAGE C STABLE PARALLEL SAFE COST 5 AS 'MODULE_PATHNAME', 'reco_hours_add';
COMMENT ON FUNCTION reco_hours_add(float8[], timestamptz, text) IS 'the transition function of reco_hours over times';
CREATE FUNCTION reco_hours_merge(float8[], float8[]) RETURNS float8[]
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5 AS 'MODULE_PATHNAME', 'reco_hours_merge';
COMMENT ON FUNCTION reco_hours_merge(float8[], float8[]) IS 'the sum of two weeks of counts: the combine function of reco_hours, and its transition function over counts';
CREATE FUNCTION reco_hours_final(state float8[]) RETURNS float8[]
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'reco_hours_final';
COMMENT ON FUNCTION reco_hours_final(float8[]) IS 'the final function of reco_hours';

CREATE AGGREGATE reco_hours(occurred_at timestamptz, time_zone text) (
  SFUNC = reco_hours_add, STYPE = float8[], FINALFUNC = reco_hours_final,
  COMBINEFUNC = reco_hours_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE reco_hours(timestamptz, text) IS
  'how many events there were in each of the 168 hours of the week, by the clocks of a time zone as they stood at each event: element 1 is Monday from midnight to one, 25 the same of Tuesday. NULL and infinite times do not count; all 0 without events. A time zone that does not exist is an error';
CREATE AGGREGATE reco_hours(hours float8[]) (
  SFUNC = reco_hours_merge, STYPE = float8[], FINALFUNC = reco_hours_final,
  COMBINEFUNC = reco_hours_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE reco_hours(float8[]) IS
  'the sum of weeks of counts: people, days, shards';

CREATE FUNCTION reco_smooth_hours(own float8[], everybody float8[] DEFAULT NULL, prior float8 DEFAULT 20) RETURNS float8[]
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 20 AS 'MODULE_PATHNAME', 'reco_smooth_hours';
COMMENT ON FUNCTION reco_smooth_hours(float8[], float8[], float8) IS
  'the share of each hour of the week, of counts of reco_hours, smoothed toward those of everybody (NULL: toward an even week): means of Dirichlet posteriors. With m = prior, in events: everybody Q = (N + m/168) / (sum N + m); an hour of the day d = (n of that hour on all days, a quarter of it counted at either side, + m Q) / (sum n + m); an hour of the week p = (n + 8 m d Q / Q of that hour on all days) / (sum n + 8 m). They add up to 1; times 168 they are lifts over an even week';
