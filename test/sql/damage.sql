-- Damage: models that somebody changed behind reco's back.  Each of these once crashed, lied or let somebody in.
CREATE TABLE visits AS SELECT n % 50 AS u, (n * n) % 23 AS i FROM generate_series(1, 1500) n;
SELECT reco_create_model('site', 'SELECT u AS user_id, i AS item_id FROM visits');
SELECT events FROM reco_refresh('site');

-- the type of ids changed under the model
BEGIN;
DROP VIEW site.events;
CREATE VIEW site.events AS SELECT u AS user_id, i::text AS item_id FROM visits;
SAVEPOINT changed;
SELECT reco_refresh('site');
ROLLBACK TO changed;
SELECT * FROM reco_popular(2, 'site');
ROLLBACK;
-- a table of what was learned that is none
BEGIN;
ALTER TABLE site.learned_item ALTER neighbors DROP NOT NULL;
UPDATE site.learned_item SET neighbors = NULL;
SELECT * FROM reco_top_n(5, 2, 'site');
ROLLBACK;
BEGIN;
DROP VIEW site.popular, site.similar;
DROP TABLE site.learned_item;
CREATE VIEW site.learned_item AS SELECT 1094795585::text AS item_id, 1 AS item_no, 1::float8 AS popularity_log2, 1::float8 AS recent_log2, 1 AS users;
SELECT * FROM reco_popular(1, 'site');
ROLLBACK;
BEGIN;
UPDATE site.learned_item SET item_no = -item_no - 1;
SELECT * FROM reco_similar_items(1, 2, 'site');
ROLLBACK;
-- settings and curve edited by hand
BEGIN;
UPDATE site.model SET curve_score = '{NaN}', curve_match = '{0}';
SELECT reco_match(5, 1, 'site');
ROLLBACK;
BEGIN;
UPDATE site.model SET curve_score = '{2,1}', curve_match = '{0.1,0.2}';
SELECT reco_match(5, 1, 'site');
ROLLBACK;
BEGIN;
UPDATE site.model SET item_slots = -1;
SELECT count(*) FROM reco_top_n(5, 2, 'site');
ROLLBACK;
-- more items than the table has room for, which whoever asks would have to take gigabytes for
BEGIN;
UPDATE site.model SET item_slots = 2147483647;
SAVEPOINT giant;
SELECT count(*) FROM reco_top_n(5, 2, 'site');
ROLLBACK TO giant;
SELECT reco_match(5, 1, 'site');
ROLLBACK TO giant;
SELECT count(*) FROM reco_top_n_all(2, 'site');
ROLLBACK TO giant;
SELECT events FROM reco_refresh('site');
SELECT item_slots, count(*) FROM site.model, reco_top_n(999, 2, 'site') GROUP BY item_slots;
ROLLBACK;
BEGIN;
UPDATE site.model SET algorithm = 'factors', factors = -1;
SELECT events FROM reco_refresh('site');
ROLLBACK;
BEGIN;
UPDATE site.model SET algorithm = 'factors', factors = -1;
SELECT reco_configure('site', factors => 2);
SELECT events FROM reco_refresh('site');
ROLLBACK;
-- what the hint says helps
BEGIN;
UPDATE site.model SET curve_score = '{NaN}', curve_match = '{0}', item_slots = -1;
SELECT events FROM reco_refresh('site');
SELECT count(*) FROM reco_top_n(999, 2, 'site');
ROLLBACK;
BEGIN;
UPDATE site.model SET format_version = NULL;
SELECT count(*) FROM reco_top_n(5, 2, 'site');
ROLLBACK;
-- a model of a version to come: whoever asks is told, and what the hint says helps
BEGIN;
UPDATE site.model SET format_version = 2;
SAVEPOINT newer;
SELECT count(*) FROM reco_top_n(5, 2, 'site');
ROLLBACK TO newer;
\set VERBOSITY sqlstate
SELECT * FROM reco_refresh('site');
ROLLBACK TO newer;
SELECT reco_configure('site', neighbors => 5);
ROLLBACK TO newer;
SELECT * FROM reco_similar_items(1, 2, 'site');
ROLLBACK TO newer;
SELECT reco_match(5, 1, 'site');
ROLLBACK TO newer;
SELECT * FROM reco_top_n_all(2, 'site');
ROLLBACK TO newer;
SELECT * FROM reco_check('site');
ROLLBACK TO newer;
SELECT * FROM reco_evaluate('site');
ROLLBACK TO newer;
\set VERBOSITY default
SELECT reco_drop_model('site');
ROLLBACK;
BEGIN;
DELETE FROM site.model;
SELECT count(*) FROM reco_top_n(5, 2, 'site');
ROLLBACK;
INSERT INTO site.model SELECT * FROM site.model;

