-- everyone: reco_top_n_all gives, user by user and bit by bit, what reco_top_n gives.

BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;
SET LOCAL timezone = 'UTC';

CREATE FUNCTION pg_temp.refresh(model text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM reco_refresh(model); END $$;

/*
 * Every user of a model who has an event that counts, by SQL alone, and the lists that the model's own top_n gives each.
 * options are those both have in common; scores are compared as bytes.
 */
CREATE FUNCTION pg_temp.asked(model text, k int, options text) RETURNS text LANGUAGE sql AS $$
  SELECT format('SELECT u.user_id::text, t.item_id::text, encode(float8send(t.score), ''hex'') AS score, t.match, t.because::text, t.source, t.rank::int
    FROM pg_temp.users_of(%1$L, %4$L) u, LATERAL %1$I.top_n(u.user_id::%5$s, %2$s %3$s) WITH ORDINALITY AS t(item_id, score, match, because, source, rank)',
    model, k, options, substring(options FROM 'as_of => ''([^'']+)'''), (SELECT format_type(proargtypes[0], NULL) FROM pg_proc WHERE proname = 'top_n' AND pronamespace = to_regnamespace(model))) $$;
CREATE FUNCTION pg_temp.users_of(model text, as_of text) RETURNS TABLE(user_id text) LANGUAGE plpgsql AS $$
DECLARE condition text := 'user_id IS NOT NULL AND item_id IS NOT NULL';
BEGIN
  IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass(model || '.events') AND attname = 'weight') THEN
    condition := condition || ' AND abs(weight) < 3.5e38';
  END IF;
  IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass(model || '.events') AND attname = 'occurred_at') THEN
    condition := condition || format(' AND occurred_at <= %L', coalesce(as_of, clock_timestamp()::text));
  END IF;
  RETURN QUERY EXECUTE format('SELECT DISTINCT user_id::text FROM %I.events WHERE %s', model, condition);
END $$;
CREATE FUNCTION pg_temp.all_at_once(model text, k int, options text) RETURNS text LANGUAGE sql AS $$
  SELECT format('SELECT user_id::text, item_id::text, encode(float8send(score), ''hex'') AS score, match, because::text, source, rank FROM %I.top_n_all(%s %s)', model, k, options) $$;
CREATE FUNCTION pg_temp.is_same(model text, k int, options text DEFAULT '') RETURNS text LANGUAGE plpgsql AS $$
DECLARE one bigint; every bigint; differing bigint;
BEGIN
  DROP TABLE IF EXISTS one_by_one, at_once;
  EXECUTE 'CREATE TEMP TABLE one_by_one AS ' || pg_temp.asked(model, k, options);
  EXECUTE 'CREATE TEMP TABLE at_once AS ' || pg_temp.all_at_once(model, k, options);
  SELECT count(*) INTO one FROM one_by_one;
  SELECT count(*) INTO every FROM at_once;
  SELECT count(*) INTO differing FROM (TABLE one_by_one EXCEPT ALL TABLE at_once) d;
  RETURN ok(one > 0 AND one = every AND differing = 0, format('%s: lists of %s %s', model, k, options))
    || CASE WHEN one > 0 AND one = every AND differing = 0 THEN '' ELSE E'\n' || diag(format('%s rows one by one, %s at once, %s differ', one, every, differing)) END;
END $$;

/* The 5 x 5 matrix of recommend.sql, linear, and its cosines; there the lists of u2 and u5 are worked by hand. */
CREATE TABLE five (user_id int, item_id int, weight float8);
INSERT INTO five VALUES
  (1, 1, 1), (1, 2, 2), (1, 3, 1),
  (2, 1, 2), (2, 2, 1),
  (3, 1, 1), (3, 3, 3), (3, 4, 1),
  (4, 1, 1), (4, 2, 1), (4, 3, 1), (4, 4, 2),
  (5, 4, 1), (5, 5, 1);
SELECT reco_create_model('five', 'SELECT user_id, item_id, weight FROM five');
SELECT reco_configure('five', similarity => 'cosine', weighting => 'linear', min_support => 1);
SELECT pg_temp.refresh('five');
SELECT results_eq('SELECT user_id, item_id, round(score::numeric, 4), because, source, rank FROM five.top_n_all(2) WHERE user_id IN (2, 5) ORDER BY user_id, rank',
  $$VALUES (2, 3, .6748, 1, 'personal', 1), (2, 4, .5631, 1, 'personal', 2), (5, 3, .4352, 4, 'personal', 1), (5, 1, .3273, 4, 'personal', 2)$$, 'the lists of u2 and u5 by hand');
