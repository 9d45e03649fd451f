-- Pages for real people: what of what they went on to like is on them, and how much of them is new at the next visit.
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
-- The newest fifth of what everybody liked is kept back.
CREATE TABLE liked AS SELECT user_id AS person, movie_id AS movie, at, row_number() OVER (PARTITION BY user_id ORDER BY at DESC, movie_id) <= count(*) OVER (PARTITION BY user_id) / 5 AS later FROM rating WHERE stars >= 4;
CREATE INDEX ON liked (person);
CREATE TABLE film AS SELECT item_id AS movie, genres FROM movie;
CREATE INDEX ON film (movie);
ANALYZE liked, film;

SELECT plan(9);

SELECT reco_create_model('film', 'SELECT person AS user_id, movie AS item_id, to_timestamp(at) AS occurred_at FROM liked WHERE NOT later', 'SELECT movie AS item_id, genres FROM film');
SELECT reco_configure('film', category => 'genres');
CREATE TEMP TABLE report AS SELECT * FROM reco_refresh('film');
CREATE TABLE person AS SELECT person FROM liked WHERE later AND person % 5 = 0 GROUP BY 1;

CREATE TABLE page AS SELECT person, v, p.* FROM person CROSS JOIN generate_series(1, 2) v CROSS JOIN LATERAL film.page(person, 6, 10, v) p;
CREATE TABLE top AS SELECT person, t.* FROM person CROSS JOIN LATERAL film.top_n(person, 60) WITH ORDINALITY AS t(item_id, score, match, because, source, rank);
SELECT is_empty('SELECT person, v, item_id FROM page GROUP BY 1, 2, 3 HAVING count(*) > 1', 'no film twice on a page');
SELECT is_empty('SELECT FROM page p JOIN liked l ON (l.person, l.movie) = (p.person, p.item_id) WHERE NOT l.later', 'none that they had');
SELECT is_empty('SELECT person, v FROM page GROUP BY 1, 2 HAVING count(*) < 54', 'pages are full, but for the end of a row');
SELECT ok(count(DISTINCT kind) >= 4, 'rows of several kinds') FROM page;
SELECT is_empty($$SELECT FROM page p JOIN film f ON f.movie = p.item_id WHERE p.kind = 'trending' AND NOT p.label = ANY (f.genres)$$, 'of the genre they say');

CREATE TABLE found AS SELECT
  (SELECT count(*) FROM page p JOIN liked l ON (l.person, l.movie) = (p.person, p.item_id) WHERE v = 1)::numeric / (SELECT count(*) FROM page WHERE v = 1) AS page,
  (SELECT count(*) FROM page p JOIN liked l ON (l.person, l.movie) = (p.person, p.item_id) WHERE v = 1 AND kind = 'top')::numeric / (SELECT count(*) FROM page WHERE v = 1 AND kind = 'top') AS row_of_top,
  (SELECT count(*) FROM top t JOIN liked l ON (l.person, l.movie) = (t.person, t.item_id) WHERE rank <= 10)::numeric / (SELECT count(*) FROM top WHERE rank <= 10) AS top_10,
  (SELECT count(*) FROM top t JOIN liked l ON (l.person, l.movie) = (t.person, t.item_id))::numeric / (SELECT count(*) FROM top) AS top_60,
  (SELECT count(*) FROM page p JOIN film.popular(60) o USING (item_id) JOIN liked l ON (l.person, l.movie) = (p.person, p.item_id) WHERE v = 1)::numeric AS popular;
SELECT diag(format('liked later, of all shown: page %s, its top row %s, the ten of top_n %s, sixty of top_n %s', round(page, 4), round(row_of_top, 4), round(top_10, 4), round(top_60, 4))) FROM found;
SELECT cmp_ok(row_of_top, '>', .6 * top_10, 'drawing for the visit costs the top row less than two fifths of its hits') FROM found;
SELECT cmp_ok(page, '>', .4 * top_60, 'the page has nearly half of those of a list as long that is all top picks') FROM found;
CREATE TABLE kept AS SELECT avg((b.item_id IS NOT NULL)::int) AS same, avg((b.item_id IS NOT NULL)::int) FILTER (WHERE a.kind = 'top') AS same_top FROM page a LEFT JOIN page b ON (b.person, b.v, b.item_id) = (a.person, 2, a.item_id) WHERE a.v = 1;
SELECT diag(format('there again at the next visit: %s, of the top row %s', round(same, 3), round(same_top, 3))) FROM kept;
SELECT cmp_ok(same, '<', .5, 'more than half of it is new at the next visit') FROM kept;
SELECT bag_eq('SELECT person, p.* FROM (SELECT * FROM person ORDER BY 1 LIMIT 10) x CROSS JOIN LATERAL film.page(person, 6, 10, 1) p', 'SELECT person, row_rank, kind, subject, label, rank, item_id, score, match, because, source FROM page JOIN (SELECT * FROM person ORDER BY 1 LIMIT 10) x USING (person) WHERE v = 1', 'the same visit has the same page');

SELECT * FROM finish();
