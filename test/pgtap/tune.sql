-- tune: what is tried and reported is what settings are worth, and only what is surely better is kept.

BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;

-- Eight circles of taste of ten items, in each the first the best liked, and one choice in four from anywhere; 2,400 people.
CREATE TABLE chose AS
  SELECT u, CASE WHEN (hashint8extended(n, u + 20000) & 3) = 0 THEN (hashint8extended(n, u + 30000) & 1048575) % 80
    ELSE (u % 8) * 10 + floor(10 * power((hashint8extended(n, u) & 1048575) / 1048576.0, 1.5)) END::int AS i,
    timestamptz '2026-01-01' + (hashint8extended(n, u + 9000) & 8191) * interval '1 minute' AS t
  FROM generate_series(1, 2400) u, LATERAL generate_series(1, 5 + u % 5) n;
SELECT reco_create_model('circle', 'SELECT u AS user_id, i AS item_id, t AS occurred_at FROM chose');

-- Conditional chance, by source, one neighbour each: nearly anything is better.
SELECT reco_configure('circle', similarity => 'conditional', user_exponent => 0.1, target_exponent => 2, keep => 'source', min_support => 1, neighbors => 10);
CREATE TABLE before AS SELECT * FROM circle.model;
CREATE TABLE report AS SELECT * FROM reco_tune('circle', '60 seconds', 5, holdout => 0.25);

SELECT cmp_ok(count(*), '>', 15::bigint, 'the beginnings were tried, and steps from the best') FROM report;
SELECT is((SELECT array_agg(trial) FROM report), (SELECT array_agg(n::int) FROM generate_series(0, (SELECT count(*) FROM report) - 1) n), 'trials are numbered from 0');
SELECT results_eq('SELECT settings, gain, kept FROM report WHERE trial = 0', $$VALUES ('', NULL::float8, false)$$, 'first the present settings');
SELECT is(count(DISTINCT settings), count(*), 'nothing is tried twice') FROM report;
SELECT is(count(*), 1::bigint, 'one is kept') FROM report WHERE kept;
SELECT ok(low > 0 AND gain > low AND high > gain, 'and surely better') FROM report WHERE kept;
SELECT ok(ndcg > 1.2 * (SELECT ndcg FROM report WHERE trial = 0), 'by much') FROM report WHERE kept;

-- What was kept is in the model, and nothing else has changed.
CREATE FUNCTION pg_temp.worth(changed text) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE ndcg float8;
BEGIN
  BEGIN
    IF changed <> '' THEN
      EXECUTE 'SELECT reco_configure(''circle'', ' || changed || ')';
    END IF;
    SELECT value INTO ndcg FROM reco_evaluate('circle', 5, holdout => 0.25) WHERE algorithm = 'model' AND metric = 'ndcg';
    RAISE EXCEPTION 'undo' USING ERRCODE = 'UND01';
  EXCEPTION WHEN SQLSTATE 'UND01' THEN
    RETURN ndcg;
  END;
END $$;
SELECT is(pg_temp.worth(''), (SELECT ndcg FROM report WHERE kept), 'the model is now worth what the report says');
SELECT is_empty($$
  SELECT key FROM before b, circle.model m, jsonb_each(to_jsonb(m)) n JOIN jsonb_each(to_jsonb(b)) o USING (key)
  WHERE n.value IS DISTINCT FROM o.value
    AND key NOT IN ('similarity', 'user_exponent', 'source_exponent', 'target_exponent', 'shrinkage', 'lambda', 'keep', 'half_life')$$,
  'what decides about cost and display is as it was');

-- From the settings as they were, every trial is worth what reco_evaluate says of what it changes.
UPDATE circle.model m SET similarity = b.similarity, user_exponent = b.user_exponent, source_exponent = b.source_exponent,
  target_exponent = b.target_exponent, shrinkage = b.shrinkage, lambda = b.lambda, keep = b.keep, half_life = b.half_life
