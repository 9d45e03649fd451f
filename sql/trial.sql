-- Did it work: who sees which of several lists, and which of them won.

CREATE FUNCTION reco_bucket(user_id "any", experiment text, buckets int DEFAULT 100) RETURNS int
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'reco_bucket';
COMMENT ON FUNCTION reco_bucket("any", text, int) IS
  'the bucket, from 0 to buckets - 1, of a user in an experiment: always the same on every server, even, and independent from one experiment to another. reco_bucket(id, ''new page'') < 10 is one user in ten';

CREATE FUNCTION reco_interleave(a anyarray, b anyarray, k int DEFAULT 10, seed bigint DEFAULT 0)
RETURNS TABLE(rank int, item_id anyelement, team text)
LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 10 COST 100 AS 'MODULE_PATHNAME', 'reco_interleave';
COMMENT ON FUNCTION reco_interleave(anyarray, anyarray, int, bigint) IS
  'one list out of two, best first, by team draft (Radlinski, Kurup & Joachims 2008): round by round a coin says who picks first, and each list picks its best item not listed yet. team says whose pick (''a'' or ''b'') a row is, NULL once one list has nothing left. The list whose items are chosen more often is the better: count that per list shown, and ask reco_sign_test. k => NULL takes both whole. seed decides the coins';

CREATE FUNCTION reco_sign_test(wins bigint, losses bigint) RETURNS float8
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10 AS 'MODULE_PATHNAME', 'reco_sign_test';
COMMENT ON FUNCTION reco_sign_test(bigint, bigint) IS
  'the chance that two lists that are equally good are at least as far apart after so many wins and losses of one of them, ties left out: the exact two-sided sign test. 1 for none';