SELECT set_eq('SELECT DISTINCT user_id FROM five.top_n_all(1)', 'VALUES (1), (2), (3), (4), (5)', 'everybody is there');
SELECT pg_temp.is_same('five', k, o) FROM unnest(ARRAY[1, 2, 10]) k, unnest(ARRAY['', ', seen => true', ', fallback => false', ', seen => true, fallback => false']) o;
/*
 * What happened since: one only dislikes (8), one was only shown something (7), one knows only what no refresh has seen (10), one has everything (11), one rows
 * that do not count beside one that does (9), one only such rows (12), who is nobody; and a row of nobody.
 */
INSERT INTO five VALUES (6, 1, 1), (6, 2, -1), (7, 1, 0), (7, 5, 0), (8, 2, -1), (8, 4, -2), (9, 4, .25), (9, 4, .25), (9, 4, .5), (9, 4, NULL), (9, NULL, 1), (9, 4, 'NaN'),
  (9, 1, 'Infinity'), (9, 2, 1e300), (10, 77, 1), (11, 1, 1), (11, 2, 1), (11, 3, 1), (11, 4, 1), (11, 5, 1), (12, 1, 'NaN'), (12, NULL, 1), (12, 2, NULL), (NULL, 1, 1), (NULL, NULL, NULL);
SELECT pg_temp.is_same('five', k, o) FROM unnest(ARRAY[1, 3, 1000000]) k, unnest(ARRAY['', ', seen => true', ', fallback => false', ', seen => true, fallback => false']) o;
SELECT set_eq('SELECT user_id, count(*) FROM five.top_n_all(10) GROUP BY user_id', 'VALUES (1, 2::bigint), (2, 3), (3, 2), (4, 1), (5, 3), (6, 3), (7, 5), (8, 3), (9, 4), (10, 5)',
              'a list for all but those who have everything and those who have nothing that counts');
SELECT is((SELECT string_agg(source, ' ' ORDER BY rank) FROM five.top_n_all(3) WHERE user_id = 8), 'popular popular popular', 'only dislikes: what is popular');

