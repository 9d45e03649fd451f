-- affinity: the surface and every message.
CREATE TABLE film (id int PRIMARY KEY, title text, genre text[], director text, year int, colour boolean, length float8);
INSERT INTO film SELECT n, 'film ' || n, CASE WHEN n % 3 = 0 THEN ARRAY['drama', 'war', NULL, 'war'] WHEN n % 3 = 1 THEN ARRAY['comedy'] END, chr(65 + n % 4), 1990 + n % 2, n % 5 > 0, n FROM generate_series(1, 24) n;
CREATE TABLE seen (who int, what int, at timestamptz);
INSERT INTO seen SELECT u, 1 + (u * 7 + n * n * 3) % 24, '2026-01-01'::timestamptz + n * interval '1 day' FROM generate_series(1, 60) u, generate_series(1, 6) n;
INSERT INTO seen SELECT 100, n, '2026-02-01' FROM generate_series(3, 24, 3) n;
SELECT reco_create_model('bare', 'SELECT who AS user_id, what AS item_id FROM seen');
SELECT reco_create_model('film_club', 'SELECT who AS user_id, what AS item_id, at AS occurred_at FROM seen',
  'SELECT id AS item_id, title, genre, director, year, colour, length FROM film');
SELECT * FROM reco_affinity(100, model => 'film_club');
SELECT reco_refresh(m) IS NOT NULL FROM unnest('{bare,film_club}'::text[]) m;
SET reco.model = 'film_club';

SELECT attribute, value, round(lift::numeric, 3) AS lift, round(low::numeric, 3) AS low, round(high::numeric, 3) AS high, round(share::numeric, 3) AS share, round(usual::numeric, 3) AS usual, support FROM reco_affinity(100, k => 5);
SELECT attribute, value, round(lift::numeric, 3) AS lift, support FROM reco_affinity(NULL::int, '{genre,length,genre,NULL}', NULL);
SELECT attribute, value, support FROM film_club.affinity(k => 3);
SELECT count(*) FROM film_club.affinity(100, k => NULL, min_items => 9);
-- nobody known, and what is not in the catalogue
SELECT * FROM reco_affinity(4711);
SELECT count(*) FROM reco_affinity(100, '{}');

-- what cannot be
SELECT * FROM reco_affinity(100, '{genre,mood}');
SELECT * FROM reco_affinity(100, k => 0);
SELECT * FROM reco_affinity(100, min_items => 1);
SELECT * FROM reco_affinity('somebody'::text);
SELECT * FROM reco_affinity(100, model => 'bare');
SELECT * FROM reco_affinity(100, '{genre}', model => 'bare');

SELECT reco_drop_model(m) FROM unnest('{bare,film_club}'::text[]) m;
DROP TABLE film, seen;
