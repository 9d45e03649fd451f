-- What a match claims, where the truth is known by construction.  People who have some items of a shelf go on to choose from
-- that shelf or from further away with a chance that is laid down, and among shelf and rest all items are alike.  So of pairs
-- of a chosen and a drawn item, the share of the chosen ones is known for either: the chance to be chosen over that and the
-- chance to be drawn.  Guests who come after the refresh are asked; nothing of theirs was ever learned from.
BEGIN;
SELECT plan(26);

-- A number from 0 to below 1 for every text: no random(), so that the sets are the same everywhere.
CREATE FUNCTION pg_temp.lot(text) RETURNS float8 IMMUTABLE LANGUAGE sql AS $$
  SELECT ('x' || left(md5($1), 8))::bit(32)::bigint / 4294967296.0::float8
$$;

/*
 * The house: 400 items on 20 shelves, four shelves a room.  6,000 people have 3, 6, 9 or 12 items of one shelf; a month later
 * comes a basket of up to three, each from that shelf (.7) or another one of the room (.3), never from another room.
 */
CREATE TABLE person AS SELECT u, u % 20 AS shelf, 3 * (1 + u / 20 % 4) AS had FROM generate_series(0, 5999) u;
CREATE TABLE house (u int, i int, t timestamptz);
INSERT INTO house
  SELECT u, 20 * shelf + x, '2026-01-01'::timestamptz + u % 97 * interval '1 hour'
  FROM (SELECT u, shelf, had, x, row_number() OVER (PARTITION BY u ORDER BY pg_temp.lot(u || ' had ' || x)) AS n
        FROM person, generate_series(0, 19) x) r
  WHERE n <= had;
CREATE TABLE basket AS
  SELECT DISTINCT u, i
  FROM (SELECT u, CASE WHEN a < .7 THEN 20 * shelf + floor(20 * b)::int
                  ELSE 80 * (shelf / 4) + 20 * ((shelf + 1 + floor(3 * b)::int) % 4) + floor(20 * c)::int END AS i
        FROM person, generate_series(1, 3) s,
          LATERAL (SELECT pg_temp.lot(u || ' a ' || s) AS a, pg_temp.lot(u || ' b ' || s) AS b, pg_temp.lot(u || ' c ' || s) AS c) l) d
  WHERE NOT EXISTS (SELECT FROM house h WHERE h.u = d.u AND h.i = d.i);
INSERT INTO house SELECT u, i, '2026-02-01'::timestamptz + u % 97 * interval '1 hour' FROM basket;

-- The truth, by how many items people had: of the items chosen so many were on the shelf; of those that could be drawn, all
-- but what a person had and chose, so many.
CREATE TABLE truth AS
  WITH one AS (
    SELECT p.u, p.had, count(*) AS chosen, count(*) FILTER (WHERE b.i / 20 = p.shelf) AS on_shelf
    FROM person p JOIN basket b USING (u) GROUP BY 1, 2),
  chance AS (
    SELECT had, sum(on_shelf) / sum(chosen) AS p, avg((20 - had - on_shelf) / (400 - had - chosen)::numeric) AS shelf,
      avg((60 - (chosen - on_shelf)) / (400 - had - chosen)::numeric) AS room
    FROM one GROUP BY 1)
  SELECT had, on_shelf, 100 * c / (c + d) AS match FROM chance, LATERAL (VALUES (true, p, shelf), (false, 1 - p, room)) v(on_shelf, c, d);
SELECT ok(bool_and(match BETWEEN 94 AND 97 = on_shelf AND match BETWEEN 69 AND 77 <> on_shelf) AND count(*) = 8,
  'what is on the shelf matches by 94 to 97, what is in the room by 69 to 77') FROM truth;

