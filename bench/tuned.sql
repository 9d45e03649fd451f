-- What comes without any setting beside the best of many settings, and beside what reco_tune finds in a given time: on data that none of
-- them has seen. The published splits of MovieLens 1M and Amazon CDs, a wholesaler's orders by time, everybody's newest films of
-- MovieLens latest-small.
--
--   psql -v data=FOLDER -f bench/tuned.sql       in a database with reco; FOLDER holds ml-1m, amazon-cds, ml-latest-small and
--                                                online_retail.csv.xz
--
-- The best of the grid has picked itself on the data it is measured on: nobody could have known it. Some twenty refreshes a set.

\set QUIET 1
\set ON_ERROR_STOP 1
SET client_min_messages = warning;
SET maintenance_work_mem = '1GB';
SET timezone = 'UTC';
\if :{?tuning}
\else
\set tuning '1 minute'
\endif

\ir ../test/real/read/orders.sql
\ir ../test/real/read/films.sql
\ir ../test/real/read/later.sql
\set split ml-1m
\set train movies_past
\set test movies_future
\ir ../test/real/read/split.sql
\set split amazon-cds
\set train discs_past
\set test discs_future
\ir ../test/real/read/split.sql
\ir ../test/real/read/grid.sql
CREATE TABLE things (place int, things text, timed bool);
INSERT INTO things VALUES (1, 'films', true), (2, 'gifts', true), (3, 'movies', false), (4, 'discs', false);
SELECT format('SELECT try_settings(%L, %L)', things, settings) FROM things t, (TABLE grid UNION ALL SELECT NULL, false) g
WHERE t.timed OR NOT g.timed ORDER BY place, settings NULLS FIRST \gexec

-- What reco_tune keeps, of a model that had ridge before.
CREATE TABLE tuned (things text, settings text);
CREATE PROCEDURE tune(things text, budget interval) LANGUAGE plpgsql AS $$
BEGIN
  PERFORM reco_create_model('tried', format('SELECT * FROM public.%I', things || '_past'));
  PERFORM reco_refresh('tried');
  INSERT INTO tuned SELECT things, t.settings FROM reco_tune('tried', budget) t WHERE kept;
  PERFORM reco_drop_model('tried');
END $$;
SELECT format('CALL tune(%L, %L)', things, :'tuning') FROM things ORDER BY place \gexec
SELECT format('SELECT try_settings(%L, %L)', things, settings) FROM tuned \gexec

\pset format aligned
SELECT things, round(ndcg::numeric, 4) AS ndcg_20, round(best_ndcg::numeric, 4) AS best, round(ndcg_share::numeric, 3) AS share,
  round(recall::numeric, 4) AS recall_20, round(best_recall::numeric, 4) AS best_recall, round(recall_share::numeric, 3) AS recall_share, picked, best AS best_settings,
  round(picked_seconds::numeric, 1) AS seconds, round(best_seconds::numeric, 1) AS best_seconds
FROM left_of_best ORDER BY things;
TABLE tuned;
SELECT things, coalesce(settings, 'no settings: ' || learned_with) AS settings, round(seconds::numeric, 1) AS seconds, round(recall::numeric, 4) AS recall_20, round(ndcg::numeric, 4) AS ndcg_20
FROM worth ORDER BY things, ndcg DESC;
