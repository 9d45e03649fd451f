-- Affinities: which attributes of the catalogue somebody goes for, or everybody.

CREATE FUNCTION reco_affinity(user_id bigint, attributes text[] DEFAULT NULL, k int DEFAULT 20, model text DEFAULT NULL, min_items int DEFAULT 2)
RETURNS TABLE(attribute text, value text, lift float8, low float8, high float8, share float8, usual float8, support int)
LANGUAGE C STABLE PARALLEL SAFE COST 100000 ROWS 20 AS 'MODULE_PATHNAME', 'reco_affinity';
CREATE FUNCTION reco_affinity(user_id text, attributes text[] DEFAULT NULL, k int DEFAULT 20, model text DEFAULT NULL, min_items int DEFAULT 2)
RETURNS TABLE(attribute text, value text, lift float8, low float8, high float8, share float8, usual float8, support int)
LANGUAGE C STABLE PARALLEL SAFE COST 100000 ROWS 20 AS 'MODULE_PATHNAME', 'reco_affinity';
CREATE FUNCTION reco_affinity(user_id uuid, attributes text[] DEFAULT NULL, k int DEFAULT 20, model text DEFAULT NULL, min_items int DEFAULT 2)
RETURNS TABLE(attribute text, value text, lift float8, low float8, high float8, share float8, usual float8, support int)
LANGUAGE C STABLE PARALLEL SAFE COST 100000 ROWS 20 AS 'MODULE_PATHNAME', 'reco_affinity';
COMMENT ON FUNCTION reco_affinity(bigint, text[], int, text, int) IS
  'which attributes of the catalogue a user goes for, or everybody where user_id is NULL, surest first: every value of the attributes named (all of text, boolean, enum and integer type, and arrays of these) that at least min_items (2) items have. For a user, share is that of the items of their history, usual that of everybody''s pairs of user and item, lift the one over the other, with 5 items thought to be like everybody''s before; low and high are the interval of 95 % of the share (Wilson 1927), over usual; support says how many of the history have it. For everybody, lift is the mean number of users of the items with it over that of all items, share and usual those of users and of items, low and high the interval of 95 % of that mean';
COMMENT ON FUNCTION reco_affinity(text, text[], int, text, int) IS
  'which attributes of the catalogue a user goes for, or everybody where user_id is NULL, surest first: every value of the attributes named (all of text, boolean, enum and integer type, and arrays of these) that at least min_items (2) items have. For a user, share is that of the items of their history, usual that of everybody''s pairs of user and item, lift the one over the other, with 5 items thought to be like everybody''s before; low and high are the interval of 95 % of the share (Wilson 1927), over usual; support says how many of the history have it. For everybody, lift is the mean number of users of the items with it over that of all items, share and usual those of users and of items, low and high the interval of 95 % of that mean';
COMMENT ON FUNCTION reco_affinity(uuid, text[], int, text, int) IS
  'which attributes of the catalogue a user goes for, or everybody where user_id is NULL, surest first: every value of the attributes named (all of text, boolean, enum and integer type, and arrays of these) that at least min_items (2) items have. For a user, share is that of the items of their history, usual that of everybody''s pairs of user and item, lift the one over the other, with 5 items thought to be like everybody''s before; low and high are the interval of 95 % of the share (Wilson 1927), over usual; support says how many of the history have it. For everybody, lift is the mean number of users of the items with it over that of all items, share and usual those of users and of items, low and high the interval of 95 % of that mean';

CREATE FUNCTION reco_typed_affinity(user_id "any", attributes text[], k int, model regclass, min_items int) RETURNS SETOF record
LANGUAGE C STABLE PARALLEL SAFE COST 100000 ROWS 20 AS 'MODULE_PATHNAME', 'reco_affinity';
COMMENT ON FUNCTION reco_typed_affinity("any", text[], int, regclass, int) IS
  'what the typed doors of a model call: reco_affinity for any mix of id types, the model given as its table';