-- a catalogue whose ids are wider than the events': said, not cut off
BEGIN;
CREATE VIEW site.items AS SELECT 4295967297 AS item_id;
SELECT item_id FROM site.top_n(999, 3);
ROLLBACK;
-- ids of a domain or of a length go out as what they are
CREATE DOMAIN small AS int CHECK (value < 2);
SELECT * FROM reco_typed_top_n(5, 3, 'site.model', NULL::int[], NULL::int[], NULL, NULL, NULL, NULL) AS t(item_id small, score float8, match float8, because small, source text);
SELECT * FROM reco_neighbors(NULL::small, (SELECT reco_matrix(u, i, 1) FROM visits), 1);
-- what a matrix holds it can read again
SELECT reco_matrix(1, 1, w) FROM (VALUES (1e308::float8), (1e308)) v(w);

-- columns of what was learned, and of the log, that somebody gave other types
CREATE TABLE plays AS SELECT n % 40 AS u, n * n % 9 AS i, '2026-01-01'::timestamptz + n * interval '5 hours' AS at, (ARRAY[0.5, 1, 1])[1 + n % 3]::real AS progress FROM generate_series(1, 800) n;
SELECT reco_create_model('tv', 'SELECT u AS user_id, i AS item_id, at AS occurred_at, progress FROM plays');
SELECT events FROM reco_refresh('tv');
SELECT users FROM reco_learn_habits('tv', '2026-08-01');
SELECT reco_create_log('tv');
INSERT INTO tv.served (list_id, rank, served_at, user_id, item_id, source, variant) VALUES (1, 1, '2026-01-02', 5, 7, 'personal', 'b');
BEGIN;
ALTER TABLE tv.learned_habit ALTER hours TYPE int USING 12345;
\set VERBOSITY terse
SELECT * FROM reco_best_time(5, 'tv', as_of => '2026-08-01');
\set VERBOSITY default
ROLLBACK;
BEGIN;
ALTER TABLE tv.learned_habit ALTER hours TYPE text USING '{1,2}';
SELECT * FROM reco_best_time(5, 'tv', as_of => '2026-08-01');
ROLLBACK;
CREATE TABLE before AS SELECT * FROM reco_next_purchases(5, 3, 'tv', as_of => '2026-08-01');
CREATE TABLE left_before AS SELECT * FROM reco_continue(5, 3, 'tv');
BEGIN;
ALTER TABLE tv.learned_habit ALTER r TYPE numeric, ALTER new_items TYPE real;
ALTER TABLE tv.learned_repeat ALTER share TYPE numeric;
ALTER TABLE tv.learned_resume ALTER probability TYPE numeric;
SELECT count(*), count(b.item_id) FROM reco_next_purchases(5, 3, 'tv', as_of => '2026-08-01') a LEFT JOIN before b USING (item_id) WHERE abs(a.chance - b.chance) < 1e-6;
-- asked so often that all repeats are read at once
SELECT count(*) FROM generate_series(1, 40) n CROSS JOIN LATERAL reco_next_purchases(5 + 0 * n, 3, 'tv', as_of => '2026-08-01') a JOIN before b USING (item_id) WHERE abs(a.chance - b.chance) < 1e-6;
SELECT count(*), count(b.item_id) FROM reco_continue(5, 3, 'tv') a LEFT JOIN left_before b USING (item_id) WHERE abs(a.probability - b.probability) < 1e-6;
ROLLBACK;
BEGIN;
ALTER TABLE tv.learned_repeat DROP CONSTRAINT learned_repeat_pkey;
ALTER TABLE tv.learned_repeat ALTER item_id DROP NOT NULL;
UPDATE tv.learned_repeat SET item_id = NULL WHERE item_id = 7;
\set VERBOSITY terse
SELECT count(*) FROM generate_series(1, 40) n CROSS JOIN LATERAL reco_next_purchases(5 + 0 * n, 3, 'tv', as_of => '2026-08-01');
\set VERBOSITY default
ROLLBACK;
-- two models that change places while one of them is read: nothing is taken of one for the other, and nothing written to it
CREATE TABLE moving ();
CREATE FUNCTION public.move() RETURNS int LANGUAGE plpgsql AS $$BEGIN
  IF EXISTS (SELECT FROM public.moving) AND to_regnamespace('radio') IS NOT NULL THEN
    ALTER SCHEMA tv RENAME TO gone;
    ALTER SCHEMA radio RENAME TO tv;
  END IF;
  RETURN 1;
