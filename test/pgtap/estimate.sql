-- estimate: what reco_estimate says against what is there: exactly where its samples hold all, within a factor of two
-- where they do not, and where only a part was read.
BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;
SET LOCAL maintenance_work_mem = '256MB';

-- A number in [0, 1) that depends on a row and on what it is drawn for, and on nothing else.
CREATE FUNCTION draw(row_no bigint, what int) RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT (hashint8extended(row_no, what) & 9007199254740991) / 9007199254740992.0
$$;

CREATE FUNCTION pg_temp.near(have float8, want float8, factor float8, name text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE fine boolean := coalesce(have BETWEEN want / factor AND want * factor, false);
BEGIN
  RETURN ok(fine, name) || E'\n' || diag(format('%s: estimated %s, is %s, ratio %s', name, round(have::numeric), round(want::numeric),
                                               round((have / nullif(want, 0))::numeric, 2)));
END $$;

-- The sum over users of the square of their number of items: positive ones, of which so many count at most.
CREATE FUNCTION pg_temp.pairs(model text, most int DEFAULT 5000) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE answer float8;
BEGIN
  EXECUTE format('SELECT sum(least(h, $1)::float8 ^ 2) FROM (SELECT count(*) AS h FROM (SELECT user_id, item_id FROM %I.events
    GROUP BY 1, 2 HAVING sum(%s) > 0) c GROUP BY user_id) u', model,
    CASE WHEN EXISTS (SELECT FROM pg_attribute WHERE attrelid = (quote_ident(model) || '.events')::regclass AND attname = 'weight')
         THEN 'weight' ELSE '1' END) INTO answer USING most;
  RETURN coalesce(answer, 0);
END $$;

-- An estimate of a model held against a refresh of it.
CREATE FUNCTION pg_temp.compare(name text, factor float8, most int DEFAULT 5000, kept float8 DEFAULT 2) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE e record; r record;
BEGIN
  SELECT * INTO e FROM reco_estimate(name, 'Infinity');
  SELECT * INTO r FROM reco_refresh(name);
  RETURN NEXT is(e.share_read, 1::float8, name || ': all was read');
  RETURN NEXT is(e.events, r.events, name || ': events are counted');
  RETURN NEXT pg_temp.near(e.users, r.users, factor, name || ': users');
  RETURN NEXT pg_temp.near(e.items, r.items, factor, name || ': items');
  RETURN NEXT pg_temp.near(e.pairs, pg_temp.pairs(name, most), factor, name || ': pairs');
  RETURN NEXT pg_temp.near(e.neighbor_pairs, r.neighbor_pairs, kept, name || ': neighbours kept');
  RETURN NEXT pg_temp.near(e.peak_memory, r.peak_memory, 2, name || ': memory');
END $$;

/*
 * By hand: u1 has a, b, c; u2 has a, b, of which b was taken back; u3 has c twice.
 *   events 8, users 3, items 3; h = 3, 1, 1; pairs 9 + 1 + 1 = 11
 */
CREATE TABLE hand (u text, i text, w int);
INSERT INTO hand VALUES ('u1', 'a', 1), ('u1', 'b', 1), ('u1', 'c', 1), ('u2', 'a', 1), ('u2', 'b', 1), ('u2', 'b', -1), ('u3', 'c', 1), ('u3', 'c', 1);
SELECT reco_create_model('hand', 'SELECT u AS user_id, i AS item_id, w AS weight FROM hand');
SELECT results_eq('SELECT events, users, items, pairs FROM reco_estimate(''hand'')', 'VALUES (8::bigint, 3::bigint, 3::bigint, 11::bigint)',
  'a few events, worked by hand');

-- Small enough for the samples to hold all: exact.
CREATE TABLE small AS SELECT floor(300 * power(draw(n, 1), 2.5))::int AS u, floor(power(200, draw(n, 2)))::int AS i FROM generate_series(1, 9000) n;
SELECT reco_create_model('small', 'SELECT u AS user_id, i AS item_id FROM small');
SELECT pg_temp.compare('small', 1);

-- Far beyond: 150,000 events, 20,000 users of very different zeal, 9,000 items.
CREATE TABLE large AS SELECT n, floor(20000 * power(draw(n, 1), 2.5))::int AS u, floor(power(9000, sqrt(draw(n, 2))))::int AS i
  FROM generate_series(1, 150000) n;
