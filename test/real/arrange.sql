-- The small MovieLens set, whose films have genres: what variety does to lists, and what it costs them, on what people went
-- on to watch.  The variable data names the folder with ml-latest-small/ratings.csv.xz.

SET client_min_messages = warning;

\set there `test -r :'data'/ml-latest-small/ratings.csv.xz && echo yes || echo no`
\if :there
\else
\echo 1..0 # SKIP no ml-latest-small/ratings.csv.xz in :data
\quit
\endif

\set program 'xzcat \'' :data '/ml-latest-small/ratings.csv.xz\''

CREATE TABLE rating (film int, title text, year text, genres text, person int, stars float8, at bigint);
COPY rating FROM PROGRAM :'program' WITH (FORMAT csv, HEADER, NULL 'NA');
CREATE TABLE film AS SELECT DISTINCT film AS id, string_to_array(genres, '|') AS genres, year FROM rating;
ALTER TABLE film ADD PRIMARY KEY (id);
-- The newest fifth of each person's films is kept back; what was liked counts.
CREATE TABLE later AS
  SELECT person, film FROM (SELECT *, row_number() OVER (PARTITION BY person ORDER BY at DESC, film) AS n, count(*) OVER (PARTITION BY person) AS films FROM rating) r
  WHERE n <= films / 5 AND stars >= 3;
CREATE TABLE watched AS SELECT person, film FROM rating r WHERE stars >= 3 AND NOT EXISTS (SELECT FROM later l WHERE (l.person, l.film) = (r.person, r.film));
CREATE INDEX ON watched (person);
ANALYZE film, later, watched;
SELECT plan(17);

SELECT results_eq('SELECT count(*), count(DISTINCT film), count(DISTINCT person) FROM rating', 'VALUES (100004::bigint, 9066::bigint, 671::bigint)', 'the set is the one its description speaks of');
SELECT reco_create_model('cinema', 'SELECT person AS user_id, film AS item_id FROM watched', 'SELECT id AS item_id, genres, year FROM film');
SELECT reco_configure('cinema', similarity => 'cosine', content => 0);
SELECT events FROM reco_refresh('cinema') \g /dev/null

-- Lists of ten for everybody, by what was asked for; and of each: the mean divergence of their genres from those of the
-- history (p ln(p / q), q with a hundredth of p), the NDCG of what was watched later, the mean similarity of two rows.
CREATE TABLE list (asked text, user_id int, item_id int, score float8, rank int);
INSERT INTO list SELECT '', user_id, item_id, score, rank FROM cinema.top_n_all(10);
INSERT INTO list SELECT 'diversity .2', user_id, item_id, score, rank FROM cinema.top_n_all(10, diversity => .2);
INSERT INTO list SELECT 'diversity .5', user_id, item_id, score, rank FROM cinema.top_n_all(10, diversity => .5);
INSERT INTO list SELECT 'calibrated .5', user_id, item_id, score, rank FROM cinema.top_n_all(10, calibrated => .5, calibrated_by => 'genres');
INSERT INTO list SELECT 'calibrated .9', user_id, item_id, score, rank FROM cinema.top_n_all(10, calibrated => .9, calibrated_by => 'genres');
INSERT INTO list SELECT 'a year once', user_id, item_id, score, rank FROM cinema.top_n_all(10, max_per => 'year');
INSERT INTO list SELECT 'a genre four times', user_id, item_id, score, rank FROM cinema.top_n_all(10, max_per => 'genres', max_per_n => 4);
CREATE TABLE share AS SELECT id AS film, unnest(genres) AS genre, 1.0 / cardinality(genres) AS share FROM film;
CREATE TABLE taste AS SELECT person, genre, sum(share) / sum(sum(share)) OVER (PARTITION BY person) AS p FROM watched JOIN share USING (film) GROUP BY 1, 2;
CREATE TABLE worth AS
  SELECT asked, divergence, ndcg, similarity
  FROM (SELECT asked, avg(k) AS divergence FROM (
          SELECT asked, person, sum(p * ln(p / (.99 * coalesce(q, 0) + .01 * p))) AS k FROM (SELECT DISTINCT asked, user_id AS person FROM list) a JOIN taste USING (person)
            LEFT JOIN (SELECT asked, user_id AS person, genre, sum(share) / 10 AS q FROM list JOIN share ON film = item_id GROUP BY 1, 2, 3) m USING (asked, person, genre) GROUP BY 1, 2) k GROUP BY 1) d
  JOIN (SELECT asked, avg(ndcg) AS ndcg FROM (
          SELECT a.asked, w.person, reco_ndcg(l.rank, true, 10) AS ndcg FROM later w CROSS JOIN (SELECT DISTINCT asked FROM list) a
            LEFT JOIN list l ON (l.asked, l.user_id, l.item_id) = (a.asked, w.person, w.film) GROUP BY 1, 2) n GROUP BY 1) n USING (asked)
  JOIN (SELECT a.asked, avg(coalesce(s.similarity, 0)) AS similarity FROM list a JOIN list b ON (a.asked, a.user_id) = (b.asked, b.user_id) AND a.rank < b.rank
          LEFT JOIN cinema.similar s ON (s.item_id, s.similar_item_id) = (a.item_id, b.item_id) GROUP BY 1) s USING (asked);
