-- Films that go on, as series: where those who saw one saw the last of them, against plain SQL; and what is next for whom.
-- The variable data names the folder with ml-latest-small.

SET client_min_messages = warning;
SET timezone = 'UTC';

\set there `test -r :'data'/ml-latest-small/ratings.csv.xz && echo yes || echo no`
\if :there
\else
\echo 1..0 # SKIP no ml-latest-small in :data
\quit
\endif

\ir read/films.sql
CREATE TABLE seen AS SELECT user_id AS person, movie_id AS movie, at FROM rating;
CREATE INDEX ON seen (person);
CREATE INDEX ON seen (movie, person);
CREATE TABLE film AS SELECT item_id AS movie, title, year,
  substring(title FROM '^(Star Wars: Episode|Lord of the Rings, The:|Harry Potter and|Godfather|Back to the Future|Toy Story|Matrix|Die Hard|X-Men|Terminator|Spider-Man|Star Trek|Pirates of the Caribbean|Bourne|Scream|Lethal Weapon|Ocean''s|Shrek|Rocky|Jurassic Park)') AS saga
FROM movie;
ANALYZE seen, film;

SELECT plan(7);

SELECT reco_create_model('film', 'SELECT person AS user_id, movie AS item_id, to_timestamp(at) AS occurred_at FROM seen', 'SELECT movie AS item_id, title, saga, year FROM film');
SELECT reco_configure('film', unfinished => '{"series": "saga", "order": "year"}');
CREATE TEMP TABLE report AS SELECT * FROM reco_refresh('film');
CREATE TABLE part AS SELECT * FROM film.hooks(every => true);
SELECT cmp_ok(count(DISTINCT series), '>=', 15::bigint, 'sagas') FROM part;
SELECT bag_eq('SELECT series, item_id, viewers, finishers FROM part', $$
  SELECT f.saga, f.movie, (SELECT count(*) FROM seen r WHERE r.movie = f.movie) AS viewers, (SELECT count(*) FROM seen r JOIN seen l USING (person) WHERE r.movie = f.movie AND l.movie = (SELECT movie FROM film n WHERE n.saga = f.saga AND n.year IS NOT NULL ORDER BY year DESC, movie DESC LIMIT 1)) AS finishers
  FROM film f WHERE f.saga IS NOT NULL AND f.year IS NOT NULL$$, 'viewers and who saw the last, counted plainly');
SELECT results_eq($$SELECT episode, viewers, finishers FROM part WHERE series = 'Lord of the Rings, The:' ORDER BY 1$$, $$
  SELECT n::int, count(*) AS viewers, count(l.person) AS finishers FROM (SELECT movie, row_number() OVER (ORDER BY year) AS n FROM film WHERE saga = 'Lord of the Rings, The:') f JOIN seen r USING (movie)
  LEFT JOIN (SELECT person FROM seen WHERE movie = (SELECT movie FROM film WHERE title LIKE 'Lord of the Rings, The: The Return%')) l USING (person) GROUP BY n ORDER BY n$$, 'of the rings');
SELECT diag(series || ' hooks with part ' || episode || ' of ' || episodes || ': ' || finishers || ' of ' || viewers || ', ' || round(share::numeric, 2) || ' (' || round(low::numeric, 2) || ' to ' || round(high::numeric, 2) || ')') FROM film.hooks(0.7, 20);
SELECT isnt_empty('SELECT * FROM film.hooks(0.7, 20)', 'some hook');
SELECT is_empty($$SELECT * FROM film.hooks(0.7, 20) h WHERE h.viewers < 20 OR h.share < .7 OR h.episode = h.episodes OR EXISTS (SELECT FROM part p WHERE p.series = h.series AND p.episode < h.episode AND p.viewers >= 20 AND p.share >= .7)$$, 'with the first part that holds enough');

-- What is next: of each saga the first film after the last that they saw, which they did not see.
CREATE TABLE next AS SELECT p AS person, c.* FROM generate_series(1, 671) p CROSS JOIN LATERAL film.continue(p, NULL) c;
SELECT bag_eq('SELECT person, series, item_id, after FROM next', $$
  SELECT s.person, s.saga, n.movie, s.movie AS after FROM (SELECT DISTINCT ON (person, saga) person, saga, f.year, movie FROM seen JOIN film f USING (movie) WHERE saga IS NOT NULL AND f.year IS NOT NULL ORDER BY person, saga, f.year DESC, movie DESC) s
  CROSS JOIN LATERAL (SELECT movie FROM film f WHERE f.saga = s.saga AND f.year > s.year ORDER BY f.year, f.movie LIMIT 1) n$$, 'next, found plainly');
SELECT ok(bool_and(probability > 0 AND probability < 1), 'with a probability') FROM next;
SELECT diag(string_agg(format('visit %s: %s of %s', visit_from, resumed, trials), ', ' ORDER BY visit_from)) FROM film.learned_resume WHERE kind = 'next';

SELECT * FROM finish();
