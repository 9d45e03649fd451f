-- reco_gather is a part of reco_refresh; by itself it is of no use, and does no harm.
\set VERBOSITY default
CREATE TABLE act AS SELECT g AS user_id, g % 7 AS item_id, now() AS occurred_at, 1::float8 AS weight FROM generate_series(1, 20000) g;
ALTER TABLE act SET (parallel_workers = 2);
ANALYZE act;

-- Without a ticket, and with what is none.
SELECT reco_gather(NULL, user_id, item_id, occurred_at, weight, true, NULL) FROM act;
SELECT reco_gather('', user_id, item_id, occurred_at, weight, true, NULL) FROM act;
SELECT reco_gather('\x0102', user_id, item_id, occurred_at, weight, true, NULL) FROM act;
SELECT reco_gather(decode(repeat('00', 20), 'hex'), user_id, item_id, occurred_at, weight, true, NULL) FROM act;
SELECT reco_gather(decode(repeat('ff', 21), 'hex'), user_id, item_id, occurred_at, weight, true, NULL) FROM act;
SELECT reco_gather('\x00', user_id, item_id, occurred_at, weight, true, NULL) OVER () FROM act;
SELECT reco_gather('\x00', user_id, item_id, occurred_at, weight, true, NULL) FROM act WHERE false;

-- In a worker, with any handle of shared memory at all.
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET parallel_leader_participation = off;
SET max_parallel_workers_per_gather = 2;
\set VERBOSITY terse
SELECT reco_gather(decode(repeat('00', 20), 'hex'), user_id, item_id, occurred_at, weight, true, NULL) FROM act;
SELECT reco_gather(decode(repeat('ab', 20), 'hex'), user_id, item_id, occurred_at, weight, true, NULL) FROM act;

-- Its parts are of no use outside of it.
SELECT reco_gather_send(NULL::internal) IS NULL, reco_gather_recv(NULL, NULL) IS NULL, reco_gather_count(NULL) IS NULL;
SELECT reco_gather_merge(NULL, NULL::internal) IS NULL;
SELECT reco_gather_row(NULL::internal, NULL, 1, 1, NULL, NULL, NULL) IS NULL;
DROP TABLE act;

-- Each process reads once, partitions or not.
CREATE TABLE act (user_id int, item_id int) PARTITION BY HASH (user_id);
CREATE TABLE act0 PARTITION OF act FOR VALUES WITH (MODULUS 2, REMAINDER 0) WITH (parallel_workers = 2);
CREATE TABLE act1 PARTITION OF act FOR VALUES WITH (MODULUS 2, REMAINDER 1) WITH (parallel_workers = 2);
INSERT INTO act SELECT g % 40000, g % 7 FROM generate_series(1, 120000) g;
ANALYZE act;
SELECT reco_create_model('gathered', 'SELECT user_id, item_id FROM act');
SELECT reco_configure('gathered', similarity => 'cosine');
SET enable_partitionwise_aggregate = on;
SELECT events, users, items FROM reco_refresh('gathered');

-- Nobody learns the ticket from the text of the query, which other sessions and functions in the view can see.
CREATE OR REPLACE VIEW gathered.events WITH (security_invoker = true) AS
  SELECT user_id, item_id / (CASE WHEN user_id = 77 THEN 0 ELSE 1 END) AS item_id FROM act;
DO $$
DECLARE
  context text;
BEGIN
  PERFORM reco_refresh('gathered');
EXCEPTION WHEN division_by_zero THEN
  GET STACKED DIAGNOSTICS context = PG_EXCEPTION_CONTEXT;
  RAISE NOTICE '%', substring(context FROM 'reco_gather\([^,]*,');
END $$;
SELECT reco_drop_model('gathered');
DROP TABLE act;
