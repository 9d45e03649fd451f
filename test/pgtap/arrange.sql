-- arrange: variety, by hand on tiny matrices, against slow references in SQL, and what must hold of every list.

BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;
SET LOCAL timezone = 'UTC';

CREATE FUNCTION pg_temp.refresh(model text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM reco_refresh(model); END $$;

/* The 5 x 5 matrix of recommend.sql, linear, its cosines, and what is said of the items. */
CREATE TABLE five (user_id int, item_id int, weight float8);
INSERT INTO five VALUES
  (1, 1, 1), (1, 2, 2), (1, 3, 1),
  (2, 1, 2), (2, 2, 1),
  (3, 1, 1), (3, 3, 3), (3, 4, 1),
  (4, 1, 1), (4, 2, 1), (4, 3, 1), (4, 4, 2),
  (5, 4, 1), (5, 5, 1);
CREATE TABLE five_item (item_id int, brand text, tags text[], price numeric);
INSERT INTO five_item VALUES (1, 'a', '{x,y}', 1.5), (2, 'b', '{y}', 2), (3, 'a', '{x,x,NULL}', 1.50), (4, NULL, NULL, NULL), (5, 'b', '{}', 3);
SELECT reco_create_model('five', 'SELECT user_id, item_id, weight FROM five', 'SELECT * FROM five_item');
SELECT reco_configure('five', similarity => 'cosine', weighting => 'linear', min_support => 1, content => 0);
SELECT pg_temp.refresh('five');
CREATE FUNCTION pg_temp.items(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE answer text;
BEGIN
  EXECUTE format('SELECT string_agg(item_id::text, '' '' ORDER BY n) FROM %s WITH ORDINALITY AS t(item_id, score, match, because, source, n)', call) INTO answer;
  RETURN answer;
END $$;

/*
 * u5 has 3 with .435194, 1 with .327327, 2 with .235702: 1, .752144 and .541601 of the first.  The nearest anything has is 1:
 *   3 and 1: .569803 / .615457 = .92582   3 and 2: .369274 / .615457 = .6   1 and 2: 1
 * MMR takes 3 first. With d = .5 then 1 has .376072 - .46291 = -.086838 and 2 has .2708 - .3 = -.0292: 2 is next.
 * With d = .2 then 1 has .601715 - .185164 = .416551 and 2 has .433281 - .12 = .313281: 1 is next.
 * They change places where (1 - d) (.752144 - .541601) = d (.92582 - .6): at d = .39254.
 */
SELECT is(pg_temp.items('five.top_n(5, 3)'), '3 1 2', 'u5, no diversity');
SELECT is(pg_temp.items('five.top_n(5, 3, diversity => 0)'), '3 1 2', 'diversity 0 is none');
SELECT is(pg_temp.items('five.top_n(5, 3, diversity => .2)'), '3 1 2', 'a little diversity changes nothing');
SELECT is(pg_temp.items('five.top_n(5, 3, diversity => .39253)'), '3 1 2', 'just before they change places');
SELECT is(pg_temp.items('five.top_n(5, 3, diversity => .39255)'), '3 2 1', 'just after');
SELECT is(pg_temp.items('five.top_n(5, 3, diversity => .5)'), '3 2 1', 'by hand');
SELECT is(pg_temp.items('five.top_n(5, 2, diversity => .5)'), '3 2', 'before the cut');
SELECT is(pg_temp.items('five.top_n(5, 3, diversity => 1)'), '3 2 1', 'nothing but diversity: the best is still the first');
SELECT results_eq('SELECT item_id, round(score::numeric, 6), because, source FROM five.top_n(5, 3, diversity => .5)',
  $$VALUES (3, .435194, 4, 'personal'), (2, .327327, 4, 'personal'), (1, .327327, 4, 'personal')$$, 'who comes before a greater score is given just more than it');
SELECT is((SELECT array_agg(item_id ORDER BY score DESC) FROM five.top_n(5, 3, diversity => .5)), ARRAY[3, 2, 1], 'scores say the order');

/* Caps: 1 and 3 are of brand a, 2 and 5 of b, 4 of none. */
SELECT is(pg_temp.items('five.top_n(5, max_per => ''brand'')'), '3 2', 'one of each brand');
SELECT is(pg_temp.items('five.top_n(5, max_per => ''brand'', max_per_n => 2)'), '3 1 2', 'two of each');
SELECT is(pg_temp.items('five.top_n(5, max_per => ''tags'')'), '3 2', 'no tag twice: 1 has the x of 3');
SELECT is(pg_temp.items('five.top_n(5, 1, among => ARRAY[1, 2], max_per => ''brand'')'), '1', 'among holds');
SELECT is(pg_temp.items('five.top_n(5, NULL, max_per => ''price'')'), '3 1 2', 'a number is what its text is: 1.5 and 1.50 differ');
SELECT is(pg_temp.items('five.top_n(2, NULL, max_per => ''brand'')'), '3 4 5', 'what has no brand comes as often as it likes; caps hold in the fallback');
SELECT is(pg_temp.items('five.top_n(2, NULL, max_per => ''tags'')'), '3 4 5', 'as does what has no tags, or NULL');
SELECT is(pg_temp.items('five.top_n(NULL, NULL, max_per => ''brand'')'), '1 2 4', 'a guest gets what is popular, capped');
SELECT is(pg_temp.items('five.complete(ARRAY[4, 5], 3, diversity => .5)'), '3 2 1', 'a basket is arranged the same way');

/*
 * Calibrated: u2 has 1 with 2 (a) and 2 with 1 (b), so p is 2/3 a and 1/3 b.  3 (a) has .674792, 4 (nothing) .563110 or .834494 of it.
 * With l = .5 3 comes first: its list is all a, with divergence 2/3 ln(.666667 / .996667) + 1/3 ln(.333333 / .003333) = 1.266990, so .5 - .633495 = -.133495;
 * 4 alone has 2/3 ln(1 / .01) + 1/3 ln(1 / .01) = 4.605170, so .417247 - 2.302585.
 */
SELECT is(pg_temp.items('five.top_n(2, calibrated => .5, calibrated_by => ''brand'')'), '3 4 5', 'what no evidence speaks for comes after what it does');
/* u5, with 4 (none) and 5 (b): p is all b, and 2 the only one of it.  With l = .01 the divergence, at most ln(100) = 4.605170, is .046052 for 3 and 1; 2 gains that and lacks .99 (1 - .541601): it stays. */
SELECT is(pg_temp.items('five.top_n(5, calibrated => .01, calibrated_by => ''brand'')'), '3 1 2', 'a little calibration');
/* With l = .1: 3 has .9 - .460517 = .439483, 2 has .9 * .541601 - 0 = .487441: 2 is first; then q~(b) is .99 / 2 + .01 = .505: both lose ln(1 / .505) of .1, 3 stays before 1. */
SELECT is(pg_temp.items('five.top_n(5, calibrated => .1, calibrated_by => ''brand'')'), '2 3 1', 'more of it');
/* Where they change places: (1 - l) (1 - .541601) = l * 4.605170, l = .090529. */
SELECT is(pg_temp.items('five.top_n(5, calibrated => .0905, calibrated_by => ''brand'')'), '3 2 1', 'just before');
SELECT is(pg_temp.items('five.top_n(5, calibrated => .0906, calibrated_by => ''brand'')'), '2 3 1', 'just after');
SELECT is(pg_temp.items('five.top_n(99, calibrated => 1, calibrated_by => ''brand'')'), pg_temp.items('five.top_n(99)'), 'no history, no mix');
SELECT is(pg_temp.items('five.top_n(5, 3, calibrated => .9, calibrated_by => ''price'', diversity => .5)'), '3 2 1', 'no value of the history is in the list: as without');

/* Generated: 300 users, 120 items of which some are not in the catalogue, brands, tags, dislikes. */
CREATE TABLE generated AS
  SELECT user_id, item_id, CASE WHEN h & 31 = 5 THEN -1 ELSE ((h >> 6 & 15) + 1) / 10.0::float8 END AS weight
  FROM (SELECT user_id, item_id, hashint8(user_id * 104729 + item_id * 7919) AS h, hashint8(user_id * 7919 + item_id * 104729) & 1023 AS lot
        FROM generate_series(1, 300) user_id, generate_series(1, 120) item_id) g
  WHERE lot < 700 / (item_id + 4) + CASE WHEN user_id % 6 = item_id % 6 THEN 150 ELSE 0 END;
CREATE TABLE product AS SELECT i AS item_id, 'brand ' || i % 6 AS brand, CASE WHEN i % 11 <> 0 THEN ARRAY['tag ' || i % 6, 'tag ' || i % 10, 'tag ' || i % 4] END AS tags
  FROM generate_series(1, 130) i WHERE i % 9 <> 0;
INSERT INTO product VALUES (2, 'brand 2', '{extra}');
SELECT reco_create_model('shop', 'SELECT user_id, item_id, weight FROM generated', 'SELECT * FROM product');
SELECT reco_configure('shop', similarity => 'cosine', weighting => 'log', keep => 'source', neighbors => 40, min_support => 2, content => 0);
SELECT pg_temp.refresh('shop');

/*
 * Variety by its formulas, one row after the other, from the plain list, the view similar, and the catalogue; of candidates that come to the same but for the last
 * digits the reference cannot say which is first, so it asks of each row that none be better than it by more than they.
 */
CREATE FUNCTION pg_temp.variety_fails(usr int, rows int, d float8, l float8, cap int) RETURNS TABLE(place bigint, item int, value float8, best float8) LANGUAGE plpgsql AS $$
DECLARE item_taken int; taken bigint := 0; have float8;
BEGIN
  DROP TABLE IF EXISTS left_over, mass;
  CREATE TEMP TABLE left_over AS
    SELECT item_id, score / max(score) OVER () AS worth, 0::float8 AS nearest, source = 'personal' AS personal, n FROM shop.top_n(usr, NULL) WITH ORDINALITY AS t(item_id, score, match, because, source, n);
  CREATE TEMP TABLE mass AS
    WITH tag AS (SELECT DISTINCT item_id, unnest(tags) AS tag FROM product), share AS (SELECT item_id, tag, 1.0::float8 / count(*) OVER (PARTITION BY item_id) AS share FROM tag),
    part AS (SELECT tag, sum(ln(1 + weight) * share) AS part FROM generated JOIN share USING (item_id) WHERE user_id = usr AND weight > 0 GROUP BY tag)
    SELECT tag, part / sum(part) OVER () AS p, 0::float8 AS m FROM part;
  FOR item_taken IN EXECUTE format('SELECT item_id FROM shop.top_n(%s, %s, diversity => %s %s %s) WITH ORDINALITY AS t(item_id, score, match, because, source, n) ORDER BY n', usr, rows, d,
      CASE WHEN l > 0 THEN format(', calibrated => %s, calibrated_by => ''tags''', l) END, CASE WHEN cap > 0 THEN format(', max_per => ''brand'', max_per_n => %s', cap) END) LOOP
    CREATE TEMP TABLE valued AS
      WITH tag AS (SELECT DISTINCT item_id, unnest(tags) AS tag FROM product), share AS (SELECT item_id, tag, 1.0::float8 / count(*) OVER (PARTITION BY item_id) AS share FROM tag)
      SELECT c.item_id, CASE WHEN personal THEN (1 - l) * ((1 - d) * worth - d * nearest)
               - CASE WHEN l > 0 THEN l * (SELECT sum(p * ln(p / (.99 * (m + coalesce(share, 0)) / (taken + 1) + .01 * p))) FROM mass LEFT JOIN share s ON s.tag = mass.tag AND s.item_id = c.item_id) ELSE 0 END
             ELSE -100 - n END AS v FROM left_over c;
    SELECT v INTO have FROM valued WHERE item_id = item_taken;
    RETURN QUERY SELECT taken + 1, item_taken, have, max(v) FROM valued HAVING max(v) > coalesce(have, '-infinity') + 1e-7;
    UPDATE left_over o SET nearest = greatest(nearest, s.near) FROM (
      SELECT other, max(near) AS near FROM (SELECT item_id, similar_item_id AS other, similarity / max(similarity) OVER (PARTITION BY item_id) AS near FROM shop.similar
        UNION ALL SELECT similar_item_id, item_id, similarity / max(similarity) OVER (PARTITION BY item_id) FROM shop.similar) p WHERE item_id = item_taken GROUP BY other) s WHERE s.other = o.item_id;
    UPDATE mass SET m = m + 1.0::float8 / (SELECT count(DISTINCT t) FROM product, unnest(tags) t WHERE item_id = item_taken) WHERE tag IN (SELECT unnest(tags) FROM product WHERE item_id = item_taken);
    DELETE FROM left_over WHERE item_id = item_taken;
    taken := taken + 1;
    IF cap > 0 AND (SELECT count(DISTINCT item_id) FROM (SELECT item_id FROM shop.top_n(usr, taken::int, diversity => d, max_per => 'brand', max_per_n => cap)) t JOIN product USING (item_id)
        WHERE brand = (SELECT brand FROM product WHERE item_id = item_taken LIMIT 1)) >= cap THEN
      DELETE FROM left_over WHERE item_id IN (SELECT item_id FROM product WHERE brand = (SELECT brand FROM product p WHERE p.item_id = item_taken LIMIT 1));
    END IF;
    DROP TABLE valued;
  END LOOP;
  IF taken < least(rows, (SELECT count(*) FROM left_over) + taken) THEN RETURN QUERY SELECT taken, NULL::int, NULL::float8, NULL::float8; END IF;
END $$;
SELECT is_empty(format('SELECT * FROM generate_series(3, 300, 60) u, pg_temp.variety_fails(u, 12, %s, %s, %s)', d, l, cap), format('diversity %s, calibrated %s, caps %s: row by row', d, l, cap))
FROM (VALUES (.3, 0, 0), (.7, 0, 0), (1, 0, 0), (.5, 0, 2), (0, .5, 0), (0, .95, 0), (0, 1, 0), (.4, .3, 0)) v(d, l, cap);
SELECT is_empty('SELECT * FROM pg_temp.variety_fails(7, 90, .5, .5, 0)', 'a list as long as all that the history speaks for, and on into the fallback');

-- What must hold of every list, whatever is asked for.
CREATE TEMP TABLE options AS SELECT o AS option, row_number() OVER () AS number FROM unnest(ARRAY['diversity => .6', 'max_per => ''brand'', max_per_n => 3', 'max_per => ''tags'', max_per_n => 9',
  'calibrated => .7, calibrated_by => ''tags''', 'diversity => .4, max_per => ''brand'', max_per_n => 4, calibrated => .5, calibrated_by => ''brand''']) o;
CREATE TEMP TABLE whole (number bigint, user_id int, item_id int, score float8, match float8, because int, source text, n bigint);
DO $$ DECLARE o record; BEGIN
  FOR o IN SELECT * FROM options LOOP
    EXECUTE format('INSERT INTO whole SELECT %s, u, t.* FROM generate_series(1, 300, 7) u, LATERAL shop.top_n(u, NULL, %s) WITH ORDINALITY AS t', o.number, o.option);
  END LOOP; END $$;
CREATE TEMP TABLE plain AS SELECT u AS user_id, t.* FROM generate_series(1, 300, 7) u, LATERAL shop.top_n(u, NULL) WITH ORDINALITY AS t(item_id, score, match, because, source, n);
SELECT is_empty('SELECT number, user_id, item_id FROM whole GROUP BY 1, 2, 3 HAVING count(*) > 1', 'no item twice');
SELECT is_empty('SELECT w.* FROM whole w LEFT JOIN plain p USING (user_id, item_id) WHERE (w.match, w.because, w.source) IS DISTINCT FROM (p.match, p.because, p.source)', 'nothing that the plain list has not, and what is said of it is the same');
SELECT is_empty('SELECT * FROM (SELECT *, lag(score) OVER (PARTITION BY number, user_id ORDER BY n) AS above FROM whole) l WHERE above < score', 'scores never rise');
SELECT is_empty('SELECT * FROM (SELECT w.*, p.n AS plain, lag(w.score) OVER o AS above, lag(p.n) OVER o AS plain_above FROM whole w JOIN plain p USING (user_id, item_id) WINDOW o AS (PARTITION BY number, user_id ORDER BY w.n)) l WHERE above = score AND plain_above > plain',
  'and are equal only in the order of the plain list');
SELECT is_empty('SELECT w.* FROM whole w JOIN plain p USING (user_id, item_id) WHERE w.source = ''personal'' AND w.score < p.score', 'a score is its own or raised');
SELECT is_empty('SELECT number, user_id FROM whole JOIN options USING (number) WHERE option NOT LIKE ''%max_per%'' GROUP BY 1, 2 HAVING count(*) <> (SELECT count(*) FROM plain p WHERE p.user_id = whole.user_id)', 'without caps nothing is lost');
SELECT is_empty('SELECT number, user_id, brand FROM whole JOIN options USING (number) JOIN (SELECT DISTINCT item_id, brand FROM product) p USING (item_id) WHERE number = 2 GROUP BY 1, 2, 3 HAVING count(*) > 3', 'no brand more than three times');
SELECT is_empty('SELECT number, user_id, tag FROM whole JOIN options USING (number) JOIN (SELECT DISTINCT item_id, unnest(tags) AS tag FROM product) p USING (item_id) WHERE number = 3 GROUP BY 1, 2, 3 HAVING count(*) > 9', 'no tag more than nine times');
SELECT is_empty($$SELECT p.user_id, p.item_id FROM plain p WHERE NOT EXISTS (SELECT FROM whole w WHERE (w.number, w.user_id, w.item_id) = (2, p.user_id, p.item_id))
  AND (SELECT count(*) FROM whole w JOIN (SELECT DISTINCT item_id, brand FROM product) d USING (item_id) WHERE w.number = 2 AND w.user_id = p.user_id AND brand = (SELECT brand FROM product d WHERE d.item_id = p.item_id LIMIT 1)) < 3$$, 'nothing is left out that the caps allow');
CREATE FUNCTION pg_temp.is_prefix(k int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE o record; bad bigint; total bigint := 0; BEGIN
  FOR o IN SELECT * FROM options LOOP
    EXECUTE format('SELECT count(*) FROM (SELECT u, t.item_id, t.n FROM generate_series(1, 300, 7) u, LATERAL shop.top_n(u, %s, %s) WITH ORDINALITY AS t(item_id, score, match, because, source, n)) a
      FULL JOIN (SELECT user_id AS u, item_id, n FROM whole WHERE number = %s AND n <= %s) b USING (u, item_id) WHERE a.n IS DISTINCT FROM b.n', k, o.option, o.number, k) INTO bad;
    total := total + bad;
  END LOOP;
  RETURN is(total, 0::bigint, format('the first %s are the list of %s', k, k)); END $$;
SELECT pg_temp.is_prefix(k) FROM unnest(ARRAY[1, 7, 20, 70]) k;
SELECT is((SELECT string_agg(item_id::text, ' ' ORDER BY n) FROM shop.top_n(8, 5, among => ARRAY(SELECT generate_series(1, 130, 2)), exclude => ARRAY[1, 3, 5], diversity => .5, max_per => 'brand') WITH ORDINALITY AS t(item_id, score, match, because, source, n)
  WHERE item_id % 2 = 0 OR item_id IN (1, 3, 5)), NULL, 'among and exclude hold');
SELECT is_empty('SELECT * FROM generate_series(1, 300, 7) u, shop.top_n(u, 10, min_match => 55, diversity => .8, calibrated => .5, calibrated_by => ''tags'') WHERE match IS NULL OR match < 55', 'min_match holds');
SELECT is_empty('SELECT * FROM generate_series(1, 300, 7) u, shop.top_n(u, 50, fallback => false, diversity => .8) WHERE source <> ''personal''', 'fallback false: personal rows only');

-- Diversity does what it is for: the more of it, the less similar the rows of a list.
CREATE FUNCTION pg_temp.sameness(d float8) RETURNS float8 LANGUAGE plpgsql AS $$
BEGIN
  DROP TABLE IF EXISTS listed;
  CREATE TEMP TABLE listed AS SELECT u, t.item_id, n FROM generate_series(1, 300, 7) u, LATERAL shop.top_n(u, 10, diversity => d) WITH ORDINALITY AS t(item_id, score, match, because, source, n);
  RETURN (SELECT avg(coalesce(greatest(s.similarity, r.similarity), 0)) FROM listed a JOIN listed b ON a.u = b.u AND a.n < b.n
    LEFT JOIN shop.similar s ON (s.item_id, s.similar_item_id) = (a.item_id, b.item_id) LEFT JOIN shop.similar r ON (r.item_id, r.similar_item_id) = (b.item_id, a.item_id));
END $$;
SELECT ok(a > b AND b > c, format('mean similarity within a list: %s, %s, %s', round(a::numeric, 3), round(b::numeric, 3), round(c::numeric, 3)))
FROM (SELECT pg_temp.sameness(0) AS a, pg_temp.sameness(.4) AS b, pg_temp.sameness(.9) AS c) s;
-- Calibration does what it is for: the mix of a list comes nearer to that of the history.
CREATE FUNCTION pg_temp.distance(l float8) RETURNS float8 LANGUAGE sql AS $$
  WITH brand AS (SELECT DISTINCT item_id, brand FROM product),
  history AS (SELECT user_id, brand, sum(ln(1 + weight)) / sum(sum(ln(1 + weight))) OVER (PARTITION BY user_id) AS p FROM generated JOIN brand USING (item_id) WHERE weight > 0 AND user_id % 7 = 1 GROUP BY 1, 2),
  listed AS (SELECT u AS user_id, brand, count(*) / 10.0 AS q FROM generate_series(1, 300, 7) u, LATERAL shop.top_n(u, 10, calibrated => l, calibrated_by => 'brand') JOIN brand USING (item_id) GROUP BY 1, 2)
  SELECT avg(abs(coalesce(p, 0) - coalesce(q, 0))) FROM history FULL JOIN listed USING (user_id, brand) $$;
SELECT ok(a > b AND b >= c, format('mean distance of the mixes: %s, %s, %s', round(a::numeric, 4), round(b::numeric, 4), round(c::numeric, 4)))
FROM (SELECT pg_temp.distance(0) AS a, pg_temp.distance(.5) AS b, pg_temp.distance(.99) AS c) s;

-- The order of rows in the owner's tables decides nothing.
CREATE TABLE shuffled AS SELECT * FROM generated ORDER BY hashint8(user_id * 31 + item_id * 17);
CREATE TABLE shuffled_product AS SELECT item_id, brand, CASE WHEN tags IS NOT NULL THEN ARRAY(SELECT t FROM unnest(tags) t ORDER BY hashtext(t)) END AS tags FROM product ORDER BY hashint8(item_id * 17);
SELECT reco_create_model('shuffled', 'SELECT user_id, item_id, weight FROM shuffled', 'SELECT * FROM shuffled_product');
SELECT reco_configure('shuffled', similarity => 'cosine', weighting => 'log', keep => 'source', neighbors => 40, min_support => 2, content => 0);
SELECT pg_temp.refresh('shuffled');
CREATE TEMP TABLE whole_shuffled (LIKE whole);
DO $$ DECLARE o record; BEGIN
  FOR o IN SELECT * FROM options LOOP
    EXECUTE format('INSERT INTO whole_shuffled SELECT %s, u, t.* FROM generate_series(1, 300, 7) u, LATERAL shuffled.top_n(u, NULL, %s) WITH ORDINALITY AS t', o.number, o.option);
  END LOOP; END $$;
SELECT is((SELECT count(*) FROM whole a FULL JOIN whole_shuffled b USING (number, user_id, item_id) WHERE (float8send(a.score), a.n, a.because) IS DISTINCT FROM (float8send(b.score), b.n, b.because)), 0::bigint, 'rows in another order, the same lists to the last bit');

SELECT * FROM finish();
ROLLBACK;
