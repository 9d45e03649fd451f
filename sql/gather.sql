-- How a refresh has PostgreSQL read the events in parallel.

CREATE FUNCTION reco_gather_row(internal, bytea, "any", "any", timestamptz, float8, boolean, int) RETURNS internal
LANGUAGE C VOLATILE PARALLEL SAFE COST 20 AS 'MODULE_PATHNAME', 'reco_gather_row';
COMMENT ON FUNCTION reco_gather_row(internal, bytea, "any", "any", timestamptz, float8, boolean, int) IS
  'the transition function of the aggregate reco_gather';
CREATE FUNCTION reco_gather_send(internal) RETURNS bytea
LANGUAGE C VOLATILE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'reco_gather_send';
COMMENT ON FUNCTION reco_gather_send(internal) IS
  'the serialization function of the aggregate reco_gather';
CREATE FUNCTION reco_gather_recv(bytea, internal) RETURNS internal
LANGUAGE C VOLATILE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'reco_gather_recv';
COMMENT ON FUNCTION reco_gather_recv(bytea, internal) IS
  'the deserialization function of the aggregate reco_gather';
CREATE FUNCTION reco_gather_merge(internal, internal) RETURNS internal
LANGUAGE C VOLATILE PARALLEL SAFE AS 'MODULE_PATHNAME', 'reco_gather_merge';
COMMENT ON FUNCTION reco_gather_merge(internal, internal) IS
  'the combine function of the aggregate reco_gather';
CREATE FUNCTION reco_gather_count(internal) RETURNS bigint
LANGUAGE C VOLATILE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'reco_gather_count';
COMMENT ON FUNCTION reco_gather_count(internal) IS
  'the final function of the aggregate reco_gather';

CREATE AGGREGATE reco_gather(ticket bytea, user_id "any", item_id "any", occurred_at timestamptz, weight float8, consent boolean, signal int) (
  SFUNC = reco_gather_row, STYPE = internal, SERIALFUNC = reco_gather_send, DESERIALFUNC = reco_gather_recv,
  COMBINEFUNC = reco_gather_merge, FINALFUNC = reco_gather_count, FINALFUNC_MODIFY = READ_WRITE, PARALLEL = SAFE);
COMMENT ON AGGREGATE reco_gather(bytea, "any", "any", timestamptz, float8, boolean, int) IS
  'a part of reco_refresh, which reads events in parallel by it, and of no use by itself: the number of rows put into the memory of the refresh that gave the ticket out';