FROM before b;
SELECT is(pg_temp.worth(settings), ndcg, 'trial ' || trial || ' is worth the same to reco_evaluate: ' || settings)
FROM report WHERE trial < 15 OR kept OR settings ~ 'half_life|weighting';

-- Once tuned there is nothing to gain but noise, which is not kept.
SELECT reco_configure('circle', similarity => 'ridge', user_exponent => 0.33, source_exponent => 0.65, target_exponent => 0.2, neighbors => 100);
CREATE TABLE again AS SELECT * FROM reco_tune('circle', '60 seconds', 5, holdout => 0.25);
SELECT ok(NOT kept OR low > 0, 'only what is surely better') FROM again WHERE gain IS NOT NULL LIMIT 3;
SELECT is(count(*) FILTER (WHERE kept) > 0, bool_or(kept AND low > 0), 'never on a mere average') FROM again;

-- No time but for the present settings.
SELECT results_eq($$SELECT trial, kept FROM reco_tune('circle', '1 microsecond', 5)$$, 'VALUES (0, false)', 'the present settings are always measured');
-- No longer than asked for, give or take a trial.
CREATE TABLE clock AS SELECT clock_timestamp() AS at;
SELECT cmp_ok(count(*), '>=', 1::bigint, 'half a second') FROM reco_tune('circle', '0.5 seconds', 5);
SELECT cmp_ok(clock_timestamp() - at, '<', interval '5 seconds', 'is about that') FROM clock;

-- Without times: users are held out, and half-lives are not tried.
CREATE TABLE undated AS SELECT u, i FROM chose;
SELECT reco_create_model('undated', 'SELECT u AS user_id, i AS item_id FROM undated');
CREATE TABLE undated_report AS SELECT * FROM reco_tune('undated', '10 seconds');
SELECT is(max(users), 240::bigint, 'a tenth is held out') FROM undated_report;
SELECT is_empty($$SELECT * FROM undated_report WHERE settings ~ 'half_life'$$, 'nothing to forget by');

-- From a half-life, whichever it is, the next that are tried are the nearest on either side of 540, 180, 60, 20 and 7 days, and none.
CREATE TABLE dated AS SELECT u, (u * 7 + n * 3) % 12 AS i, '2026-01-01'::timestamptz + (u * 13 + n * 29) % 600 * interval '1 hour' AS at FROM generate_series(1, 40) u, generate_series(1, 6) n;
SELECT reco_create_model('dated', 'SELECT u AS user_id, i AS item_id, at AS occurred_at FROM dated');
CREATE FUNCTION pg_temp.next_half_lives(half_life interval) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM reco_configure('dated', similarity => 'cosine', half_life => next_half_lives.half_life, shrinkage => 0, recency => 1);
  RETURN (SELECT string_agg(settings, ', ' ORDER BY trial) FROM reco_tune('dated', '20 seconds', 5) WHERE settings ~ '^half_life[^,]*$');
END $$;
SELECT is(pg_temp.next_half_lives(half_life::interval), tried, 'from ' || half_life) FROM (VALUES ('0', $$half_life => '540 days'$$), ('540 days', $$half_life => '180 days', half_life => '0 days'$$),
  ('100 days', $$half_life => '60 days', half_life => '180 days'$$), ('3 days', $$half_life => '7 days'$$)) v(half_life, tried);

-- Nothing to measure on.
TRUNCATE chose;
SELECT is_empty($$SELECT * FROM reco_tune('circle', '1 second')$$, 'no events, no trials');
INSERT INTO chose VALUES (1, 1, '2026-01-01'), (1, 2, '2026-01-02'), (2, 1, '2026-01-01'), (2, 2, '2026-01-02');
SELECT ok(bool_and(NOT kept AND ndcg = 0 AND users = 2), 'two users: numbers, but nothing is kept') FROM reco_tune('circle', '1 second', 5, holdout => 0.5);

SELECT * FROM finish();
ROLLBACK;
