-- Wrapped: a stretch of time as a story, a year perhaps.

CREATE FUNCTION reco_wrapped(user_id bigint, since timestamptz, until timestamptz, model text DEFAULT NULL,
  k int DEFAULT 5, time_zone text DEFAULT NULL, category text DEFAULT NULL, title text DEFAULT NULL)
RETURNS TABLE(part text, rank int, item_id bigint, label text, value float8, before float8,
  change float8, share float8, share_before float8, percentile float8, began_at timestamptz, ended_at timestamptz, rule text)
LANGUAGE C STABLE PARALLEL SAFE COST 1000000 ROWS 40 AS 'MODULE_PATHNAME', 'reco_wrapped';
CREATE FUNCTION reco_wrapped(user_id text, since timestamptz, until timestamptz, model text DEFAULT NULL,
  k int DEFAULT 5, time_zone text DEFAULT NULL, category text DEFAULT NULL, title text DEFAULT NULL)
RETURNS TABLE(part text, rank int, item_id text, label text, value float8, before float8,
  change float8, share float8, share_before float8, percentile float8, began_at timestamptz, ended_at timestamptz, rule text)
LANGUAGE C STABLE PARALLEL SAFE COST 1000000 ROWS 40 AS 'MODULE_PATHNAME', 'reco_wrapped';
CREATE FUNCTION reco_wrapped(user_id uuid, since timestamptz, until timestamptz, model text DEFAULT NULL,
  k int DEFAULT 5, time_zone text DEFAULT NULL, category text DEFAULT NULL, title text DEFAULT NULL)
RETURNS TABLE(part text, rank int, item_id uuid, label text, value float8, before float8,
  change float8, share float8, share_before float8, percentile float8, began_at timestamptz, ended_at timestamptz, rule text)
LANGUAGE C STABLE PARALLEL SAFE COST 1000000 ROWS 40 AS 'MODULE_PATHNAME', 'reco_wrapped';
COMMENT ON FUNCTION reco_wrapped(bigint, timestamptz, timestamptz, text, int, text, text, text) IS
  'a stretch of time, from since to just before until, as a story of one user: one row a fact, k rows of a list. Counted are events above 0. parts: events, amount (the sum of weights, as decimals to fifteen digits), items (distinct), days (with an event, by the calendar of time_zone), first, last, streak (the most days in a row, the earliest of equals), peak_hour and peak_weekday (of most events, the earliest of equals; share of events), top_items and top_categories (by amount), discovery (items never chosen before, of all items) and discoveries (those of the greatest amount), rare_items (value: of how many users in the stretch; share: of all these), type (label, and the rule that gave it). before is the same of the stretch as long just before since, change is value / before - 1, percentile the share of the other users who have fewer events (NULL where there are none). An item of n categories gives each an nth. label is the title of an item, by default its attribute title or name; category is by default the setting of that name; time_zone, too. No row for who has no event there. For one user, too, everybody''s events are read. Runs with the caller''s privileges and search_path pg_catalog';
COMMENT ON FUNCTION reco_wrapped(text, timestamptz, timestamptz, text, int, text, text, text) IS
  'a stretch of time, from since to just before until, as a story of one user: one row a fact, k rows of a list. Counted are events above 0. parts: events, amount (the sum of weights, as decimals to fifteen digits), items (distinct), days (with an event, by the calendar of time_zone), first, last, streak (the most days in a row, the earliest of equals), peak_hour and peak_weekday (of most events, the earliest of equals; share of events), top_items and top_categories (by amount), discovery (items never chosen before, of all items) and discoveries (those of the greatest amount), rare_items (value: of how many users in the stretch; share: of all these), type (label, and the rule that gave it). before is the same of the stretch as long just before since, change is value / before - 1, percentile the share of the other users who have fewer events (NULL where there are none). An item of n categories gives each an nth. label is the title of an item, by default its attribute title or name; category is by default the setting of that name; time_zone, too. No row for who has no event there. For one user, too, everybody''s events are read. Runs with the caller''s privileges and search_path pg_catalog';
COMMENT ON FUNCTION reco_wrapped(uuid, timestamptz, timestamptz, text, int, text, text, text) IS
  'a stretch of time, from since to just before until, as a story of one user: one row a fact, k rows of a list. Counted are events above 0. parts: events, amount (the sum of weights, as decimals to fifteen digits), items (distinct), days (with an event, by the calendar of time_zone), first, last, streak (the most days in a row, the earliest of equals), peak_hour and peak_weekday (of most events, the earliest of equals; share of events), top_items and top_categories (by amount), discovery (items never chosen before, of all items) and discoveries (those of the greatest amount), rare_items (value: of how many users in the stretch; share: of all these), type (label, and the rule that gave it). before is the same of the stretch as long just before since, change is value / before - 1, percentile the share of the other users who have fewer events (NULL where there are none). An item of n categories gives each an nth. label is the title of an item, by default its attribute title or name; category is by default the setting of that name; time_zone, too. No row for who has no event there. For one user, too, everybody''s events are read. Runs with the caller''s privileges and search_path pg_catalog';

CREATE FUNCTION reco_wrapped_all(since timestamptz, until timestamptz, model text DEFAULT NULL,
  k int DEFAULT 5, time_zone text DEFAULT NULL, category text DEFAULT NULL, title text DEFAULT NULL)
RETURNS TABLE(user_id text, part text, rank int, item_id text, label text, value float8, before float8,
  change float8, share float8, share_before float8, percentile float8, began_at timestamptz, ended_at timestamptz, rule text)
