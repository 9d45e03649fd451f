-- How good the lists are that come without any setting: reco_create_model, reco_refresh, reco_top_n_all(20), on the MovieLens
-- 1M and Amazon CDs splits of LightGCN's followers, every item ranked that is not in a user's training line. Beside them lists by
-- ridge alone and by factors, 64 as they come and 128.  The fit is what a refresh reports as seconds_learn, with as many processes
-- as max_parallel_maintenance_workers gives: for ridge counts, systems and pruning, no trials.
--
--   psql -v data=FOLDER -f bench/quality.sql     in a database with reco; FOLDER holds ml-1m and amazon-cds
--
-- Recall@20 = |list and test| / |test|; NDCG@20 with gains 0 or 1 and its ideal over min(20, |test|); means over test users.

\set QUIET 1
\set ON_ERROR_STOP 1
SET client_min_messages = warning;
SET maintenance_work_mem = '1GB';
\set reader ' | perl -lane \'my $user = shift @F; print "$user\\t$_" for @F\''
CREATE TEMP TABLE quality (data text, learned_with text, fit_seconds numeric, refresh_seconds numeric, lists_seconds numeric, recall_20 numeric, ndcg_20 numeric);

\set data_set ml-1m
\set settings 'algorithm => NULL'
\ir quality_of.sql
\set settings 'similarity => \'ridge\''
\ir quality_of.sql
\set settings 'algorithm => \'factors\''
\ir quality_of.sql
\set settings 'algorithm => \'factors\', factors => 128'
\ir quality_of.sql
\set data_set amazon-cds
\set settings 'algorithm => NULL'
\ir quality_of.sql
\set settings 'similarity => \'ridge\''
\ir quality_of.sql
\set settings 'algorithm => \'factors\''
\ir quality_of.sql
\set settings 'algorithm => \'factors\', factors => 128'
\ir quality_of.sql
TABLE quality;
