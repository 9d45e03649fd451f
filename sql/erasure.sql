-- Erasure: what a model holds of one person, and how it goes.

CREATE FUNCTION reco_forget(user_id bigint, model text DEFAULT NULL, OUT rows_written bigint, OUT seconds float8)
RETURNS record
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000000 AS 'MODULE_PATHNAME', 'reco_forget';
COMMENT ON FUNCTION reco_forget(bigint, text) IS
  'learns a model anew, from nothing, without one person: afterwards every row that was learned is what a model holds that never saw them; rows of theirs in the log of lists served are deleted. Refuses (object_not_in_prerequisite_state) while a refresh would learn from events of theirs: those are the owner''s to delete, or to leave out by the events query or by consent in the users query. Costs what a first reco_refresh costs, and takes its turn with others. No list of the forgotten is kept. For the owner of the model, like reco_traces and reco_disclose. Old row versions are on disk until VACUUM, as after any DELETE';
CREATE FUNCTION reco_forget(user_id text, model text DEFAULT NULL, OUT rows_written bigint, OUT seconds float8)
RETURNS record
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000000 AS 'MODULE_PATHNAME', 'reco_forget';
COMMENT ON FUNCTION reco_forget(text, text) IS
  'learns a model anew, from nothing, without one person: afterwards every row that was learned is what a model holds that never saw them; rows of theirs in the log of lists served are deleted. Refuses (object_not_in_prerequisite_state) while a refresh would learn from events of theirs: those are the owner''s to delete, or to leave out by the events query or by consent in the users query. Costs what a first reco_refresh costs, and takes its turn with others. No list of the forgotten is kept. For the owner of the model, like reco_traces and reco_disclose. Old row versions are on disk until VACUUM, as after any DELETE';
CREATE FUNCTION reco_forget(user_id uuid, model text DEFAULT NULL, OUT rows_written bigint, OUT seconds float8)
RETURNS record
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000000 AS 'MODULE_PATHNAME', 'reco_forget';
COMMENT ON FUNCTION reco_forget(uuid, text) IS
  'learns a model anew, from nothing, without one person: afterwards every row that was learned is what a model holds that never saw them; rows of theirs in the log of lists served are deleted. Refuses (object_not_in_prerequisite_state) while a refresh would learn from events of theirs: those are the owner''s to delete, or to leave out by the events query or by consent in the users query. Costs what a first reco_refresh costs, and takes its turn with others. No list of the forgotten is kept. For the owner of the model, like reco_traces and reco_disclose. Old row versions are on disk until VACUUM, as after any DELETE';
CREATE FUNCTION reco_typed_forget(user_id "any", model regclass, OUT rows_written bigint, OUT seconds float8)
RETURNS record
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000000 AS 'MODULE_PATHNAME', 'reco_forget';
COMMENT ON FUNCTION reco_typed_forget("any", regclass) IS
  'what the typed doors of a model call: reco_forget for any type of user ids, the model given as its table';

CREATE FUNCTION reco_traces(user_id bigint, model text DEFAULT NULL)
RETURNS TABLE(place text, traces bigint, hint text)
LANGUAGE C STABLE PARALLEL UNSAFE COST 100000 ROWS 5 AS 'MODULE_PATHNAME', 'reco_traces';
COMMENT ON FUNCTION reco_traces(bigint, text) IS
  'where something of a person''s events is or may be in what a model learned, or would be after the next refresh; no row where nothing is left. place: events, that a refresh would learn from; served, rows of the log of lists served; learned_item, similar, learned_group, learned_context, item_factor: rows that have counted events of theirs; unaccounted: items that have counted more events than are there now, so that those of theirs, deleted, may be among them. Compares the counts of events by item, from one read of all events: an event that came late can stand in for one that is gone, and reco_forget leaves no doubt';
CREATE FUNCTION reco_traces(user_id text, model text DEFAULT NULL)
RETURNS TABLE(place text, traces bigint, hint text)
LANGUAGE C STABLE PARALLEL UNSAFE COST 100000 ROWS 5 AS 'MODULE_PATHNAME', 'reco_traces';
COMMENT ON FUNCTION reco_traces(text, text) IS
  'where something of a person''s events is or may be in what a model learned, or would be after the next refresh; no row where nothing is left. place: events, that a refresh would learn from; served, rows of the log of lists served; learned_item, similar, learned_group, learned_context, item_factor: rows that have counted events of theirs; unaccounted: items that have counted more events than are there now, so that those of theirs, deleted, may be among them. Compares the counts of events by item, from one read of all events: an event that came late can stand in for one that is gone, and reco_forget leaves no doubt';
