-- rules: boosts, pins and shares against what SQL makes of the plain list, and what must hold of every list.

BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;
SET LOCAL timezone = 'UTC';

CREATE FUNCTION pg_temp.refresh(model text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM reco_refresh(model); END $$;
CREATE FUNCTION pg_temp.items(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE answer text;
BEGIN
  EXECUTE format('SELECT string_agg(item_id::text || left(source, 2), '' '' ORDER BY n) FROM %s WITH ORDINALITY AS t(item_id, score, match, because, source, n)', call) INTO answer;
  RETURN answer;
END $$;

/* The 5 x 5 matrix of recommend.sql, linear, and its cosines: u5 has 3 with .435194, 1 with .327327, 2 with .235702, all from 4. */
CREATE TABLE five (user_id int, item_id int, weight float8);
INSERT INTO five VALUES
  (1, 1, 1), (1, 2, 2), (1, 3, 1),
  (2, 1, 2), (2, 2, 1),
  (3, 1, 1), (3, 3, 3), (3, 4, 1),
  (4, 1, 1), (4, 2, 1), (4, 3, 1), (4, 4, 2),
  (5, 4, 1), (5, 5, 1);
CREATE TABLE five_rule (item_id int, attribute text, value text, boost float8, pin int, share float8);
CREATE TABLE five_item AS SELECT i AS item_id, CASE WHEN i IN (1, 2) THEN 'a' ELSE 'b' END AS brand, ARRAY['t', 't' || i] AS tags FROM generate_series(1, 5) i;
SELECT reco_create_model('five', 'SELECT user_id, item_id, weight FROM five', 'SELECT * FROM five_item', rules => 'SELECT * FROM five_rule');
SELECT reco_configure('five', similarity => 'cosine', weighting => 'linear', min_support => 1);
SELECT pg_temp.refresh('five');
CREATE FUNCTION pg_temp.under(rules text, call text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM five_rule;
  EXECUTE 'INSERT INTO five_rule ' || rules;
  RETURN pg_temp.items(call);
END $$;
SELECT is(pg_temp.under('SELECT WHERE false', 'five.top_n(5)'), '3pe 1pe 2pe', 'no rules');
/* 2 is level with 1 at .327327 / .235702 = 1.388728, and with 3 at .435194 / .235702 = 1.846376. */
SELECT is(pg_temp.under('VALUES (2, NULL, NULL, 1.3887, NULL, NULL)', 'five.top_n(5)'), '3pe 1pe 2pe', 'boosted too little');
SELECT is(pg_temp.under('VALUES (2, NULL, NULL, 1.3888, NULL, NULL)', 'five.top_n(5)'), '3pe 2pe 1pe', 'enough for a place');
SELECT is(pg_temp.under('VALUES (2, NULL, NULL, 1.8464, NULL, NULL)', 'five.top_n(5, 1)'), '2pe', 'and for two, before the cut');
SELECT is(pg_temp.under('VALUES (3, NULL, NULL, .5, NULL, NULL)', 'five.top_n(5)'), '1pe 2pe 3pe', 'lowered');
SELECT results_eq('SELECT item_id, round(score::numeric, 6), round(five.score(5, item_id)::numeric, 6) FROM five.top_n(5)', 'VALUES (1, .327327, .327327), (2, .235702, .235702), (3, .217597, .435194)', 'its score is halved, reco_score is not');
SELECT is((SELECT sum(share) FROM five.why(5, 3)), five.score(5, 3), 'nor what explains it');
SELECT is(pg_temp.under('VALUES (NULL::int, ''brand'', ''a'', 1.5::float8, NULL::int, NULL::float8)', 'five.top_n(5)'), '1pe 3pe 2pe', 'a brand boosted: .491, .354');
SELECT is(pg_temp.under('VALUES (NULL::int, ''tags'', ''t'', 7::float8, NULL::int, NULL::float8), (NULL, ''tags'', ''t2'', 2, NULL, NULL), (2, NULL, NULL, 1, NULL, NULL), (2, NULL, NULL, 1.5, NULL, NULL)', 'five.top_n(5)'), '2pe 3pe 1pe', 'all that concern an item are multiplied: 2 has 21 * .235702, 3 has 7 * .435194');
SELECT results_eq('SELECT item_id, round((score / five.score(5, item_id))::numeric, 9) FROM five.top_n(5)', 'VALUES (2, 21::numeric), (3, 7), (1, 7)', 'by as much');
SELECT is(pg_temp.under('VALUES (2, NULL, NULL, 3, NULL, NULL), (2, NULL, NULL, 3, NULL, NULL)', 'five.top_n(5, 1)'), '2pe', 'the same rule twice');
SELECT results_eq('SELECT round((score / five.score(5, item_id))::numeric, 9) FROM five.top_n(5, 1)', 'VALUES (3::numeric)', 'counts once');
SELECT is(pg_temp.under('VALUES (1, NULL, NULL, 1e300, NULL, NULL), (1, NULL, NULL, 1e299, NULL, NULL), (2, NULL, NULL, 1e-300, NULL, NULL), (2, NULL, NULL, 1e-301, NULL, NULL)', 'five.top_n(5)'), '1pe 3pe 2pe', 'boosts beyond all numbers');
SELECT is((SELECT bool_and(score > 0 AND score < 'Infinity') FROM five.top_n(5)), true, 'leave scores numbers');
/* Pins. 5 is known to u5. */
SELECT is(pg_temp.under('VALUES (2, NULL, NULL, NULL, 1, NULL)', 'five.top_n(5)'), '2pi 3pe 1pe', 'pinned first');
SELECT is(pg_temp.under('VALUES (3, NULL, NULL, NULL, 3, NULL)', 'five.top_n(5)'), '1pe 2pe 3pi', 'pinned down');
SELECT is(pg_temp.items('five.top_n(5, 2)'), '1pe 2pe', 'a list too short for it does not have it');
SELECT is(pg_temp.under('VALUES (5, NULL, NULL, NULL, 1, NULL)', 'five.top_n(5)'), '3pe 1pe 2pe', 'seen');
SELECT is(pg_temp.items('five.top_n(5, seen => true)'), '5pi 3pe 1pe 4pe 2pe', 'unless seen is let in');
SELECT is(pg_temp.under('VALUES (2, NULL, NULL, NULL, 1, NULL), (1, NULL, NULL, NULL, 1, NULL)', 'five.top_n(5)'), '1pi 2pi 3pe', 'two at one place');
SELECT is(pg_temp.under('VALUES (2, NULL, NULL, NULL, 2, NULL), (1, NULL, NULL, NULL, 1, NULL), (3, NULL, NULL, NULL, 1, NULL)', 'five.top_n(5)'), '1pi 2pi 3pi', 'the third after both');
SELECT is(pg_temp.under('VALUES (5, NULL, NULL, NULL, 2, NULL), (3, NULL, NULL, NULL, 9, NULL)', 'five.top_n(2)'), '4pe 5pi 3pi', 'what no evidence speaks for, and what is pinned beyond the end');
SELECT is(pg_temp.items('five.top_n(2, max_per => ''brand'')'), '5pi', 'a cap counts what is pinned, in the order of places: 4 and 3 have the brand of 5');
/* Shares. */
SELECT is(pg_temp.under('VALUES (2, NULL, NULL, NULL, NULL, 1)', 'five.top_n(5)'), '2pr 3pe 1pe', 'all places for one item, which takes one');
SELECT is(pg_temp.under('VALUES (2, NULL, NULL, NULL, NULL, .5)', 'five.top_n(5)'), '3pe 2pr 1pe', 'the second of two');
SELECT is(pg_temp.under('VALUES (2, NULL, NULL, NULL, NULL, .34)', 'five.top_n(5)'), '3pe 1pe 2pe', 'the third of three, where it is anyway');
SELECT is(pg_temp.under('VALUES (NULL::int, ''brand'', ''a'', NULL::float8, NULL::int, .67)', 'five.top_n(5)'), '3pe 1pe 2pe', 'floor(.67 * 2) = 1 of two, 2 of three');
SELECT is(pg_temp.under('VALUES (NULL::int, ''brand'', ''a'', NULL::float8, NULL::int, 1)', 'five.top_n(5)'), '1pr 2pr 3pe', 'all of brand a first');
SELECT is(pg_temp.under('VALUES (NULL::int, ''brand'', ''a'', 1.5::float8, NULL::int, 1)', 'five.top_n(5)'), '1pe 2pr 3pe', 'one that is first by its boost is not promoted');
SELECT is(pg_temp.items('five.top_n(5, 1)'), '1pe', 'nor in a list of one');
/* What no evidence speaks for goes by the sum of weights, 5 of 1 and 3, 4 of 2 and 4, 1 of 5, times boosts. */
SELECT is(pg_temp.under('SELECT WHERE false', 'five.top_n(NULL)'), '1po 3po 2po 4po 5po', 'a guest');
SELECT is(pg_temp.under('VALUES (5, NULL, NULL, 3.9, NULL, NULL)', 'five.top_n(NULL)'), '1po 3po 2po 4po 5po', 'boosted to 3.9, too little');
SELECT is(pg_temp.under('VALUES (5, NULL, NULL, 4.1, NULL, NULL)', 'five.top_n(NULL)'), '1po 3po 5po 2po 4po', 'enough to pass two');
SELECT is(pg_temp.under('VALUES (5, NULL, NULL, 5.1, NULL, NULL)', 'five.top_n(NULL, 1)'), '5po', 'the first, before the cut');
SELECT is(pg_temp.under('VALUES (5, NULL, NULL, 1e300, NULL, NULL), (4, NULL, NULL, 90, NULL, NULL)', 'five.top_n(NULL, 3)'), '4po 5po 1po', 'no boost counts more than 100 there');
SELECT is(pg_temp.under('VALUES (1, NULL, NULL, .81, NULL, NULL)', 'five.top_n(NULL)'), '3po 1po 2po 4po 5po', 'lowered to 4.05');
SELECT is(pg_temp.under('VALUES (1, NULL, NULL, 1e-300, NULL, NULL)', 'five.top_n(NULL)'), '3po 2po 4po 5po 1po', 'and to the end of its source');
SELECT is(pg_temp.under('VALUES (NULL::int, ''brand'', ''a'', 1.3::float8, NULL::int, NULL::float8), (2, NULL, NULL, 1.3, NULL, NULL)', 'five.top_n(NULL)'), '2po 1po 3po 4po 5po', 'a brand, and one of it once more: 6.76, 6.5');
SELECT is(pg_temp.items('five.top_n(NULL, 2, exclude => ARRAY[1])'), '2po 3po', 'exclude');
SELECT is(pg_temp.items('five.top_n(NULL, 3, among => ARRAY[3, 4, 2])'), '2po 3po 4po', 'among');
SELECT is(pg_temp.items('five.top_n(5)'), '3pe 1pe 2pe', 'what evidence speaks for comes first, as ever');
SELECT is(pg_temp.items('five.top_n(2, among => ARRAY[5])'), '5po', 'a source of one');

/* Generated: 300 users, 120 items of which some are not in the catalogue, and rules of all kinds. */
CREATE TABLE generated AS
  SELECT user_id, item_id, CASE WHEN h & 31 = 5 THEN -1 ELSE ((h >> 6 & 15) + 1) / 10.0::float8 END AS weight
  FROM (SELECT user_id, item_id, hashint8(user_id * 104729 + item_id * 7919) AS h, hashint8(user_id * 7919 + item_id * 104729) & 1023 AS lot
        FROM generate_series(1, 300) user_id, generate_series(1, 120) item_id) g
  WHERE lot < 700 / (item_id + 4) + CASE WHEN user_id % 6 = item_id % 6 THEN 150 ELSE 0 END;
CREATE TABLE product AS SELECT i AS item_id, 'brand ' || i % 6 AS brand, CASE WHEN i % 11 <> 0 THEN ARRAY['tag ' || i % 5, 'tag ' || i % 10, 'tag ' || i % 4] END AS tags
  FROM generate_series(1, 130) i WHERE i % 9 <> 0;
CREATE TABLE rule (item_id int, attribute text, value text, boost float8, pin int, share float8);
SELECT reco_create_model('shop', 'SELECT user_id, item_id, weight FROM generated', 'SELECT * FROM product', rules => 'SELECT * FROM rule');
SELECT reco_configure('shop', similarity => 'cosine', weighting => 'log', min_support => 2);
SELECT pg_temp.refresh('shop');
CREATE TEMP TABLE plain AS SELECT u AS user_id, t.* FROM generate_series(1, 300, 11) u, LATERAL shop.top_n(u, NULL) WITH ORDINALITY AS t(item_id, score, match, because, source, n);

-- Boosts: the order is that of score * boost, for a short list as for the whole.
CREATE FUNCTION pg_temp.boost_of(item int) RETURNS float8 LANGUAGE sql AS $$
  SELECT coalesce(exp(sum(ln(boost))), 1) FROM rule r WHERE boost IS NOT NULL AND (r.item_id = item OR EXISTS (SELECT FROM product p WHERE p.item_id = item AND
    (r.attribute = 'brand' AND p.brand = r.value OR r.attribute = 'tags' AND r.value = ANY (p.tags)))) $$;
CREATE FUNCTION pg_temp.boosts_hold(k int) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
  DROP TABLE IF EXISTS have, want;
  CREATE TEMP TABLE have AS SELECT u AS user_id, t.* FROM generate_series(1, 300, 11) u, LATERAL shop.top_n(u, k) WITH ORDINALITY AS t(item_id, score, match, because, source, n);
  CREATE TEMP TABLE want AS SELECT *, CASE WHEN source IN ('personal', 'content') THEN score * pg_temp.boost_of(item_id) ELSE score END AS boosted FROM plain;
  RETURN NEXT is_empty('SELECT * FROM have JOIN want USING (user_id, item_id) WHERE have.match IS DISTINCT FROM want.match OR have.because IS DISTINCT FROM want.because OR have.source <> want.source
      OR (want.source IN (''personal'', ''content'') AND abs(have.score - boosted) > 1e-9 * boosted)', format('k %s: scores are boosted, match and because are not', k));
  RETURN NEXT is_empty('SELECT * FROM (SELECT *, lag(score) OVER (PARTITION BY user_id ORDER BY n) AS above FROM have) h WHERE above < score', format('k %s: best first', k));
  RETURN NEXT is_empty('SELECT w.* FROM want w JOIN (SELECT user_id, min(score) AS least, count(*) AS n FROM have GROUP BY 1) h USING (user_id) WHERE boosted > least + 1e-9 * abs(least)
      AND w.source IN (''personal'', ''content'') AND NOT EXISTS (SELECT FROM have WHERE (have.user_id, have.item_id) = (w.user_id, w.item_id))', format('k %s: nothing better is left out', k));
  RETURN NEXT is_empty('SELECT * FROM have h FULL JOIN (SELECT *, row_number() OVER (PARTITION BY user_id ORDER BY coalesce(step, 0), CASE WHEN step > 0 THEN round(ln(coalesce(popularity, 1) * least(pg_temp.boost_of(item_id), 100))::numeric, 9) END DESC, place) AS wanted
      FROM (SELECT *, array_position(ARRAY[''trending'', ''popular'', ''new''], source) AS step, row_number() OVER (PARTITION BY user_id, source ORDER BY n) AS place FROM (SELECT user_id, item_id, CASE WHEN score > 0 THEN ''personal'' ELSE source END AS source, n FROM plain) p LEFT JOIN shop.popular USING (item_id)) s) w
    USING (user_id, item_id) WHERE w.step > 0 AND h.n IS DISTINCT FROM w.wanted AND (h.n IS NOT NULL OR w.wanted <= ' || coalesce(k::text, '1000') || ')', format('k %s: without evidence, popularity is boosted', k));
  RETURN NEXT is((SELECT count(*) FROM have), (SELECT count(*) FROM plain WHERE k IS NULL OR n <= k), format('k %s: as many rows', k));
END $$;
INSERT INTO rule (item_id, boost) VALUES (50, 3), (51, .2), (77, 40), (1, .01), (2, .5), (119, 1000), (125, 2), (124, 3), (128, .5);
INSERT INTO rule (attribute, value, boost) VALUES ('brand', 'brand 3', 1.7), ('brand', 'brand 5', .6), ('tags', 'tag 7', 2.5), ('tags', 'tag 1', 1.3), ('tags', 'tag 0', .4), ('tags', 'nowhere', 9);
SELECT pg_temp.boosts_hold(k) FROM unnest(ARRAY[1, 10, NULL]) k;
INSERT INTO rule (attribute, value, boost) VALUES ('brand', 'brand 3', 50), ('brand', 'brand 1', 30), ('tags', 'tag 2', 100);
SELECT pg_temp.boosts_hold(k) FROM unnest(ARRAY[1, 5]) k;

-- Shares: at every length at least floor(share * length), while there are any; only what must be is moved.
CREATE TEMP TABLE member AS SELECT item_id, brand FROM product;
CREATE FUNCTION pg_temp.shares_hold(k int, options text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
  DROP TABLE IF EXISTS have;
  EXECUTE format('CREATE TEMP TABLE have AS SELECT u AS user_id, t.*, brand FROM generate_series(1, 300, 11) u, LATERAL shop.top_n(u, %L %s) WITH ORDINALITY AS t(item_id, score, match, because, source, n) JOIN member USING (item_id)', k, options);
  RETURN NEXT is_empty($q$SELECT * FROM (SELECT h.user_id, r.value, h.n, count(*) FILTER (WHERE h.brand = r.value) OVER (PARTITION BY h.user_id, r.value ORDER BY h.n) AS got, floor(r.share * h.n + 1e-9) AS due,
        (SELECT count(*) FROM plain p JOIN member USING (item_id) WHERE p.user_id = h.user_id AND member.brand = r.value) AS there
      FROM have h CROSS JOIN rule r WHERE r.share IS NOT NULL) s WHERE got < least(due, there)$q$, format('k %s %s: every share at every length', k, options));
  RETURN NEXT is_empty('SELECT user_id, item_id FROM have GROUP BY 1, 2 HAVING count(*) > 1', format('k %s: no item twice', k));
  RETURN NEXT is_empty('SELECT * FROM (SELECT *, lag(score) OVER (PARTITION BY user_id ORDER BY n) AS above FROM have) h WHERE above < score', format('k %s: scores never rise', k));
  RETURN NEXT is_empty('SELECT * FROM (SELECT h.*, p.n AS plain, lag(p.n) OVER (PARTITION BY h.user_id ORDER BY h.n) AS before FROM have h JOIN plain p USING (user_id, item_id) WHERE h.source <> ''promoted'') o WHERE before > plain',
    format('k %s: the others keep their order', k));
  RETURN NEXT is_empty('SELECT * FROM (SELECT h.*, p.n AS plain, lag(p.n) OVER (PARTITION BY h.user_id, h.brand ORDER BY h.n) AS before FROM have h JOIN plain p USING (user_id, item_id) WHERE h.brand IN (SELECT value FROM rule)) o WHERE before > plain',
    format('k %s: of a share the best come first', k));
  RETURN NEXT is((SELECT count(*) FROM have), (SELECT count(*) FROM plain WHERE k IS NULL OR n <= k), format('k %s: as many rows', k));
END $$;
DELETE FROM rule;
INSERT INTO rule (attribute, value, share) VALUES ('brand', 'brand 2', .3);
SELECT pg_temp.shares_hold(k, '') FROM unnest(ARRAY[1, 10, NULL]) k;
SELECT cmp_ok((SELECT count(*) FROM have WHERE source = 'promoted'), '>', 20::bigint, 'some are promoted');
SELECT is_empty('SELECT * FROM have WHERE source = ''promoted'' AND floor(.3 * n + 1e-9) = floor(.3 * (n - 1) + 1e-9)', 'one share alone: nothing is promoted before it must be');
INSERT INTO rule (attribute, value, share) VALUES ('brand', 'brand 4', .25), ('brand', 'brand 0', .2);
SELECT pg_temp.shares_hold(k, '') FROM unnest(ARRAY[4, NULL]) k;
INSERT INTO rule (attribute, value, share) VALUES ('brand', 'brand 1', .25);
SELECT pg_temp.shares_hold(k, '') FROM unnest(ARRAY[20, NULL]) k;

-- Everything at once: a list is the beginning of a longer one, and reco_top_n_all gives the same.
INSERT INTO rule (item_id, boost) VALUES (50, 3), (2, .5), (119, 30);
INSERT INTO rule (attribute, value, boost) VALUES ('brand', 'brand 3', 1.7), ('tags', 'tag 7', 2.5);
INSERT INTO rule (item_id, pin) VALUES (100, 2), (129, 4), (7, 4), (130, 30), (64, 500), (9, 1);
CREATE FUNCTION pg_temp.is_prefix(k int, options text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE bad bigint; BEGIN
  EXECUTE format('SELECT count(*) FROM generate_series(1, 300, 11) u, LATERAL (SELECT * FROM shop.top_n(u, %s %s) WITH ORDINALITY AS t(item_id, score, match, because, source, n) FULL JOIN
    (SELECT item_id AS whole_item, source AS whole_source, n FROM shop.top_n(u, NULL %2$s) WITH ORDINALITY AS t(item_id, score, match, because, source, n) WHERE n <= %1$s) w USING (n)) x WHERE (item_id, source) IS DISTINCT FROM (whole_item, whole_source)', k, options) INTO bad;
  RETURN is(bad, 0::bigint, format('the first %s are the list of %s %s', k, k, options)); END $$;
/* Of newcomers, too, whose shares are of what no evidence ranks. */
CREATE FUNCTION pg_temp.is_prefix_of_guest(k int) RETURNS text LANGUAGE sql AS $$
  SELECT is((SELECT array_agg(item_id ORDER BY n) FROM shop.top_n(NULL, k) WITH ORDINALITY AS t(item_id, score, match, because, source, n)),
            (SELECT array_agg(item_id ORDER BY n) FROM shop.top_n(NULL, NULL) WITH ORDINALITY AS t(item_id, score, match, because, source, n) WHERE n <= k), format('a guest: the first %s', k)) $$;
SELECT pg_temp.is_prefix_of_guest(k) FROM unnest(ARRAY[1, 3, 5, 8, 12, 20, 40]) k;
SELECT pg_temp.is_prefix(k, o) FROM unnest(ARRAY[1, 5, 12, 40]) k, unnest(ARRAY['', ', diversity => .5, max_per => ''brand'', max_per_n => 4', ', seen => true, calibrated => .4, calibrated_by => ''tags''']) o;
SELECT set_has('SELECT DISTINCT source FROM generate_series(1, 300, 11) u, shop.top_n(u, NULL)', $$VALUES ('personal'), ('pinned'), ('promoted'), ('popular')$$, 'with every source');
SELECT is_empty(format('SELECT u, t.item_id, encode(float8send(t.score), ''hex''), t.match, t.because, t.source, t.n FROM (SELECT DISTINCT user_id AS u FROM generated) g, LATERAL shop.top_n(u, %1$s %2$s) WITH ORDINALITY AS t(item_id, score, match, because, source, n)
    EXCEPT SELECT user_id, item_id, encode(float8send(score), ''hex''), match, because, source, rank FROM shop.top_n_all(%1$s %2$s)', k, o), format('top_n_all: the same lists of %s %s', k, o))
FROM (VALUES (6, ''), (40, ', fallback => false'), (9, ', diversity => .4, max_per => ''tags'', max_per_n => 3')) v(k, o);
SELECT is_empty('SELECT * FROM generate_series(1, 300, 11) u, shop.top_n(u, 20) t WHERE item_id NOT IN (SELECT item_id FROM product) OR item_id IN (SELECT item_id FROM generated WHERE user_id = u)', 'the catalogue and the history hold');
SELECT is_empty('SELECT * FROM generate_series(1, 300, 11) u, shop.top_n(u, 20, min_match => 55) t WHERE match IS NULL OR match < 55', 'min_match holds');
SELECT is_empty('SELECT u FROM generate_series(1, 300, 11) u, shop.top_n(u, 20) t GROUP BY u HAVING count(*) <> 20', 'lists are full');
SELECT is_empty('SELECT item_id, w.rank, w.n FROM (SELECT t.item_id, t.n, (SELECT rank FROM shop.why_not(12, t.item_id) WHERE code = ''listed'') AS rank FROM shop.top_n(12, 30) WITH ORDINALITY AS t(item_id, score, match, because, source, n)) w WHERE rank IS DISTINCT FROM n', 'why_not knows the rank');
-- The order of rules decides nothing.
CREATE TEMP TABLE before AS SELECT u, t.* FROM generate_series(1, 300, 11) u, LATERAL shop.top_n(u, 25) WITH ORDINALITY AS t;
CREATE TEMP TABLE kept AS TABLE rule;
DELETE FROM rule;
INSERT INTO rule SELECT * FROM kept ORDER BY hashtext(kept::text);
SELECT set_eq('SELECT u, t.* FROM generate_series(1, 300, 11) u, LATERAL shop.top_n(u, 25) WITH ORDINALITY AS t', 'TABLE before', 'rules in another order, the same lists');

SELECT * FROM finish();
ROLLBACK;
