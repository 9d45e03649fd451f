-- Ranking: a network that puts the first items of lists in order.

CREATE FUNCTION reco_learn_ranking(
  model text DEFAULT NULL, k int DEFAULT 10, split text DEFAULT NULL, holdout float8 DEFAULT NULL,
  new_only boolean DEFAULT true, first int DEFAULT 100, units int DEFAULT NULL,
  learn_from text DEFAULT 'holdout', within interval DEFAULT '1 day')
RETURNS TABLE(metric text, scored float8, reranked float8, gain float8, low float8, high float8, users bigint,
  lists bigint, units int, rounds int, seconds float8, kept boolean)
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000000 ROWS 4 AS 'MODULE_PATHNAME', 'reco_learn_ranking';
COMMENT ON FUNCTION reco_learn_ranking(text, int, text, float8, boolean, int, int, text, interval) IS
  'trains, as the owner of the model, a small network that puts the first items of people''s lists in order by what is known of each: score and place, how many items of the history speak for it, how strongly and how lately, popularity, trend and age. It learns from what some people went on to choose, as reco_evaluate keeps it back; people who had no part in that say whether lists are better with it, at k: scored without, reranked with it, gain with its interval of 95 %. Kept, in the table learned_ranking, is what has a gain in NDCG of more than 0 for sure, and nothing otherwise; it counts at once, as long as lists are scored the same way and the setting reranked is true. lists trained it, in so many rounds; units are those of the hidden layer, 0 for a network without one, which NULL stands for where there are fewer than 300 lists, else for 8. With learn_from => ''impressions'' it learns from the lists of the table served, of which something was chosen within so long, as they stood when they were shown, and measures on the newest, a share holdout (.2) of them, person by person; what a place further down takes away (Joachims, Swaminathan & Schnabel 2017) is learned along and left out when lists are served; weighed_ndcg and weighed_recall count each choice by it. Kept is then what has a gain in both NDCG. An error where there is no log, or too little in it';
