-- Watching: refreshes that run now. That they are seen from other sessions is tested in test/t/006_progress.pl.
SELECT * FROM reco_progress;
SELECT * FROM reco_progress();
-- a refresh sees itself: in the middle of reading, as often as it has read
CREATE TABLE events AS SELECT u, i FROM generate_series(1, 10) u, generate_series(1, 4) i ORDER BY u, i;
ANALYZE events;
CREATE FUNCTION look() RETURNS text LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  PERFORM pg_catalog.pg_stat_clear_snapshot();
  RETURN (SELECT pg_catalog.concat_ws(' ', p.pid = pg_catalog.pg_backend_pid(), p.database = pg_catalog.current_database(), p.model, p.phase, p.done, p.total,
                                      p.percent, p.elapsed < interval '1 hour', p.workers) FROM public.reco_progress p);
END $$;
CREATE FUNCTION note(u int) RETURNS int LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  IF u = 6 THEN RAISE NOTICE '%', public.look(); END IF;
  RETURN u;
END $$;
SELECT reco_create_model('shop', 'SELECT note(u) AS user_id, i AS item_id FROM events');
SELECT events FROM reco_refresh();
SELECT * FROM reco_progress;
-- more than the planner expects: how much there is, nobody knows
SELECT reco_drop_model('shop');
SELECT reco_create_model('shop', 'SELECT note(u) AS user_id, i AS item_id FROM events WHERE u::text LIKE ''%'' AND u + 0 = u');
SELECT events FROM reco_refresh();
-- anybody may look
CREATE ROLE reco_watcher;
SET ROLE reco_watcher;
SELECT * FROM reco_progress;
RESET ROLE;
DROP ROLE reco_watcher;
SELECT reco_drop_model('shop');
DROP TABLE events;
DROP FUNCTION note, look;
