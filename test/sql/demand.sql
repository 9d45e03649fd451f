-- demand: the surface and every message.
CREATE TABLE film (id text PRIMARY KEY, genre text[], director text, year int, colour boolean);
INSERT INTO film SELECT 'f' || n, CASE WHEN n % 3 = 0 THEN ARRAY['drama', 'war'] WHEN n % 3 = 1 THEN ARRAY['comedy'] ELSE '{}' END, chr(65 + n % 4), 1990 + n % 2, n % 5 > 0 FROM generate_series(1, 30) n;
CREATE TABLE seen (who uuid, what text, at timestamptz);
INSERT INTO seen SELECT md5(u::text)::uuid, 'f' || n, '2026-01-01'::timestamptz + n * interval '1 day' FROM generate_series(1, 60) u, generate_series(1, 30) n
  WHERE hashint8extended(n, u) & 63 < CASE n % 3 WHEN 0 THEN 30 WHEN 1 THEN 10 ELSE 5 END;
SELECT reco_create_model('bare', 'SELECT who AS user_id, what AS item_id FROM seen');
SELECT reco_create_model('film_club', 'SELECT who AS user_id, what AS item_id, at AS occurred_at FROM seen', 'SELECT id AS item_id, genre, director, year, colour FROM film');
SELECT reco_refresh(m) IS NOT NULL FROM unnest('{bare,film_club}'::text[]) m;
SET reco.model = 'film_club';

SELECT expected BETWEEN 20 AND 35 AS much, low < expected AND high > expected AS within, learned_from, unknown, explained > 0.5 AS explained FROM reco_demand('{"genre": ["war", "drama", "war", null, "space"]}');
SELECT expected < 15 AS little, unknown FROM film_club.demand('{"genre": "comedy", "colour": true, "year": 1990, "director": ["A", "Z"]}');
SELECT count(*), min(shared) > 0 AS some, bool_and(because IN (SELECT id FROM film WHERE genre @> '{war}')) AS because FROM reco_audience_of('{"genre": "war"}', 5);
SELECT pg_typeof(user_id), pg_typeof(because), count(*) FROM film_club.audience_of('{"genre": ["comedy"]}', 3) GROUP BY 1, 2;
SELECT user_id, shared FROM reco_audience_of('{"genre": "no such"}');
SELECT expected > 0 AS something, unknown FROM reco_demand('{"genre": "no such"}');

-- what cannot be
SELECT * FROM reco_demand(NULL);
SELECT * FROM reco_demand('[]');
SELECT * FROM reco_demand('"drama"');
SELECT * FROM reco_demand('{}');
SELECT * FROM reco_demand('{"genre": {"not": "drama"}}');
SELECT * FROM reco_demand('{"genre": [["drama"]]}');
SELECT * FROM reco_demand('{"genre": [{"a": 1}]}');
SELECT * FROM reco_demand('{"mood": "good"}');
SELECT * FROM reco_demand('{"genre": "war"}', 'bare');
SELECT * FROM reco_audience_of('{"genre": "war"}', 0);

-- few items: an expectation without an interval
CREATE OR REPLACE VIEW film_club.items WITH (security_invoker = true) AS SELECT id AS item_id, genre, director, year, colour FROM film WHERE year = 1990;
SELECT expected > 0 AS something, low, high, learned_from, explained FROM reco_demand('{"genre": "war"}');
CREATE OR REPLACE VIEW film_club.items WITH (security_invoker = true) AS SELECT id AS item_id, genre, director, year, colour FROM film WHERE false;
SELECT * FROM reco_demand('{"genre": "war"}');
SELECT * FROM reco_audience_of('{"genre": "war"}');

SELECT reco_drop_model(m) FROM unnest('{bare,film_club}'::text[]) m;
DROP TABLE film, seen;
