-- gone: a model that its own views rename, drop, or take a column from while it is asked, and what the question says then.

BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;

CREATE TABLE act AS
  SELECT u::bigint AS u, ((u * 7 + n * n) % 40)::bigint AS i, '2024-01-01'::timestamptz + n * interval '1 hour' AS at, 0.1 * n AS p
  FROM generate_series(1, 60) u, generate_series(1, 8) n;

-- Counts the rows that a view hands over, and does what it was told at the nth.
CREATE FUNCTION at_row(view text, id bigint) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
DECLARE left_over int;
BEGIN
  IF current_setting('gone.view', true) = view THEN
    left_over := current_setting('gone.rows')::int - 1;
    PERFORM set_config('gone.rows', left_over::text, true);
    IF left_over = 0 THEN EXECUTE current_setting('gone.act'); END IF;
  END IF;
  RETURN id;
END $$;

SELECT reco_create_model('shop',
  'SELECT at_row(''events'', u) AS user_id, i AS item_id, at AS occurred_at, p AS progress FROM act',
  'SELECT at_row(''items'', i) AS item_id, ''c'' || i % 4 AS c FROM generate_series(0::bigint, 39) i',
  'SELECT at_row(''users'', u) AS user_id, ''g'' || u % 3 AS g FROM generate_series(1::bigint, 60) u');
SELECT reco_configure('shop', category => 'c', min_support => 1);
SELECT events FROM reco_refresh('shop');
SELECT users FROM reco_learn_habits('shop');

