-- Habits: how everybody comes and goes, and how items are chosen again.

CREATE FUNCTION reco_learn_habits(model text DEFAULT NULL, as_of timestamptz DEFAULT NULL,
  OUT users bigint, OUT visits bigint, OUT items bigint, OUT repeat_share float8, OUT seconds float8, OUT peak_memory bigint)
RETURNS record
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000000 AS 'MODULE_PATHNAME', 'reco_learn_habits';
COMMENT ON FUNCTION reco_learn_habits(text, timestamptz) IS
  'learns, as the owner of the model and from its events up to as_of, what reco_next_purchases and reco_best_time go by: the tables learned_habit, of one row, and learned_repeat, one row an item. A visit is a day, in the model''s time zone, on which something of a weight above 0 was done. With G the mean of people''s mean gaps between visits with one item, an item''s typical gap is (sum of people''s mean gaps with it + 5 G) / (their number + 5); the share of its visits that another follows in the end is (g + 10 Q) / (g + E + 10), of g that were followed, Q the same of all items, and of last visits as many, E, as should have been followed by now: each counts 1 - (2 G / (2 G + how long ago))^2. Reads all events once, within maintenance_work_mem. Once there is a row in learned_habit every refresh learns both anew, as of then';
