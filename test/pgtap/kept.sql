-- kept: rows of neighbours that a session keeps opened never show in an answer, whatever became of the table meanwhile.

SELECT no_plan();
SET client_min_messages = warning;
CREATE TABLE taste AS
  SELECT u AS user_id, i AS item_id, (CASE WHEN h % 9 = 0 THEN -1 ELSE 1 END * (1 + h % 4))::float8 AS weight
  FROM generate_series(1, 120) u, generate_series(1, 400) i, LATERAL (SELECT abs(hashint8(u * 7919 + i * 104729)::bigint) AS h) g
  WHERE hashint8(u * 31 + i * 17) & 255 < 6 + CASE WHEN u % 5 = i % 5 THEN 60 ELSE 0 END;
CREATE INDEX ON taste (user_id);
CREATE FUNCTION as_uuid(n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$ SELECT (lpad(n::text, 8, '0') || '-0000-4000-8000-000000000000')::uuid $$;
SELECT reco_create_model('taste', 'SELECT user_id, item_id, weight FROM public.taste');
SELECT reco_create_model('texts', $$SELECT user_id, 'item ' || item_id AS item_id, weight FROM public.taste$$);
SELECT reco_create_model('uuids', $$SELECT user_id, public.as_uuid(item_id) AS item_id, weight FROM public.taste$$);
-- Rows of 400 neighbours are kept by TOAST out of line.
SELECT reco_create_model('wide', 'SELECT user_id, item_id, weight FROM public.taste');
SELECT reco_configure(m, similarity => 'cooccurrence', min_match => 0, min_support => 1) FROM unnest(ARRAY['taste', 'texts', 'uuids', 'wide']) m;
SELECT reco_configure('wide', neighbors => 1000);
DO $$ BEGIN PERFORM reco_refresh(m) FROM unnest(ARRAY['taste', 'texts', 'uuids', 'wide']) m; END $$;
SELECT cmp_ok((SELECT max(pg_column_size(neighbors)) FROM wide.learned_item), '>', 2000, 'some rows are too long for their page');

-- All lists of a model, as one text.
CREATE FUNCTION lists(model text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE answer text;
BEGIN
  EXECUTE format('SELECT string_agg(md5((u, t)::text), '','' ORDER BY u, n) FROM generate_series(1, 120, 3) u, LATERAL %I.top_n(u, 20) WITH ORDINALITY AS t(item_id, score, match, because, source, n)', model) INTO answer;
  RETURN md5(answer);
END $$;
-- The same by a session that keeps nothing.
CREATE FUNCTION fresh(model text) RETURNS text LANGUAGE sql SET reco.neighbor_cache = 0 AS 'SELECT lists(model)';
CREATE FUNCTION agrees(model text, name text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
  FOR turn IN 1 .. 2 LOOP
    RETURN NEXT is(lists(model), fresh(model), format('%s, %s', model, name));
    RETURN NEXT is(lists(model), lists(model), format('%s, %s, again', model, name));
  END LOOP;
END $$;
CREATE FUNCTION kept_bytes() RETURNS bigint LANGUAGE sql VOLATILE AS $$ SELECT coalesce(sum(total_bytes), 0)::bigint FROM pg_backend_memory_contexts WHERE name = 'reco kept rows' $$;

SELECT agrees(m, 'as learned') FROM unnest(ARRAY['taste', 'texts', 'uuids', 'wide']) m;
SELECT lists('taste') AS first \gset
SELECT cmp_ok(kept_bytes(), '>', 400 * 100::bigint, 'rows are kept');
SELECT is(current_setting('reco.neighbor_cache'), '16MB', 'the setting as it comes');

-- Room for a few only, for one, for none; and back.
SET reco.neighbor_cache = '64kB';
SELECT agrees(m, 'room for a few') FROM unnest(ARRAY['taste', 'texts', 'uuids', 'wide']) m;
SELECT cmp_ok(kept_bytes(), '<=', (64 + 64 + 16) * 1024::bigint, 'what is kept is bounded');
SET reco.neighbor_cache = '1kB';
SELECT agrees('wide', 'no room for one');
SET reco.neighbor_cache = 0;
SELECT is(lists('taste'), :'first', 'nothing kept');
SELECT is(kept_bytes(), 0::bigint, 'what was kept is given back');
SET reco.neighbor_cache = '300kB';
SELECT agrees(m, 'models in turn') FROM generate_series(1, 3), unnest(ARRAY['taste', 'texts', 'uuids', 'wide']) m;
SELECT cmp_ok(kept_bytes(), '<=', (300 * 5 / 4 + 64 + 16) * 1024::bigint, 'with rows of all sizes');
RESET reco.neighbor_cache;
SELECT throws_ok('SET reco.neighbor_cache = -1', '22023', NULL, 'a size below 0');
SELECT throws_ok('SET reco.neighbor_cache = ''2GB''', '22023', NULL, 'a size above the most');

-- Lists within a list, each with rows of its own: the first keeps its rows while the others push them out.
SET reco.neighbor_cache = '32kB';
CREATE FUNCTION weighed(u bigint) RETURNS bigint LANGUAGE sql VOLATILE AS 'SELECT count(*) FROM public.lists(''texts'') WHERE u > 0';
SELECT reco_create_model('nested', 'SELECT user_id, item_id, weight FROM public.taste', 'SELECT DISTINCT item_id FROM public.taste WHERE public.weighed(item_id) >= 0 AND item_id % 40 = 0');
SELECT reco_configure('nested', similarity => 'cooccurrence', min_support => 1);
DO $$ BEGIN PERFORM reco_refresh('nested'); END $$;
CREATE FUNCTION nested_fresh() RETURNS text[] LANGUAGE sql SET reco.neighbor_cache = 0 AS 'SELECT array(SELECT nested.top_n(7, 5)::text)';
SELECT is(array(SELECT nested.top_n(7, 5)::text), nested_fresh(), 'a list made while another is');
SELECT cmp_ok(cardinality(nested_fresh()), '=', 5, 'and there is one');
DROP FUNCTION nested_fresh();
SELECT is((SELECT count(*) FROM generate_series(1, 400) i WHERE reco_score(7, i, 'taste') IS DISTINCT FROM (SELECT coalesce(sum(share), 0) FROM reco_why(7, i, 'taste'))), 0::bigint, 'scores beside lists');
SELECT reco_drop_model('nested');
RESET reco.neighbor_cache;

/*
 * The table changed by hand, and changed back: what this transaction has written counts at once, and
 * what it takes back does not.
 */
SELECT agrees('taste', 'before');
BEGIN;
UPDATE taste.learned_item SET neighbors = (SELECT neighbors FROM texts.learned_item t WHERE t.item_no = taste.learned_item.item_no) WHERE item_no % 2 = 0;
SELECT is(lists('taste'), fresh('taste'), 'rows of another model');
SAVEPOINT deleted;
DELETE FROM taste.learned_item WHERE item_no % 3 = 0;
SELECT isnt(lists('taste'), :'first', 'rows that are gone say nothing');
SELECT agrees('taste', 'rows deleted');
ROLLBACK TO deleted;
SELECT agrees('taste', 'rows back');
ROLLBACK;
SELECT is(lists('taste'), :'first', 'all as before');
-- A stored row that is damaged is an error, however often it was read when it was not.
BEGIN;
UPDATE taste.learned_item SET neighbors = set_byte(neighbors, 40, get_byte(neighbors, 40) # 1) WHERE item_id = (SELECT item_id FROM taste WHERE user_id = 7 AND weight > 0 LIMIT 1);
SELECT throws_ok('SELECT * FROM reco_top_n(7, 5, ''taste'')', 'XX001', NULL, 'damage is found');
ROLLBACK;
SELECT is(lists('taste'), :'first', 'and as before');

-- Moved, rewritten, replaced, frozen.
VACUUM (FULL, FREEZE) taste.learned_item;
SELECT agrees('taste', 'rewritten');
UPDATE taste.learned_item SET users = users WHERE item_no % 2 = 1;
VACUUM (FREEZE) taste.learned_item;
UPDATE taste.learned_item SET users = users WHERE item_no % 2 = 0;
SELECT agrees('taste', 'moved');
SELECT is(lists('taste'), :'first', 'wherever the rows are');
BEGIN;
CREATE TABLE copied AS TABLE taste.learned_item;
TRUNCATE taste.learned_item;
SELECT is((SELECT count(*) FROM reco_top_n(7, 5, 'taste', fallback => false)), 0::bigint, 'nothing of an empty table');
INSERT INTO taste.learned_item SELECT * FROM copied ORDER BY item_no DESC;
SELECT is(lists('taste'), :'first', 'put back in another order');
ROLLBACK;
SELECT is(lists('taste'), :'first', 'and taken back');
-- Numbers with other ids, ids with other numbers, taken back.
BEGIN;
UPDATE taste.learned_item SET item_id = item_id + 10000 WHERE item_no % 3 = 0;
SELECT is((SELECT count(*) FROM reco_top_n(7, 20, 'taste') WHERE item_id > 10000) > 0, true, 'an item has another id');
SELECT agrees('taste', 'other ids');
ROLLBACK;
SELECT is(lists('taste'), :'first', 'the ids as before');
BEGIN;
UPDATE taste.learned_item SET item_no = item_no + 100000;
SELECT throws_ok('SELECT * FROM reco_top_n(7, 20, ''taste'')', 'XX001', NULL, 'a row that says it is of another number');
ROLLBACK;
SELECT is(lists('taste'), :'first', 'the numbers as before');
-- Another column of the same name, in tuples that were not written anew.
BEGIN;
ALTER TABLE taste.learned_item RENAME neighbors TO old_neighbors;
ALTER TABLE taste.learned_item ADD neighbors bytea;
SELECT throws_ok('SELECT * FROM reco_top_n(7, 5, ''taste'')', 'XX001', NULL, 'another column is another');
ROLLBACK;
SELECT is(lists('taste'), :'first', 'and the first is again');
-- What has another type is read by SQL, which makes of it what it is to be.
BEGIN;
ALTER TABLE taste.learned_item RENAME item_no TO old_no;
ALTER TABLE taste.learned_item ADD item_no numeric;
UPDATE taste.learned_item SET item_no = old_no;
SELECT is(lists('taste'), :'first', 'numbers that are numeric');
ROLLBACK;
BEGIN;
ALTER TABLE taste.learned_item RENAME neighbors TO old_neighbors;
ALTER TABLE taste.learned_item ADD neighbors text;
UPDATE taste.learned_item SET neighbors = old_neighbors::text;
SELECT is(lists('taste'), :'first', 'rows that are text');
ROLLBACK;
SELECT is(lists('taste'), :'first', 'and as they were');

-- A refresh in this transaction, taken back and not.
BEGIN;
SELECT reco_configure('taste', weighting => 'binary', neighbors => 7);
SELECT lives_ok('SELECT * FROM reco_refresh(''taste'')');
SELECT isnt(lists('taste'), :'first', 'learned anew');
SELECT agrees('taste', 'learned anew');
ROLLBACK;
SELECT is(lists('taste'), :'first', 'and taken back');
SELECT reco_configure('taste', weighting => 'binary', neighbors => 7);
SELECT lives_ok('SELECT * FROM reco_refresh(''taste'')');
SELECT agrees('taste', 'learned anew for good');

-- Whose rights end, or to whom a policy applies, is asked each time.
CREATE ROLE reco_kept_reader;
GRANT USAGE ON SCHEMA taste TO reco_kept_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA taste TO reco_kept_reader;
GRANT SELECT ON taste TO reco_kept_reader;
CREATE FUNCTION listed() RETURNS bigint LANGUAGE sql AS $$ SELECT count(*) FROM reco_top_n(7, 5, 'taste', fallback => false) $$;
SET ROLE reco_kept_reader;
SELECT is(listed(), 5::bigint, 'a reader');
SELECT is(listed(), 5::bigint, 'again');
RESET ROLE;
CREATE POLICY few ON taste.learned_item USING (item_no % 50 = 1);
ALTER TABLE taste.learned_item ENABLE ROW LEVEL SECURITY;
SET ROLE reco_kept_reader;
SELECT cmp_ok(listed(), '<', 5::bigint, 'a policy hides rows that are kept');
RESET ROLE;
ALTER TABLE taste.learned_item DISABLE ROW LEVEL SECURITY;
-- The row of settings: rights to its columns are as good as to the table, and fewer are none.
REVOKE SELECT ON taste.model FROM public, reco_kept_reader;
SET ROLE reco_kept_reader;
SELECT throws_ok('SELECT listed()', '42501', 'permission denied for table model', 'no right to the settings any more');
RESET ROLE;
SELECT format('GRANT SELECT (%s) ON taste.model TO reco_kept_reader', string_agg(quote_ident(attname), ', '))
FROM pg_attribute WHERE attrelid = 'taste.model'::regclass AND attnum > 0 AND NOT attisdropped \gexec
SET ROLE reco_kept_reader;
SELECT is(listed(), 5::bigint, 'a right to every column of them');
RESET ROLE;
REVOKE SELECT (lambda) ON taste.model FROM reco_kept_reader;
SET ROLE reco_kept_reader;
SELECT throws_ok('SELECT listed()', '42501', 'permission denied for table model', 'to every column but one');
RESET ROLE;
GRANT SELECT ON taste.model TO reco_kept_reader;
SET ROLE reco_kept_reader;
SELECT is(listed(), 5::bigint, 'and to all again');
RESET ROLE;
REVOKE SELECT ON taste.learned_item FROM public, reco_kept_reader;
SET ROLE reco_kept_reader;
SELECT throws_ok('SELECT listed()', '42501', NULL, 'a right that was taken away');
RESET ROLE;
DROP OWNED BY reco_kept_reader;
DROP ROLE reco_kept_reader;

/* The row of settings is read as it is now: changed in this transaction, taken back, with columns in other places, twice, not at all. */
SELECT lists('taste') AS now \gset
BEGIN;
UPDATE taste.model SET item_slots = 0;
SELECT throws_ok('SELECT * FROM reco_top_n(7, 5, ''taste'')', 'XX001', NULL, 'what this transaction wrote counts');
ROLLBACK;
SELECT is(lists('taste'), :'now', 'what it took back does not');
BEGIN;
ALTER TYPE reco_model DROP ATTRIBUTE max_history CASCADE;
ALTER TYPE reco_model ADD ATTRIBUTE extra integer CASCADE, ADD ATTRIBUTE max_history integer CASCADE;
UPDATE taste.model SET max_history = 1;
SELECT isnt(lists('taste'), :'now', 'a column that has moved');
UPDATE taste.model SET max_history = 10000;
SELECT is(lists('taste'), :'now', 'as it was set before');
ALTER TYPE reco_model DROP ATTRIBUTE max_history CASCADE;
SELECT throws_ok('SELECT * FROM reco_top_n(7, 5, ''taste'')', '42703', NULL, 'a column that has gone');
ROLLBACK;
SELECT is(lists('taste'), :'now', 'and is back where it was');
BEGIN;
DROP INDEX taste.model_expr_idx;
INSERT INTO taste.model SELECT * FROM taste.model;
SELECT throws_ok('SELECT * FROM reco_top_n(7, 5, ''taste'')', 'XX001', 'table "taste.model" must hold one row', 'two rows');
DELETE FROM taste.model;
SELECT throws_ok('SELECT * FROM reco_top_n(7, 5, ''taste'')', 'XX001', 'table "taste.model" must hold one row', 'none');
ROLLBACK;
SELECT is(lists('taste'), :'now', 'one');

-- A table that got its file in this transaction is emptied in place: what is written then has the places and the xmin of before.
BEGIN;
TRUNCATE taste.learned_item;
CREATE TEMP TABLE said (turn int, neighbors text, answer text);
DO $$ BEGIN
  FOR turn IN 1 .. 30 LOOP
    PERFORM reco_configure('taste', similarity => CASE WHEN turn % 2 = 0 THEN 'cosine' ELSE 'cooccurrence' END);
    PERFORM reco_refresh('taste');
    INSERT INTO said SELECT turn % 2, (SELECT md5(string_agg(neighbors::text, '' ORDER BY item_id)) FROM taste.learned_item), lists('taste');
    TRUNCATE taste.learned_item;
  END LOOP;
END $$;
SELECT results_eq('SELECT turn, count(DISTINCT neighbors)::int, count(DISTINCT answer)::int FROM said GROUP BY turn ORDER BY turn', 'VALUES (0, 1, 1), (1, 1, 1)', 'emptied and learned anew in one transaction');
ROLLBACK;

-- Another model of the same name, and one in whose place another one is.
SELECT reco_drop_model('taste');
SELECT reco_create_model('taste', 'SELECT user_id, (item_id + 1) % 400 AS item_id, weight FROM public.taste');
SELECT reco_configure('taste', similarity => 'cooccurrence', min_match => 0, min_support => 1);
SELECT lives_ok('SELECT * FROM reco_refresh(''taste'')');
SELECT agrees('taste', 'another one of that name');
ALTER SCHEMA taste RENAME TO away; ALTER SCHEMA wide RENAME TO taste; ALTER SCHEMA away RENAME TO wide;
SELECT agrees(m, 'in the place of the other') FROM unnest(ARRAY['taste', 'wide']) m;
SELECT * FROM finish();
