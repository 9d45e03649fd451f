-- MovieLens latest-small: new items are found by what they are about.  One movie in ten is hidden from the events, so that nobody
-- has it, and is to be found again by its genres and the words of its title.  The variable data names the folder with
-- ml-latest-small/ratings.csv.xz.
--
-- Of the hidden movies alone the 20 best for everybody who rated any of them; what they rated among these 20 is compared with what
-- they would have rated of 20 drawn by lot.  No popularity helps: nothing is known of a hidden movie but its attributes.

SET client_min_messages = warning;

\set there `test -r :'data'/ml-latest-small/ratings.csv.xz && echo yes || echo no`
\if :there
\else
\echo 1..0 # SKIP no ml-latest-small/ratings.csv.xz in :data
\quit
\endif

\ir read/films.sql

SELECT plan(13);

SELECT cmp_ok(count(*) FILTER (WHERE hidden) / count(*)::float8, '>', 0.09::float8, 'a tenth of the movies is hidden') FROM movie;
-- Without times: a movie is hidden whenever it was rated, so what came last is not asked for.
CREATE VIEW known AS SELECT r.user_id, r.movie_id AS item_id FROM rating r JOIN movie m ON m.item_id = r.movie_id WHERE NOT m.hidden;

-- How many times better than chance the 20 best of the hidden movies are, for a model.
CREATE FUNCTION pg_temp.factor(model text, OUT lists bigint, OUT hits bigint, OUT by_chance numeric, OUT factor numeric) LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('
    WITH wanted AS (SELECT user_id, array_agg(movie_id) AS movies FROM rating JOIN movie ON item_id = movie_id WHERE hidden GROUP BY 1),
    hidden AS (SELECT array_agg(item_id) AS movies FROM movie WHERE hidden),
    list AS (SELECT w.user_id, t.item_id, t.item_id = ANY (w.movies) AS hit, cardinality(w.movies) / cardinality(h.movies)::numeric AS chance
             FROM wanted w CROSS JOIN hidden h CROSS JOIN LATERAL %I.top_n(w.user_id, 20, among => h.movies, fallback => false) t)
    SELECT count(DISTINCT user_id), count(*) FILTER (WHERE hit), sum(chance) FROM list', model) INTO lists, hits, by_chance;
  factor := round(hits / by_chance, 2);
END $$;

SELECT reco_create_model('film', 'SELECT * FROM public.known', 'SELECT item_id, title, genres FROM public.movie');
SELECT cmp_ok(content_pairs, '>', 50000::bigint, 'a refresh without any setting learns of them') FROM reco_refresh('film');
SELECT is_empty('SELECT item_id FROM movie LEFT JOIN film.learned_item USING (item_id) WHERE hidden AND (events > 0 OR users > 0 OR first_at IS NOT NULL)', 'nobody has them');
SELECT cmp_ok((SELECT count(DISTINCT item_id) FROM film.similar JOIN movie USING (item_id) WHERE hidden)::float8 / count(*), '>', 0.99::float8, 'nearly all have neighbours')
FROM movie WHERE hidden;
CREATE TEMP TABLE found AS SELECT * FROM pg_temp.factor('film');
SELECT diag(format('genres and title: %s lists, %s hits, %s by chance: %s times', lists, hits, round(by_chance), factor)) FROM found;
SELECT cmp_ok(lists, '>', 600::bigint, 'nearly everybody gets a list of them') FROM found;
SELECT cmp_ok(factor, '>=', 3.0, 'by genres and title words they are found at least three times as often as by chance') FROM found;

-- What is new does not push out what people's choices speak for, and a refresh with nothing new writes nothing.
CREATE TEMP TABLE everybody AS SELECT * FROM film.top_n_all(20);
SELECT cmp_ok(count(*) FILTER (WHERE source = 'content'), '<=', count(*) / 20, 'of everybody''s twenty best few are owed to attributes alone') FROM everybody;
SELECT cmp_ok(rows_written, '<=', items / 100, 'a refresh with nothing new writes nothing') FROM reco_refresh('film');
CREATE TEMP TABLE part AS
  SELECT t.item_id, t.score, (SELECT sum(share) FROM film.why(7, t.item_id)) AS whole FROM film.top_n(7, 50, among => (SELECT array_agg(item_id) FROM movie WHERE hidden), fallback => false) t;
SELECT is_empty('SELECT * FROM part WHERE float8send(score) <> float8send(whole)', 'shares sum to the score');

-- With the year they are found better; by letters drawn by lot everybody gets the same twenty or so, good or bad.
SELECT reco_create_model('dated', 'SELECT * FROM public.known', 'SELECT item_id, title, year, genres FROM public.movie');
SELECT reco_create_model('lots', 'SELECT * FROM public.known', $$SELECT item_id, substr(md5('a' || item_id), 1, 1) AS lot, substr(md5('b' || item_id), 1, 2) AS other FROM public.movie$$);
SELECT reco_configure(m, similarity => 'cooccurrence') FROM unnest(ARRAY['dated', 'lots']) m;
SELECT lives_ok($$SELECT reco_refresh(m) FROM unnest(ARRAY['dated', 'lots']) m$$, 'refreshes with other attributes');
SELECT diag(format('with the year: %s times; drawn by lot: %s times', (SELECT factor FROM pg_temp.factor('dated')), (SELECT factor FROM pg_temp.factor('lots'))));
SELECT cmp_ok(factor, '>=', 5.0, 'with the year they are found at least five times as often as by chance') FROM pg_temp.factor('dated');
SELECT cmp_ok(l.factor, '<', d.factor / 2, 'by what says nothing, less than half as often') FROM pg_temp.factor('dated') d, pg_temp.factor('lots') l;

-- Where nothing is new, lists are as good as without attributes: a fifth of everybody's ratings held out by lot.
CREATE TABLE part_known AS SELECT user_id, movie_id AS item_id, row_number() OVER (PARTITION BY user_id ORDER BY md5(user_id::text || '-' || movie_id)) <= count(*) OVER (PARTITION BY user_id) * 0.2 AS held_out FROM rating;
CREATE FUNCTION pg_temp.recall(content float8) RETURNS numeric LANGUAGE plpgsql AS $$
BEGIN
  PERFORM reco_configure('whole', content => content);
  PERFORM reco_refresh('whole');
  RETURN (SELECT round(avg(recall)::numeric, 4) FROM
    (SELECT reco_recall(l.rank, true, 20) AS recall FROM part_known t LEFT JOIN whole.top_n_all(20) l USING (user_id, item_id) WHERE held_out GROUP BY user_id) r);
END $$;
SELECT reco_create_model('whole', 'SELECT user_id, item_id FROM public.part_known WHERE NOT held_out', 'SELECT item_id, title, year, genres FROM public.movie');
SELECT reco_configure('whole', similarity => 'ridge');
SELECT pg_temp.recall(0) AS recall_without, pg_temp.recall(2) AS recall_with \gset
SELECT diag(format('Recall@20 without attributes %s, with them %s', :recall_without, :recall_with));
SELECT cmp_ok(:recall_with::numeric, '>=', :recall_without - 0.002, 'where nothing is new, lists are as good as without attributes');

SELECT * FROM finish();