CREATE FUNCTION pg_temp.of(word text) RETURNS worth LANGUAGE sql AS $$ SELECT w FROM worth w WHERE asked = word $$;
SELECT diag(format('%s: divergence %s, ndcg %s, similarity %s', rpad(asked, 18), round(divergence::numeric, 3), round(ndcg::numeric, 4), round(similarity::numeric, 3))) FROM worth ORDER BY asked;

SELECT is_empty('SELECT asked, user_id FROM list GROUP BY 1, 2 HAVING count(*) <> 10 OR count(DISTINCT item_id) <> 10', 'every list is full');
SELECT is_empty('SELECT asked FROM (SELECT *, lag(score) OVER (PARTITION BY asked, user_id ORDER BY rank) AS above FROM list) l WHERE above < score', 'scores say the order');
SELECT is_empty('SELECT * FROM list JOIN watched ON (person, film) = (user_id, item_id)', 'no list has a film of the history');
SELECT is_empty('SELECT user_id, year FROM list JOIN film ON id = item_id WHERE asked = ''a year once'' GROUP BY 1, 2 HAVING count(*) > 1 AND year IS NOT NULL', 'no year twice');
SELECT is_empty('SELECT user_id, genre FROM list JOIN share ON film = item_id WHERE asked = ''a genre four times'' GROUP BY 1, 2 HAVING count(*) > 4', 'no genre five times');
SELECT ok((pg_temp.of('diversity .2')).similarity <= .9 * (pg_temp.of('')).similarity, 'diversity .2: rows are less alike');
SELECT ok((pg_temp.of('diversity .5')).similarity <= .2 * (pg_temp.of('')).similarity, 'diversity .5: a fifth as alike');
SELECT ok((pg_temp.of('diversity .2')).ndcg >= .95 * (pg_temp.of('')).ndcg, 'diversity .2 costs hardly anything');
SELECT ok((pg_temp.of('calibrated .5')).divergence <= .8 * (pg_temp.of('')).divergence, 'calibrated .5: genres are nearer to those of the history');
SELECT ok((pg_temp.of('calibrated .9')).divergence <= .4 * (pg_temp.of('')).divergence, 'calibrated .9: much nearer');
SELECT ok((pg_temp.of('calibrated .5')).ndcg >= .9 * (pg_temp.of('')).ndcg, 'calibrated .5 costs little');
SELECT ok((pg_temp.of('a year once')).ndcg >= .85 * (pg_temp.of('')).ndcg, 'nor does a cap');
SELECT ok((pg_temp.of('a genre four times')).divergence <= 1.1 * (pg_temp.of('')).divergence, 'and a cap by genre does not leave the history''s behind');

-- One by one as all at once.
SELECT set_eq($$SELECT u, t.item_id, t.score, t.rank::int FROM generate_series(1, 671, 20) u, LATERAL cinema.top_n(u, 10, diversity => .2) WITH ORDINALITY AS t(item_id, score, match, because, source, rank)$$,
  $$SELECT user_id, item_id, score, rank FROM list WHERE asked = 'diversity .2' AND user_id % 20 = 1$$, 'diversity: one by one the same');
SELECT set_eq($$SELECT u, t.item_id, t.score, t.rank::int FROM generate_series(1, 671, 20) u, LATERAL cinema.top_n(u, 10, calibrated => .5, calibrated_by => 'genres') WITH ORDINALITY AS t(item_id, score, match, because, source, rank)$$,
  $$SELECT user_id, item_id, score, rank FROM list WHERE asked = 'calibrated .5' AND user_id % 20 = 1$$, 'calibrated: one by one the same');

-- Exploring: what is new or little known comes, each as often as it says.
CREATE TABLE explored AS SELECT s, t.* FROM generate_series(1, 400) s, LATERAL cinema.explore(7, 10, .2, seed => s) t;
SELECT is_empty('SELECT item_id FROM explored GROUP BY 1 HAVING abs(count(*) / 400.0 - max(propensity)) > 5 * sqrt(max(propensity) * (1 - max(propensity)) / 400) + 1e-9', 'explored films come as often as their propensity says');

SELECT * FROM finish();
