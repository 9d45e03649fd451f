-- Reasons: which facts explain a habit, as a few rules.

CREATE FUNCTION reco_explain_by(query text, target text, columns text[] DEFAULT NULL, depth int DEFAULT 3, min_rows int DEFAULT 30)
RETURNS TABLE(rule text, rows bigint, share float8, mean float8, lift float8, low float8, high float8)
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100000 ROWS 8 AS 'MODULE_PATHNAME', 'reco_explain_by';
COMMENT ON FUNCTION reco_explain_by(text, text, text[], int, int) IS
  'the rows of a query, read-only and as the caller, told apart by what explains one of its columns: the leaves of a regression tree (Breiman et al. 1984) of at most depth (1..6) questions one after the other, each with at least min_rows rows on either side, asked only where chance would not find one as good in a thousand tries. target is a number or boolean column; rows where it is NULL or not finite are left out. columns are those that may explain (NULL: all others of number, text, boolean, enum or uuid type; of a nominal one the 100 most frequent values are told apart). One row a rule, a condition of SQL over the columns, greatest mean first: how many rows it holds for and their share, the mean of the target, over that of all rows (lift), and its interval of 95 % (Wilson 1927 for a boolean). O(depth * columns * rows * log rows), within maintenance_work_mem';
