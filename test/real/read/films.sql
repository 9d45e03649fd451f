-- Reads the ratings of MovieLens latest-small into a table rating, and what is known of films into a table movie, one in ten of
-- which is to be hidden.

\set ratings 'xzcat \'' :data '/ml-latest-small/ratings.csv.xz\''
CREATE TABLE rating (movie_id int, title text, year int, genres text, user_id int, stars real, at bigint);
COPY rating FROM PROGRAM :'ratings' (FORMAT csv, HEADER, NULL 'NA');
CREATE TABLE movie AS
  SELECT movie_id AS item_id, max(title) AS title, max(year) AS year, string_to_array(max(genres), '|') AS genres,
    ('x' || substr(md5(movie_id::text), 1, 4))::bit(16)::int % 10 = 0 AS hidden
  FROM rating GROUP BY movie_id;
ALTER TABLE rating ADD PRIMARY KEY (user_id, movie_id);
ANALYZE rating, movie;