-- Every kind of similarity: also weights below 0, which ridge has, rows kept by source, and columns as long as the catalogue.
CREATE FUNCTION pg_temp.learn(model text, kind text, form text, kept text, most int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM reco_configure(model, similarity => kind, weighting => form, keep => kept, neighbors => most, min_support => 1, lambda => .1);
  PERFORM reco_refresh(model);
END $$;
CREATE FUNCTION pg_temp.is_same_learned(model text, kind text, form text, kept text, most int, k int, options text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_temp.learn(model, kind, form, kept, most);
  RETURN format('%s -- %s, %s, %s %s', pg_temp.is_same(model, k, options), kind, form, kept, most);
END $$;

-- Generated: 400 users, 80 items, repeats, dislikes, times, a catalogue that lacks one item in seven and has new ones, one of them twice.
CREATE FUNCTION pg_temp.as_uuid(n int) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$ SELECT (lpad(n::text, 8, '0') || '-0000-4000-8000-000000000000')::uuid $$;
CREATE TABLE generated AS
  SELECT user_id, item_id, weight, at, 'user-' || lpad(user_id::text, 4, '0') AS user_text, 'item-' || lpad(item_id::text, 4, '0') AS item_text,
         pg_temp.as_uuid(user_id) AS user_uuid, pg_temp.as_uuid(item_id) AS item_uuid
  FROM (SELECT user_id, item_id, CASE WHEN h & 31 = 5 THEN -1 WHEN h & 63 = 7 THEN 0 ELSE ((h >> 6 & 15) + 1) / 10.0::float8 END AS weight,
          '2026-01-01'::timestamptz + (h >> 10 & 255) * interval '1 day' AS at, h, n, hashint8(user_id * 7919 + item_id * 104729) & 1023 AS lot
        FROM generate_series(1, 400) user_id, generate_series(1, 80) item_id, generate_series(0, 3) n, LATERAL (SELECT hashint8(user_id * 104729 + item_id * 7919 + n * 31) AS h) g) g
  WHERE lot < 700 / (item_id + 1) + 12 * (user_id % 5) + CASE WHEN user_id % 6 = item_id % 6 THEN 200 ELSE 0 END AND (n = 0 OR h & 7 < 3);
CREATE INDEX ON generated (user_id);
CREATE INDEX ON generated (user_text);
CREATE INDEX ON generated (user_uuid);
ANALYZE generated;
CREATE TABLE product AS SELECT i AS item_id, '2026-01-01'::date + i % 9 AS released_at FROM generate_series(1, 90) i WHERE i % 7 <> 0;
INSERT INTO product VALUES (85, '2027-01-01'), (2, '2027-01-01');
SELECT reco_create_model('numbers', 'SELECT user_id::bigint, item_id, weight, at AS occurred_at FROM generated', 'SELECT item_id, released_at FROM product');
SELECT reco_create_model('plain', 'SELECT user_id, item_id::bigint FROM generated');
SELECT reco_create_model('texts', 'SELECT user_text AS user_id, item_text AS item_id, weight FROM generated');
SELECT reco_create_model('uuids', 'SELECT user_uuid AS user_id, item_uuid AS item_id, at AS occurred_at FROM generated');
SELECT reco_create_model('int_text', 'SELECT user_id::smallint, item_text::varchar AS item_id, weight FROM generated');
SELECT reco_create_model('text_uuid', 'SELECT user_text::varchar AS user_id, item_uuid AS item_id, weight FROM generated');
SELECT reco_configure(m, similarity => 'cooccurrence'), pg_temp.refresh(m) FROM unnest(ARRAY['numbers', 'plain', 'texts', 'uuids', 'int_text', 'text_uuid']) m;
SELECT isnt((SELECT cardinality(curve_score) FROM numbers.model), 0, 'the generated model has a curve');
SELECT pg_temp.is_same(m, 7) FROM unnest(ARRAY['numbers', 'plain', 'texts', 'uuids', 'int_text', 'text_uuid']) m;
SELECT pg_temp.is_same('numbers', k, o) FROM unnest(ARRAY[10, 1000000]) k,
  unnest(ARRAY['', ', seen => true', ', fallback => false', ', min_match => 55', ', min_match => 0, seen => true', ', as_of => ''2026-04-01''', ', as_of => ''2026-01-01'', seen => true']) o;
SELECT pg_temp.is_same('numbers', 5, o) FROM unnest(ARRAY[', diversity => .5', ', max_per => ''released_at''', ', max_per => ''released_at'', max_per_n => 3, diversity => .3, seen => true', ', calibrated => .5, calibrated_by => ''released_at''',
    ', min_match => 55, diversity => .9, calibrated => .2, calibrated_by => ''released_at''']) o;
SELECT set_has('SELECT DISTINCT source FROM numbers.top_n_all(100)', $$VALUES ('personal'), ('popular'), ('new')$$, 'with every source there is');
SELECT is_empty('SELECT item_id FROM numbers.top_n_all(100) WHERE item_id NOT IN (SELECT item_id FROM product)', 'nothing that is not in the catalogue');
SELECT is_empty('SELECT user_id, item_id FROM numbers.top_n_all(100) GROUP BY 1, 2 HAVING count(*) > 1', 'no item twice in a list');
SELECT is_empty('SELECT user_id FROM numbers.top_n_all(100) GROUP BY 1 HAVING min(rank) <> 1 OR max(rank) <> count(*) OR count(DISTINCT rank) <> count(*)', 'ranks count from 1');
SELECT is_empty('SELECT * FROM (SELECT *, lag(score) OVER (PARTITION BY user_id ORDER BY rank) AS above FROM numbers.top_n_all(100)) l WHERE above < score', 'best first');
SELECT pg_temp.is_same_learned('numbers', kind, form, kept, most, 9, ', seen => true') FROM (VALUES
  ('cosine', 'binary', 'source', 5), ('cosine', 'linear', 'target', 5), ('llr', 'log', 'source', 100), ('ridge', 'log', 'source', 100), ('ridge', 'binary', 'source', 10)) v(kind, form, kept, most);
SELECT cmp_ok((SELECT count(*) FROM numbers.similar WHERE similarity < 0), '>', 0::bigint, 'ridge has similarities below 0');
/* Ties: five groups of eight items, of which each of a group's users has seven: all binary cosines within a group are 6 / 7, and scores with them; places go by item number. */
CREATE TABLE tied AS SELECT u AS user_id, 8 * (u % 5) + i AS item_id FROM generate_series(0, 39) u, generate_series(0, 7) i WHERE (u / 5) % 8 <> i;
INSERT INTO tied VALUES (100, 3), (100, 11), (101, 11), (101, 3), (101, 39), (102, 20);
SELECT reco_create_model('tied', 'SELECT user_id, item_id FROM tied');
SELECT pg_temp.is_same_learned('tied', 'cosine', 'binary', kept, 4, 6, '') FROM unnest(ARRAY['target', 'source']) kept;
SELECT pg_temp.is_same_learned('tied', 'cosine', 'binary', 'target', 100, 50, '');
SELECT is((SELECT count(DISTINCT score) || ' of ' || count(*) FROM tied.top_n_all(14, fallback => false) WHERE user_id = 100), '1 of 14', 'what ties ties');

/*
 * Short lists (math/shortlist) where columns are long: 700 items, of which five are neighbours of nearly all others, 1,500 users with six items anywhere, one or two of the five, and dislikes; scores that
 * tie in hundreds; and more items than 16 bits can number.
 */
CREATE TABLE wide AS
  SELECT u AS user_id, CASE WHEN n < 6 THEN 6 + abs(hashint8(u * 31 + n)::bigint) % 694 ELSE 1 + (u + n * (u % 7)) % 5 END AS item_id,
    (CASE WHEN hashint8(u * 7 + n) & 15 = 3 THEN -1 ELSE 1 + (hashint8(u + n * 13) & 7) / 4.0 END)::real AS weight, '2026-01-01'::timestamptz + (u * 8 + n) * interval '1 minute' AS at
  FROM generate_series(1, 1500) u, generate_series(0, 7) n WHERE n < 7 OR u % 2 = 0;
INSERT INTO wide SELECT 2000, i, 1, '2026-02-01'::timestamptz FROM generate_series(1, 600) i UNION ALL SELECT 2001, i, CASE WHEN i % 9 = 0 THEN -1 ELSE 1 END, '2026-02-01'::timestamptz FROM generate_series(1, 700, 2) i;
CREATE INDEX ON wide (user_id);
ANALYZE wide;
SELECT reco_create_model('wide', 'SELECT user_id, item_id, weight, at AS occurred_at FROM wide');
SELECT pg_temp.is_same_learned('wide', kind, form, 'source', 100, k, o) FROM (VALUES
  ('cosine', 'binary', 10, ''), ('cosine', 'linear', 10, ', seen => true'), ('ridge', 'log', 5, ''), ('cooccurrence', 'binary', 64, ', fallback => false')) v(kind, form, k, o);
SELECT cmp_ok((SELECT max(n) FROM (SELECT count(*) AS n FROM wide.similar GROUP BY similar_item_id) c), '>', 256::bigint, 'some columns are long');
SELECT reco_configure('wide', half_life => '3 hours', max_history => 50);
SELECT pg_temp.is_same('wide', 10, o) FROM unnest(ARRAY['', ', seen => true']) o;
-- just enough for the model, not for sums and maps
SET LOCAL maintenance_work_mem = '1350kB';
SELECT pg_temp.is_same('wide', 10);
RESET maintenance_work_mem;
CREATE TABLE level AS SELECT u AS user_id, i AS item_id FROM generate_series(1, 20) u, generate_series(1, 700) i WHERE u <= 5 OR i <= 2 * u;
SELECT reco_create_model('level', 'SELECT user_id, item_id FROM level');
SELECT pg_temp.is_same_learned('level', 'cosine', 'binary', 'target', 650, k, '') FROM unnest(ARRAY[1, 10, 64]) k;
/*
 * Scores that tie, of which single precision makes more or less, since each is of the same parts in an order of its own: source i and target j go together as often as (i + j) mod 41 says. A list whose
 * margin is too narrow leaves out who comes first.
 */
CREATE TABLE turned AS
  WITH pair AS (SELECT i, j, n, (i * 41 + j) * 8 + n AS user_id FROM generate_series(0, 40) i, generate_series(0, 40) j, generate_series(0, 7) n WHERE n <= power((i + j) % 41, 2)::int % 7)
  SELECT user_id, i AS item_id FROM pair UNION ALL SELECT user_id, 100 + j FROM pair UNION ALL SELECT 1000000, i FROM generate_series(0, 40) i;
SELECT reco_create_model('turned', 'SELECT user_id, item_id FROM turned');
SELECT reco_configure('turned', similarity => 'cosine', weighting => 'binary', keep => 'source', neighbors => 100, min_support => 1), pg_temp.refresh('turned');
SELECT results_eq('SELECT item_id FROM turned.top_n_all(7) WHERE user_id = 1000000 ORDER BY rank', 'SELECT item_id FROM turned.learned_item WHERE item_id >= 100 ORDER BY item_no LIMIT 7', 'of equals the smaller number');
SELECT is((SELECT count(DISTINCT score) || ' of ' || count(*) FROM turned.top_n_all(41) WHERE user_id = 1000000), '1 of 41', 'what parts in any order come to');
SELECT results_eq('SELECT t.item_id, t.score, t.because FROM turned.top_n_all(7) t WHERE user_id = 1000000 ORDER BY rank', 'SELECT t.item_id, t.score, t.because FROM turned.top_n(1000000, 7) WITH ORDINALITY AS t(item_id, score, match, because, source, rank) ORDER BY rank', 'and one by one');
CREATE TABLE numerous AS SELECT u AS user_id, 3 * u + i AS item_id FROM generate_series(1, 22500) u, generate_series(0, 5) i;
SELECT reco_create_model('numerous', 'SELECT user_id, item_id FROM numerous');
SELECT reco_configure('numerous', similarity => 'cosine', min_support => 1);
SELECT pg_temp.refresh('numerous');
SELECT cmp_ok((SELECT count(*) FROM numerous.learned_item), '>', 65536::bigint, 'there are more items than 16 bits can number');
SELECT set_eq('SELECT user_id, item_id, float8send(score), because FROM numerous.top_n_all(4) WHERE user_id % 1000 = 1',
  'SELECT u, item_id, float8send(score), because FROM generate_series(1, 22500, 1000) u, LATERAL numerous.top_n(u, 4)', 'lists of them are the same');
DROP TABLE numerous, level CASCADE;

-- Decay, from the newest event of the refresh or from as_of; and only the newest items of a history.
SELECT reco_configure('numbers', half_life => '20 days');
SELECT pg_temp.is_same('numbers', 8, o) FROM unnest(ARRAY['', ', as_of => ''2026-05-05 05:05''']) o;
SELECT reco_configure('numbers', max_history => 5);
SELECT pg_temp.is_same('numbers', 8, o) FROM unnest(ARRAY['', ', as_of => ''2026-05-05 05:05''', ', seen => true']) o;
SELECT is_empty($$
  SELECT t.user_id FROM numbers.top_n_all(1, fallback => false) t JOIN (SELECT user_id, item_id, max(at) AS newest, sum(weight) AS weight FROM generated GROUP BY 1, 2) g ON (g.user_id, g.item_id) = (t.user_id, t.because)
  WHERE (SELECT count(*) FROM (SELECT item_id, max(at) AS newest FROM generated WHERE user_id = t.user_id GROUP BY 1) n WHERE n.newest > g.newest) >= 5$$, 'no reason is older than the five newest items');
SELECT reco_configure('numbers', max_history => 5000, half_life => '0');
INSERT INTO generated (user_id, item_id, weight, at) VALUES (500, 1, 1, '-infinity'), (501, 2, 1, now() + interval '1 day'), (502, 3, 1, NULL), (503, 4, 1, 'infinity'), (504, 3, 1, clock_timestamp());
SELECT reco_configure('numbers', half_life => '1 year');
SELECT pg_temp.is_same('numbers', 8);
SELECT set_eq('SELECT DISTINCT user_id FROM numbers.top_n_all(1) WHERE user_id >= 500', 'VALUES (500::bigint), (504)', 'who has only events that are to come, or without a time, is not there');
SELECT reco_configure('numbers', half_life => '0');
DELETE FROM generated WHERE user_id >= 500;

-- In parts: none twice, none left out, and each as it was.
CREATE TEMP TABLE whole AS SELECT * FROM texts.top_n_all(4);
SELECT set_eq($$SELECT * FROM whole$$, $$SELECT t.* FROM generate_series(1, 3) p, LATERAL texts.top_n_all(4, part => p, parts => 3) t$$, 'three parts make the whole');
SELECT is_empty('SELECT user_id FROM generate_series(1, 3) p, LATERAL texts.top_n_all(1, part => p, parts => 3) t GROUP BY 1 HAVING count(*) > 1', 'and no user is in two');
SELECT is_empty('SELECT p FROM generate_series(1, 3) p WHERE (SELECT count(*) FROM texts.top_n_all(1, part => p, parts => 3)) NOT BETWEEN 80 AND 190', 'each about a third');

-- By the name of the model, ids are text.
SELECT set_eq('SELECT * FROM reco_top_n_all(4, ''texts'')', 'SELECT * FROM whole', 'reco_top_n_all gives what the door gives');
SELECT set_eq($$SELECT * FROM reco_top_n_all(4, 'uuids')$$, 'SELECT user_id::text, item_id::text, score, match, because::text, source, rank FROM uuids.top_n_all(4)', 'uuids as text');
SELECT set_eq($$SELECT * FROM reco_top_n_all(4, 'numbers')$$, 'SELECT user_id::text, item_id::text, score, match, because::text, source, rank FROM numbers.top_n_all(4)', 'integers as text');

/* Where events do not fit into memory they go through temporary files: 100,000 of 28 bytes do not fit into the least maintenance_work_mem, 1 MB. */
CREATE TABLE many AS SELECT 'u' || h % 5000 AS user_id, (h >> 16) % 40 AS item_id, 1 + (h >> 8) % 3 / 10.0 AS weight, '2026-01-01'::timestamptz + n * interval '1 minute' AS occurred_at
  FROM (SELECT n, abs(hashint8(n)::bigint) AS h FROM generate_series(1, 100000) n) g;
CREATE INDEX ON many (user_id);
ANALYZE many;
SELECT reco_create_model('many', 'SELECT user_id, item_id, weight, occurred_at FROM many');
SELECT reco_configure('many', similarity => 'cooccurrence', half_life => '30 days', max_history => 10);
SELECT pg_temp.refresh('many');
CREATE TEMP TABLE in_memory AS SELECT *, float8send(score) AS bits FROM many.top_n_all(3);
SET LOCAL maintenance_work_mem = '1MB';
CREATE TEMP TABLE on_tape AS SELECT *, float8send(score) AS bits FROM many.top_n_all(3);
SELECT is((SELECT count(DISTINCT user_id) FROM in_memory), 5000::bigint, 'everybody, in memory');
SELECT is_empty('(TABLE in_memory EXCEPT ALL TABLE on_tape) UNION ALL (TABLE on_tape EXCEPT ALL TABLE in_memory)', 'the same, by way of temporary files');
SELECT is_empty('SELECT * FROM on_tape EXCEPT SELECT t.*, float8send(score) FROM generate_series(1, 7) p, LATERAL many.top_n_all(3, part => p, parts => 7) t', 'and in parts');
RESET maintenance_work_mem;
SELECT is_empty($$SELECT u.user_id, t.item_id, t.score, t.match, t.because, t.source, t.rank::int FROM (SELECT DISTINCT user_id FROM many WHERE user_id LIKE '%77') u,
    LATERAL many.top_n(u.user_id, 3) WITH ORDINALITY AS t(item_id, score, match, because, source, rank)
  EXCEPT SELECT user_id, item_id, score, match, because, source, rank FROM on_tape$$, 'and as asked one by one');

-- A shared model: whose events are read is decided by the privileges and policies of whoever asks.
CREATE ROLE reco_reader;
ALTER TABLE many ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON many FOR SELECT TO reco_reader USING (user_id IN ('u7', 'u77'));
GRANT USAGE ON SCHEMA many TO reco_reader;
SET LOCAL ROLE reco_reader;
SELECT throws_ok('SELECT * FROM many.top_n_all(3)', '42501', 'permission denied for table many', 'who may not read the events gets no list');
RESET ROLE;
GRANT SELECT ON many TO reco_reader;
SET LOCAL ROLE reco_reader;
CREATE TEMP TABLE of_reader AS SELECT *, float8send(score) AS bits FROM many.top_n_all(3);
RESET ROLE;
SELECT set_eq('TABLE of_reader', $$SELECT * FROM in_memory WHERE user_id IN ('u7', 'u77')$$, 'who may read some gets the lists of those');

-- Nothing to do.
CREATE TABLE nothing (user_id int, item_id int);
SELECT reco_create_model('nothing', 'SELECT user_id, item_id FROM nothing');
SELECT pg_temp.refresh('nothing');
SELECT is_empty('SELECT * FROM nothing.top_n_all()', 'no events, no lists');
INSERT INTO nothing VALUES (1, 1);
SELECT is_empty('SELECT * FROM nothing.top_n_all()', 'nothing was learned, nothing is in the lists');

SELECT * FROM finish();
ROLLBACK;