CREATE FUNCTION reco_traces(user_id uuid, model text DEFAULT NULL)
RETURNS TABLE(place text, traces bigint, hint text)
LANGUAGE C STABLE PARALLEL UNSAFE COST 100000 ROWS 5 AS 'MODULE_PATHNAME', 'reco_traces';
COMMENT ON FUNCTION reco_traces(uuid, text) IS
  'where something of a person''s events is or may be in what a model learned, or would be after the next refresh; no row where nothing is left. place: events, that a refresh would learn from; served, rows of the log of lists served; learned_item, similar, learned_group, learned_context, item_factor: rows that have counted events of theirs; unaccounted: items that have counted more events than are there now, so that those of theirs, deleted, may be among them. Compares the counts of events by item, from one read of all events: an event that came late can stand in for one that is gone, and reco_forget leaves no doubt';
CREATE FUNCTION reco_typed_traces(user_id "any", model regclass)
RETURNS TABLE(place text, traces bigint, hint text)
LANGUAGE C STABLE PARALLEL UNSAFE COST 100000 ROWS 5 AS 'MODULE_PATHNAME', 'reco_traces';
COMMENT ON FUNCTION reco_typed_traces("any", regclass) IS
  'what the typed doors of a model call: reco_traces for any type of user ids, the model given as its table';

CREATE FUNCTION reco_disclose(user_id bigint, model text DEFAULT NULL)
RETURNS TABLE(place text, item_id bigint, detail jsonb)
LANGUAGE C STABLE PARALLEL UNSAFE COST 100000 ROWS 100 AS 'MODULE_PATHNAME', 'reco_disclose';
COMMENT ON FUNCTION reco_disclose(bigint, text) IS
  'all that a model holds of a person, row by row. place: events and users, the rows of the owner''s queries; served, rows of the log of lists served; learned_item, similar, learned_group, learned_context, item_factor: rows that have counted their events (pairs of items, groups they belong to, contexts they were in), which say the same of everybody counted. Nothing that was learned has users in it: factors of users are made when they are asked for';
CREATE FUNCTION reco_disclose(user_id text, model text DEFAULT NULL)
RETURNS TABLE(place text, item_id text, detail jsonb)
LANGUAGE C STABLE PARALLEL UNSAFE COST 100000 ROWS 100 AS 'MODULE_PATHNAME', 'reco_disclose';
COMMENT ON FUNCTION reco_disclose(text, text) IS
  'all that a model holds of a person, row by row. place: events and users, the rows of the owner''s queries; served, rows of the log of lists served; learned_item, similar, learned_group, learned_context, item_factor: rows that have counted their events (pairs of items, groups they belong to, contexts they were in), which say the same of everybody counted. Nothing that was learned has users in it: factors of users are made when they are asked for';
CREATE FUNCTION reco_disclose(user_id uuid, model text DEFAULT NULL)
RETURNS TABLE(place text, item_id uuid, detail jsonb)
LANGUAGE C STABLE PARALLEL UNSAFE COST 100000 ROWS 100 AS 'MODULE_PATHNAME', 'reco_disclose';
COMMENT ON FUNCTION reco_disclose(uuid, text) IS
  'all that a model holds of a person, row by row. place: events and users, the rows of the owner''s queries; served, rows of the log of lists served; learned_item, similar, learned_group, learned_context, item_factor: rows that have counted their events (pairs of items, groups they belong to, contexts they were in), which say the same of everybody counted. Nothing that was learned has users in it: factors of users are made when they are asked for';
CREATE FUNCTION reco_typed_disclose(user_id "any", model regclass)
RETURNS SETOF record
LANGUAGE C STABLE PARALLEL UNSAFE COST 100000 ROWS 100 AS 'MODULE_PATHNAME', 'reco_disclose';
COMMENT ON FUNCTION reco_typed_disclose("any", regclass) IS
  'what the typed doors of a model call: reco_disclose for any mix of id types, the model given as its table';
