-- What comes without any setting, beside the best of many that somebody might try: on data that neither has seen, at least 97 % of its
-- NDCG, and of recall as much of the greatest on the orders, .92 on the films.
-- The wholesaler's orders by time, and everybody's newest films.  The variable data names the folder with online_retail.csv.xz and
-- ml-latest-small/ratings.csv.xz; bench/tuned.sql asks the same of larger sets.

SET client_min_messages = warning;
SET maintenance_work_mem = '512MB';
SET timezone = 'UTC';

\set there `test -r :'data'/online_retail.csv.xz -a -r :'data'/ml-latest-small/ratings.csv.xz && echo yes || echo no`
\if :there
\else
\echo 1..0 # SKIP no online_retail.csv.xz and ml-latest-small/ratings.csv.xz in :data
\quit
\endif

\ir read/orders.sql
\ir read/films.sql
\ir read/later.sql
\ir read/grid.sql

SELECT plan(8);
SELECT try_settings(things, settings) FROM unnest('{gifts,films}'::text[]) things, (SELECT settings FROM grid UNION ALL SELECT NULL) s \g /dev/null
SELECT diag(format('%s, %s: NDCG@20 %s, Recall@20 %s', things, coalesce(settings, 'no settings: ' || learned_with), round(ndcg::numeric, 4), round(recall::numeric, 4))) FROM worth ORDER BY things, ndcg DESC;
SELECT diag(format('%s: %s of the best NDCG@20, %s of the best Recall@20', things, round(ndcg_share::numeric, 3), round(recall_share::numeric, 3))) FROM left_of_best;
SELECT cmp_ok(count(*), '>', 1000::bigint, 'there is something to find') FROM gifts_future;
SELECT cmp_ok(count(*), '>', 1000::bigint, 'of films, too') FROM films_future;
SELECT cmp_ok(ndcg_share, '>=', 0.97::float8, things || ': nearly the best NDCG without any setting') FROM left_of_best ORDER BY things;
-- The greatest recall of the grid need not be that of the best settings.
SELECT cmp_ok(recall_share, '>=', 0.97::float8, things || ': and nearly the greatest Recall of any of them') FROM left_of_best WHERE things = 'gifts';
SELECT cmp_ok(recall_share, '>=', 0.92::float8, things || ': not far from it') FROM left_of_best WHERE things = 'films';
-- And what was tried before took no more work than a fit.
SELECT cmp_ok(trials_share, '<=', 1::float8, things || ': trials are within the work of one fit') FROM worth WHERE settings IS NULL ORDER BY things;
SELECT diag(format('%s: trials took %s of a fit', things, round(trials_share::numeric, 3))) FROM worth WHERE settings IS NULL ORDER BY things;
SELECT * FROM finish();
