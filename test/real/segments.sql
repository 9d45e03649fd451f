-- MovieLens latest-small: people in groups by the genres of what they rated, found again a quarter of their events later.  The
-- variable data names the folder with ml-latest-small/ratings.csv.xz.

SET client_min_messages = warning;

\set there `test -r :'data'/ml-latest-small/ratings.csv.xz && echo yes || echo no`
\if :there
\else
\echo 1..0 # SKIP no ml-latest-small/ratings.csv.xz in :data
\quit
\endif

\ir read/films.sql
SELECT no_plan();
CREATE TABLE told AS SELECT user_id, movie_id AS item_id, ntile(4) OVER (PARTITION BY user_id ORDER BY at, movie_id) < 4 AS early FROM rating;
SELECT reco_create_model('films', 'SELECT user_id, item_id FROM told WHERE early', 'SELECT item_id, genres FROM movie');
SELECT reco_configure('films', similarity => 'cosine', category => 'genres');
SELECT reco_refresh('films') IS NOT NULL AS learned \gset
CREATE TEMP TABLE before AS SELECT * FROM reco_segments(k => 4);
CREATE TEMP TABLE was AS SELECT user_id, segment FROM reco_segment_members((SELECT jsonb_object_agg(segment, centre) FROM before)) WHERE best;
SELECT diag(format('segment %s: %s people, silhouette %s: %s', segment, users, round(silhouette::numeric, 3), attributes)) FROM before ORDER BY segment;
SELECT is(count(*), 4::bigint, 'four segments') FROM before;
SELECT is(sum(users), 671::bigint, 'of everybody') FROM before;
SELECT cmp_ok(min(cardinality(attributes)), '>=', 2, 'each goes for something') FROM before;
CREATE OR REPLACE VIEW films.events WITH (security_invoker = true) AS SELECT user_id, item_id FROM told;
SELECT reco_refresh('films') IS NOT NULL AS learned \gset
CREATE TEMP TABLE after AS SELECT * FROM reco_segments(k => 4, keep => (SELECT jsonb_object_agg(segment, centre) FROM before));
SELECT is((SELECT array_agg(segment ORDER BY segment) FROM after), '{1,2,3,4}', 'all four are there a quarter of the events later');
CREATE TEMP TABLE is_now AS SELECT user_id, segment FROM reco_segment_members((SELECT jsonb_object_agg(segment, centre) FROM after)) WHERE best;
SELECT diag(format('%s of 671 people are in the segment where they were', count(*))) FROM was JOIN is_now USING (user_id, segment);
SELECT cmp_ok(count(*), '>', 450::bigint, 'and so are most people') FROM was JOIN is_now USING (user_id, segment);
-- The same people by factors, of a quarter of the events less and then of all.
CREATE OR REPLACE VIEW films.events WITH (security_invoker = true) AS SELECT user_id, item_id FROM told WHERE early;
SELECT reco_configure('films', algorithm => 'factors', factors => 32);
SELECT reco_refresh('films') IS NOT NULL AS learned \gset
CREATE TEMP TABLE points AS SELECT * FROM reco_segments(k => 4, by => 'factors');
SELECT diag(format('by factors, segment %s: %s people, silhouette %s: %s', segment, users, round(silhouette::numeric, 3), attributes)) FROM points ORDER BY segment;
SELECT is(sum(users), 671::bigint, 'everybody is in a segment by factors') FROM points;
SELECT cmp_ok(min(cardinality(items)), '>=', 5, 'each told by films') FROM points;
CREATE TEMP TABLE stood AS SELECT user_id, segment FROM reco_segment_members((SELECT jsonb_object_agg(segment, centre) FROM points), by => 'factors') WHERE best;
SELECT is((SELECT count(*) FROM (SELECT segment, count(*) AS n FROM stood GROUP BY 1) s JOIN points USING (segment) WHERE abs(n - users) > 3), 0::bigint, 'centres written and read again have the same members');
CREATE OR REPLACE VIEW films.events WITH (security_invoker = true) AS SELECT user_id, item_id FROM told;
SELECT reco_refresh('films') IS NOT NULL AS learned \gset
CREATE TEMP TABLE stands AS SELECT user_id, m.segment FROM reco_segment_members((SELECT jsonb_object_agg(segment, centre) FROM points), by => 'factors') m WHERE best;
SELECT diag(format('by the centres of before %s of 671 people are where they were, a quarter of the events and other factors later', count(*))) FROM stood JOIN stands USING (user_id, segment);
SELECT cmp_ok(count(*), '>', 600::bigint, 'most people are where they were') FROM stood JOIN stands USING (user_id, segment);
SELECT diag(format('of four learned anew %s have their numbers', count(*))) FROM reco_segments(k => 4, by => 'factors', keep => (SELECT jsonb_object_agg(segment, centre) FROM points)) WHERE segment <= 4;
SELECT * FROM finish();
