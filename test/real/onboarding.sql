-- Sign-up, end to end: strangers pick from reco_onboarding what they like, reco_complete lists the rest; against what is popular.
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
-- What people liked; every third of them is a stranger, whom the model has never seen.
CREATE TABLE liked AS SELECT user_id AS person, movie_id AS movie FROM rating WHERE stars >= 4;
CREATE INDEX ON liked (person);
ANALYZE liked;

SELECT plan(11);

SELECT reco_create_model('film', 'SELECT person AS user_id, movie AS item_id FROM liked WHERE person % 3 <> 0');
CREATE TEMP TABLE report AS SELECT * FROM reco_refresh('film');
SELECT diag('learned with ' || learned_with) FROM report;

-- Everybody is shown the same forty and picks the first that they like, five at most; who finds fewer than five stays out, so that the same people are compared.
CREATE TABLE shown AS SELECT rank, item_id AS movie FROM film.onboarding(40);
CREATE TABLE pick AS SELECT * FROM (SELECT person, movie, row_number() OVER (PARTITION BY person ORDER BY rank) AS nth, count(*) OVER (PARTITION BY person) AS found
  FROM liked JOIN shown USING (movie) WHERE person % 3 = 0) p WHERE nth <= 5 AND found >= 5;
CREATE TABLE stranger AS SELECT person, array_agg(movie ORDER BY nth) AS picks FROM pick GROUP BY person;
-- To be found: all else that they liked.
CREATE TABLE wanted AS SELECT person, movie FROM liked JOIN stranger USING (person) WHERE movie <> ALL (picks);
SELECT cmp_ok(count(*), '>=', 100::bigint, 'strangers enough') FROM stranger;
SELECT is_empty('SELECT person FROM stranger JOIN film.events ON user_id = person', 'none of whom was learned from');
SELECT is(count(*), 40::bigint, 'forty are shown') FROM shown;

-- Lists of twenty after none, one, three and five picks, without any of the five; after none it is what is popular.
CREATE TABLE list AS
  SELECT s.person, 0 AS picks, row_number() OVER (PARTITION BY s.person ORDER BY p.n) AS rank, p.movie FROM stranger s CROSS JOIN LATERAL (SELECT item_id AS movie, n FROM film.popular(25) WITH ORDINALITY AS p(item_id, popularity, trend, users, n) WHERE item_id <> ALL (s.picks) ORDER BY n LIMIT 20) p
  UNION ALL SELECT s.person, n, c.rank, c.item_id FROM stranger s CROSS JOIN unnest(ARRAY[1, 3, 5]) n CROSS JOIN LATERAL film.complete(s.picks[1:n], 20, exclude => s.picks) WITH ORDINALITY AS c(item_id, score, match, because, source, rank);
SELECT is_empty('SELECT person, picks FROM list GROUP BY 1, 2 HAVING count(*) <> 20', 'every list is full');
SELECT is_empty('SELECT FROM list JOIN pick USING (person, movie)', 'and without what was picked');

CREATE TABLE worth AS SELECT picks, avg(recall) AS recall, avg(ndcg) AS ndcg, count(*) AS people FROM (
  SELECT n.picks, w.person, reco_recall(l.rank::int, true, 20) AS recall, reco_ndcg(l.rank::int, true, 20) AS ndcg
  FROM wanted w CROSS JOIN (SELECT DISTINCT picks FROM list) n LEFT JOIN list l ON (l.person, l.picks, l.movie) = (w.person, n.picks, w.movie) GROUP BY 1, 2) p GROUP BY 1;
SELECT diag(format('%s picks: Recall@20 %s, NDCG@20 %s, of %s people', picks, round(recall::numeric, 4), round(ndcg::numeric, 4), people)) FROM worth ORDER BY picks;
-- Recall counted by hand, from the definition.
SELECT is(round(avg(hits / least_of)::numeric, 10), (SELECT round(recall::numeric, 10) FROM worth WHERE picks = 3), 'recall by its definition')
FROM (SELECT s.person, (SELECT count(*) FROM list l JOIN wanted w USING (person, movie) WHERE l.person = s.person AND l.picks = 3)::float8 AS hits, (SELECT count(*) FROM wanted w WHERE w.person = s.person)::float8 AS least_of FROM stranger s) h;
CREATE TABLE gain AS SELECT a.picks, a.recall / b.recall AS recall, a.ndcg / b.ndcg AS ndcg FROM worth a, worth b WHERE b.picks = 0;
SELECT ok((SELECT recall FROM gain WHERE picks = 1) > 0.9, 'one pick finds about as much as what is popular');
SELECT ok((SELECT ndcg FROM gain WHERE picks = 1) > 1.05, 'and ranks it better');
SELECT ok((SELECT recall FROM gain WHERE picks = 3) > 1.1, 'three picks find more');
SELECT ok((SELECT ndcg FROM gain WHERE picks = 3) > 1.1, 'and rank better');
SELECT ok((SELECT a.recall > b.recall FROM gain a, gain b WHERE a.picks = 5 AND b.picks = 3), 'after five more than after three');

SELECT * FROM finish();
