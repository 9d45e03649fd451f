-- Expecting: what the planner is told of lists before they are made.

CREATE FUNCTION reco_expect_rows(internal) RETURNS internal
LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'reco_expect_rows';
COMMENT ON FUNCTION reco_expect_rows(internal) IS
  'the planner''s support of functions that list: their ROWS are for k = 10, and of a page for 6 rows of 10; numbers that are known when a query is planned give in proportion';
