-- Evaluating: a model learned from a part of the events, measured on the rest.

CREATE FUNCTION reco_evaluate(
  model text DEFAULT NULL, k int DEFAULT 10, split text DEFAULT NULL, holdout float8 DEFAULT NULL,
  new_only boolean DEFAULT true, max_users int DEFAULT NULL,
  as_served boolean DEFAULT false)
RETURNS TABLE(algorithm text, metric text, value float8, low float8, high float8, users bigint)
LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000000 ROWS 42 AS 'MODULE_PATHNAME', 'reco_evaluate';
COMMENT ON FUNCTION reco_evaluate(text, int, text, float8, boolean, int, boolean) IS
  'learns in memory from the earlier events of a model, with its settings, and measures lists of k items on what people went on to choose, beside plain cosine and popularity, and as reranked by the model''s network where there is one, of those who did not train it; holdout is the share of the events kept back by a split in time, 0.2 if NULL; value is the mean over users, low and high its interval of 95 %. as_served, with a split in time, measures moment by moment what a user chose in one value of each context, and adds the lists as they are served: in_context, lifted as the earlier events say of the context of that moment; fatigue, lowered by impressions before the line; and served, by all of that and the network; ndcg_gain is theirs over the model, user by user. In none of these are rules and the live catalogue, of which nobody knows how they were before the line, and the rows that fall back, which no history speaks for. Reads as the caller and writes nothing';
