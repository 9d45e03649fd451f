-- The log of lists that were served, and what came of them.

CREATE FUNCTION reco_create_log(model text DEFAULT NULL) RETURNS void
LANGUAGE C VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'reco_create_log';
COMMENT ON FUNCTION reco_create_log(text) IS
  'adds to a model the table served, one row for each place of a list that was shown, and the functions serve (top_n, written down) and attribute (what came of each place). For the owner of the model; the events must have times. Who serves needs INSERT on the table and USAGE on its sequence, who measures SELECT; both are the owner''s to grant, as the table holds who was shown what';

CREATE FUNCTION reco_attribute(model text DEFAULT NULL, within interval DEFAULT '1 day')
RETURNS TABLE(variant text, source text, lists bigint, shown bigint, chosen bigint, rate float8, low float8, high float8)
LANGUAGE C STABLE PARALLEL SAFE COST 1000000 ROWS 10 AS 'MODULE_PATHNAME', 'reco_attribute';
COMMENT ON FUNCTION reco_attribute(text, interval) IS
  'what came of the lists served, by variant and source: places shown and those chosen, which is a positive event of that user with that item after it was shown and before it was shown again, within so long (the last showing has the credit); rate is chosen / shown, with an interval of 95 % (Wilson 1927). Read as the caller: events and log that you may not read do not count';