SELECT reco_create_model('house', 'SELECT u AS user_id, i AS item_id, t AS occurred_at FROM house');
-- What guests with 3 and with 12 items are told about either kind of items, beside the truth.
CREATE FUNCTION pg_temp.house_claims(kind text) RETURNS TABLE (had int, on_shelf bool, claimed numeric, truth numeric, n bigint) LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM house WHERE u >= 10000;
  PERFORM reco_configure('house', similarity => kind, min_match => 0);
  PERFORM reco_refresh('house');
  INSERT INTO house
    SELECT u, 20 * (u % 20) + x, '2026-02-10' FROM generate_series(10000, 10099) u, generate_series(0, 19) x
    WHERE (x * 7 + u) % 20 < CASE u % 2 WHEN 0 THEN 3 ELSE 12 END;
  RETURN QUERY
    SELECT t.had, t.on_shelf, round(avg(m.match)::numeric, 1), round(min(t.match), 1), count(m.match)
    FROM generate_series(10000, 10099) u CROSS JOIN LATERAL house.top_n(u, NULL, fallback => false) m
      JOIN truth t ON t.had = CASE u % 2 WHEN 0 THEN 3 ELSE 12 END AND t.on_shelf = (m.item_id / 20 = u % 20)
    GROUP BY 1, 2;
END $$;
CREATE TABLE house_claim AS
  SELECT kind, c.* FROM unnest(ARRAY['cooccurrence', 'ridge', 'llr']) kind, pg_temp.house_claims(kind) c;
SELECT cmp_ok(n, '>=', 400::bigint, format('%s: enough %s for those who had %s', kind, CASE WHEN on_shelf THEN 'on the shelf' ELSE 'in the room' END, had))
FROM house_claim WHERE had = 3 ORDER BY kind, on_shelf;
SELECT cmp_ok(abs(claimed - truth), '<=', 5::numeric,
  format('%s, had %s, %s: %s of %s', kind, had, CASE WHEN on_shelf THEN 'on the shelf' ELSE 'in the room' END, claimed, truth))
FROM house_claim ORDER BY kind, had, on_shelf;

/*
 * The corner: 60 items on three shelves and 360 people, half of whom are held out, so that much changes once everybody is
 * learned from: scores by llr and bm25 double.  All have 6 items of a shelf, and choose from it (.6) or from the others (.4).
 */
CREATE TABLE corner (u int, i int, t timestamptz);
INSERT INTO corner
  SELECT u, 20 * (u % 3) + x, '2026-01-01'::timestamptz + u % 97 * interval '1 hour'
  FROM (SELECT u, x, row_number() OVER (PARTITION BY u ORDER BY pg_temp.lot(u || ' had ' || x)) AS n
        FROM generate_series(0, 359) u, generate_series(0, 19) x) r
  WHERE n <= 6;
CREATE TABLE choice AS
  SELECT DISTINCT u, i
  FROM (SELECT u, CASE WHEN a < .6 THEN 20 * (u % 3) + floor(20 * b)::int ELSE (20 * (u % 3 + 1) + floor(40 * b)::int) % 60 END AS i
        FROM generate_series(0, 359) u, generate_series(1, 3) s,
          LATERAL (SELECT pg_temp.lot(u || ' a ' || s) AS a, pg_temp.lot(u || ' b ' || s) AS b) l) d
  WHERE NOT EXISTS (SELECT FROM corner c WHERE c.u = d.u AND c.i = d.i);
INSERT INTO corner SELECT u, i, '2026-02-01'::timestamptz + u % 97 * interval '1 hour' FROM choice;
SELECT reco_create_model('corner', 'SELECT u AS user_id, i AS item_id, t AS occurred_at FROM corner');
CREATE FUNCTION pg_temp.corner_claim(kind text) RETURNS numeric LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM corner WHERE u >= 10000;
  PERFORM reco_configure('corner', similarity => kind, min_match => 0);
  PERFORM reco_refresh('corner');
  INSERT INTO corner
    SELECT u, 20 * (u % 3) + x, '2026-02-10' FROM generate_series(10000, 10059) u, generate_series(0, 19) x WHERE (x * 7 + u) % 20 < 6;
  RETURN (SELECT round(avg(m.match)::numeric, 1)
    FROM generate_series(10000, 10059) u CROSS JOIN LATERAL corner.top_n(u, NULL, fallback => false) m WHERE m.item_id / 20 = u % 3);
