-- Refreshing: learn anew from the events, in one transaction.

CREATE FUNCTION reco_refresh(
  model text DEFAULT NULL,
  OUT events bigint, OUT users bigint, OUT items bigint, OUT neighbor_pairs bigint, OUT content_pairs bigint,
  OUT skipped_null_user bigint, OUT skipped_null_item bigint, OUT skipped_null_weight bigint,
  OUT skipped_null_time bigint, OUT skipped_not_finite bigint, OUT skipped_future bigint, OUT skipped_no_consent bigint,
  OUT users_shortened bigint, OUT learned_with text, OUT trials_share float8,
  OUT rows_written bigint, OUT curve_pairs bigint,
  OUT seconds_read float8, OUT seconds_encode float8, OUT seconds_learn float8, OUT seconds_curve float8,
  OUT seconds_write float8, OUT seconds_total float8, OUT peak_memory bigint)
RETURNS record
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000000 AS 'MODULE_PATHNAME', 'reco_refresh';
COMMENT ON FUNCTION reco_refresh(text) IS
  'learns a model anew from its events, as its owner, in this transaction. Reports events learned from, pairs of neighbours by what people chose and by attributes alone, rows skipped by reason, users with more items than max_history, what was learned with where similarity is auto, the counted work of the trials by which that was picked as a share of one fit (at most 1, where a fit is more than a twentieth of a second of work), rows of learned_item written, seconds by phase, and the peak of the memory charged to maintenance_work_mem in bytes';
