-- door: the surface as tools meet it: comments, real types, plans, and one order for equal scores.

BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;

-- Everything of the extension that a user meets says what it is.
CREATE TEMP TABLE member AS
  SELECT classid, objid, pg_describe_object(classid, objid, 0) AS name FROM pg_depend
  WHERE refclassid = 'pg_extension'::regclass AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'reco') AND deptype = 'e';
SELECT cmp_ok((SELECT count(*) FROM member), '>', 90::bigint, 'the extension has members');
SELECT is_empty('SELECT name FROM member JOIN pg_proc p ON p.oid = objid WHERE classid = ''pg_proc''::regclass AND length(coalesce(obj_description(objid, ''pg_proc''), '''')) < 20', 'every function has a comment');
SELECT is_empty('SELECT name FROM member JOIN pg_class c ON c.oid = objid WHERE classid = ''pg_class''::regclass AND relkind IN (''r'', ''v'', ''m'') AND length(coalesce(obj_description(objid, ''pg_class''), '''')) < 20', 'every view and table');
SELECT is_empty('SELECT name FROM member JOIN pg_type t ON t.oid = objid WHERE classid = ''pg_type''::regclass AND typcategory <> ''A'' AND typrelid NOT IN (SELECT oid FROM pg_class WHERE relkind <> ''c'')
  AND length(coalesce(obj_description(objid, ''pg_type''), '''')) < 20', 'every type');
SELECT is_empty($$SELECT name FROM member JOIN pg_proc p ON p.oid = objid WHERE classid = 'pg_proc'::regclass AND proname ~ '^reco_(typed_)?(top_n|top_n_all|complete|explore|rank|score|match|why|why_not|similar_items|similar_users|audience|popular|trending|onboarding|continue|hooks|wrapped|wrapped_all|wrapped_json|wrapped_json_all|page|models)$'
  AND (provolatile <> 's' OR proparallel <> 's')$$, 'questions are stable and parallel safe');
SELECT is_empty('SELECT name FROM member JOIN pg_proc p ON p.oid = objid WHERE classid = ''pg_proc''::regclass AND proretset AND prorows = 1000', 'every function that returns rows says how many to expect');

-- A newer library may be installed before ALTER EXTENSION reco UPDATE has run: what is called without its arguments says so.
CREATE TEMP TABLE outdated (symbol text, state text);
DO $$
DECLARE f record; given text;
BEGIN
  FOR f IN
    SELECT DISTINCT ON (prosrc) prosrc, probin, proretset, replace(prorettype::regtype::text, 'anycompatible', 'text') AS result,
      (SELECT string_agg(format('OUT %I %s', name, regexp_replace(type::regtype::text, '^any(compatible|element)', 'text')), ', ' ORDER BY place)
         FROM unnest(proargnames, proargmodes, proallargtypes) WITH ORDINALITY a(name, mode, type, place) WHERE mode IN ('o', 't')) AS columns
    FROM member JOIN pg_proc p ON p.oid = objid JOIN pg_language l ON l.oid = prolang
    WHERE classid = 'pg_proc'::regclass AND lanname = 'c' AND pronargs > 0 AND prorettype <> 'internal'::regtype ORDER BY prosrc, proargmodes IS NULL, pronargs
  LOOP
    BEGIN
      EXECUTE format('CREATE FUNCTION pg_temp.%I(%s) RETURNS %s %s LANGUAGE c AS %L, %L', f.prosrc, f.columns, CASE WHEN f.proretset THEN 'SETOF' END, f.result, f.probin, f.prosrc);
      EXECUTE format('SELECT * FROM pg_temp.%I()', f.prosrc);
      given := 'none';
    EXCEPTION WHEN OTHERS THEN
      given := SQLSTATE || ' ' || SQLERRM;
    END;
    INSERT INTO outdated VALUES (f.prosrc, given);
  END LOOP;
END $$;
SELECT cmp_ok((SELECT count(*) FROM outdated), '>', 90::bigint, 'the functions of an older version are tried');
SELECT is_empty($$SELECT * FROM outdated WHERE state !~ '^55000 .* is of an older version of reco' AND symbol <> 'reco_matrix_add'$$, 'each that lacks its arguments names itself as outdated');
SELECT is((SELECT state FROM outdated WHERE symbol = 'reco_matrix_add'), '0A000 reco_matrix_add is the transition function of an aggregate', 'or refuses for another reason before');

-- A model of ids of different types, with all four queries.
CREATE TABLE plays (listener uuid, album text, at timestamptz);
INSERT INTO plays SELECT ('00000000-0000-0000-0000-' || lpad(u::text, 12, '0'))::uuid, 'album ' || (u % 5 * 8 + i), '2026-01-01'::timestamptz + u * interval '1 hour' FROM generate_series(0, 39) u, generate_series(0, 7) i WHERE (u / 5) % 8 <> i;
SELECT reco_create_model('music', 'SELECT listener AS user_id, album AS item_id, at AS occurred_at FROM plays', 'SELECT DISTINCT album AS item_id FROM plays', 'SELECT DISTINCT listener AS user_id FROM plays', 'SELECT ''album 1''::text AS item_id, 1.0 AS boost WHERE false');
SELECT reco_configure('music', similarity => 'cosine', weighting => 'binary', min_support => 1);
SELECT events FROM reco_refresh('music');
SELECT is_empty('SELECT relname FROM pg_class WHERE relnamespace = ''music''::regnamespace AND relkind IN (''r'', ''v'') AND length(coalesce(obj_description(oid, ''pg_class''), '''')) < 20', 'every table and view of a model has a comment');
SELECT is_empty('SELECT proname FROM pg_proc WHERE pronamespace = ''music''::regnamespace AND length(coalesce(obj_description(oid, ''pg_proc''), '''')) < 20', 'every door');
SELECT set_eq($$SELECT proname::text FROM pg_proc WHERE pronamespace = 'music'::regnamespace$$, $$SELECT DISTINCT substr(proname, 12) FROM pg_proc p JOIN member ON objid = p.oid AND classid = 'pg_proc'::regclass WHERE proname LIKE 'reco\_typed\_%'$$,
  'there is a door for each question that can be asked of any mix of ids');
CREATE TEMP TABLE door_argument AS
  SELECT proname, n, proargnames[n] AS name, type FROM pg_proc, unnest(coalesce(proallargtypes, proargtypes::oid[])) WITH ORDINALITY AS a(type, n) WHERE pronamespace = 'music'::regnamespace;
SELECT is_empty('SELECT proname, n FROM door_argument WHERE coalesce(name, '''') = ''''', 'every argument and column of a door has a name');
SELECT is_empty('SELECT proname, name, type::regtype FROM door_argument WHERE type IN (SELECT oid FROM pg_type WHERE typtype = ''p'')', 'and a real type');
SELECT is_empty('SELECT proname, name, type::regtype FROM door_argument WHERE name IN (''user_id'', ''similar_to'') AND type NOT IN (''uuid''::regtype, ''text''::regtype) OR name = ''user_id'' AND type <> ''uuid''::regtype
  OR name IN (''item_id'', ''because'') AND type <> ''text''::regtype OR name IN (''items'', ''exclude'', ''among'') AND type <> ''text[]''::regtype', 'ids have the types of the model');
SELECT is_empty('SELECT proname FROM pg_proc WHERE pronamespace = ''music''::regnamespace AND proname NOT IN (''forget'', ''traces'', ''disclose'') AND (provolatile <> ''s'' OR proparallel <> ''s'' OR (proretset AND prorows = 1000))', 'doors of questions are stable, parallel safe, and say how many rows to expect');
SELECT is_empty($$SELECT d.proname FROM pg_proc d WHERE pronamespace = 'music'::regnamespace AND NOT EXISTS (SELECT FROM pg_proc r JOIN member ON objid = r.oid AND classid = 'pg_proc'::regclass WHERE r.proname = 'reco_' || d.proname
    AND (SELECT array_agg(x ORDER BY x) FROM unnest(r.proargnames) x WHERE x <> 'model') = (SELECT array_agg(x ORDER BY x) FROM unnest(d.proargnames) x))$$, 'the arguments and columns of a door are those of its reco_ function, but for the model');

/*
 * Equal scores: five groups of eight items, of which each of a group's users has seven, the eighth of weight alike: whoever has two items of a group has six more of it
 * with one score. A list is the same however often and in whatever way it is asked for, and however many rows of it.
 */
INSERT INTO plays SELECT '00000000-0000-0000-0000-999999999999', 'album ' || i, '2026-02-01' FROM unnest(ARRAY[0, 1, 8, 9]) i;
CREATE TEMP TABLE whole AS SELECT * FROM music.top_n('00000000-0000-0000-0000-999999999999', NULL) WITH ORDINALITY AS t(item_id, score, match, because, source, n);
SELECT cmp_ok((SELECT count(*) - count(DISTINCT score) FROM whole WHERE source = 'personal'), '>', 5::bigint, 'there are equal scores');
SELECT is_empty(format('SELECT item_id, score, n FROM music.top_n(''00000000-0000-0000-0000-999999999999'', %s) WITH ORDINALITY AS t(item_id, score, match, because, source, n) EXCEPT SELECT item_id, score, n FROM whole', k), format('the first %s', k))
FROM generate_series(1, 13, 3) k;
SELECT is_empty('SELECT item_id, score, n FROM music.top_n(''00000000-0000-0000-0000-999999999999'', 20, exclude => ARRAY[''album 2'']) WITH ORDINALITY AS t(item_id, score, match, because, source, n)
  EXCEPT SELECT item_id, score, row_number() OVER (ORDER BY n) FROM whole WHERE item_id <> ''album 2''', 'one taken out leaves the order of the others');
SELECT is_empty('SELECT item_id, rank FROM music.top_n_all(20) WHERE user_id = ''00000000-0000-0000-0000-999999999999'' EXCEPT SELECT item_id, n::int FROM whole', 'for everybody at once, too');
SELECT is_empty('SELECT * FROM (SELECT w.n, w.score, l.item_no, lag(w.score) OVER o AS above, lag(l.item_no) OVER o AS above_no FROM whole w JOIN music.learned_item l USING (item_id) WHERE source = ''personal'' WINDOW o AS (ORDER BY w.n)) e WHERE above = score AND above_no > item_no',
  'equals come in the order of their numbers');
SELECT events FROM reco_refresh('music');
CREATE TEMP TABLE learned AS SELECT item_id, score, n FROM music.top_n('00000000-0000-0000-0000-999999999999', NULL) WITH ORDINALITY AS t(item_id, score, match, because, source, n);
CREATE TABLE heap_turned AS SELECT * FROM plays ORDER BY album DESC, listener DESC;
TRUNCATE plays;
INSERT INTO plays SELECT * FROM heap_turned;
SELECT events FROM reco_refresh('music');
SELECT is_empty('SELECT item_id, score, n FROM music.top_n(''00000000-0000-0000-0000-999999999999'', NULL) WITH ORDINALITY AS t(item_id, score, match, because, source, n) WHERE source = ''personal'' EXCEPT TABLE learned',
  'learned anew from rows in another order, the same');

-- Numbers as they are written down are integers: doors take them where ids are smallint, and answer with these.
CREATE TABLE small AS SELECT u::smallint AS u, i::smallint AS i, '2026-01-01'::timestamptz AS at FROM generate_series(1, 30) u, generate_series(1, 9) i WHERE (u + i) % 3 > 0;
SELECT reco_create_model('small', 'SELECT u AS user_id, i AS item_id, at AS occurred_at FROM small');
SELECT events FROM reco_refresh('small');
SELECT reco_create_log('small');
SELECT is((SELECT array_agg(item_id ORDER BY item_id) FROM small.top_n(1, NULL)), '{2,5,8}'::smallint[], 'a list of smallint ids');
SELECT is((SELECT array_agg(item_id ORDER BY item_id) FROM small.top_n(1::smallint, NULL, exclude => ARRAY[5])), '{2,8}'::smallint[], '... and without some');
SELECT is((SELECT count(*) FROM small.complete(ARRAY[1, 2], 3)), 3::bigint, '... of a basket');
SELECT is((SELECT count(*) FROM small.serve(1, 2)), 2::bigint, '... and written down');
SELECT is_empty('SELECT oid::regprocedure FROM pg_proc WHERE pronamespace = ''small''::regnamespace AND (''smallint''::regtype = ANY (proargtypes) OR ''smallint[]''::regtype = ANY (proargtypes))', 'no door takes nothing but a smallint');

SELECT * FROM finish();
ROLLBACK;
