--
-- straight: histories read straight from an index, where a plan is no more than that; the same as by the executor
--
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SET jit = off;
CREATE TABLE event (note text, gone int, user_id int, item_id int, at timestamptz, weight real, kind text, who text COLLATE "C", what varchar(20));
ALTER TABLE event DROP COLUMN gone;
INSERT INTO event
  SELECT repeat('x', u % 7), u, CASE WHEN (u + i) % 23 <> 0 THEN i END, timestamptz '2024-01-01 00:00+00' + (u * i % 97) * interval '1 hour',
    CASE WHEN (u * i) % 31 <> 0 THEN 1 + (u + i) % 3 END, CASE WHEN i % 4 = 0 THEN 'view' ELSE 'buy' END, 'user ' || u, 'item ' || i
  FROM generate_series(1, 40) u, generate_series(1, 60) i WHERE (u * 7 + i * 13) % 11 < 3 OR u % 5 = i % 5;
CREATE VIEW twice AS SELECT * FROM event UNION ALL SELECT * FROM event WHERE weight > 2;

-- Models of every shape.
CREATE FUNCTION add_model(name text, events text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM reco_create_model(name, events);
  PERFORM reco_configure(name, similarity => 'cooccurrence', min_support => 1, min_match => 0);
  PERFORM reco_refresh(name);
END $$;
SELECT add_model('plain', 'SELECT user_id, item_id, at AS occurred_at, weight FROM public.event');
SELECT add_model('texts', 'SELECT who AS user_id, what AS item_id, at AS occurred_at FROM public.event');
SELECT add_model('fixed', $$SELECT user_id, item_id, 2 AS weight, 'seen' AS signal FROM public.event$$);
SELECT add_model('kinds', $$SELECT user_id, item_id, at AS occurred_at, weight FROM public.event WHERE kind = 'buy'$$);
SELECT add_model('computed', 'SELECT user_id, item_id + 0 AS item_id FROM public.event');
SELECT add_model('filtered', 'SELECT user_id, item_id FROM public.event WHERE weight > 1');
SELECT add_model('joined', 'SELECT user_id, item_id FROM public.twice');

-- Which way the history of a model is read, and whether lists are those of plans made for one user, which the executor runs.
CREATE FUNCTION lists(model text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE answer text;
BEGIN
  EXECUTE format('SELECT md5(string_agg((u.user_id, t)::text, '','' ORDER BY u.user_id, n)) FROM (SELECT DISTINCT user_id FROM %I.events) u, LATERAL %I.top_n(u.user_id, 20) WITH ORDINALITY AS t(item_id, score, match, because, source, n)', model, model) INTO answer;
  RETURN answer;
END $$;
CREATE FUNCTION executed(model text) RETURNS text LANGUAGE sql SET plan_cache_mode = force_custom_plan AS 'SELECT lists(model)';
CREATE FUNCTION same(VARIADIC models text[]) RETURNS TABLE (model text, same boolean) LANGUAGE plpgsql AS $$
BEGIN
  FOREACH model IN ARRAY models LOOP
    same := lists(model) = executed(model);
    SET LOCAL client_min_messages = debug1;
    EXECUTE format('SELECT count(*) FROM (SELECT user_id FROM %I.events LIMIT 1) e, LATERAL %I.top_n(e.user_id, 1)', model, model);
    SET LOCAL client_min_messages = notice;
    RETURN NEXT;
  END LOOP;
END $$;

-- From an index that has all columns, with pages that the visibility map vouches for, and without.
CREATE INDEX covering ON event (user_id) INCLUDE (item_id, at, weight);
SELECT * FROM same('plain');
VACUUM event;
SELECT * FROM same('plain', 'computed', 'filtered', 'joined');
BEGIN;
DELETE FROM event WHERE item_id % 7 = 0;
UPDATE event SET weight = 5 WHERE item_id % 5 = 0;
INSERT INTO event (user_id, item_id, at, weight) SELECT 3, i, '2024-02-01 00:00+00', 4 FROM generate_series(1, 50) i;
SELECT * FROM same('plain');
SAVEPOINT before;
DELETE FROM event WHERE user_id = 3;
SELECT * FROM same('plain');
ROLLBACK TO before;
SELECT * FROM same('plain');
ROLLBACK;
SELECT * FROM same('plain');

-- A user that the column's type has no room for, and one without events.
SET client_min_messages = debug1;
SELECT count(*) FROM reco_top_n(5000000000, 3, 'plain', fallback => false);
SELECT count(*) FROM reco_top_n(4711, 3, 'plain', fallback => false);
RESET client_min_messages;

-- By way of an index, from the table; of an index the other way round, of several columns, of some rows, of types that differ in name.
DROP INDEX covering;
CREATE INDEX plain ON event (user_id DESC NULLS LAST);
SELECT * FROM same('plain', 'fixed', 'computed', 'filtered');
DROP INDEX plain;
CREATE INDEX two_columns ON event (kind, user_id);
SELECT * FROM same('kinds');
DROP INDEX two_columns;
CREATE INDEX bought ON event (user_id) WHERE kind = 'buy';
SELECT * FROM same('kinds');
DROP INDEX bought;
CREATE INDEX named ON event (who) INCLUDE (what, at);
VACUUM event;
SELECT * FROM same('texts');
DROP INDEX named;

-- Another index, another column, another view: the plan is made anew.
CREATE INDEX covering ON event (user_id, item_id, at, weight);
SELECT * FROM same('plain');
CREATE OR REPLACE VIEW plain.events WITH (security_invoker = true) AS SELECT user_id, item_id, at AS occurred_at, real '2' AS weight FROM event;
SELECT * FROM same('plain');
CREATE OR REPLACE VIEW plain.events WITH (security_invoker = true) AS SELECT user_id, item_id, at AS occurred_at, weight FROM event WHERE item_id < 30;
SELECT * FROM same('plain');

-- What else the index is searched by: several values, a range, whatever there is, and a value that must be computed.
SELECT add_model('some', 'SELECT user_id, item_id, weight FROM public.event WHERE item_id IN (2, 3, 5, 7, 11, 13, 17, 19, 23, 29)');
SELECT add_model('range', 'SELECT user_id, item_id, weight FROM public.event WHERE item_id >= 20 AND item_id < 40');
SELECT add_model('told', 'SELECT user_id, item_id, weight FROM public.event WHERE item_id IS NOT NULL');
SELECT add_model('lower', 'SELECT user_id, item_id, weight FROM public.event WHERE item_id < 20 + pg_backend_pid() * 0');
SELECT * FROM same('some', 'range', 'told', 'lower');
SELECT m AS model, count(DISTINCT because) FROM unnest('{some,range,told,lower}'::text[]) m, generate_series(1, 40) u, reco_top_n(u, 60, m, fallback => false) GROUP BY m ORDER BY m;
DROP INDEX covering;
SELECT * FROM same('plain');

-- Partitions, and tables that inherit.
CREATE TABLE part (user_id int, item_id int, weight float8) PARTITION BY RANGE (user_id);
CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (20);
CREATE TABLE part_2 PARTITION OF part FOR VALUES FROM (20) TO (100);
INSERT INTO part SELECT user_id, item_id, weight FROM event;
CREATE INDEX ON part (user_id);
CREATE TABLE parent (user_id int, item_id int);
CREATE TABLE child () INHERITS (parent);
INSERT INTO parent SELECT user_id, item_id FROM event WHERE item_id % 2 = 0;
INSERT INTO child SELECT user_id, item_id FROM event WHERE item_id % 2 = 1;
CREATE INDEX ON parent (user_id);
CREATE INDEX ON child (user_id);
SELECT add_model('parts', 'SELECT user_id, item_id, weight FROM public.part');
SELECT add_model('first_part', 'SELECT user_id, item_id, weight FROM public.part WHERE user_id < 20');
SELECT add_model('heirs', 'SELECT user_id, item_id FROM public.parent');
SELECT * FROM same('parts', 'first_part', 'heirs');

-- Rights are those that the executor checks, each time.
CREATE ROLE straight_asker;
CREATE TABLE own (user_id int, item_id int, secret boolean);
INSERT INTO own SELECT user_id, item_id, item_id % 3 = 0 FROM event WHERE item_id IS NOT NULL;
CREATE INDEX own_user ON own (user_id);
SELECT add_model('guarded', 'SELECT user_id, item_id FROM public.own');
GRANT USAGE ON SCHEMA guarded TO straight_asker;
GRANT SELECT ON ALL TABLES IN SCHEMA guarded TO straight_asker;
GRANT SELECT ON own TO straight_asker;
SET ROLE straight_asker;
SET client_min_messages = debug1;
SELECT count(*) FROM reco_top_n(1, 3, 'guarded');
SET client_min_messages = notice;
RESET ROLE;
REVOKE SELECT ON own FROM straight_asker;
SET ROLE straight_asker;
SELECT count(*) FROM reco_top_n(1, 3, 'guarded');
RESET ROLE;
GRANT SELECT (user_id, item_id) ON own TO straight_asker;
REVOKE SELECT ON guarded.events FROM straight_asker, PUBLIC;
SET ROLE straight_asker;
SELECT count(*) FROM reco_top_n(1, 3, 'guarded');
RESET ROLE;
GRANT SELECT ON guarded.events TO straight_asker;
SET ROLE straight_asker;
SET client_min_messages = debug1;
SELECT count(*) FROM reco_top_n(1, 3, 'guarded');
SET client_min_messages = notice;
RESET ROLE;

-- Policies are part of a plan; who they are not for reads by another one.
ALTER TABLE own ENABLE ROW LEVEL SECURITY;
CREATE POLICY no_secrets ON own TO straight_asker USING (NOT secret);
SET client_min_messages = debug1;
SELECT bool_or(item_id % 3 = 0) AS sees_secrets FROM own WHERE user_id = 1;
SELECT count(*) FROM reco_top_n(1, 3, 'guarded');
SET ROLE straight_asker;
SELECT bool_or(because % 3 = 0) AS knows_secrets FROM reco_top_n(1, 60, 'guarded', fallback => false);
RESET ROLE;
SELECT bool_or(because % 3 = 0) AS knows_secrets FROM reco_top_n(1, 60, 'guarded', fallback => false);
SET client_min_messages = notice;

-- Where a library has hooks of the executor, it is told of what is read.
CREATE INDEX named ON event (who) INCLUDE (what, at);
VACUUM event;
SELECT * FROM same('texts');
LOAD 'auto_explain';
SELECT * FROM same('texts');

SET client_min_messages = warning;
SELECT reco_drop_model(m) FROM unnest('{plain,texts,fixed,kinds,computed,filtered,joined,some,range,told,lower,parts,first_part,heirs,guarded}'::text[]) m;
DROP TABLE event, part, parent, own CASCADE;
DROP FUNCTION add_model, lists, executed, same;
DROP ROLE straight_asker;
RESET enable_seqscan;
RESET enable_bitmapscan;
RESET jit;
RESET client_min_messages;
