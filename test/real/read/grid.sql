-- Settings that somebody might try by hand, and what each is worth on data that was kept back.  A set called X is two tables,
-- X_past (user_id, item_id, and occurred_at and weight where the set has them) and X_future (user_id, item_id), of what those users
-- went on to choose that they did not have.

CREATE TABLE grid (settings text, timed bool DEFAULT false);
INSERT INTO grid (settings) VALUES
  ($$similarity => 'cooccurrence'$$),
  ($$similarity => 'cooccurrence', keep => 'source'$$),
  ($$similarity => 'cooccurrence', user_exponent => 0.35, source_exponent => 0.55, target_exponent => 0.2$$),
  ($$similarity => 'cooccurrence', user_exponent => 0.75, source_exponent => 1, target_exponent => 0.4$$),
  ($$similarity => 'cooccurrence', user_exponent => 1, source_exponent => 0.8, target_exponent => 0.2, keep => 'source'$$),
  ($$similarity => 'cosine'$$),
  ($$similarity => 'bm25'$$),
  ($$similarity => 'ridge', neighbors => 200$$),
  ($$similarity => 'ridge', neighbors => 200, lambda => 1, damping => 0.1, blend => 0.1$$),
  ($$similarity => 'ridge', neighbors => 200, lambda => 2, damping => 0.1, blend => 0.1$$),
  ($$similarity => 'ridge', neighbors => 200, lambda => 2, damping => 0.1, blend => 0.2, user_exponent => 0.5$$),
  ($$similarity => 'ridge', neighbors => 200, lambda => 4, damping => 0.1, blend => 0.2, user_exponent => 0.25$$),
  ($$similarity => 'ridge', neighbors => 200, lambda => 4, damping => 0.2, blend => 0.2$$),
  ($$similarity => 'ridge', neighbors => 200, lambda => 4, damping => 0.1, blend => 0.2, indirect => 0.06$$),
  ($$similarity => 'ridge', neighbors => 200, lambda => 6, damping => 0.1, blend => 0.3, user_exponent => 0.25, indirect => 0.06$$),
  ($$similarity => 'ridge', neighbors => 200, lambda => 8, damping => 0.1, blend => 0.4, indirect => 0.12$$);
INSERT INTO grid VALUES
  ($$similarity => 'next'$$, true),
  ($$similarity => 'next', recency => 0.9$$, true),
  ($$similarity => 'ridge', neighbors => 200, damping => 0.1, blend => 0.2, recency => 0.9$$, true);

CREATE TABLE worth (things text, settings text, learned_with text, trials_share float8, seconds float8, recall float8, ndcg float8);

-- Learns a set by settings, or by what comes without any where these are NULL; notes what everybody's twenty best are worth.
CREATE FUNCTION try_settings(things text, settings text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE learned text; share float8; seconds float8;
BEGIN
  PERFORM reco_create_model('tried', format('SELECT * FROM public.%I', things || '_past'));
  IF settings IS NOT NULL THEN EXECUTE format('SELECT reco_configure(''tried'', %s)', settings); END IF;
  SELECT r.learned_with, r.trials_share, r.seconds_total INTO learned, share, seconds FROM reco_refresh('tried') r;
  EXECUTE format('
    INSERT INTO worth SELECT %1$L, %2$L, %3$L, %6$L, %4$L, avg(recall), avg(ndcg)
    FROM (SELECT reco_recall(l.rank, true, 20) AS recall, reco_ndcg(l.rank, true, 20) AS ndcg
          FROM %5$I f LEFT JOIN tried.top_n_all(20) l USING (user_id, item_id) GROUP BY user_id) list',
    things, settings, learned, seconds, things || '_future', share);
  PERFORM reco_drop_model('tried');
END $$;

-- What is left without any setting of the best of the grid, which picked itself on the very data it is measured on.
CREATE VIEW left_of_best AS
  SELECT b.things, o.learned_with AS picked, o.seconds AS picked_seconds, o.ndcg, b.settings AS best, b.seconds AS best_seconds, b.ndcg AS best_ndcg, o.ndcg / b.ndcg AS ndcg_share,
    o.recall, r.recall AS best_recall, o.recall / r.recall AS recall_share
  FROM (SELECT DISTINCT ON (things) * FROM worth WHERE settings IS NOT NULL ORDER BY things, ndcg DESC) b
  JOIN (SELECT things, max(recall) AS recall FROM worth WHERE settings IS NOT NULL GROUP BY things) r USING (things)
  JOIN worth o ON o.things = b.things AND o.settings IS NULL;
