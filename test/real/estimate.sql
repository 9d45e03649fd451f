-- What reco_estimate says of real events against what a refresh finds: MovieLens 1M, where most items are known to most
-- users, and Amazon CDs, where they are not.  The variable data names the folder with ml-1m/train.txt.xz and
-- amazon-cds/train.txt.xz.

SET client_min_messages = warning;

\set there `test -r :'data'/ml-1m/test.txt.xz -a -r :'data'/amazon-cds/test.txt.xz && echo yes || echo no`
\if :there
\else
\echo 1..0 # SKIP no ml-1m and amazon-cds in :data
\quit
\endif

\set split ml-1m
\set train movies
\set test movies_test
\ir read/split.sql
\set split amazon-cds
\set train discs
\set test discs_test
\ir read/split.sql

SELECT plan(24);
SET maintenance_work_mem = '256MB';

CREATE FUNCTION pg_temp.near(have float8, want float8, factor float8, name text) RETURNS text LANGUAGE sql AS $$
  SELECT ok(coalesce(have BETWEEN want / factor AND want * factor, false), name) || E'\n' ||
         diag(format('%s: estimated %s, is %s', name, round(have::numeric, 1), round(want::numeric, 1)))
$$;

CREATE FUNCTION pg_temp.compare(events regclass) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  name text := 'of_' || events;
  r record; e record; pairs float8; part text; factor float8;
BEGIN
  PERFORM reco_create_model(name, format('SELECT user_id, item_id FROM %s', events));
  SELECT * INTO r FROM reco_refresh(name);
  EXECUTE format('SELECT sum(h::float8 ^ 2) FROM (SELECT count(DISTINCT item_id) AS h FROM %s GROUP BY user_id) u', events) INTO pairs;
  -- all events, then as much of them as an estimate takes by itself
  FOR part, factor IN VALUES ('all', 1.1), ('a part', 2) LOOP
    IF part = 'all' THEN
      SELECT * INTO e FROM reco_estimate(name, 'Infinity');
    ELSE
      SELECT * INTO e FROM reco_estimate(name);
    END IF;
    RETURN NEXT is(e.events, r.events, format('%s, %s: events', events, part)) || E'\n' || diag(format('%s read; %s seconds estimated, %s taken',
      round(e.share_read::numeric, 2), round(e.seconds_total::numeric, 2), round(r.seconds_total::numeric, 2)));
    RETURN NEXT pg_temp.near(e.users, r.users, factor, format('%s, %s: users', events, part));
    RETURN NEXT pg_temp.near(e.items, r.items, factor, format('%s, %s: items', events, part));
    RETURN NEXT pg_temp.near(e.pairs, pairs, factor, format('%s, %s: pairs', events, part));
    RETURN NEXT pg_temp.near(e.neighbor_pairs, r.neighbor_pairs, 2, format('%s, %s: neighbours', events, part));
    RETURN NEXT pg_temp.near(e.peak_memory, r.peak_memory, 2, format('%s, %s: memory', events, part));
  END LOOP;
END $$;
SELECT pg_temp.compare('movies');
SELECT pg_temp.compare('discs');
SELECT * FROM finish();
