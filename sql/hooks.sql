-- Hooks: the part of a series after which people stay.

CREATE FUNCTION reco_hooks(model text DEFAULT NULL, at_least float8 DEFAULT 0.7, min_viewers int DEFAULT 20, every boolean DEFAULT false,
  patience interval DEFAULT NULL, unfinished jsonb DEFAULT NULL)
RETURNS TABLE(series text, item_id text, episode int, episodes int, viewers bigint, finishers bigint,
  share float8, low float8, high float8, hook boolean)
LANGUAGE C STABLE PARALLEL SAFE COST 1000000 ROWS 100 AS 'MODULE_PATHNAME', 'reco_hooks';
COMMENT ON FUNCTION reco_hooks(text, float8, int, boolean, interval, jsonb) IS
  'per series the first part after which at_least of those who saw it finish the series, the part on which viewers are hooked; with every, all parts. Viewers are users who finished the part (or have an event of it above 0 where no progress is known), finishers those of them who did so with the last part; share is finishers / viewers, low to high its 95 % interval (Wilson 1927). A hook has min_viewers at least and is not the last part. With patience, who saw a part less than so long before the newest event does not count with it. Series and their order are attributes of the items, which the setting or argument unfinished names. Reads all events, with the caller''s privileges and search_path pg_catalog; ids as text, the typed door has the model''s own type';
CREATE FUNCTION reco_typed_hooks(model regclass, at_least float8, min_viewers int, every boolean, patience interval, unfinished jsonb)
RETURNS SETOF record
LANGUAGE C STABLE PARALLEL SAFE COST 1000000 ROWS 100 AS 'MODULE_PATHNAME', 'reco_hooks';
COMMENT ON FUNCTION reco_typed_hooks(regclass, float8, int, boolean, interval, jsonb) IS
  'what the typed doors of a model call: reco_hooks with ids of the model''s own type';
