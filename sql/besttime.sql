-- The best time: the hour before long at which somebody is most likely to be about.

CREATE FUNCTION reco_best_time(user_id bigint, model text DEFAULT NULL, within interval DEFAULT '1 day', as_of timestamptz DEFAULT NULL)
RETURNS TABLE(at timestamptz, until timestamptz, hour text, lift float8)
LANGUAGE C STABLE PARALLEL SAFE COST 200 ROWS 1 AS 'MODULE_PATHNAME', 'reco_best_time';
CREATE FUNCTION reco_best_time(user_id text, model text DEFAULT NULL, within interval DEFAULT '1 day', as_of timestamptz DEFAULT NULL)
RETURNS TABLE(at timestamptz, until timestamptz, hour text, lift float8)
LANGUAGE C STABLE PARALLEL SAFE COST 200 ROWS 1 AS 'MODULE_PATHNAME', 'reco_best_time';
CREATE FUNCTION reco_best_time(user_id uuid, model text DEFAULT NULL, within interval DEFAULT '1 day', as_of timestamptz DEFAULT NULL)
RETURNS TABLE(at timestamptz, until timestamptz, hour text, lift float8)
LANGUAGE C STABLE PARALLEL SAFE COST 200 ROWS 1 AS 'MODULE_PATHNAME', 'reco_best_time';
COMMENT ON FUNCTION reco_best_time(bigint, text, interval, timestamptz) IS
  'the hour, or what is left of it, within the span after as_of (now) at which a user is most likely to be about: of all hours of the week by the clocks of the model''s time zone the one with the greatest share, as reco_smooth_hours has it of the hours in which the user chose something and those of everybody that reco_learn_habits learned. lift is that share over the mean of the span: what is won over a moment at random. Days of 23 and 25 hours are such. A NULL user is anybody. Says when, not how often: see reco_pace';
COMMENT ON FUNCTION reco_best_time(text, text, interval, timestamptz) IS
  'the hour, or what is left of it, within the span after as_of (now) at which a user is most likely to be about: of all hours of the week by the clocks of the model''s time zone the one with the greatest share, as reco_smooth_hours has it of the hours in which the user chose something and those of everybody that reco_learn_habits learned. lift is that share over the mean of the span: what is won over a moment at random. Days of 23 and 25 hours are such. A NULL user is anybody. Says when, not how often: see reco_pace';
COMMENT ON FUNCTION reco_best_time(uuid, text, interval, timestamptz) IS
  'the hour, or what is left of it, within the span after as_of (now) at which a user is most likely to be about: of all hours of the week by the clocks of the model''s time zone the one with the greatest share, as reco_smooth_hours has it of the hours in which the user chose something and those of everybody that reco_learn_habits learned. lift is that share over the mean of the span: what is won over a moment at random. Days of 23 and 25 hours are such. A NULL user is anybody. Says when, not how often: see reco_pace';

CREATE FUNCTION reco_typed_best_time(user_id "any", model regclass, within interval, as_of timestamptz)
RETURNS SETOF record
LANGUAGE C STABLE PARALLEL SAFE COST 200 ROWS 1 AS 'MODULE_PATHNAME', 'reco_best_time';
COMMENT ON FUNCTION reco_typed_best_time("any", regclass, interval, timestamptz) IS
  'what the typed doors of a model call: reco_best_time for any mix of id types, the model given as its table';
