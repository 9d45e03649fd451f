-- What the tests of learned rankings begin with: lots that fall the same everywhere, and models that all score alike.

BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;
SET LOCAL timezone = 'UTC';
SET LOCAL max_parallel_maintenance_workers = 0;

-- From 0 to below 1, by three numbers.
CREATE FUNCTION pg_temp.lot(a int, b int, c int) RETURNS float8 LANGUAGE sql IMMUTABLE AS
  $$SELECT ('x' || substr(md5(a || '.' || b || '.' || c), 1, 8))::bit(32)::bigint / 4294967296.0$$;

-- Has a model score by cosine, with no setting left to be picked.
CREATE FUNCTION pg_temp.refresh_by_cosine(name text, neighbors int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM reco_configure(name, similarity => 'cosine', keep => 'source', weighting => 'binary', neighbors => neighbors);
  PERFORM reco_refresh(name);
END $$;
