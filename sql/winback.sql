-- Winning back: customers who are silent longer than they are wont to be, and what to offer them.

CREATE FUNCTION reco_win_back(k int DEFAULT 10, model text DEFAULT NULL, offers int DEFAULT 3, horizon interval DEFAULT '90 days',
  max_chance float8 DEFAULT 0.1, as_of timestamptz DEFAULT NULL)
RETURNS TABLE(user_id text, expected_loss float8, alive float8, purchases float8, value float8, last_at timestamptz, mean_gap interval, chance float8, items text[])
LANGUAGE C STABLE PARALLEL SAFE COST 1000000 ROWS 10 SUPPORT reco_expect_rows AS 'MODULE_PATHNAME', 'reco_win_back';
COMMENT ON FUNCTION reco_win_back(int, text, int, interval, float8, timestamptz) IS
  'the k customers (k NULL: all) whose silence is unusual for their own rhythm, greatest expected_loss first. A visit is a day, in the model''s time zone, with an event of a weight above 0. chance, at most max_chance, is that of a gap longer than the silence after the gaps there were, as reco_rhythm foresees the next: whoever came on one day only is not in it. expected_loss = (1 - alive) * purchases * value: alive by BG/NBD fitted to the visits of everybody up to as_of (reco_fit_bgnbd, reco_p_alive), purchases the visits within horizon of one like that who still comes, value the mean weight of a visit, 1 where events have no weight. items are the first offers of reco_top_n. Reads all events, with the caller''s privileges; ids as text, the typed door has the model''s own types';
CREATE FUNCTION reco_typed_win_back(k int, model regclass, offers int, horizon interval, max_chance float8, as_of timestamptz)
RETURNS SETOF record
LANGUAGE C STABLE PARALLEL SAFE COST 1000000 ROWS 10 SUPPORT reco_expect_rows AS 'MODULE_PATHNAME', 'reco_win_back';
COMMENT ON FUNCTION reco_typed_win_back(int, regclass, int, interval, float8, timestamptz) IS
  'what the typed doors of a model call: reco_win_back with ids of the model''s own types';