END$$;
SELECT reco_create_model('radio', 'SELECT u AS user_id, i AS item_id, at AS occurred_at, progress FROM plays');
CREATE OR REPLACE VIEW tv.events WITH (security_invoker = true) AS SELECT u AS user_id, i AS item_id, at AS occurred_at, progress FROM plays, public.move() m WHERE m > 0;
SELECT model, reco_refresh(model) IS NOT NULL AS refreshed FROM unnest('{radio,tv}'::text[]) model;
SELECT users FROM reco_learn_habits('radio', '2026-08-01');
INSERT INTO moving DEFAULT VALUES;
\set VERBOSITY sqlstate
SELECT * FROM reco_learn_habits('tv', '2026-08-01');
SELECT * FROM reco_best_time(5, 'tv', as_of => '2026-08-01');
SELECT * FROM reco_next_purchases(5, 3, 'tv', as_of => '2026-08-01');
SELECT * FROM reco_win_back(3, 'tv', as_of => '2026-08-01');
SELECT * FROM reco_disclose(5, 'tv');
SELECT * FROM reco_page(5, 3, 3, 'tv');
SELECT * FROM reco_wrapped(5, '2026-01-01', '2026-08-01', 'tv');
\set VERBOSITY default
DROP TABLE moving CASCADE;
SELECT reco_drop_model('radio');
CREATE OR REPLACE VIEW tv.events WITH (security_invoker = true) AS SELECT u AS user_id, i AS item_id, at AS occurred_at, progress FROM plays;
DROP FUNCTION public.move;
BEGIN;
ALTER FUNCTION tv.attribute RENAME TO old_attribute;
CREATE FUNCTION tv.attribute(interval) RETURNS TABLE (variant int, source int, list_id int, chosen_at int) LANGUAGE sql AS 'SELECT 1, 2, 3, 4';
SELECT variant, source, lists, shown, chosen FROM reco_attribute('tv', '1 day');
ROLLBACK;
-- operators of somebody else's that fit better: what reco compares with is the system's
CREATE SCHEMA traps;
CREATE FUNCTION traps.sprung(float8, int) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN RAISE 'sprung'; END$$;
CREATE FUNCTION traps.sprung(real, int) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN RAISE 'sprung'; END$$;
CREATE OPERATOR traps.> (LEFTARG = real, RIGHTARG = int, FUNCTION = traps.sprung);
CREATE OPERATOR traps.>= (LEFTARG = float8, RIGHTARG = int, FUNCTION = traps.sprung);
CREATE TABLE pictures AS SELECT 7 AS item_id, v AS variant, n < 3 AS chosen, 'young' AS segment FROM unnest(ARRAY['red', 'blue']) v, generate_series(1, 9) n;
CREATE TABLE films AS SELECT i, 'genre ' || i % 2 AS genre FROM generate_series(0, 8) i;
SELECT reco_create_model('trap', 'SELECT u AS user_id, i AS item_id, progress AS weight FROM plays', 'SELECT i AS item_id, genre FROM films');
SELECT events FROM reco_refresh('trap');
SET search_path = traps, public;
SELECT shown FROM reco_choose(1, 7, '{red,blue}', 'pictures');
SELECT shown FROM reco_choose(1, 7, '{red,blue}', 'pictures', segment => 'young');
SELECT count(*) FROM reco_segments('trap', 2, 'genre');
SELECT count(*) FROM reco_audience_of('{"genre": "genre 1"}', 3, 'trap');
RESET search_path;
SELECT reco_drop_model('trap');
-- weights that are whole numbers
SELECT reco_create_model('whole', 'SELECT u AS user_id, i AS item_id, 2 AS weight FROM plays', 'SELECT i AS item_id, genre FROM films');
SELECT events FROM reco_refresh('whole');
SELECT count(*) FROM reco_segments('whole', 2, 'genre');
SELECT count(*) FROM reco_audience_of('{"genre": "genre 1"}', 3, 'whole');
SELECT reco_drop_model(m) FROM unnest('{tv,whole}'::text[]) m;
SET client_min_messages = warning;
DROP SCHEMA traps CASCADE;
RESET client_min_messages;
DROP TABLE pictures, films, before, left_before, plays;

