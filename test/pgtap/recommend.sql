-- recommend: scores worked by hand, the rules of a list, and that every door gives one answer.

BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;
SET LOCAL timezone = 'UTC';

CREATE FUNCTION pg_temp.near(have float8, want float8, tolerance float8 DEFAULT 1e-6) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$ SELECT coalesce(abs(have - want) <= tolerance * abs(want), false) $$;
CREATE FUNCTION pg_temp.is_near(have float8, want float8, name text, tolerance float8 DEFAULT 1e-6) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE fine boolean := pg_temp.near(have, want, tolerance);
BEGIN
  RETURN ok(fine, name) || CASE WHEN fine THEN '' ELSE E'\n' || diag(format('have %s, want %s', have, want)) END;
END $$;
CREATE FUNCTION pg_temp.refresh(model text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM reco_refresh(model); END $$;

/*
 * The 5 x 5 matrix of matrix.sql, linear, and its cosines:
 *
 *          1  2  3  4  5       12  5 / sqrt(7 * 6)  = .771517      23  3 / sqrt(6 * 11) = .369274
 *     u1   1  2  1  .  .       13  5 / sqrt(7 * 11) = .569803      24  2 / sqrt(6 * 6)  = .333333
 *     u2   2  1  .  .  .       14  3 / sqrt(7 * 6)  = .462910      34  5 / sqrt(11 * 6) = .615457
 *     u3   1  .  3  1  .                                           45  1 / sqrt(6 * 1)  = .408248
 *     u4   1  1  1  2  .
 *     u5   .  .  .  1  1
 */
CREATE TABLE five (user_id int, item_id int, weight float8);
INSERT INTO five VALUES
  (1, 1, 1), (1, 2, 2), (1, 3, 1),
  (2, 1, 2), (2, 2, 1),
  (3, 1, 1), (3, 3, 3), (3, 4, 1),
  (4, 1, 1), (4, 2, 1), (4, 3, 1), (4, 4, 2),
  (5, 4, 1), (5, 5, 1);
SELECT reco_create_model('five', 'SELECT user_id, item_id, weight FROM five');
SELECT reco_configure('five', similarity => 'cosine', weighting => 'linear', min_support => 1);
SELECT pg_temp.refresh('five');

-- A list as "item score because source, ...", in its order; scores in four digits, fallback ranks as they are.
CREATE FUNCTION pg_temp.list(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE answer text;
BEGIN
  EXECUTE format($q$SELECT string_agg(concat_ws(' ', item_id, CASE WHEN source IN ('personal', 'similar') THEN round(score::numeric, 4)::text END, because, source), ', ' ORDER BY n)
    FROM %s WITH ORDINALITY AS t(item_id, score, match, because, source, n)$q$, call) INTO answer;
  RETURN answer;
END $$;

/*
 * u5 has 4 and 5, each with weight 1: norm sqrt(2).  5 speaks for 4 alone, so all comes from 4:
 *   3: .615457 / 1.414214 = .435194   1: .462910 / 1.414214 = .327327   2: .333333 / 1.414214 = .235702
 * u2 has 1 with 2 and 2 with 1: norm sqrt(5) = 2.236068.
 *   3: (2 * .569803 + .369274) / 2.236068 = .674792   4: (2 * .462910 + .333333) / 2.236068 = .563110
 *   1 gave most to both.  5 is tied to neither: it fills the list as popular.
 */
SELECT is(pg_temp.list('five.top_n(5)'), '3 0.4352 4 personal, 1 0.3273 4 personal, 2 0.2357 4 personal', 'the list of u5');
SELECT is(pg_temp.list('five.top_n(2)'), '3 0.6748 1 personal, 4 0.5631 1 personal, 5 popular', 'the list of u2');
SELECT pg_temp.is_near(five.score(2, 3), (2 * 5 / sqrt(77::float8) + 3 / sqrt(66::float8)) / sqrt(5::float8), 'score of u2 and 3');
SELECT pg_temp.is_near(five.score(2, 4), (2 * 3 / sqrt(42::float8) + 2 / 6::float8) / sqrt(5::float8), 'score of u2 and 4');
SELECT is(five.score(2, 5), 0::float8, 'no evidence, score 0');
SELECT is(five.score(99, 1), 0::float8, 'nobody, score 0');
SELECT is(five.score(1, 99), 0::float8, 'nothing, score 0');
SELECT is(five.score(NULL, 1), NULL, 'score is strict');
SELECT results_eq('SELECT because, round(share::numeric, 5), round(similarity::numeric, 5), weight FROM five.why(2, 3)',
                  'VALUES (1, 0.50965, 0.56980, 2::float8), (2, 0.16514, 0.36927, 1)', 'why: 2 * .569803 / 2.236068 and .369274 / 2.236068');
SELECT is_empty('SELECT * FROM five.why(2, 5)', 'no evidence, no why');
SELECT results_eq('SELECT item_id, round(similarity::numeric, 5), support FROM five.similar_items(4)',
                  'VALUES (3, 0.61546, 2), (1, 0.46291, 2), (5, 0.40825, 1), (2, 0.33333, 1)', 'items similar to 4');

-- Every score of every form: sum of f(w) * S / sqrt(sum of f(w)^2), S as the view similar has it.
CREATE FUNCTION pg_temp.scores_of(kind text, form text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM reco_configure('five', similarity => kind, weighting => form);
  PERFORM reco_refresh('five');
  RETURN is_empty(format($q$
      WITH history AS (SELECT user_id, item_id, CASE %L WHEN 'binary' THEN 1 WHEN 'log' THEN ln(1 + weight) ELSE weight END AS f FROM five),
      norm AS (SELECT user_id, sqrt(sum(f * f)) AS norm FROM history GROUP BY 1),
      want AS (SELECT user_id, similar_item_id AS item_id, sum(f * similarity) / min(norm) AS score FROM history JOIN five.similar USING (item_id) JOIN norm USING (user_id) GROUP BY 1, 2)
      SELECT u, i, five.score(u, i), want.score FROM generate_series(1, 5) u CROSS JOIN generate_series(1, 5) i LEFT JOIN want ON (user_id, item_id) = (u, i)
      WHERE pg_temp.near(five.score(u, i), coalesce(want.score, 0), 1e-12) IS NOT TRUE$q$, form), format('scores: %s, %s', kind, form));
END $$;
SELECT pg_temp.scores_of(kind, form) FROM unnest(ARRAY['cosine', 'cooccurrence', 'conditional', 'llr']) kind, unnest(ARRAY['binary', 'log', 'linear']) form;
/* u2 once more, log: f(2) = ln 3, f(1) = ln 2, norm sqrt(ln 3 ^ 2 + ln 2 ^ 2). */
SELECT reco_configure('five', similarity => 'cosine', weighting => 'log');
SELECT pg_temp.refresh('five');
SELECT pg_temp.is_near(five.score(2, 3), (ln(3::float8) * s13 + ln(2::float8) * s23) / sqrt(ln(3::float8) ^ 2 + ln(2::float8) ^ 2), 'log: score of u2 and 3')
FROM (SELECT 4 * aa / sqrt((3 * aa + bb) * 6 * aa) AS s13, (ab + aa) / sqrt((2 * aa + bb) * 6 * aa) AS s23
      FROM (SELECT ln(2::float8) ^ 2 AS aa, ln(3::float8) ^ 2 AS bb, ln(2::float8) * ln(3::float8) AS ab) l) s;
SELECT reco_configure('five', weighting => 'linear');
SELECT pg_temp.refresh('five');

-- Events of this transaction count at once, without a refresh; the matrix stays as it was.
SELECT is(pg_temp.list('five.top_n(6, 3)'), '1 popular, 3 popular, 2 popular', 'u6 did nothing yet');
INSERT INTO five VALUES (6, 1, 1);
SELECT is(pg_temp.list('five.top_n(6)'), '2 0.7715 1 personal, 3 0.5698 1 personal, 4 0.4629 1 personal, 5 popular', 'u6 liked 1: the cosines of 1');
/* A dislike of 2 lowers what 2 speaks for: norm sqrt(2), 3: (.569803 - .369274) / sqrt 2 = .141795, 4: (.462910 - .333333) / sqrt 2 = .091625; 1: -.771517 / sqrt 2. */
INSERT INTO five VALUES (6, 2, -1);
SELECT is(pg_temp.list('five.top_n(6)'), '3 0.1418 1 personal, 4 0.0916 1 personal, 5 popular', 'u6 dislikes 2');
SELECT pg_temp.is_near(five.score(6, 1), -5 / sqrt(42::float8) / sqrt(2::float8), 'a score below 0');
SELECT pg_temp.is_near((SELECT share FROM five.why(6, 3) WHERE because = 2), -3 / sqrt(66::float8) / sqrt(2::float8), 'a share below 0');
SELECT is((SELECT string_agg(because::text, ' ') FROM five.why(6, 3)), '1 2', 'the largest share first');
/* seen lets 1 back in, though nothing speaks for it; 2, disliked, stays out. */
SELECT is(pg_temp.list('five.top_n(6, seen => true)'), '3 0.1418 1 personal, 4 0.0916 1 personal, 1 popular, 5 popular', 'seen items come back, disliked ones do not');
/* Liked again, with 3, the sum is 2: it counts as seen, no more as disliked. */
INSERT INTO five VALUES (6, 2, 3);
SELECT ok(EXISTS (SELECT FROM five.top_n(6, seen => true) WHERE item_id = 2), 'what is liked after all comes back');
SELECT pg_temp.is_near(five.score(6, 3), (5 / sqrt(77::float8) + 2 * 3 / sqrt(66::float8)) / sqrt(5::float8), '1 with 1 and 2 with -1 + 3');
SELECT ok(NOT EXISTS (SELECT FROM five.top_n(6) WHERE item_id IN (1, 2)), 'but not unless seen items are wanted');
/* Shown (weight 0) is not seen, and says nothing. */
INSERT INTO five VALUES (7, 1, 1), (7, 2, 0), (7, 5, 0);
SELECT is(pg_temp.list('five.top_n(7)'), '2 0.7715 1 personal, 3 0.5698 1 personal, 4 0.4629 1 personal, 5 popular', 'what was merely shown may come');
/* Only dislikes: 2 and nothing else; nothing is personal, and 2 does not come. */
INSERT INTO five VALUES (8, 2, -1);
SELECT is(pg_temp.list('five.top_n(8)'), '1 popular, 3 popular, 4 popular, 5 popular', 'only dislikes: what is popular, but for that');
SELECT is(pg_temp.list('five.top_n(NULL)'), pg_temp.list('five.top_n(123456)'), 'a guest gets what a stranger gets');
INSERT INTO five VALUES (9, 4, .25), (9, 4, .25), (9, 4, .5), (9, 4, NULL), (9, NULL, 1), (9, 4, 'NaN'), (9, 1, 'Infinity'), (9, 2, 1e300);
SELECT is(pg_temp.list('five.top_n(9)'), '3 0.6155 4 personal, 1 0.4629 4 personal, 5 0.4082 4 personal, 2 0.3333 4 personal', 'repeats are summed, rows a refresh would skip are skipped');

-- exclude, among, k, fallback: all before the cut.
SELECT is(pg_temp.list('five.top_n(7, 2)'), '2 0.7715 1 personal, 3 0.5698 1 personal', 'k 2');
SELECT is(pg_temp.list('five.top_n(7, 2, exclude => ARRAY[2])'), '3 0.5698 1 personal, 4 0.4629 1 personal', 'exclude is applied before the cut');
SELECT is(pg_temp.list('five.top_n(7, 3, exclude => ARRAY[2, 4, NULL, 99])'), '3 0.5698 1 personal, 5 popular', 'and to the fallback: what is left');
SELECT is(pg_temp.list('five.top_n(7, 2, exclude => ARRAY[5, 3])'), '2 0.7715 1 personal, 4 0.4629 1 personal', 'exclude 3 and 5');
SELECT is(pg_temp.list('five.top_n(7, among => ARRAY[5, 4, 1, 99])'), '4 0.4629 1 personal, 5 popular', 'among is a list to choose from, seen items stay out');
SELECT is(pg_temp.list('five.top_n(7, 1, among => ARRAY[3, 4], exclude => ARRAY[3])'), '4 0.4629 1 personal', 'among and exclude');
SELECT is(pg_temp.list('five.top_n(7, among => ''{}'')'), NULL, 'among nothing there is nothing');
SELECT is(pg_temp.list('five.top_n(7, exclude => ''{}'')'), pg_temp.list('five.top_n(7)'), 'exclude nothing changes nothing');
SELECT is(pg_temp.list('five.top_n(7, fallback => false)'), '2 0.7715 1 personal, 3 0.5698 1 personal, 4 0.4629 1 personal', 'without fallback what is personal only');
SELECT is(pg_temp.list('five.top_n(7, NULL)'), pg_temp.list('five.top_n(7, 1000000)'), 'k NULL is every candidate');
SELECT is(pg_temp.list('five.top_n(7, min_match => 0)'), NULL, 'without a curve there is no match to ask for');
/* k rows whenever k are eligible: of 5 items all but those seen or disliked. */
SELECT is_empty($$
  SELECT u, k FROM generate_series(1, 10) u, generate_series(1, 6) k
  WHERE (SELECT count(*) FROM five.top_n(u, k)) <> least(k, 5 - (SELECT count(DISTINCT item_id) FROM five WHERE user_id = u AND weight <> 0 AND abs(weight) < 1e38))$$,
  'k rows whenever k eligible items exist');
SELECT is_empty('SELECT u FROM generate_series(1, 10) u, five.top_n(u, 6) t GROUP BY u, t.item_id HAVING count(*) > 1', 'no item twice');

/* A basket: 1 and 4 weigh the same, norm sqrt(2): 3: (.569803 + .615457) / sqrt 2 = .838105, 2: (.771517 + .333333) / sqrt 2 = .781246, 5: .408248 / sqrt 2 = .288675. */
SELECT is(pg_temp.list('five.complete(ARRAY[1, 4])'), '3 0.8381 4 similar, 2 0.7812 1 similar, 5 0.2887 4 similar', 'what goes with 1 and 4');
SELECT is(pg_temp.list('five.complete(ARRAY[4, 1, NULL, 4, 1, 1])'), pg_temp.list('five.complete(ARRAY[1, 4])'), 'repeats and order do not matter');
SELECT is(pg_temp.list('five.complete(ARRAY[1, 4], 1, exclude => ARRAY[3])'), '2 0.7812 1 similar', 'complete with exclude');
SELECT is(pg_temp.list('five.complete(ARRAY[1, 4], among => ARRAY[1, 2])'), '2 0.7812 1 similar', 'complete with among');
SELECT is(pg_temp.list('five.complete(''{}'', 2)'), '1 popular, 3 popular', 'an empty basket: what is popular');
SELECT is(pg_temp.list('five.complete(''{}'', fallback => false)'), NULL, 'or nothing');

-- The live catalogue.
CREATE TABLE product (item_id bigint, in_stock boolean DEFAULT true, released_at date);
INSERT INTO product SELECT i FROM generate_series(1, 5) i;
SELECT reco_create_model('store', 'SELECT user_id, item_id, weight FROM five WHERE user_id <= 5', 'SELECT item_id, released_at FROM product WHERE in_stock');
SELECT reco_configure('store', similarity => 'cosine', weighting => 'linear', min_support => 1);
SELECT pg_temp.refresh('store');
SELECT is(pg_temp.list('store.top_n(5)'), '3 0.4352 4 personal, 1 0.3273 4 personal, 2 0.2357 4 personal', 'everything is in stock');
UPDATE product SET in_stock = false WHERE item_id = 3;
SELECT is(pg_temp.list('store.top_n(5)'), '1 0.3273 4 personal, 2 0.2357 4 personal', 'out of stock, at once');
SELECT is(pg_temp.list('store.top_n(5, 1)'), '1 0.3273 4 personal', 'before the cut');
SELECT is((SELECT string_agg(item_id::text, ' ') FROM store.similar_items(1)), '2 4', 'not similar any more');
SELECT is((SELECT string_agg(item_id, ' ') FROM reco_popular(10, 'store')), '1 2 4 5', 'not popular any more');
SELECT is(pg_temp.list('store.complete(ARRAY[3], 2)'), '4 0.6155 3 similar, 1 0.5698 3 similar', 'but it still says something about others');
DELETE FROM product WHERE item_id = 1;
SELECT is(pg_temp.list('store.top_n(5)'), '2 0.2357 4 personal', 'deleted, at once');
/* New ones come last, those released last first, then by id. */
INSERT INTO product VALUES (10, true, '2024-01-01'), (11, true, '2024-02-01'), (12, true, NULL), (9, true, '2024-01-01'), (13, false, '2024-03-01');
SELECT is(pg_temp.list('store.top_n(5)'), '2 0.2357 4 personal, 11 new, 9 new, 10 new, 12 new', 'new products, at once');
SELECT is(pg_temp.list('store.top_n(5, 2)'), '2 0.2357 4 personal, 11 new', 'k 2 of them');
INSERT INTO product VALUES (1);
SELECT is(pg_temp.list('store.top_n(5, 2)'), '1 0.3273 4 personal, 2 0.2357 4 personal', 'and back');
SELECT is(pg_temp.list('store.top_n(2, NULL, exclude => ARRAY[9, 10])'), '4 0.5631 1 personal, 5 popular, 11 new, 12 new', 'u2: personal, popular, new');
INSERT INTO product VALUES (4), (4), (5);
SELECT is(pg_temp.list('store.top_n(2, NULL, exclude => ARRAY[9, 10])'), '4 0.5631 1 personal, 5 popular, 11 new, 12 new', 'a product that is in the catalogue twice comes once');

/*
 * as_of: half_life 10 days.  w took a on May 31, b on June 10 and c on June 25; the newest event a refresh saw is of July 1.
 * u and v, who took all three, make every cosine 2 / sqrt(2 * 2) = 1.  Decay counts from as_of, or from the newest event where that is earlier.
 *   as of June 20:  a is 20 days old, b 10: 2^-2 and 2^-1: (.25 + .5) / sqrt(.0625 + .25) = 1.341641
 *   as of June 15:  a 15, b 5: 2^-1.5 and 2^-.5, the same: age in common takes nothing away
 *   as of June 5:   a alone: 1
 *   as of June 25:  c is seen, that day included
 */
CREATE TABLE dated (user_id text, item_id text, occurred_at timestamptz);
INSERT INTO dated SELECT u, i, '2020-01-01' FROM unnest(ARRAY['u', 'v']) u, unnest(ARRAY['a', 'b', 'c']) i;
INSERT INTO dated VALUES ('z', 'd', '2020-07-01');
SELECT reco_create_model('dated', 'SELECT user_id, item_id, occurred_at FROM dated');
SELECT reco_configure('dated', similarity => 'cosine', weighting => 'linear');
SELECT pg_temp.refresh('dated');
INSERT INTO dated VALUES ('w', 'a', '2020-05-31'), ('w', 'b', '2020-06-10'), ('w', 'c', '2020-06-25');
SELECT reco_configure('dated', half_life => '10 days');
SELECT is(pg_temp.list('dated.top_n(''w'', as_of => ''2020-06-20'', fallback => false)'), 'c 1.3416 b personal', 'as of 2020-06-20');
SELECT is(pg_temp.list('dated.top_n(''w'', as_of => ''2020-06-15'', fallback => false)'), 'c 1.3416 b personal', 'as of 2020-06-15');
SELECT is(pg_temp.list('dated.top_n(''w'', as_of => ''2020-06-05'', fallback => false)'), 'b 1.0000 a personal, c 1.0000 a personal', 'as of 2020-06-05: b has not happened');
SELECT is(pg_temp.list('dated.top_n(''w'', as_of => ''2020-06-25'', fallback => false)'), NULL, 'as of 2020-06-25: all is seen, that day included');
SELECT is(pg_temp.list('dated.top_n(''w'', as_of => ''2020-05-01'', fallback => false)'), NULL, 'as of 2020-05-01: nothing has happened');
SELECT is((SELECT count(*) FROM dated.top_n('w', as_of => '2020-05-01')), 4::bigint, 'then all four may come');
SELECT is(pg_temp.list('dated.top_n(''w'', fallback => false)'), NULL, 'now: all is seen');
/* Without c, now: counted from July 1 a is 31 days old, b 21: 2^-3.1 = .116629 and 2^-2.1 = .233258, 1 : 2, (1 + 2) / sqrt(5) = 1.341641. */
DELETE FROM dated WHERE (user_id, item_id) = ('w', 'c');
SELECT is(pg_temp.list('dated.top_n(''w'', fallback => false)'), 'c 1.3416 b personal', 'now, without c');
SELECT pg_temp.is_near(dated.score('w', 'c'), 3 / sqrt(5::float8), 'the score now');
SELECT results_eq('SELECT because, round(weight::numeric, 6), occurred_at FROM dated.why(''w'', ''c'')',
                  $$VALUES ('b', 0.233258, timestamptz '2020-06-10'), ('a', 0.116629, '2020-05-31')$$, 'the decayed weights and times of why');
INSERT INTO dated VALUES ('w', 'c', now() + interval '1 hour'), ('w', 'c', NULL);
SELECT is(pg_temp.list('dated.top_n(''w'', fallback => false)'), 'c 1.3416 b personal', 'what is to come, and what has no time, is no history');
/* What happened after the newest event a refresh saw has not decayed: another a, of today, makes its weight 1.116629 beside .233258. */
INSERT INTO dated VALUES ('w', 'a', now());
SELECT pg_temp.is_near(dated.score('w', 'c'), (2 ^ -2.1 + 2 ^ -3.1 + 1) / sqrt((2 ^ -3.1 + 1) ^ 2 + (2 ^ -2.1) ^ 2), 'an event of now weighs in full');
SELECT is(pg_temp.list('dated.top_n(''w'', fallback => false)'), format('c %s a personal', round(((2 ^ -2.1 + 2 ^ -3.1 + 1) / sqrt((2 ^ -3.1 + 1) ^ 2 + (2 ^ -2.1) ^ 2))::numeric, 4)),
          'and makes a the reason');

-- Generated: 400 users, 80 items; ids as bigint, text, uuid and mixed.
CREATE FUNCTION pg_temp.as_uuid(n int) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$ SELECT (lpad(n::text, 8, '0') || '-0000-4000-8000-000000000000')::uuid $$;
CREATE TABLE generated AS
  SELECT user_id, item_id, weight, 'user-' || lpad(user_id::text, 4, '0') AS user_text, 'item-' || lpad(item_id::text, 4, '0') AS item_text,
         pg_temp.as_uuid(user_id) AS user_uuid, pg_temp.as_uuid(item_id) AS item_uuid
  FROM (SELECT user_id, item_id, CASE WHEN h & 31 = 5 THEN -1 ELSE ((h >> 6 & 15) + 1) / 10.0::float8 END AS weight, h, n,
          hashint8(user_id * 7919 + item_id * 104729) & 1023 AS lot
        FROM generate_series(1, 400) user_id, generate_series(1, 80) item_id, generate_series(0, 3) n, LATERAL (SELECT hashint8(user_id * 104729 + item_id * 7919 + n * 31) AS h) g) g
  WHERE lot < 700 / (item_id + 1) + 12 * (user_id % 5) + CASE WHEN user_id % 6 = item_id % 6 THEN 200 ELSE 0 END AND (n = 0 OR h & 7 < 3);
CREATE INDEX ON generated (user_id);
CREATE INDEX ON generated ((user_id::bigint));
CREATE INDEX ON generated (user_text);
CREATE INDEX ON generated (user_uuid);
ANALYZE generated;
SELECT reco_create_model('numbers', 'SELECT user_id::bigint, item_id::bigint, weight FROM generated');
SELECT reco_create_model('texts', 'SELECT user_text AS user_id, item_text AS item_id, weight FROM generated');
SELECT reco_create_model('uuids', 'SELECT user_uuid AS user_id, item_uuid AS item_id, weight FROM generated');
SELECT reco_create_model('int_text', 'SELECT user_id, item_text AS item_id, weight FROM generated');
SELECT reco_create_model('uuid_int', 'SELECT user_uuid AS user_id, item_id::smallint, weight FROM generated');
SELECT reco_create_model('text_uuid', 'SELECT user_text::varchar AS user_id, item_uuid AS item_id, weight FROM generated');
SELECT reco_create_model('plain', 'SELECT user_id, item_id, weight FROM generated');
CREATE FUNCTION pg_temp.learn(model text, kind text, form text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM reco_configure(model, similarity => kind, weighting => form, min_match => 0);
  PERFORM reco_refresh(model);
END $$;
SELECT pg_temp.learn('numbers', 'cooccurrence', 'log');
/* Sums of ones are exact in any order, and the order of users goes by their ids' hash: binary cosines are the same bits whatever the ids. */
SELECT pg_temp.learn(m, 'cosine', 'binary') FROM unnest(ARRAY['plain', 'texts', 'uuids', 'int_text', 'uuid_int', 'text_uuid']) m;
SELECT isnt((SELECT cardinality(curve_score) FROM numbers.model), 0, 'the generated model has a curve');

-- LATERAL over 400 users, through typed doors and through reco_*, everything each user can get.
CREATE TEMP TABLE list AS SELECT u, t.*, row_number() OVER (PARTITION BY u) AS n FROM generate_series(1, 400) u, LATERAL numbers.top_n(u, NULL) t;
SELECT cmp_ok((SELECT count(*) FROM list WHERE source = 'personal'), '>', 10000::bigint, 'a list for each of 400 users');
SELECT set_eq($$SELECT u, t.* FROM generate_series(1, 400) u, LATERAL reco_top_n(u::bigint, NULL, 'numbers') t$$, 'SELECT u, item_id, score, match, because, source FROM list',
              'LATERAL: reco_top_n gives the same');
SELECT set_eq($$SELECT u, t.* FROM generate_series(1, 400) u, LATERAL reco_top_n('user-' || lpad(u::text, 4, '0'), NULL, 'texts') t$$,
              $$SELECT u, t.* FROM generate_series(1, 400) u, LATERAL texts.top_n('user-' || lpad(u::text, 4, '0'), NULL) t$$, 'LATERAL: typed door and reco_top_n, text');
SELECT set_eq($$SELECT u, t.* FROM generate_series(1, 400) u, LATERAL reco_top_n(pg_temp.as_uuid(u), NULL, 'uuids') t$$,
              $$SELECT u, t.* FROM generate_series(1, 400) u, LATERAL uuids.top_n(pg_temp.as_uuid(u), NULL) t$$, 'LATERAL: typed door and reco_top_n, uuid');

-- One answer, whatever the ids: who is held out goes by the id's hash, so the curve differs and the match with it; all else is the same.
CREATE TEMP TABLE plain_list AS SELECT u, t.*, row_number() OVER (PARTITION BY u) AS n FROM generate_series(1, 400) u, LATERAL plain.top_n(u, NULL) t;
SELECT cmp_ok((SELECT count(*) FROM plain_list WHERE source = 'personal'), '>', 10000::bigint, 'lists of the plain model');
CREATE FUNCTION pg_temp.list_want(item text) RETURNS text LANGUAGE sql AS $$
  SELECT format('SELECT u, %s AS item_id, score, %s AS because, source, n FROM plain_list', replace(item, '#', 'item_id'), replace(item, '#', 'because')) $$;
SELECT set_eq(format('SELECT u, t.item_id, score, because, source, row_number() OVER (PARTITION BY u) AS n FROM generate_series(1, 400) u, LATERAL %s.top_n(%s, NULL) t', model, usr),
              pg_temp.list_want(item), model || ': the same lists')
FROM (VALUES ('texts', $$'user-' || lpad(u::text, 4, '0')$$, $$'item-' || lpad(#::text, 4, '0')$$),
  ('uuids', 'pg_temp.as_uuid(u)', 'pg_temp.as_uuid(#::int)'),
  ('int_text', 'u', $$'item-' || lpad(#::text, 4, '0')$$),
  ('uuid_int', 'pg_temp.as_uuid(u)', '#::smallint'),
  ('text_uuid', $$('user-' || lpad(u::text, 4, '0'))::varchar$$, 'pg_temp.as_uuid(#::int)')) v(model, usr, item);

-- The other doors of each type, for some users and items.
SELECT is_empty(format($$
  SELECT * FROM (SELECT %2$s AS u, %3$s AS i FROM generate_series(1, 400, 40) n, generate_series(1, 80, 7) m) a
  WHERE %1$s.score(u, i) IS DISTINCT FROM reco_score(u, i, %1$L) OR %1$s.match(u, i) IS DISTINCT FROM reco_match(u, i, %1$L)
     OR (SELECT array_agg(t) FROM %1$s.why(u, i) t)::text IS DISTINCT FROM (SELECT array_agg(t) FROM reco_why(u, i, %1$L) t)::text
     OR (SELECT array_agg(t) FROM %1$s.similar_items(i, 5) t)::text IS DISTINCT FROM (SELECT array_agg(t) FROM reco_similar_items(i, 5, %1$L) t)::text
     OR (SELECT array_agg(t) FROM %1$s.complete(ARRAY[i], 5) t)::text IS DISTINCT FROM (SELECT array_agg(t) FROM reco_complete(ARRAY[i], 5, %1$L) t)::text
     OR (SELECT array_agg(t) FROM %1$s.top_n(u, 5, exclude => ARRAY[i], seen => true) t)::text IS DISTINCT FROM (SELECT array_agg(t) FROM reco_top_n(u, 5, %1$L, exclude => ARRAY[i], seen => true) t)::text$$,
  model, usr, item), model || ': typed doors and reco_* agree')
FROM (VALUES ('numbers', 'n::bigint', 'm::bigint'), ('texts', $$'user-' || lpad(n::text, 4, '0')$$, $$'item-' || lpad(m::text, 4, '0')$$),
  ('uuids', 'pg_temp.as_uuid(n)', 'pg_temp.as_uuid(m)')) v(model, usr, item);
SELECT is_empty(format($$
  SELECT * FROM (SELECT %2$s AS u, %3$s AS i, n, m FROM generate_series(1, 400, 40) n, generate_series(1, 80, 7) m) a
  WHERE %1$s.score(u, i) IS DISTINCT FROM plain.score(n, m)
     OR (SELECT array_agg(round(share::numeric, 12)) FROM %1$s.why(u, i)) IS DISTINCT FROM (SELECT array_agg(round(share::numeric, 12)) FROM plain.why(n, m))
     OR (SELECT array_agg((similarity, support)::text) FROM %1$s.similar_items(i, 5)) IS DISTINCT FROM (SELECT array_agg((similarity, support)::text) FROM plain.similar_items(m, 5))
     OR (SELECT array_agg(score) FROM %1$s.complete(ARRAY[i], 5)) IS DISTINCT FROM (SELECT array_agg(score) FROM plain.complete(ARRAY[m], 5))$$,
  model, usr, item), model || ': the doors of mixed ids agree with those of integers')
FROM (VALUES ('int_text', 'n', $$'item-' || lpad(m::text, 4, '0')$$), ('uuid_int', 'pg_temp.as_uuid(n)', 'm::smallint'),
  ('text_uuid', $$'user-' || lpad(n::text, 4, '0')$$, 'pg_temp.as_uuid(m)')) v(model, usr, item);

-- A list, a score, a match and a why are one computation.
CREATE TEMP TABLE asked AS
  SELECT l.*, numbers.score(u, item_id) AS alone, reco_match(u::bigint, item_id, 'numbers') AS match_alone, w.shares, w.first
  FROM list l, LATERAL (SELECT sum(share) AS shares, (array_agg(because ORDER BY share DESC))[1] AS first FROM numbers.why(u, item_id)) w
  WHERE u % 10 = 3;
SELECT cmp_ok((SELECT count(*) FROM asked WHERE source = 'personal'), '>', 1000::bigint, 'enough rows to ask about');
SELECT is_empty('SELECT * FROM asked WHERE source = ''personal'' AND score IS DISTINCT FROM alone', 'the score of a list is reco_score');
SELECT is_empty('SELECT * FROM asked WHERE source = ''personal'' AND match IS DISTINCT FROM match_alone', 'the match of a list is reco_match');
SELECT is_empty('SELECT * FROM asked WHERE source = ''personal'' AND (match IS NULL OR NOT (match BETWEEN 0 AND 100))', 'with min_match 0 there always is one');
SELECT is_empty('SELECT * FROM asked WHERE source = ''personal'' AND pg_temp.near(shares, score, 1e-12) IS NOT TRUE', 'the shares sum to the score');
SELECT is_empty('SELECT * FROM asked WHERE source = ''personal'' AND because IS DISTINCT FROM first', 'because is the first of why');
SELECT is_empty('SELECT * FROM asked WHERE source <> ''personal'' AND (match IS NOT NULL OR because IS NOT NULL OR alone > 0)', 'the rest has no evidence, no match and no because');
SELECT is_empty('SELECT * FROM (SELECT *, lag(score) OVER (PARTITION BY u ORDER BY n) AS above FROM list) l WHERE above < score', 'best first');
SELECT is_empty('SELECT u, item_id FROM list GROUP BY 1, 2 HAVING count(*) > 1', 'no item twice in a list');
SELECT is_empty('SELECT * FROM list JOIN generated g ON (g.user_id, g.item_id) = (u, list.item_id)', 'no item of the history in a list');
SELECT is_empty('SELECT u FROM list GROUP BY u HAVING count(*) <> 80 - (SELECT count(DISTINCT item_id) FROM generated WHERE user_id = u)', 'k NULL: every item there is but those seen');
SELECT is_empty('SELECT u, l.item_id FROM list l WHERE n <= 7 AND u % 10 = 3 EXCEPT SELECT u, t.item_id FROM generate_series(3, 400, 10) u, numbers.top_n(u, 7) t', 'the first seven are those of k 7');

/* Each share is f(w) * S / norm, f the log with its sign, of all that the history says. */
SELECT is_empty($$
  WITH history AS (SELECT user_id, item_id, sum(weight) AS w FROM generated WHERE user_id % 40 = 3 GROUP BY 1, 2),
  formed AS (SELECT *, sign(w) * ln(1 + abs(w)) AS f FROM history), norm AS (SELECT user_id, sqrt(sum(f * f)) AS norm FROM formed GROUP BY 1)
  SELECT * FROM (SELECT user_id, m, because, share, similarity, weight FROM norm, generate_series(1, 80, 9) m, numbers.why(user_id, m)) y
  FULL JOIN (SELECT user_id, s.similar_item_id AS m, item_id AS because, f * similarity / norm AS share, similarity, w FROM formed JOIN norm USING (user_id) JOIN numbers.similar s USING (item_id)
    WHERE (s.similar_item_id - 1) % 9 = 0) z USING (user_id, m, because)
  WHERE pg_temp.near(y.share, z.share, 1e-9) IS NOT TRUE OR pg_temp.near(y.similarity, z.similarity, 1e-9) IS NOT TRUE OR pg_temp.near(y.weight, z.w, 1e-9) IS NOT TRUE$$,
  'why: every share by its formula');

-- min_match: only what matches so much, whatever the model's own; never a fallback.
SELECT set_eq('SELECT u, t.item_id, t.match FROM generate_series(3, 400, 10) u, numbers.top_n(u, NULL, min_match => 60) t', 'SELECT u, item_id, match FROM asked WHERE match >= 60', 'min_match 60');
SELECT set_eq('SELECT u, t.item_id, t.match FROM generate_series(3, 400, 10) u, numbers.top_n(u, NULL, min_match => 0) t', 'SELECT u, item_id, match FROM asked WHERE source = ''personal''', 'min_match 0');
SELECT is_empty('SELECT * FROM generate_series(3, 400, 10) u, numbers.top_n(u, NULL, min_match => 100)', 'nothing is certain');
SELECT reco_configure('numbers', min_match => 70);
SELECT set_eq('SELECT u, t.item_id, t.score, t.match FROM generate_series(3, 400, 10) u, numbers.top_n(u, NULL) t', 'SELECT u, item_id, score, CASE WHEN match >= 70 THEN match END AS match FROM asked',
              'the model''s min_match hides numbers, not rows');
SELECT reco_configure('numbers', min_match => 0);

-- exclude, among and seen over the generated lists.
SELECT is_empty('SELECT * FROM generate_series(3, 400, 40) u, numbers.top_n(u, NULL, exclude => ARRAY(SELECT generate_series(1, 80, 2))) WHERE item_id % 2 = 1', 'excluded are excluded');
SELECT set_eq('SELECT u, t.item_id, t.score FROM generate_series(3, 400, 40) u, numbers.top_n(u, NULL, among => ARRAY(SELECT generate_series(2, 80, 2)), fallback => false) t',
              'SELECT u, item_id, score FROM list WHERE u % 40 = 3 AND item_id % 2 = 0 AND source = ''personal''', 'among a half of them, the same scores');
SELECT set_eq($$SELECT u, t.item_id FROM generate_series(3, 400, 40) u, numbers.top_n(u, NULL, seen => true) t$$,
  $$SELECT u, i FROM generate_series(3, 400, 40) u, generate_series(1, 80) i WHERE coalesce((SELECT sum(weight) FROM generated WHERE (user_id, item_id) = (u, i)), 0) >= 0$$,
  'seen: everything but what is disliked');

-- Filters never starve a list: around it, one that keeps 1 item in 10,000 of a catalogue of 60,000, and inside it, among whatever ids.
CREATE TABLE warehouse AS SELECT i AS item_id, i % 10000 AS shelf FROM generate_series(1, 60000) i;
SELECT reco_create_model('big', 'SELECT user_id::bigint, item_id::bigint, weight FROM generated', 'SELECT item_id::bigint, shelf FROM warehouse');
SELECT pg_temp.learn('big', 'cooccurrence', 'log');
SELECT set_eq('SELECT item_id, source FROM reco_top_n(3::bigint, NULL, ''big'') JOIN warehouse USING (item_id) WHERE shelf = 9999', $$SELECT 9999::bigint + 10000 * i AS item_id, 'new' AS source FROM generate_series(0, 5) i$$, 'all six on that shelf are found');
SELECT is((SELECT count(*) FROM (SELECT item_id FROM reco_top_n(3::bigint, NULL, 'big') JOIN warehouse USING (item_id) WHERE shelf = 9999 ORDER BY score DESC LIMIT 5) l), 5::bigint, 'a filter that keeps 1 in 10,000 fills a list of five');
SELECT is((SELECT count(*) FROM reco_top_n(3::bigint, 5, 'big', among => ARRAY(SELECT item_id FROM warehouse WHERE shelf = 9999))), 5::bigint, 'so does among');
SELECT is((SELECT array_agg(t ORDER BY score DESC) FROM reco_top_n(3::bigint, 50, 'big', among => ARRAY(SELECT generate_series(1, 1000000)::bigint)) t)::text, (SELECT array_agg(t ORDER BY score DESC) FROM reco_top_n(3::bigint, 50, 'big') t)::text, 'among a million ids is among all');
SELECT is((SELECT array_agg(t ORDER BY score DESC) FROM reco_top_n(3::bigint, 50, 'big', exclude => ARRAY(SELECT generate_series(81, 1000000)::bigint)) t)::text, (SELECT array_agg(t ORDER BY score DESC) FROM reco_top_n(3::bigint, 50, 'big', among => ARRAY(SELECT generate_series(1, 80)::bigint)) t)::text, 'a million excluded');
SELECT is((SELECT array_agg(t ORDER BY score DESC) FROM reco_top_n(3::bigint, 50, 'big', among => ARRAY[7, NULL, 7, 50001, 9, NULL, 9, 9, -1, 70, 70]::bigint[], exclude => ARRAY[NULL, 9, 9, NULL]::bigint[]) t)::text,
          (SELECT array_agg(t ORDER BY score DESC) FROM reco_top_n(3::bigint, 50, 'big', among => ARRAY[50001, 70, 7]::bigint[]) t)::text, 'NULLs and duplicates in arrays are nothing more');
SELECT is((SELECT count(*) FROM reco_top_n(3::bigint, 50, 'big', among => ARRAY[NULL, NULL]::bigint[])), 0::bigint, 'among nothing but NULLs is among nothing');
-- A few are asked for by their ids, many by walking the catalogue: both ways the same order.
SELECT is((SELECT array_agg(t.item_id ORDER BY n) FROM reco_top_n(3::bigint, 20, 'big', among => ARRAY(SELECT generate_series(2, 60000, 61)::bigint)) WITH ORDINALITY AS t(item_id, score, match, because, source, n)),
          (SELECT array_agg(item_id ORDER BY n) FROM (SELECT item_id, n FROM reco_top_n(3::bigint, NULL, 'big') WITH ORDINALITY AS t(item_id, score, match, because, source, n) WHERE item_id % 61 = 2 ORDER BY n LIMIT 20) l), 'among a thousand: the order of the whole list');
SELECT is((SELECT array_agg(t.item_id ORDER BY n) FROM reco_top_n(3::bigint, 20, 'big', among => ARRAY(SELECT generate_series(2, 60000, 3)::bigint)) WITH ORDINALITY AS t(item_id, score, match, because, source, n)),
          (SELECT array_agg(item_id ORDER BY n) FROM (SELECT item_id, n FROM reco_top_n(3::bigint, NULL, 'big') WITH ORDINALITY AS t(item_id, score, match, because, source, n) WHERE item_id % 3 = 2 ORDER BY n LIMIT 20) l), 'among twenty thousand, too');

-- Row order: a second model over the same rows in another order gives the same scores, byte for byte.
CREATE TABLE shuffled AS SELECT * FROM generated ORDER BY hashint8(user_id * 31 + item_id * 17), weight DESC;
SELECT reco_create_model('shuffled', 'SELECT user_id::bigint, item_id::bigint, weight FROM shuffled');
SELECT pg_temp.learn('shuffled', 'cooccurrence', 'log');
SELECT set_eq('SELECT item_id, item_no, neighbors FROM shuffled.learned_item', 'SELECT item_id, item_no, neighbors FROM numbers.learned_item', 'neighbours do not depend on the order of rows');
CREATE TEMP TABLE shuffled_list AS SELECT u, t.*, row_number() OVER (PARTITION BY u) AS n FROM generate_series(1, 400) u, LATERAL shuffled.top_n(u, NULL) t;
SELECT is((SELECT max(abs(a.score - b.score)) <= 1e-12 FROM list a JOIN shuffled_list b USING (u, item_id) WHERE a.source = 'personal'), true, 'nor do scores, to 12 digits');
SELECT is((SELECT count(*) FROM list a FULL JOIN shuffled_list b USING (u, item_id) WHERE float8send(a.score) IS DISTINCT FROM float8send(b.score)), 0::bigint,
          'scores are the same byte for byte, also of repeats like .1 + .2 + .3');
SELECT is((SELECT count(*) FROM list a FULL JOIN shuffled_list b USING (u, item_id) WHERE (a.because, a.source, a.n) IS DISTINCT FROM (b.because, b.source, b.n)), 0::bigint,
          'and so are reasons and places');
SELECT is((SELECT (curve_score, curve_match)::text FROM shuffled.model), (SELECT (curve_score, curve_match)::text FROM numbers.model), 'the match curve does not depend on the order of rows, also where events have no times');

-- A materialized view over the lists of all users: as it was until it is refreshed.
CREATE MATERIALIZED VIEW top_three AS SELECT u AS user_id, t.* FROM generate_series(1, 50) u, LATERAL reco_top_n(u::bigint, 3, 'numbers') t;
SELECT set_eq('SELECT user_id, item_id, score FROM top_three', 'SELECT u, item_id, score FROM list WHERE u <= 50 AND n <= 3', 'a materialized view over reco_top_n');
INSERT INTO generated (user_id, item_id, weight) SELECT user_id, item_id, 1 FROM top_three;
SELECT isnt_empty('SELECT * FROM top_three JOIN generated USING (user_id, item_id)', 'bought since, still in the view');
REFRESH MATERIALIZED VIEW top_three;
SELECT is_empty('SELECT * FROM top_three JOIN generated USING (user_id, item_id)', 'not after a refresh');
SELECT is((SELECT count(*) FROM top_three), 150::bigint, 'three for each user again');

SELECT * FROM finish();
ROLLBACK;
