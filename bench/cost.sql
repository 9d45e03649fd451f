-- What a refresh was expected to take and what it took, phase by phase, for every model of this database: what the
-- constants in src/math/cost.c are measured with. Run it twice, the first time warms the caches:
--
--   psql -d DATABASE -f bench/cost.sql
--
-- A ratio of 2 says that the constant behind a phase is half of what it should be.
SET maintenance_work_mem = '4GB';
SET client_min_messages = warning;
SET max_parallel_maintenance_workers = 0;
\timing off
CREATE TEMP TABLE looked AS
  SELECT m.model, e.*, clock_timestamp() AS at FROM reco_models() m, reco_estimate(m.model) e LIMIT 0;
CREATE TEMP TABLE did AS SELECT m.model, r.* FROM reco_models() m, reco_refresh(m.model) r LIMIT 0;
CREATE TEMP TABLE took (model text, seconds float8);
DO $$
DECLARE name text; began timestamptz;
BEGIN
  FOR name IN SELECT model FROM reco_models() ORDER BY model LOOP
    began := clock_timestamp();
    INSERT INTO looked SELECT name, e.*, began FROM reco_estimate(name) e;
    INSERT INTO took VALUES (name, extract(epoch FROM clock_timestamp() - began));
    -- a refresh that has everything to write
    EXECUTE format('DELETE FROM %I.learned_item', name);
    INSERT INTO did SELECT name, r.* FROM reco_refresh(name) r;
  END LOOP;
END $$;
SELECT model, what, to_char(expected, 'FM999,999,999,990.099') AS expected, to_char(actual, 'FM999,999,999,990.099') AS actual,
       round((actual / nullif(expected, 0))::numeric, 2) AS ratio
FROM looked l JOIN did d USING (model) JOIN took t USING (model), LATERAL (VALUES
  (1, 'events', l.events, d.events), (2, 'users', l.users, d.users), (3, 'items', l.items, d.items),
  (4, 'pairs', l.pairs, NULL), (0, 'share read', l.share_read, NULL), (5, 'neighbor pairs', l.neighbor_pairs, d.neighbor_pairs), (6, 'peak memory', l.peak_memory, d.peak_memory),
  (7, 'read', l.seconds_read, d.seconds_read), (8, 'encode', l.seconds_encode, d.seconds_encode), (9, 'learn', l.seconds_learn, d.seconds_learn),
  (10, 'curve', l.seconds_curve, d.seconds_curve), (11, 'write', l.seconds_write, d.seconds_write),
  (12, 'all', l.seconds_total, d.seconds_total), (13, 'the estimate itself, of all', d.seconds_total, t.seconds)
  ) v(place, what, expected, actual)
ORDER BY model, place;
DROP TABLE looked, did, took;
