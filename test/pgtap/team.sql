-- What several processes learn is what one learns, byte for byte: of 135,000 events, from 100,000 cells on others help.  Whether they
-- come, and how many, is for test/t/007_parallel.pl to see.
BEGIN;
SELECT plan(11);

CREATE TABLE visits WITH (parallel_workers = 2) AS
  SELECT u, floor(2000 * power((hashint8extended(n, u) & 1048575) / 1048576.0, 2))::int AS i, (1 + n % 3)::float8 AS w,
    timestamptz '2026-01-01' + n / 2 * interval '1 hour' AS t
  FROM generate_series(1, 3000) u, generate_series(1, 45) n;
ANALYZE visits;
CREATE TABLE kind (model text, settings text);
INSERT INTO kind VALUES
  ('ridge', $$similarity => 'ridge', candidates => 40, algorithm => 'neighbors'$$),
  ('counts', $$similarity => 'cosine', weighting => 'binary', keep => 'source', neighbors => 5, min_support => 1, algorithm => 'neighbors'$$),
  ('pairs', $$similarity => 'cooccurrence', neighbors => 12, algorithm => 'neighbors'$$),
  ('next', $$similarity => 'next', algorithm => 'neighbors'$$),
  ('factors', $$algorithm => 'factors', factors => 6, iterations => 2$$);
SELECT reco_create_model(model, 'SELECT u AS user_id, i AS item_id, w AS weight, t AS occurred_at FROM visits') FROM kind;

-- Learns from nothing by so many helpers; returns how many items were learned, and all of it in one number.
CREATE FUNCTION pg_temp.learned(model text, workers int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  said text;
BEGIN
  PERFORM set_config('max_parallel_maintenance_workers', workers::text, true);
  EXECUTE format('TRUNCATE %I.learned_item', model);
  PERFORM reco_refresh(model);
  EXECUTE format($q$SELECT count(*) || ' ' || md5(string_agg(l::text, ' ' ORDER BY item_id)
      || coalesce((SELECT string_agg(f::text, ' ' ORDER BY item_id) FROM %1$I.item_factor f), '')) FROM %1$I.learned_item l$q$, model) INTO said;
  RETURN said;
END $$;
DO $$
DECLARE
  k kind;
BEGIN
  FOR k IN SELECT * FROM kind LOOP
    EXECUTE format('SELECT reco_configure(%L, %s)', k.model, k.settings);
  END LOOP;
END $$;
CREATE TABLE alone AS SELECT model, pg_temp.learned(model, 0) AS said FROM kind;
SELECT matches(said, '^[12]\d{3} [0-9a-f]{32}$', model || ': there is something to compare') FROM alone ORDER BY model;
SELECT is(pg_temp.learned(model, 2), said, model || ': three processes learn what one does') FROM alone ORDER BY model;
-- With less memory ridge lays its systems down in a file, which they deal out together.
SET LOCAL maintenance_work_mem = '15MB';
SELECT is(pg_temp.learned(model, 2), said, 'ridge, 15 MB: the same') FROM alone WHERE model = 'ridge';
SELECT * FROM finish();
ROLLBACK;
