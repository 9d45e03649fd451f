-- order: reco_rank worked by hand, and held against reco_score over generated events.

BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;

CREATE FUNCTION pg_temp.refresh(model text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM reco_refresh(model); END $$;
CREATE TABLE five (user_id int, item_id int, weight float8);
INSERT INTO five VALUES
  (1, 1, 1), (1, 2, 2), (1, 3, 1),
  (2, 1, 2), (2, 2, 1),
  (3, 1, 1), (3, 3, 3), (3, 4, 1),
  (4, 1, 1), (4, 2, 1), (4, 3, 1), (4, 4, 2),
  (5, 4, 1), (5, 5, 1);
SELECT reco_create_model('five', 'SELECT * FROM five');
SELECT reco_configure('five', similarity => 'cosine', weighting => 'linear', min_support => 1);
SELECT pg_temp.refresh('five');
INSERT INTO five VALUES (6, 1, 1), (6, 2, -1);
CREATE FUNCTION pg_temp.list(usr int, items int[]) RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(concat_ws(' ', item_id, round(score::numeric, 4), because, source), ', ' ORDER BY n)
  FROM five.rank(usr, items) WITH ORDINALITY AS t(item_id, score, match, because, source, n) $$;

/*
 * u2 has 1 with 2 and 2 with 1, norm sqrt(5): 3: .6748 from 1, 4: .5631 from 1 (see recommend.sql); what is seen is ranked
 * as well: 1: .771517 / 2.236068 = .3450 from 2, 2: 2 * .771517 / 2.236068 = .6901 from 1.  5 is tied to neither.
 */
SELECT is(pg_temp.list(2, ARRAY[5, 99, 4, 3, 1, 2, 98]), '2 0.6901 1 personal, 3 0.6748 1 personal, 4 0.5631 1 personal, 1 0.3450 2 personal, 5 -1.0000 given, 99 -2.0000 unknown, 98 -3.0000 unknown',
          'personal by score, then what nothing is known of either way, then the unknown as given');
SELECT is(pg_temp.list(2, ARRAY[4, NULL, 3, 4, 3, NULL, 4]), '3 0.6748 1 personal, 4 0.5631 1 personal', 'NULLs are passed over, repeats come once');
SELECT is(pg_temp.list(2, ARRAY[[4, 3], [5, 4]]), '3 0.6748 1 personal, 4 0.5631 1 personal, 5 -1.0000 given', 'an array of any shape');
SELECT is(pg_temp.list(2, '{}'), NULL, 'nothing of nothing');
SELECT is(pg_temp.list(2, NULL), NULL, 'nor of NULL');
SELECT is(pg_temp.list(99, ARRAY[3, 99, 1, 5]), '3 -1.0000 given, 1 -2.0000 given, 5 -3.0000 given, 99 -4.0000 unknown', 'for a user nobody knows a list stays as given');
SELECT is(pg_temp.list(NULL, ARRAY[3, 99, 1, 5]), pg_temp.list(99, ARRAY[3, 99, 1, 5]), 'and for a guest');
/* u6 has 1 and disliked 2, norm sqrt 2: 3: .1418, 4: .0916, 1: -.771517 / sqrt 2 is against; 2 scores .5455 and is disliked all the same. */
SELECT is(pg_temp.list(6, ARRAY[1, 2, 99, 5, 4, 3]), '3 0.1418 1 personal, 4 0.0916 1 personal, 5 -1.0000 given, 1 -2.0000 against, 2 -3.0000 against, 99 -4.0000 unknown',
          'what evidence or the user speaks against comes after what nothing is known of');
SELECT ok(five.score(6, 2) > 0, 'a disliked item of a good score');

-- Generated: 300 users, 120 items, other ids.
CREATE TABLE taste AS
  SELECT u AS user_id, 'item ' || i AS item_id, (CASE WHEN h % 9 = 0 THEN -1 ELSE 1 END * (1 + h % 4))::float8 AS weight
  FROM generate_series(1, 300) u, generate_series(1, 120) i, LATERAL (SELECT abs(hashint8(u * 7919 + i * 104729)::bigint) AS h) g
  WHERE hashint8(u * 31 + i * 17) & 255 < 8 + CASE WHEN u % 5 = i % 5 THEN 60 ELSE 0 END;
CREATE INDEX ON taste (user_id);
SELECT reco_create_model('taste', 'SELECT * FROM taste');
SELECT reco_configure('taste', similarity => 'ridge', min_match => 40);
SELECT pg_temp.refresh('taste');
CREATE TEMP TABLE given AS SELECT array_agg('item ' || i ORDER BY hashint8(i)) AS items FROM generate_series(1, 140) i;
CREATE TEMP TABLE ranked AS SELECT u, t.*, row_number() OVER (PARTITION BY u) AS n FROM given, generate_series(1, 300, 13) u, LATERAL taste.rank(u, items) t;
SELECT is_empty($$SELECT u, item_id FROM ranked FULL JOIN (SELECT u, item_id FROM given, unnest(items) item_id, generate_series(1, 300, 13) u) g USING (u, item_id)
  GROUP BY 1, 2 HAVING count(ranked.n) <> 1$$, 'every given item comes back once');
SELECT set_eq('SELECT DISTINCT source FROM ranked', ARRAY['personal', 'given', 'against', 'unknown'], 'every source occurs');
CREATE TEMP TABLE known AS
  SELECT r.*, taste.score(u, item_id) AS alone, taste.match(u, item_id) AS match_alone, array_position(items, item_id) AS place,
         coalesce((SELECT sum(weight) FROM taste t WHERE (t.user_id, t.item_id) = (u, r.item_id)), 0) AS liking, EXISTS (SELECT FROM taste.learned_item l WHERE l.item_id = r.item_id) AS learned
  FROM ranked r, given;
SELECT is_empty($$SELECT * FROM known WHERE source IS DISTINCT FROM CASE WHEN NOT learned THEN 'unknown' WHEN liking < 0 OR alone < 0 THEN 'against' WHEN alone > 0 THEN 'personal' ELSE 'given' END$$,
                'the source by plain SQL');
SELECT is_empty($$SELECT * FROM known WHERE source = 'personal' AND (float8send(score) <> float8send(alone) OR match IS DISTINCT FROM match_alone)$$, 'scores and matches are those of reco_score and reco_match');
SELECT is_empty($$SELECT * FROM known WHERE source <> 'personal' AND (score >= 0 OR match IS NOT NULL OR because IS NOT NULL)$$, 'the rest has none');
SELECT is_empty($$SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY u ORDER BY
    CASE source WHEN 'personal' THEN 1 WHEN 'given' THEN 2 WHEN 'against' THEN CASE WHEN liking < 0 THEN 4 ELSE 3 END ELSE 5 END,
    CASE WHEN source IN ('personal', 'against') THEN alone END DESC, place) AS want FROM known) k WHERE n <> want$$, 'the order by plain SQL');
SELECT is_empty('SELECT * FROM (SELECT *, lag(score) OVER (PARTITION BY u ORDER BY n) AS above FROM known) k WHERE above <= score AND source <> ''personal''', 'ORDER BY score DESC keeps it');
SELECT is_empty($$SELECT u, r.item_id FROM ranked r JOIN LATERAL taste.top_n(u, NULL, seen => true) t USING (item_id) WHERE t.source = 'personal' AND (t.score, t.match, t.because) IS DISTINCT FROM (r.score, r.match, r.because)$$,
                'scores, matches and reasons are those of a list');
SELECT is((SELECT count(*) FROM taste.rank(1, ARRAY(SELECT 'item ' || n FROM generate_series(1, 20000) n))), 20000::bigint, 'twenty thousand items');

SELECT * FROM finish();
ROLLBACK;
