-- score: one number for any place in a query: what a call site remembers, and that it never shows.

SELECT no_plan();
SET client_min_messages = warning;
CREATE TABLE taste AS
  SELECT u AS user_id, i AS item_id, (CASE WHEN h % 9 = 0 THEN -1 ELSE 1 END * (1 + h % 4))::float8 AS weight, CASE u % 2 WHEN 0 THEN 'even' ELSE 'odd' END AS tenant
  FROM generate_series(1, 120) u, generate_series(1, 400) i, LATERAL (SELECT abs(hashint8(u * 7919 + i * 104729)::bigint) AS h) g
  WHERE hashint8(u * 31 + i * 17) & 255 < 6 + CASE WHEN u % 5 = i % 5 THEN 60 ELSE 0 END;
CREATE INDEX ON taste (user_id);
CREATE FUNCTION as_uuid(n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$ SELECT (lpad(n::text, 8, '0') || '-0000-4000-8000-000000000000')::uuid $$;
SELECT reco_create_model('taste', 'SELECT user_id, item_id, weight FROM public.taste');
SELECT reco_create_model('other', 'SELECT user_id, item_id, 1 AS weight FROM public.taste');
SELECT reco_create_model('texts', $$SELECT 'user ' || user_id AS user_id, 'item ' || item_id AS item_id, weight FROM public.taste$$);
SELECT reco_create_model('mixed', $$SELECT public.as_uuid(user_id) AS user_id, item_id::smallint, weight FROM public.taste$$);
SELECT reco_configure(m, similarity => 'cooccurrence', min_match => 0) FROM unnest(ARRAY['taste', 'other', 'texts', 'mixed']) m;
DO $$ BEGIN PERFORM reco_refresh(m) FROM unnest(ARRAY['taste', 'other', 'texts', 'mixed']) m; END $$;

/*
 * What is asked alone, one call a statement, is the measure: every statement has call sites of its own.
 * Items 401 to 620 were never learned.
 */
CREATE FUNCTION alone(what text, model text, usr bigint, item bigint) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE answer float8;
BEGIN
  EXECUTE format('SELECT reco_%s(%s, %s, %L)', what, usr, item, model) INTO answer;
  RETURN answer;
END $$;
CREATE TABLE want AS
  SELECT u, i, alone('score', 'taste', u, i) AS score, alone('match', 'taste', u, i) AS match FROM generate_series(1, 120, 30) u, generate_series(1, 620) i;
SELECT cmp_ok((SELECT count(*) FROM want WHERE score < 0), '>', 10::bigint, 'there are scores below 0');
SELECT cmp_ok((SELECT count(*) FROM want WHERE match IS NOT NULL), '>', 300::bigint, 'and matches');
CREATE FUNCTION agrees(have text, name text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  RETURN is_empty(format('SELECT * FROM want LEFT JOIN (%s) have USING (u, i) WHERE (have.score, have.match) IS DISTINCT FROM (want.score, want.match)', have), name);
END $$;
-- One user after another, 620 calls each: by history, by kept scores, by kept ids.
SELECT agrees('SELECT u, i, reco_score(u, i, ''taste'') AS score, reco_match(u, i, ''taste'') AS match FROM generate_series(1, 120, 30) u, generate_series(1, 620) i OFFSET 0', 'users one after another');
-- Another user with each call.
SELECT agrees('SELECT u, i, reco_score(u, i, ''taste'') AS score, reco_match(u, i, ''taste'') AS match FROM (SELECT u, i FROM generate_series(1, 120, 30) u, generate_series(1, 620) i ORDER BY i, u OFFSET 0) x', 'users in turn');
SELECT agrees('SELECT u, i, reco_score(u, i, ''taste'') AS score, reco_match(u, i, ''taste'') AS match FROM (SELECT u, i FROM generate_series(1, 120, 30) u, generate_series(1, 620) i ORDER BY hashint8(u * 1009 + i) OFFSET 0) x', 'users by lot');
-- Typed doors, prepared, parallel.
SELECT agrees('SELECT u, i, taste.score(u, i) AS score, taste.match(u, i) AS match FROM generate_series(1, 120, 30) u, generate_series(1, 620) i OFFSET 0', 'the doors');
PREPARE list(int) AS SELECT i, reco_score($1, i, 'taste') AS score, reco_match($1, i, 'taste') AS match FROM generate_series(1, 620) i;
SELECT results_eq('EXECUTE list(31)', 'SELECT i, score, match FROM want WHERE u = 31 ORDER BY i', 'a prepared statement');
SELECT results_eq('EXECUTE list(1)', 'SELECT i, score, match FROM want WHERE u = 1 ORDER BY i', 'again, for somebody else');
CREATE TABLE pairs AS SELECT u, i FROM want;
ANALYZE pairs;
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
SELECT agrees('SELECT u, i, reco_score(u, i, ''taste'') AS score, reco_match(u, i, ''taste'') AS match FROM pairs', 'parallel workers');
RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size;
-- NULLs among the calls, by rows of their own.
SELECT is_empty($$SELECT * FROM (SELECT n, u, i, reco_score(u, i, 'taste') AS score FROM (SELECT n, CASE WHEN n % 7 > 0 THEN 31 END AS u, CASE WHEN n % 5 > 0 THEN n % 620 + 1 END AS i FROM generate_series(1, 2000) n OFFSET 0) x) y
  LEFT JOIN want USING (u, i) WHERE y.score IS DISTINCT FROM want.score$$, 'NULLs are NULL');
-- Another model with each call, by name, by table, by default.
SELECT is_empty($$SELECT * FROM (SELECT n, i, m, reco_score(18, i, m) AS score FROM (SELECT n, n / 3 % 620 + 1 AS i, (ARRAY['taste', 'other'])[1 + n % 2] AS m FROM generate_series(1, 600) n OFFSET 0) x) y
  WHERE score IS DISTINCT FROM alone('score', m, 18, i)$$, 'models in turn, by name');
SELECT is_empty($$SELECT * FROM (SELECT n, i, m, reco_typed_score(18::bigint, i, m::regclass) AS score FROM (SELECT n, n / 3 % 620 + 1 AS i, (ARRAY['taste.model', 'other.model'])[1 + n % 2] AS m FROM generate_series(1, 600) n OFFSET 0) x) y
  WHERE score IS DISTINCT FROM alone('score', split_part(m, '.', 1), 18, i)$$, 'models in turn, by table');
SET reco.model = 'taste';
SELECT is_empty($$SELECT * FROM (SELECT n, i, m, reco_score(18, i, CASE WHEN n % 3 > 0 THEN m END) AS score, set_config('reco.model', m, false) FROM (SELECT n, n / 3 % 620 + 1 AS i, 'other' AS m FROM generate_series(1, 600) n OFFSET 0) x OFFSET 0) y
  WHERE n > 3 AND score IS DISTINCT FROM alone('score', 'other', 18, i)$$, 'the default counts as it is at the call');
RESET reco.model;
-- Other ids.
SELECT is_empty($$SELECT * FROM (SELECT u, i, texts.score('user ' || u, 'item ' || i) AS score, texts.match('user ' || u, 'item ' || i) IS NULL AS bare FROM generate_series(1, 120, 30) u, generate_series(1, 620) i OFFSET 0) have
  JOIN want USING (u, i) WHERE abs(have.score - want.score) > 1e-6 OR bare <> (want.score <= 0)$$, 'ids of text');
SELECT is_empty($$SELECT * FROM (SELECT u, i, mixed.score(as_uuid(u), i::smallint) AS score FROM generate_series(1, 120, 30) u, generate_series(1, 620) i OFFSET 0) have
  JOIN want USING (u, i) WHERE abs(have.score - want.score) > 1e-6$$, 'ids of uuid and smallint');
SELECT throws_like($$SELECT reco_score(u, i, m) FROM (SELECT 18 AS u, 1 AS i, m FROM unnest(ARRAY['taste', 'taste', 'texts']) m OFFSET 0) x$$, '%"texts" has user ids of type text, not bigint', 'ids of another kind are refused at whatever call');

/*
 * Within one query only.  u6 of no history likes item 1 while it is asked: each statement sees what was there when it began,
 * and so does each evaluation of an expression in PL/pgSQL, whose call sites last for the transaction.
 */
CREATE FUNCTION like_it(item bigint) RETURNS void LANGUAGE sql AS $$ INSERT INTO taste VALUES (1000, item, 1, 'even') $$;
CREATE FUNCTION counted() RETURNS int LANGUAGE plpgsql AS $$
DECLARE before float8[] := '{}'; score float8;
BEGIN
  FOR n IN 1 .. 5 LOOP
    score := reco_score(1000, 7, 'taste');
    before := before || score;
    PERFORM like_it((SELECT item_id FROM taste.similar WHERE similar_item_id = 7 ORDER BY similarity DESC, item_id OFFSET n - 1 LIMIT 1));
  END LOOP;
  DELETE FROM taste WHERE user_id = 1000;
  RETURN (SELECT count(DISTINCT s) FROM unnest(before) s);
END $$;
SELECT is(counted(), 5, 'an expression in PL/pgSQL sees each event');
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT is(counted(), 5, 'in a repeatable read as well');
COMMIT;
CREATE FUNCTION rolled_back(OUT inside float8, OUT after float8) LANGUAGE plpgsql AS $$
DECLARE score float8;
BEGIN
  FOR n IN 1 .. 4 LOOP
    BEGIN
      IF n = 3 THEN PERFORM like_it(i) FROM generate_series(1, 400) i; END IF;
      score := reco_score(1000, 7, 'taste');
      IF n = 3 THEN inside := score; RAISE division_by_zero; END IF;
    EXCEPTION WHEN division_by_zero THEN NULL;
    END;
  END LOOP;
  after := score;
END $$;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT ok(inside > 0 AND after = 0, 'what is rolled back is gone') FROM rolled_back();
COMMIT;
-- A query that inserts as it asks sees none of it; the next one does.
SELECT is((SELECT sum(score) FROM (SELECT reco_score(1000, n, 'taste') AS score, like_it(n) FROM generate_series(1, 400) n OFFSET 0) x), 0::float8, 'a statement does not see its own events');
SELECT isnt((SELECT sum(score) FROM (SELECT reco_score(1000, n, 'taste') AS score FROM generate_series(1, 400) n OFFSET 0) x), 0::float8, 'the next does');
DELETE FROM taste WHERE user_id = 1000;
-- A cursor reads as of when it was opened.
BEGIN;
DECLARE walk CURSOR FOR SELECT reco_score(31, i, 'taste') AS score FROM generate_series(1, 620) i;
CREATE TEMP TABLE fetched (score float8);
DO $$ DECLARE score float8; walk refcursor := 'walk'; BEGIN
  FOR n IN 1 .. 620 LOOP
    FETCH walk INTO score;
    INSERT INTO fetched VALUES (score);
    IF n = 3 THEN DELETE FROM taste WHERE user_id = 31; END IF;
  END LOOP;
END $$;
SELECT results_eq('SELECT score FROM fetched', 'SELECT score FROM want WHERE u = 31 ORDER BY i', 'a cursor');
ROLLBACK;

-- Row-level security by a setting: whoever is asked about gets what the setting says at that statement.
DROP ROLE IF EXISTS reco_score_reader;
CREATE ROLE reco_score_reader;
GRANT SELECT ON taste TO reco_score_reader;
GRANT USAGE ON SCHEMA taste TO reco_score_reader;
ALTER TABLE taste ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON taste USING (tenant = current_setting('app.tenant', true));
CREATE FUNCTION of_tenants() RETURNS text LANGUAGE plpgsql AS $$
DECLARE answer text := ''; score float8;
BEGIN
  FOR n IN 1 .. 6 LOOP
    PERFORM set_config('app.tenant', (ARRAY['even', 'odd'])[1 + n % 2], true);
    score := reco_score(18, 3, 'taste');
    answer := answer || CASE WHEN score = 0 THEN '0' ELSE 'x' END;
  END LOOP;
  RETURN answer;
END $$;
CREATE FUNCTION of_tenants_stable() RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE answer text := ''; score float8;
BEGIN
  FOR n IN 1 .. 6 LOOP
    PERFORM set_config('app.tenant', (ARRAY['even', 'odd'])[1 + n % 2], true);
    score := reco_score(18, 3, 'taste');
    answer := answer || CASE WHEN score = 0 THEN '0' ELSE 'x' END;
  END LOOP;
  RETURN answer;
END $$;
SELECT isnt(alone('score', 'taste', 18, 3), 0::float8, 'user 18 of tenant even has a score');
SET ROLE reco_score_reader;
SELECT of_tenants() \gset volatile_
SELECT of_tenants_stable() \gset stable_
DO $$
DECLARE answer text := ''; score float8;
BEGIN
  FOR n IN 1 .. 6 LOOP
    PERFORM set_config('app.tenant', (ARRAY['even', 'odd'])[1 + n % 2], true);
    score := reco_score(18, 3, 'taste');
    answer := answer || CASE WHEN score = 0 THEN '0' ELSE 'x' END;
  END LOOP;
  PERFORM set_config('test.block', answer, false);
END $$;
RESET ROLE;
SELECT is(:'volatile_of_tenants'::text, '0x0x0x', 'a function that changes the setting between expressions');
SELECT is(:'stable_of_tenants_stable'::text, '0x0x0x', 'a stable one');
SELECT is(current_setting('test.block'), '0x0x0x', 'a block');
-- A role that changes within a function, and a right that is taken away between two statements of it.
GRANT CREATE ON SCHEMA public TO reco_score_reader;
CREATE FUNCTION of_roles() RETURNS text LANGUAGE plpgsql AS $$
DECLARE answer text := ''; score float8;
BEGIN
  PERFORM set_config('app.tenant', 'odd', true);
  FOR n IN 1 .. 4 LOOP
    PERFORM set_config('role', (ARRAY['none', 'reco_score_reader'])[1 + n % 2], true);
    score := reco_score(18, 3, 'taste');
    answer := answer || CASE WHEN score = 0 THEN '0' ELSE 'x' END;
  END LOOP;
  RETURN answer;
END $$;
SELECT is(of_roles(), '0x0x', 'each role has its own answer');
CREATE FUNCTION revoked() RETURNS text LANGUAGE plpgsql AS $$
DECLARE score float8;
BEGIN
  FOR n IN 1 .. 3 LOOP
    IF n = 3 THEN REVOKE SELECT ON taste FROM reco_score_reader; END IF;
    PERFORM set_config('role', 'reco_score_reader', true);
    score := reco_score(18, 3, 'taste');
    PERFORM set_config('role', 'none', true);
  END LOOP;
  RETURN 'read';
EXCEPTION WHEN insufficient_privilege THEN RETURN SQLERRM;
END $$;
SELECT is(revoked(), 'permission denied for table taste', 'a right that is taken away is gone at once');
ALTER TABLE taste DISABLE ROW LEVEL SECURITY;

-- Memory: a hundred thousand calls of many users leave nothing behind, nor do they grow as they run.
CREATE FUNCTION used() RETURNS bigint LANGUAGE sql VOLATILE AS $$ SELECT sum(used_bytes)::bigint FROM pg_backend_memory_contexts $$;
CREATE TABLE measured AS SELECT n, reco_score(1 + n / 10 % 120, n % 420, 'taste') AS score, CASE WHEN n % 10000 = 0 THEN used() END AS bytes FROM generate_series(1, 40000) n;
SELECT cmp_ok((SELECT max(bytes) - min(bytes) FROM measured WHERE n >= 20000), '<', 2000000::bigint, 'calls do not grow as they run');
TRUNCATE measured;
INSERT INTO measured SELECT n, reco_score(1 + n / 50000, n % 420, 'taste'), CASE WHEN n % 10000 = 0 THEN used() END FROM generate_series(1, 100000) n;
SELECT cmp_ok((SELECT max(bytes) - min(bytes) FROM measured WHERE n >= 20000), '<', 2000000::bigint, 'nor do those of one user');
SELECT is((SELECT count(*) FROM pg_backend_memory_contexts WHERE name = 'reco call site'), 0::bigint, 'no call site outlives its query');

-- Reading once pays: calls that read nothing are a small part of what one that reads costs.
CREATE FUNCTION seconds(statement text) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE since timestamptz; least float8 := 'Infinity';
BEGIN
  FOR n IN 1 .. 3 LOOP
    since := clock_timestamp();
    EXECUTE statement;
    least := least(least, extract(epoch FROM clock_timestamp() - since));
  END LOOP;
  RETURN least;
END $$;
SELECT cmp_ok(seconds('SELECT sum(reco_match(18, i % 420, ''taste'')) FROM generate_series(1, 3000) i'), '<',
              seconds('SELECT sum(reco_match(1 + i % 120, i % 420, ''taste'')) FROM generate_series(1, 3000) i') / 5, 'three thousand items of one user take less than a fifth of as many of all users in turn');

SELECT * FROM finish();
DROP OWNED BY reco_score_reader;
DROP ROLE reco_score_reader;
