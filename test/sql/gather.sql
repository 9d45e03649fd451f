-- reco_gather is a part of reco_refresh; by itself it is of no use, and does no harm.
\set VERBOSITY default
CREATE TABLE act AS SELECT g AS user_id, g % 7 AS item_id, now() AS occurred_at, 1::float8 AS weight FROM generate_series(1, 20000) g;
ALTER TABLE act SET (parallel_workers = 2);
ANALYZE act;

-- Without a ticket, and with what is none.
SELECT reco_gather(NULL, user_id, item_id, occurred_at, weight) FROM act;
SELECT reco_gather('', user_id, item_id, occurred_at, weight) FROM act;
SELECT reco_gather('\x0102', user_id, item_id, occurred_at, weight) FROM act;
SELECT reco_gather(decode(repeat('00', 20), 'hex'), user_id, item_id, occurred_at, weight) FROM act;
SELECT reco_gather(decode(repeat('ff', 21), 'hex'), user_id, item_id, occurred_at, weight) FROM act;
SELECT reco_gather('\x00', user_id, item_id, occurred_at, weight) OVER () FROM act;
SELECT reco_gather('\x00', user_id, item_id, occurred_at, weight) FROM act WHERE false;

-- In a worker, with any handle of shared memory at all.
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET parallel_leader_participation = off;
SET max_parallel_workers_per_gather = 2;
\set VERBOSITY terse
SELECT reco_gather(decode(repeat('00', 20), 'hex'), user_id, item_id, occurred_at, weight) FROM act;
SELECT reco_gather(decode(repeat('ab', 20), 'hex'), user_id, item_id, occurred_at, weight) FROM act;

-- Its parts are of no use outside of it.
SELECT reco_gather_send(NULL::internal) IS NULL, reco_gather_recv(NULL, NULL) IS NULL, reco_gather_count(NULL) IS NULL;
SELECT reco_gather_merge(NULL, NULL::internal) IS NULL;
SELECT reco_gather_row(NULL::internal, NULL, 1, 1, NULL, NULL) IS NULL;
DROP TABLE act;