-- What a statement says where the nth row of a view does that; NULL where it has none.  All of it is undone.
CREATE FUNCTION pg_temp.said(view text, nth int, act text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  said text;
  reached boolean := true;
BEGIN
  PERFORM set_config('gone.view', view, true), set_config('gone.rows', nth::text, true), set_config('gone.act', act, true);
  BEGIN
    EXECUTE statement;
    reached := current_setting('gone.rows')::int <= 0;
    RAISE EXCEPTION 'nothing';
  EXCEPTION WHEN OTHERS THEN
    said := CASE WHEN reached THEN SQLSTATE || ' ' || SQLERRM END;
  END;
  PERFORM set_config('gone.view', '', true);
  RETURN said;
END $$;

CREATE TEMP TABLE asked (name, statement) AS VALUES
  ('top_n', $$SELECT * FROM reco_top_n(5::bigint, 10, 'shop')$$),
  ('all of a list', $$SELECT * FROM reco_top_n(5::bigint, NULL, 'shop')$$),
  ('variety', $$SELECT * FROM reco_top_n(5::bigint, 10, 'shop', diversity => 0.5, max_per => 'c')$$),
  ('lists of many', $$SELECT t.* FROM generate_series(1, 40) u, reco_top_n(u::bigint, 10, 'shop') t$$),
  ('explore', $$SELECT * FROM reco_explore(5::bigint, 10, 'shop')$$),
  ('rank', $$SELECT * FROM reco_rank(5::bigint, ARRAY[1, 2, 3]::bigint[], 'shop')$$),
  ('score', $$SELECT reco_score(5::bigint, 3::bigint, 'shop')$$),
  ('match', $$SELECT sum(reco_match(5::bigint, i::bigint, 'shop')) FROM generate_series(1, 9) i$$),
  ('why', $$SELECT * FROM reco_why(5::bigint, 3::bigint, 'shop')$$),
  ('why_not', $$SELECT * FROM reco_why_not(5::bigint, 3::bigint, 'shop')$$),
  ('similar_users', $$SELECT * FROM reco_similar_users(5::bigint, 10, 'shop')$$),
  ('page', $$SELECT * FROM reco_page(5::bigint, 6, 5, 'shop')$$),
  ('pages', $$SELECT p.* FROM generate_series(1, 40) u, reco_page(u::bigint, 6, 5, 'shop') p$$),
  ('continue', $$SELECT * FROM reco_continue(5::bigint, 10, 'shop')$$),
  ('next_purchases', $$SELECT * FROM reco_next_purchases(5::bigint, 10, 'shop')$$),
  ('wrapped', $$SELECT * FROM reco_wrapped(5::bigint, '2023-01-01', '2025-01-01', 'shop')$$),
  ('affinity', $$SELECT * FROM reco_affinity(5::bigint, model => 'shop')$$),
  ('demand', $$SELECT * FROM reco_demand('{"c": "c1"}', 'shop')$$),
  ('audience_of', $$SELECT * FROM reco_audience_of('{"c": "c1"}', 10, 'shop')$$),
  ('segments', $$SELECT * FROM reco_segments('shop')$$),
  ('win_back', $$SELECT * FROM reco_win_back(10, 'shop')$$),
  ('check', $$SELECT * FROM reco_check('shop')$$),
  ('evaluate', $$SELECT * FROM reco_evaluate('shop')$$),
  ('tune', $$SELECT * FROM reco_tune('shop')$$),
  ('learn_ranking', $$SELECT * FROM reco_learn_ranking('shop')$$),
  ('refresh', $$SELECT * FROM reco_refresh('shop')$$),
  ('disclose', $$SELECT * FROM reco_disclose(5::bigint, 'shop')$$),
  ('traces', $$SELECT * FROM reco_traces(5::bigint, 'shop')$$),
  ('forget', $$SELECT * FROM reco_forget(500::bigint, 'shop')$$);
CREATE TEMP TABLE heard AS
  SELECT name, view, nth, act, pg_temp.said(view, nth, act, statement) AS said
  FROM asked, unnest(ARRAY['events', 'items', 'users']) view, unnest(ARRAY[1, 7, 45, 200, 900]) nth,
    unnest(ARRAY['ALTER SCHEMA shop RENAME TO store', 'DROP SCHEMA shop CASCADE']) act;

SELECT cmp_ok(count(said), '>=', 200::bigint, 'many questions are interrupted so') FROM heard;
SELECT is_empty($$SELECT * FROM heard WHERE act LIKE 'ALTER%' AND said <> '40001 model "shop" was renamed or dropped while it was in use'$$,
  'a model renamed on the way is named, and that it may be tried again');
SELECT is_empty($$SELECT * FROM heard WHERE act LIKE 'DROP%' AND said NOT IN ('40001 model "shop" was renamed or dropped while it was in use', '42704 model "shop" does not exist')
  AND said NOT LIKE '55006 cannot DROP % because it is being used by active queries in this session'$$, 'and so is one that is dropped, where that is possible at all');
SELECT is((SELECT count(DISTINCT name) FROM heard WHERE said LIKE '40001%'), (SELECT count(*) FROM asked), 'each of these questions says so');

-- A model that is made while a statement runs, whose snapshot does not see its rows: nothing is damaged.
CREATE FUNCTION make_late() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM reco_create_model('late', 'SELECT u AS user_id, i AS item_id, at AS occurred_at FROM act');
  PERFORM reco_refresh('late');
END $$;
SELECT throws_ok($$SELECT make_late(), reco_score(1::bigint, 1::bigint, 'late')$$, '40001', 'model "late" was created after this statement or transaction began', 'a model is too late for a statement');
SELECT throws_ok($$SELECT make_late(), (SELECT count(*) FROM reco_top_n(1::bigint, 3, 'late'))$$, '40001', NULL, 'or for a list of it');

-- A view of the items that is another one by then.
CREATE FUNCTION lose_column() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  DROP VIEW shop.items;
  CREATE VIEW shop.items AS SELECT i AS item_id FROM generate_series(0::bigint, 39) i;
END $$;
SELECT is(pg_temp.said('events', 7, 'SELECT public.lose_column()', $$SELECT * FROM reco_wrapped(5::bigint, '2023-01-01', '2025-01-01', 'shop', category => 'c')$$),
  '40001 "shop.items" lost column "c" while it was in use', 'a column that is gone is named');

SELECT * FROM finish();
ROLLBACK;
