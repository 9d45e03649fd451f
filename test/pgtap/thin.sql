-- Thin and odd data: whatever is learned by, a refresh, its lists and what is measured are an answer or a clear message, never
-- NaN; and what is measured in little memory is measured, or says what to set.
BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = error;
SET LOCAL timezone = 'UTC';

CREATE TABLE odd (kind text, u int, i int, t timestamptz, w float8 DEFAULT 1, s text DEFAULT 'buy');
INSERT INTO odd (kind, u, i, t, w) VALUES ('one event', 1, 1, '2026-01-01', 1);
INSERT INTO odd (kind, u, i, t) SELECT 'one user', 1, i, '2026-01-01'::timestamptz + i * interval '1 day' FROM generate_series(1, 30) i;
INSERT INTO odd (kind, u, i, t) SELECT 'one item', u, 1, '2026-01-01'::timestamptz + u * interval '1 hour' FROM generate_series(1, 300) u;
INSERT INTO odd (kind, u, i, t) SELECT 'duplicates', u, 1 + u % 2, '2026-01-01' FROM generate_series(1, 60) u, generate_series(1, 20);
-- Everybody has everything: every system is singular but for its ridge, and nothing is left to list or to hold out as new.
INSERT INTO odd (kind, u, i, t) SELECT 'everything', u, i, '2026-01-01'::timestamptz + (u * 7 + i) % 50 * interval '1 day' FROM generate_series(1, 300) u, generate_series(1, 12) i;
INSERT INTO odd (kind, u, i, t, w) SELECT 'constant', u, 1 + (u * 7 + n * n) % 40, '2026-01-01'::timestamptz + n * interval '1 day', 7 FROM generate_series(1, 300) u, generate_series(1, 6) n;
INSERT INTO odd (kind, u, i, t, w) SELECT 'negative', u, 1 + (u * 7 + n * n) % 40, '2026-01-01'::timestamptz + n * interval '1 day', -1 FROM generate_series(1, 300) u, generate_series(1, 6) n;
INSERT INTO odd (kind, u, i, t, w) SELECT 'half negative', u, 1 + (u * 7 + n * n) % 40, '2026-01-01'::timestamptz + n * interval '1 day', 1 - 2 * (u % 2) FROM generate_series(1, 300) u, generate_series(1, 6) n;
INSERT INTO odd (kind, u, i, t, w) SELECT 'huge', u, 1 + (u * 7 + n * n) % 40, '2026-01-01'::timestamptz + n * interval '1 day', CASE n % 3 WHEN 0 THEN 3e38 WHEN 1 THEN 1e-38 ELSE 1 END FROM generate_series(1, 300) u, generate_series(1, 6) n;
INSERT INTO odd (kind, u, i, t) SELECT 'one time', u, 1 + (u * 7 + n * n) % 40, '2026-01-01' FROM generate_series(1, 300) u, generate_series(1, 6) n;
INSERT INTO odd (kind, u, i, t, w) SELECT 'shown', u, 1 + (u * 7 + n * n) % 40, '2026-01-01'::timestamptz + n * interval '1 day', 0 FROM generate_series(1, 300) u, generate_series(1, 6) n;
INSERT INTO odd (kind, u, i, t) SELECT 'pairs apart', u, 2 * (u % 200) + n, '2026-01-01'::timestamptz + n * interval '1 day' FROM generate_series(1, 400) u, generate_series(0, 1) n;
UPDATE odd SET s = 'view' WHERE (u + i) % 3 = 0;

CREATE TABLE kinds AS SELECT DISTINCT kind FROM odd UNION SELECT 'nothing';
SELECT reco_create_model(replace(kind, ' ', '_'), format('SELECT u AS user_id, i AS item_id, t AS occurred_at, w AS weight, s AS signal FROM public.odd WHERE kind = %L', kind)) FROM kinds;