-- models of others: a table in a schema that is not its owner's, a temporary one, one with policies
CREATE ROLE reco_test_planter;
CREATE SCHEMA planted;
CREATE TABLE planted.model OF reco_model;
ALTER TABLE planted.model OWNER TO reco_test_planter;
SELECT reco_refresh('planted');
ALTER TABLE planted.model OWNER TO CURRENT_USER;
SELECT reco_refresh('planted');
ALTER TABLE planted.model ENABLE ROW LEVEL SECURITY;
SELECT reco_refresh('planted');
SELECT model FROM reco_models();
DROP SCHEMA planted CASCADE;
CREATE TEMP TABLE model OF reco_model;
SELECT count(*) FROM reco_top_n(999, 2);
SELECT model FROM reco_models();
DROP TABLE pg_temp.model;
-- a view of the model that belongs to somebody else would run as whoever asks
BEGIN;
ALTER VIEW site.events OWNER TO reco_test_planter;
\set VERBOSITY terse
SELECT count(*) FROM reco_top_n(5, 2, 'site');
\set VERBOSITY default
ROLLBACK;
DROP ROLE reco_test_planter;
-- factors of an item that nothing else was learned of
SELECT reco_configure('site', algorithm => 'factors', factors => 4);
SELECT events FROM reco_refresh('site');
BEGIN;
INSERT INTO visits VALUES (5, 77);
INSERT INTO site.item_factor SELECT 77, item_no, factor FROM site.item_factor WHERE item_id = 1;
SELECT * FROM reco_similar_users(5, 2, 'site');
ROLLBACK;
-- a policy that asks a question of its own while a list is made changes nothing about the list
CREATE TABLE few AS SELECT u, i FROM generate_series(1, 4) u, generate_series(1, 2) i;
SELECT reco_create_model('small', 'SELECT u AS user_id, i AS item_id FROM few');
SELECT events FROM reco_refresh('small');
CREATE FUNCTION asks() RETURNS boolean LANGUAGE SQL VOLATILE AS $$SELECT count(*) >= 0 FROM reco_top_n(1, 5, 'small')$$;
CREATE ROLE reco_test_reader;
GRANT SELECT ON visits, few TO reco_test_reader;
GRANT USAGE ON SCHEMA site, small TO reco_test_reader;
ALTER TABLE site.item_factor ENABLE ROW LEVEL SECURITY;
CREATE POLICY asks ON site.item_factor USING (asks());
SELECT count(*) FROM reco_top_n(5, 3, 'site', seen => true, fallback => false);
SET ROLE reco_test_reader;
SELECT count(*) FROM reco_top_n(5, 3, 'site', seen => true, fallback => false);
RESET ROLE;
SELECT reco_drop_model('small');
DROP POLICY asks ON site.item_factor;
ALTER TABLE site.item_factor DISABLE ROW LEVEL SECURITY;
DROP FUNCTION asks();
DROP TABLE few;
DROP OWNED BY reco_test_reader;
DROP ROLE reco_test_reader;
-- one broken model does not spoil the list of all
DROP VIEW site.events;
SELECT model, user_type, item_type, events FROM reco_models();
SELECT reco_drop_model('site');
DROP DOMAIN small;
DROP TABLE visits;
-- an integer id that hashes, in its table, as a text does in another: neither is taken for the other
CREATE FUNCTION times(x bigint, y numeric) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
  SELECT (CASE WHEN p >= 2::numeric ^ 63 THEN p - 2::numeric ^ 64 ELSE p END)::bigint
  FROM (SELECT trunc(mod((CASE WHEN x < 0 THEN x + 2::numeric ^ 64 ELSE x END) * y, 2::numeric ^ 64)) AS p) q $$;