LANGUAGE C STABLE PARALLEL SAFE COST 1000000 ROWS 100000 AS 'MODULE_PATHNAME', 'reco_wrapped_all';
COMMENT ON FUNCTION reco_wrapped_all(timestamptz, timestamptz, text, int, text, text, text) IS
  'the rows of reco_wrapped for every user who has an event in the stretch, from one read of the events; ids as text, the typed door has the model''s own types';

CREATE FUNCTION reco_wrapped_json(user_id bigint, since timestamptz, until timestamptz, model text DEFAULT NULL,
  k int DEFAULT 5, time_zone text DEFAULT NULL, category text DEFAULT NULL, title text DEFAULT NULL)
RETURNS jsonb
LANGUAGE C STABLE PARALLEL SAFE COST 1000000 AS 'MODULE_PATHNAME', 'reco_wrapped_json';
CREATE FUNCTION reco_wrapped_json(user_id text, since timestamptz, until timestamptz, model text DEFAULT NULL,
  k int DEFAULT 5, time_zone text DEFAULT NULL, category text DEFAULT NULL, title text DEFAULT NULL)
RETURNS jsonb
LANGUAGE C STABLE PARALLEL SAFE COST 1000000 AS 'MODULE_PATHNAME', 'reco_wrapped_json';
CREATE FUNCTION reco_wrapped_json(user_id uuid, since timestamptz, until timestamptz, model text DEFAULT NULL,
  k int DEFAULT 5, time_zone text DEFAULT NULL, category text DEFAULT NULL, title text DEFAULT NULL)
RETURNS jsonb
LANGUAGE C STABLE PARALLEL SAFE COST 1000000 AS 'MODULE_PATHNAME', 'reco_wrapped_json';
COMMENT ON FUNCTION reco_wrapped_json(bigint, timestamptz, timestamptz, text, int, text, text, text) IS
  'the rows of reco_wrapped as one object for templates: a key for each part, with an array by rank where it is a list; what is NULL is left out; and since, until and time_zone. NULL where there is no row';
COMMENT ON FUNCTION reco_wrapped_json(text, timestamptz, timestamptz, text, int, text, text, text) IS
  'the rows of reco_wrapped as one object for templates: a key for each part, with an array by rank where it is a list; what is NULL is left out; and since, until and time_zone. NULL where there is no row';
COMMENT ON FUNCTION reco_wrapped_json(uuid, timestamptz, timestamptz, text, int, text, text, text) IS
  'the rows of reco_wrapped as one object for templates: a key for each part, with an array by rank where it is a list; what is NULL is left out; and since, until and time_zone. NULL where there is no row';

CREATE FUNCTION reco_wrapped_json_all(since timestamptz, until timestamptz, model text DEFAULT NULL,
  k int DEFAULT 5, time_zone text DEFAULT NULL, category text DEFAULT NULL, title text DEFAULT NULL)
RETURNS TABLE(user_id text, wrapped jsonb)
LANGUAGE C STABLE PARALLEL SAFE COST 1000000 ROWS 10000 AS 'MODULE_PATHNAME', 'reco_wrapped_json_all';
COMMENT ON FUNCTION reco_wrapped_json_all(timestamptz, timestamptz, text, int, text, text, text) IS
  'reco_wrapped_json for every user who has an event in the stretch, from one read of the events; ids as text, the typed door has the model''s own type';

CREATE FUNCTION reco_typed_wrapped(user_id "any", since timestamptz, until timestamptz, model regclass, k int, time_zone text, category text, title text)
RETURNS SETOF record
LANGUAGE C STABLE PARALLEL SAFE COST 1000000 ROWS 40 AS 'MODULE_PATHNAME', 'reco_wrapped';
COMMENT ON FUNCTION reco_typed_wrapped("any", timestamptz, timestamptz, regclass, int, text, text, text) IS
  'what the typed doors of a model call: reco_wrapped for any mix of id types, the model given as its table';
CREATE FUNCTION reco_typed_wrapped_all(since timestamptz, until timestamptz, model regclass, k int, time_zone text, category text, title text)
RETURNS SETOF record
LANGUAGE C STABLE PARALLEL SAFE COST 1000000 ROWS 100000 AS 'MODULE_PATHNAME', 'reco_wrapped_all';
COMMENT ON FUNCTION reco_typed_wrapped_all(timestamptz, timestamptz, regclass, int, text, text, text) IS
  'what the typed doors of a model call: reco_wrapped_all for any mix of id types, the model given as its table';
CREATE FUNCTION reco_typed_wrapped_json(user_id "any", since timestamptz, until timestamptz, model regclass, k int, time_zone text, category text, title text)
RETURNS jsonb
LANGUAGE C STABLE PARALLEL SAFE COST 1000000 AS 'MODULE_PATHNAME', 'reco_wrapped_json';
COMMENT ON FUNCTION reco_typed_wrapped_json("any", timestamptz, timestamptz, regclass, int, text, text, text) IS
  'what the typed doors of a model call: reco_wrapped_json for any mix of id types, the model given as its table';
CREATE FUNCTION reco_typed_wrapped_json_all(since timestamptz, until timestamptz, model regclass, k int, time_zone text, category text, title text)
RETURNS SETOF record
LANGUAGE C STABLE PARALLEL SAFE COST 1000000 ROWS 10000 AS 'MODULE_PATHNAME', 'reco_wrapped_json_all';
COMMENT ON FUNCTION reco_typed_wrapped_json_all(timestamptz, timestamptz, regclass, int, text, text, text) IS
  'what the typed doors of a model call: reco_wrapped_json_all for any mix of id types, the model given as its table';