/* What is wrong with a model once it is refreshed by some settings: a list too long or with NaN, a measure out of its range; NULL for nothing. */
CREATE FUNCTION pg_temp.wrong(model text, settings text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE found text; split text;
BEGIN
  EXECUTE format('SELECT reco_configure(%L, algorithm => ''neighbors'', target_signal => '''', factors => 4); SELECT reco_configure(%1$L, %s)', model, settings);
  PERFORM reco_refresh(model);
  SELECT format('list of user %s: %s %s', user_id, score, match) INTO found FROM reco_top_n_all(50, model)
    WHERE score = 'NaN' OR abs(score) = 'Infinity' OR match NOT BETWEEN 0 AND 100 OR rank > 50 OR source IS NULL LIMIT 1;
  IF found IS NOT NULL THEN RETURN found; END IF;
  EXECUTE format('SELECT format(''%%s like %%s: %%s'', item_id, similar_item_id, similarity) FROM %I.similar WHERE similarity = ''NaN'' OR abs(similarity) = ''Infinity'' LIMIT 1', model) INTO found;
  IF found IS NOT NULL THEN RETURN found; END IF;
  FOREACH split IN ARRAY ARRAY['time', 'leave_last_out', 'users'] LOOP
    SELECT format('%s: %s of %s is %s (%s to %s)', split, metric, algorithm, value, low, high) INTO found FROM reco_evaluate(model, 500, split)
      WHERE value = 'NaN' OR low = 'NaN' OR high = 'NaN' OR value < 0 OR low > value OR high < value
        OR value > 1 AND metric NOT IN ('novelty', 'popularity_bias') OR value = 'Infinity' LIMIT 1;
    IF found IS NOT NULL THEN RETURN found; END IF;
  END LOOP;
  SELECT format('trial %s: %s', trial, ndcg) INTO found FROM reco_tune(model, '1 millisecond', 500) WHERE ndcg = 'NaN' OR ndcg NOT BETWEEN 0 AND 1 LIMIT 1;
  IF found IS NOT NULL THEN RETURN found; END IF;
  SELECT format('estimate: %s', e) INTO found FROM reco_estimate(model) e WHERE e::text ~ 'NaN|Inf' LIMIT 1;
  RETURN found;
END $$;
SELECT is(pg_temp.wrong(replace(kind, ' ', '_'), settings), NULL, kind || ', ' || settings)
FROM kinds, unnest(ARRAY['similarity => ''auto''', 'similarity => ''cooccurrence''', 'similarity => ''ridge'', lambda => 0.001', 'similarity => ''next''',
  'similarity => ''llr''', 'similarity => ''bm25''', 'algorithm => ''factors''', 'similarity => ''auto'', target_signal => ''buy''']) settings
WHERE NOT (kind IN ('nothing', 'one event') AND settings LIKE '%target%');
-- No event need have the target, once it was one.
SELECT throws_ok($$SELECT reco_configure('one_event', target_signal => 'view')$$, '22023', 'no event of model "one_event" has the signal "view"', 'a target that no event has');

/* A list is no longer than what there is, however long it is wanted. */
SELECT reco_configure('constant', similarity => 'ridge') \g /dev/null
SELECT is((SELECT count(*) FROM reco_refresh('constant')), 1::bigint, 'refreshed');
SELECT is((SELECT count(*) FROM reco_top_n(5, 10000, 'constant')), (SELECT count(DISTINCT i) FROM odd o WHERE kind = 'constant' AND NOT EXISTS (SELECT FROM odd h WHERE (h.kind, h.u, h.i) = ('constant', 5, o.i))),
  'k beyond the catalogue: all that the user does not have');

/*
 * In little memory.  A refresh of next and of factors needs its cells at once, and says so; so does what is measured, which keeps
 * all in memory.  What fits is measured as it is with more.
 */
CREATE TABLE many AS SELECT u, (u * 31 + n * n * 17 + n * (u % 13)) % 900 AS i, '2026-01-01'::timestamptz + (n * 24 + u % 24) * interval '1 hour' AS t FROM generate_series(1, 6000) u, generate_series(1, 40) n;
SELECT reco_create_model('many', 'SELECT u AS user_id, i AS item_id, t AS occurred_at FROM public.many');
CREATE FUNCTION pg_temp.in_memory(settings text, memory text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE answer text; hint text;
BEGIN
  EXECUTE format('SELECT reco_configure(''many'', algorithm => ''neighbors'', factors => 4, candidates => 20); SELECT reco_configure(''many'', %s)', settings);
  PERFORM set_config('maintenance_work_mem', memory, true);
  SELECT string_agg(round(value::numeric, 9)::text, ' ' ORDER BY algorithm, metric) INTO answer FROM reco_evaluate('many', 10) WHERE metric IN ('ndcg', 'coverage');
  PERFORM set_config('maintenance_work_mem', '256MB', true);
  RETURN answer;
EXCEPTION WHEN out_of_memory THEN
  GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
  RETURN 'out of memory: ' || SQLERRM || ' | ' || hint;
END $$;
SELECT alike(pg_temp.in_memory(settings, '1MB'), 'out of memory: evaluation of model "many" needs more memory than maintenance_work_mem allows | %maintenance_work_mem%', settings || ', measured in 1 MB: what to set')
FROM unnest(ARRAY['similarity => ''cooccurrence''', 'similarity => ''next''', 'similarity => ''ridge''', 'algorithm => ''factors''']) settings;
SELECT is(pg_temp.in_memory(settings, '16MB'), pg_temp.in_memory(settings, '256MB'), settings || ', measured in 16 MB: the same')
FROM unnest(ARRAY['similarity => ''cooccurrence''', 'similarity => ''next''', 'similarity => ''ridge''', 'algorithm => ''factors''']) settings;

SELECT * FROM finish();
ROLLBACK;