CREATE FUNCTION plus(x bigint, y numeric) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
  SELECT (CASE WHEN p >= 2::numeric ^ 63 THEN p - 2::numeric ^ 64 ELSE p END)::bigint
  FROM (SELECT trunc(mod(x + y + 2 * 2::numeric ^ 64, 2::numeric ^ 64)) AS p) q $$;
CREATE FUNCTION shifted(x bigint, n int) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$ SELECT (x >> n) & ((1::bigint << (64 - n)) - 1) $$;
CREATE FUNCTION mix(x bigint) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS $$BEGIN
  x := public.times(x # public.shifted(x, 30), 13787848793156543929);
  x := public.times(x # public.shifted(x, 27), 10723151780598845931);
  RETURN x # public.shifted(x, 31);
END$$;
CREATE FUNCTION unmix(x bigint) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS $$BEGIN
  x := public.times(x # public.shifted(x, 31) # public.shifted(x, 62), 3573116690164977347);
  x := public.times(x # public.shifted(x, 27) # public.shifted(x, 54), 10871156337175269513);
  RETURN x # public.shifted(x, 30) # public.shifted(x, 60);
END$$;
SELECT unmix(mix(42)), unmix(mix(-7));
CREATE TABLE said (u int, i text);
CREATE TABLE counted (u int, i bigint);
SELECT reco_create_model('words', 'SELECT u AS user_id, i AS item_id FROM said'), reco_create_model('numbers', 'SELECT u AS user_id, i AS item_id FROM counted');
INSERT INTO said SELECT n, w FROM generate_series(1, 30) n, unnest('{x,y}'::text[]) w;
INSERT INTO counted SELECT u, CASE i WHEN 'y' THEN 2 ELSE unmix(plus(mix(plus(mix(mix(plus(1, 11400714819323198485)) # 120), 11400714819323198485)), 'words.learned_item'::regclass::oid::bigint - 'numbers.learned_item'::regclass::oid::bigint)) END FROM said;
SELECT model, reco_refresh(model) IS NOT NULL AS refreshed FROM unnest('{words,numbers}'::text[]) model;
SELECT count(*) FROM numbers.complete((SELECT array_agg(DISTINCT i) FROM counted), 5);
SELECT item_id FROM words.complete('{x}', 5);
SELECT item_id FROM words.complete('{x}', 5);
SELECT reco_drop_model('words'), reco_drop_model('numbers');
DROP FUNCTION unmix, mix, shifted, plus, times;
