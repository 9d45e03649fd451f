-- Erasure: what is held of a person, where traces are, and that they go.
CREATE TABLE act (u int, i text, at timestamptz, place text);
INSERT INTO act SELECT u, i, '2026-01-01'::timestamptz + u * interval '1 hour', 'here' FROM generate_series(1, 4) u, unnest('{a,b}'::text[]) i;
CREATE TABLE person (u int, name text, yes boolean);
INSERT INTO person VALUES (1, 'Ann', true), (2, 'Bob', true), (3, 'Cem', true), (4, 'Dora', false);
SELECT reco_create_model('shop', 'SELECT u AS user_id, i AS item_id, at AS occurred_at, place FROM act', users => 'SELECT u AS user_id, name, yes AS consent FROM person');
SELECT reco_configure('shop', similarity => 'cosine');
SET timezone = 'UTC';

-- never refreshed: the rows of the owner's queries
SELECT * FROM shop.disclose(1);
SELECT * FROM shop.traces(1);
SELECT events, skipped_no_consent FROM reco_refresh('shop');
SELECT place, item_id, detail - 'similarity' AS detail FROM shop.disclose(1);
SELECT place, traces, hint FROM shop.traces(1);
-- 4 did not say yes: the model has their events, but did not learn from them
SELECT place, item_id, detail FROM shop.disclose(4);
SELECT * FROM shop.traces(4);

-- the events come first
SELECT * FROM shop.forget(1);
BEGIN;
DELETE FROM act WHERE u = 1;
SELECT * FROM shop.traces(1);
SELECT rows_written, seconds > 0 AS took FROM shop.forget(1);
SELECT * FROM shop.traces(1);
SELECT item_id, events, users FROM shop.learned_item ORDER BY 1;
SELECT item_id, similar_item_id, support FROM shop.similar ORDER BY 1;
ROLLBACK;
-- the same in words: undone, it is as it was
SELECT item_id, events, users FROM shop.learned_item ORDER BY 1;
-- or consent goes
UPDATE person SET yes = false WHERE u = 1;
SELECT rows_written FROM shop.forget(1);
SELECT * FROM shop.traces(1);
SELECT place, item_id FROM shop.disclose(1);
-- somebody nobody knows: the model is learned anew, from nothing
SELECT rows_written FROM shop.forget(99);
SELECT * FROM shop.traces(99);
SELECT * FROM shop.disclose(99);

-- the log of lists served has rows of users, which go
SELECT reco_create_log('shop');
SELECT count(*) FROM shop.serve(8, 5);
SELECT count(*) FROM shop.serve(9, 5);
SELECT place, item_id, detail - 'score' - 'match' - 'served_at' AS detail FROM shop.disclose(9) WHERE place = 'served';
SELECT place, hint FROM shop.traces(9);
SELECT rows_written FROM shop.forget(9);
SELECT place FROM shop.traces(9);
SELECT DISTINCT user_id FROM shop.served ORDER BY 1;
-- who, and whose
SELECT * FROM shop.forget(NULL);
SELECT * FROM shop.traces(NULL);
SELECT * FROM shop.disclose(NULL);
SELECT * FROM reco_forget(1, 'nowhere');
SELECT * FROM reco_forget('Ann'::text, 'shop');
SELECT * FROM reco_disclose(1::bigint, 'shop');
SELECT * FROM reco_traces(1, 'shop');
SELECT rows_written FROM reco_typed_forget(1::smallint, 'shop.model');
SELECT place, item_id FROM reco_typed_disclose(1::bigint, 'shop.model') AS t(place text, item_id text, detail jsonb);
SELECT * FROM reco_typed_disclose(1, 'shop.model') AS t(place text, item_id int, detail jsonb);
BEGIN READ ONLY;
SELECT * FROM shop.forget(1);
ROLLBACK;
BEGIN READ ONLY;
SELECT place, item_id FROM shop.disclose(1);
SELECT place, traces FROM shop.traces(2);
COMMIT;
-- only the owner, and as the owner
CREATE ROLE regress_reader;
GRANT USAGE ON SCHEMA shop TO regress_reader;
GRANT SELECT ON act, person TO regress_reader;
SET ROLE regress_reader;
SELECT * FROM shop.forget(1);
SELECT * FROM shop.traces(2);
SELECT * FROM shop.disclose(2);
RESET ROLE;
DROP OWNED BY regress_reader;
DROP ROLE regress_reader;
SELECT reco_drop_model('shop');

-- ids of other types
SELECT reco_create_model('texts', 'SELECT i AS user_id, u::text AS item_id FROM act');
SELECT events FROM reco_refresh('texts');
SELECT place, item_id, detail - 'similarity' AS detail FROM reco_disclose('a'::text, 'texts');
SELECT place, traces FROM reco_traces('a'::text, 'texts');
DELETE FROM act WHERE i = 'a';
SELECT rows_written FROM reco_forget('a'::text, 'texts');
SELECT place, traces FROM reco_traces('a'::text, 'texts');
SELECT reco_drop_model('texts');
SELECT reco_create_model('keys', 'SELECT (''00000000-0000-0000-0000-00000000000'' || u)::uuid AS user_id, (''00000000-0000-0000-0000-00000000000'' || u)::uuid AS item_id FROM act');
SELECT events FROM reco_refresh('keys');
SELECT place, item_id FROM reco_disclose('00000000-0000-0000-0000-000000000002'::uuid, 'keys');
SELECT place, traces FROM reco_traces('00000000-0000-0000-0000-000000000002'::uuid, 'keys');
DELETE FROM act WHERE u = 2;
SELECT rows_written FROM reco_forget('00000000-0000-0000-0000-000000000002'::uuid, 'keys');
SELECT place, traces FROM reco_traces('00000000-0000-0000-0000-000000000002'::uuid, 'keys');
SELECT reco_drop_model('keys');
DROP TABLE act, person;
