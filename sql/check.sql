-- Checking: what is wrong with a model, and what to do.

CREATE FUNCTION reco_check(model text DEFAULT NULL)
RETURNS TABLE(severity text, code text, finding text, hint text)
LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000000 ROWS 5 AS 'MODULE_PATHNAME', 'reco_check';
COMMENT ON FUNCTION reco_check(text) IS
  'what is wrong with a model, worst first, with what to do; no row where all is well. severity is error (lists are empty or not personal), warning (worse or slower than need be) or notice. Reads the views in full, as the caller sees them';