SELECT reco_create_model('large', 'SELECT u AS user_id, i AS item_id FROM large');
SELECT pg_temp.compare('large', 1.15);
-- the same with ids of other types, from two sources, in another order
SELECT reco_create_model('two', 'SELECT md5(u::text)::uuid AS user_id, ''a rather long name of ware no. '' || i AS item_id FROM large WHERE n % 3 = 0
  UNION ALL SELECT md5(u::text)::uuid, ''a rather long name of ware no. '' || i FROM (SELECT * FROM large WHERE n % 3 > 0 ORDER BY i, u) s');
SELECT pg_temp.compare('two', 1.15);
-- a third of the events taken back, and a few users with very many items, which count only in part
SELECT reco_create_model('cut', 'SELECT u AS user_id, i AS item_id, CASE WHEN n % 3 = 0 THEN -0.5 ELSE 1 END AS weight FROM large
  UNION ALL SELECT -u, i, 1 FROM generate_series(1, 3) u, generate_series(1, 6000) i');
SELECT reco_configure('cut', max_history => 500);
SELECT pg_temp.compare('cut', 1.3, 500);
-- kept by source, and solved for
SELECT reco_create_model('source', 'SELECT u AS user_id, i AS item_id FROM small');
SELECT reco_configure('source', keep => 'source', neighbors => 10);
SELECT pg_temp.compare('source', 1);
SELECT reco_configure('source', similarity => 'ridge');
SELECT pg_temp.compare('source', 1);
-- Every kind of refresh of the large set: solved for, also where the Gram matrix does not fit, and where nothing does.
-- Whom a source speaks for of those who have it among their candidates is hard to foresee where there are no tastes.
SELECT reco_configure('large', similarity => 'ridge');
SELECT pg_temp.compare('large', 1.15, 5000, 3);
SET LOCAL maintenance_work_mem = '20MB';
SELECT pg_temp.compare('large', 1.15, 5000, 3);
SET LOCAL maintenance_work_mem = '1MB';
SELECT pg_temp.compare('large', 1.15, 5000, 3);
SET LOCAL maintenance_work_mem = '256MB';
SELECT reco_configure('large', similarity => 'auto');
CREATE TEMP TABLE unpicked AS SELECT * FROM reco_estimate('large', 'Infinity');
SELECT pg_temp.compare('large', 1.15);
-- Where counts were picked, they are taken to be again: no systems of all candidates, after trials that ask as much memory as ever.
SELECT is((SELECT picked_similarity::text FROM large.model), 'cooccurrence', 'counts are picked of the large set');
SELECT cmp_ok((SELECT seconds_learn FROM reco_estimate('large', 'Infinity')), '<', (SELECT seconds_learn FROM unpicked), 'which is learned sooner, the next time');
SELECT is((SELECT peak_memory FROM reco_estimate('large', 'Infinity')), (SELECT peak_memory FROM unpicked), 'and as much memory is asked');
SELECT reco_configure('large', algorithm => 'factors', factors => 16, iterations => 2);
SELECT pg_temp.compare('large', 1.15);
SELECT reco_configure('large', algorithm => 'neighbors', similarity => 'cosine', weighting => 'binary');
SELECT pg_temp.compare('large', 1.15);

-- All events of one user; one item that everybody has.
SELECT reco_create_model('one_user', 'SELECT 1 AS user_id, i AS item_id FROM generate_series(1, 3000) i');
SELECT pg_temp.compare('one_user', 1);
SELECT reco_create_model('one_item', 'SELECT u AS user_id, 1 AS item_id FROM generate_series(1, 30000) u');
SELECT is(neighbor_pairs, 0::bigint, 'one item has no neighbours') FROM reco_estimate('one_item');
SELECT pg_temp.near(users, 30000, 1.15, 'one item: users') FROM reco_estimate('one_item', 'Infinity');

-- What is asked for twice is answered alike: all but what the clock says.
SELECT is((SELECT (e.events, e.users, e.items, e.pairs, e.neighbor_pairs) FROM reco_estimate('large', 'Infinity') e),
  (SELECT (e.events, e.users, e.items, e.pairs, e.neighbor_pairs) FROM reco_estimate('large', 'Infinity') e), 'an estimate of the same events is the same');

-- A slow source, of which only a part is read: events in no order, and in order of users. A pause of 1 ms at every 500th
-- row makes the clock run evenly; how long all would take is measured first.
CREATE FUNCTION slow(n bigint) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  IF n % 500 = 0 THEN PERFORM pg_catalog.pg_sleep(0.001); END IF;
  RETURN n;
END $$;
CREATE TABLE mixed AS SELECT n, floor(5000 * power(draw(n, 1), 1.5))::int AS u, floor(power(2000, sqrt(draw(n, 2))))::int AS i
  FROM generate_series(1, 150000) n;
CREATE TABLE sorted AS SELECT u, i, row_number() OVER (ORDER BY hashint4(u), u, n) AS n FROM mixed ORDER BY 3;
ANALYZE mixed, sorted;
SELECT reco_create_model('mixed', 'SELECT u AS user_id, CASE WHEN public.slow(n) > 0 THEN i END AS item_id FROM public.mixed');
SELECT reco_create_model('sorted', 'SELECT u AS user_id, CASE WHEN public.slow(n) > 0 THEN i END AS item_id FROM public.sorted');
CREATE FUNCTION pg_temp.part(name text, share float8) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE e record; began timestamptz := clock_timestamp(); seconds float8;
BEGIN
  SELECT * INTO e FROM reco_estimate(name, 'Infinity');
  seconds := extract(epoch FROM clock_timestamp() - began);
  RETURN NEXT cmp_ok(e.seconds_read, '>', seconds / 2, name || ': a slow source makes a slow refresh');
  SELECT * INTO e FROM reco_estimate(name, seconds * share);
  RETURN NEXT ok(e.share_read BETWEEN share / 10 AND share * 2, name || ': a part was read') || E'\n' || diag(format('%s read', e.share_read));
  RETURN NEXT is(e.events, 150000::bigint, name || ', a part: events');
  RETURN NEXT pg_temp.near(e.users, (SELECT count(DISTINCT u) FROM mixed), 2, name || ', a part: users');
  RETURN NEXT pg_temp.near(e.items, (SELECT count(DISTINCT i) FROM mixed), 2, name || ', a part: items');
  RETURN NEXT pg_temp.near(e.pairs, pg_temp.pairs('sorted'), 2, name || ', a part: pairs');
END $$;
SELECT pg_temp.part('mixed', 0.3);
SELECT pg_temp.part('sorted', 0.3);

-- As many processes as would work, which is no more than there are processors: two are less than twice as fast as one.
\set cores `getconf _NPROCESSORS_ONLN`
CREATE FUNCTION slow_anywhere(n bigint) RETURNS bigint LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
  IF n % 500 = 0 THEN PERFORM pg_catalog.pg_sleep(0.002); END IF;
  RETURN n;
END $$;
CREATE TABLE broad AS SELECT n, 1 + n % 6000 AS u, floor(3000 * draw(n, 2))::int AS i FROM generate_series(1, 150000) n;
ANALYZE broad;
SELECT reco_create_model('broad', 'SELECT u AS user_id, CASE WHEN public.slow_anywhere(n) > 0 THEN i END AS item_id FROM public.broad');
SET LOCAL min_parallel_table_scan_size = 0;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL max_parallel_workers = 8;
CREATE TEMP TABLE alone AS SELECT * FROM reco_estimate('broad') LIMIT 0;
CREATE TEMP TABLE together (LIKE alone);
SET LOCAL max_parallel_maintenance_workers = 0;
INSERT INTO alone SELECT * FROM reco_estimate('broad', 'Infinity');
SET LOCAL max_parallel_maintenance_workers = 1;
INSERT INTO together SELECT * FROM reco_estimate('broad', 'Infinity');
SELECT is((t.events, t.users, t.items, t.pairs, t.neighbor_pairs), (a.events, a.users, a.items, a.pairs, a.neighbor_pairs), 'the number of processes does not matter to what is found')
FROM alone a, together t;
SELECT ok(CASE WHEN :cores = 1 THEN part = whole ELSE part BETWEEN whole / 2 AND whole * 0.7 END, format('two processes, %s: %s seconds, one %s', phase, part, whole))
FROM alone a, together t, LATERAL (VALUES ('encode', t.seconds_encode, a.seconds_encode), ('learn', t.seconds_learn, a.seconds_learn)) v(phase, part, whole);
SELECT ok(t.seconds_read < a.seconds_read * CASE WHEN :cores = 1 THEN 1.5 ELSE 0.8 END, format('two processes, read: %s seconds, one %s', t.seconds_read, a.seconds_read))
FROM alone a, together t;
-- what cannot be read in parallel is read by one
SELECT reco_create_model('one_reads', 'SELECT u AS user_id, CASE WHEN public.slow(n) > 0 THEN i END AS item_id FROM public.broad');
SET LOCAL max_parallel_maintenance_workers = 0;
TRUNCATE alone, together;
INSERT INTO alone SELECT * FROM reco_estimate('one_reads', 'Infinity');
SET LOCAL max_parallel_maintenance_workers = 1;
INSERT INTO together SELECT * FROM reco_estimate('one_reads', 'Infinity');
SELECT cmp_ok(t.seconds_read, '>', a.seconds_read * 0.7, 'a view that is not parallel safe takes two processes as long to read') FROM alone a, together t;

SELECT * FROM finish();
ROLLBACK;
