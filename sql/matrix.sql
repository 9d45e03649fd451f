-- Similar items without a model: a matrix as an aggregate, its neighbours as a table.

CREATE TYPE reco_matrix;
CREATE FUNCTION reco_matrix_in(cstring) RETURNS reco_matrix
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'reco_matrix_in';
CREATE FUNCTION reco_matrix_out(reco_matrix) RETURNS cstring
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'reco_matrix_out';
CREATE FUNCTION reco_matrix_recv(internal) RETURNS reco_matrix
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'reco_matrix_recv';
CREATE FUNCTION reco_matrix_send(reco_matrix) RETURNS bytea
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'reco_matrix_send';
CREATE TYPE reco_matrix (
  INPUT = reco_matrix_in, OUTPUT = reco_matrix_out, RECEIVE = reco_matrix_recv, SEND = reco_matrix_send,
  INTERNALLENGTH = VARIABLE, ALIGNMENT = double, STORAGE = extended);
COMMENT ON TYPE reco_matrix IS
  'a sparse matrix of users by items: the state of the aggregate reco_matrix, which can be stored, sent and merged. As text: {"user": type, "item": type, "cells": [[user_id, item_id, weight], ...]}';
COMMENT ON FUNCTION reco_matrix_in(cstring) IS 'reads the text of a reco_matrix';
COMMENT ON FUNCTION reco_matrix_out(reco_matrix) IS 'writes a reco_matrix as text';
COMMENT ON FUNCTION reco_matrix_recv(internal) IS 'reads the binary form of a reco_matrix, every byte of it checked';
COMMENT ON FUNCTION reco_matrix_send(reco_matrix) IS 'writes a reco_matrix in its binary form';

CREATE FUNCTION reco_matrix_add(reco_matrix, "any", "any", float8) RETURNS reco_matrix
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'reco_matrix_add';
COMMENT ON FUNCTION reco_matrix_add(reco_matrix, "any", "any", float8) IS
  'the transition function of the aggregate reco_matrix: adds one weight to a cell; rows with a NULL are left out';
CREATE FUNCTION reco_matrix_merge(reco_matrix, reco_matrix) RETURNS reco_matrix
LANGUAGE C IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'reco_matrix_merge';
COMMENT ON FUNCTION reco_matrix_merge(reco_matrix, reco_matrix) IS
  'the sum of two matrices of equal id types, cell by cell';

CREATE AGGREGATE reco_matrix(user_id "any", item_id "any", weight float8) (
  SFUNC = reco_matrix_add, STYPE = reco_matrix, COMBINEFUNC = reco_matrix_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE reco_matrix("any", "any", float8) IS
  'gathers (user_id, item_id, weight) rows into a matrix; repeats are summed. Ids may be any integer type, uuid or text';
CREATE AGGREGATE reco_matrix_merge(reco_matrix) (
  SFUNC = reco_matrix_merge, STYPE = reco_matrix, COMBINEFUNC = reco_matrix_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE reco_matrix_merge(reco_matrix) IS
  'the sum of many matrices: shards, days, tenants';

CREATE FUNCTION reco_neighbors(
  matrix reco_matrix, k int DEFAULT 20, similarity text DEFAULT 'cosine', min_support int DEFAULT 2,
  shrinkage float8 DEFAULT 0, keep text DEFAULT 'source', weighting text DEFAULT 'linear')
RETURNS TABLE(item_id text, rank int, similar_item_id text, similarity float8, support int)
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100000 ROWS 10000 AS 'MODULE_PATHNAME', 'reco_neighbors';
COMMENT ON FUNCTION reco_neighbors(reco_matrix, int, text, int, float8, text, text) IS
  'the k nearest items of every item of a matrix (keep: source) or the k items that speak most for it (keep: target), ids as text; the same kernel as a model''s';
CREATE FUNCTION reco_neighbors(
  item_type anyelement, matrix reco_matrix, k int DEFAULT 20, similarity text DEFAULT 'cosine', min_support int DEFAULT 2,
  shrinkage float8 DEFAULT 0, keep text DEFAULT 'source', weighting text DEFAULT 'linear')
RETURNS TABLE(item_id anyelement, rank int, similar_item_id anyelement, similarity float8, support int)
LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100000 ROWS 10000 AS 'MODULE_PATHNAME', 'reco_typed_neighbors';
COMMENT ON FUNCTION reco_neighbors(anyelement, reco_matrix, int, text, int, float8, text, text) IS
  'reco_neighbors with typed ids: NULL::bigint as the first argument makes the id columns bigint';
