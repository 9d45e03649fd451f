-- Pace: how soon somebody may be written to again, whatever there is to say.

CREATE TYPE reco_sends AS (sends bigint, answered bigint, unanswered bigint, last_at timestamptz);
COMMENT ON TYPE reco_sends IS
  'what the aggregate reco_sends says: how much was sent, how much of it answered, how much since the last that was answered was not, and when the last was sent';

CREATE FUNCTION reco_sends_add(state bigint[], sent_at timestamptz, answered boolean) RETURNS bigint[]
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'reco_sends_add';
COMMENT ON FUNCTION reco_sends_add(bigint[], timestamptz, boolean) IS 'the transition function of reco_sends';
CREATE FUNCTION reco_sends_merge(bigint[], bigint[]) RETURNS bigint[]
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'reco_sends_merge';
COMMENT ON FUNCTION reco_sends_merge(bigint[], bigint[]) IS 'the combine function of reco_sends';
CREATE FUNCTION reco_sends_final(state bigint[]) RETURNS reco_sends
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'reco_sends_final';
COMMENT ON FUNCTION reco_sends_final(bigint[]) IS 'the final function of reco_sends';

CREATE AGGREGATE reco_sends(sent_at timestamptz, answered boolean) (
  SFUNC = reco_sends_add, STYPE = bigint[], FINALFUNC = reco_sends_final,
  COMBINEFUNC = reco_sends_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE reco_sends(timestamptz, boolean) IS
  'what was sent to somebody and answered (opened, clicked, bought), in any order. unanswered counts the different times later than that of the last send that was answered; answered of NULL is not answered; a sent_at that is NULL or infinite does not count';

CREATE FUNCTION reco_pace(sends reco_sends, rest interval DEFAULT '1 day', growth float8 DEFAULT 2, most interval DEFAULT '90 days') RETURNS timestamptz
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'reco_pace';
COMMENT ON FUNCTION reco_pace(reco_sends, interval, float8, interval) IS
  'the time before which nothing more should be sent: last_at + least(rest * growth ^ unanswered, most), a month counting 30 days: each send that was not answered makes the wait longer, an answer makes it short again (exponential backoff, as of stations that share a wire, Metcalfe & Boggs 1976). -infinity where nothing was ever sent';