END $$;
CREATE TABLE corner_truth AS
  SELECT 100 * c / (c + d) AS match
  FROM (SELECT sum(on_shelf) / sum(chosen) AS c, avg((14 - on_shelf) / (54 - chosen)::numeric) AS d
        FROM (SELECT u, count(*) AS chosen, count(*) FILTER (WHERE i / 20 = u % 3) AS on_shelf FROM choice GROUP BY 1) one) chance;
SELECT cmp_ok(abs(claim - t.match), '<=', 5::numeric, format('%s, half held out: %s of %s', kind, claim, round(t.match, 1)))
FROM corner_truth t, unnest(ARRAY['cooccurrence', 'cosine', 'ridge', 'llr', 'bm25', 'rp3beta']) kind, pg_temp.corner_claim(kind) claim;
/*
 * The latecomers: 2,000 people who have 6 of the 15 items of a shelf, of four.  Nine in ten then choose one from another
 * shelf, and a tenth, all of them later than that, one from their own.  200 are held out: of 800 taken by lot those who
 * chose last, and so the latecomers among these, who are 80 but for chance, 60 to 100 by three standard deviations of 6.6.
 * So many choose from their shelf, and of the items drawn, one for each of the 200, so many lie there as of all that
 * they did not have.
 */
CREATE TABLE late (u int, i int, t timestamptz);
INSERT INTO late
  SELECT u, 15 * (u % 4) + x, '2026-01-01'::timestamptz + u % 97 * interval '1 hour'
  FROM (SELECT u, x, row_number() OVER (PARTITION BY u ORDER BY pg_temp.lot(u || ' late ' || x)) AS n
        FROM generate_series(0, 1999) u, generate_series(0, 14) x) r
  WHERE n <= 6;
INSERT INTO late
  SELECT u, i, CASE WHEN own THEN '2026-02-20' ELSE '2026-02-01' END::timestamptz + u % 97 * interval '1 hour'
  FROM (SELECT DISTINCT ON (c.u) c.u, c.i, own
        FROM (SELECT u, i, u / 4 % 10 = 0 AS own FROM generate_series(0, 1999) u, generate_series(0, 59) i) c
        WHERE (c.i / 15 = c.u % 4) = own AND NOT EXISTS (SELECT FROM late l WHERE l.u = c.u AND l.i = c.i)
        ORDER BY c.u, pg_temp.lot(c.u || ' late choice ' || c.i)) c;
SELECT reco_create_model('late', 'SELECT u AS user_id, i AS item_id, t AS occurred_at FROM late');
SELECT reco_configure('late', similarity => 'cooccurrence', min_match => 0);
SELECT reco_refresh('late');
INSERT INTO late SELECT u, 15 * (u % 4) + x, '2026-03-10' FROM generate_series(10000, 10059) u, generate_series(0, 14) x WHERE (x * 7 + u) % 15 < 6;
SELECT ok(claim BETWEEN 100 * 60 / (60 + 200 * drawn) - 1 AND 100 * 100 / (100 + 200 * drawn) + 1,
  format('those who chose last of four times as many are held out: %s, between %s and %s', claim, round(100 * 60 / (60 + 200 * drawn)), round(100 * 100 / (100 + 200 * drawn))))
FROM (SELECT round(avg(m.match)::numeric, 1) AS claim, 9 / 53.0 AS drawn
      FROM generate_series(10000, 10059) u CROSS JOIN LATERAL late.top_n(u, NULL, fallback => false) m WHERE m.item_id / 15 = u % 4) c;
SELECT * FROM finish();
ROLLBACK;
