-- Estimating: what a refresh will find and cost, before it runs.

CREATE FUNCTION reco_estimate(
  model text DEFAULT NULL, max_seconds float8 DEFAULT NULL,
  OUT events bigint, OUT users bigint, OUT items bigint, OUT pairs bigint, OUT neighbor_pairs bigint,
  OUT seconds_read float8, OUT seconds_encode float8, OUT seconds_learn float8, OUT seconds_curve float8,
  OUT seconds_write float8, OUT seconds_total float8, OUT peak_memory bigint, OUT share_read float8)
RETURNS record
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100000 AS 'MODULE_PATHNAME', 'reco_estimate';
COMMENT ON FUNCTION reco_estimate(text, float8) IS
  'what reco_refresh would report, within a factor of two: from one look at the events, as the owner of the model, for max_seconds at most; NULL is a tenth of what the refresh is expected to take, ''Infinity'' reads all. pairs is the sum over users of the square of their number of items, which learning takes time in proportion to; share_read is the part of the events that was read, 1 where the figures are not extrapolated';
