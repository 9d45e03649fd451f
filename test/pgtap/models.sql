-- models: the numbers a refresh learns: cells with decay, neighbours, popularity and trend, the match curve.

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
 * The 5 x 5 matrix of matrix.sql:
 *
 *          1  2  3  4  5    h
 *     u1   1  2  1  .  .    3
 *     u2   2  1  .  .  .    2
 *     u3   1  .  3  1  .    3
 *     u4   1  1  1  2  .    4
 *     u5   .  .  .  1  1    2
 *
 * as events, some cells in two parts: (u1, 2) is 1.5 + .5, (u3, 3) is 4 - 1.
 */
CREATE TABLE five (user_id int, item_id int, weight float8);
INSERT INTO five VALUES
  (1, 1, 1), (1, 2, 1.5), (1, 2, .5), (1, 3, 1),
  (2, 1, 2), (2, 2, 1),
  (3, 1, 1), (3, 3, 4), (3, 3, -1), (3, 4, 1),
  (4, 1, 1), (4, 2, 1), (4, 3, 1), (4, 4, 2),
  (5, 4, 1), (5, 5, 1);
SELECT reco_create_model('five', 'SELECT user_id, item_id, weight FROM five');
SELECT reco_configure('five', min_support => 1, keep => 'source', weighting => 'linear');
CREATE TEMP TABLE report AS SELECT * FROM reco_refresh('five');
/* 16 rows, 7 pairs in both directions. */
SELECT results_eq('SELECT events, users, items, neighbor_pairs FROM report', 'VALUES (16::bigint, 5::bigint, 5::bigint, 14::bigint)', 'what a refresh reports');
SELECT results_eq('SELECT events, users, items, item_slots, neighbor_pairs FROM five.model', 'VALUES (16::bigint, 5::bigint, 5::bigint, 5, 14::bigint)', 'what it leaves in the model');
SELECT is((SELECT skipped_null_user + skipped_null_item + skipped_null_weight + skipped_null_time + skipped_not_finite + skipped_future FROM report), 0::bigint, 'nothing skipped');
SELECT results_eq('SELECT item_id, events, users FROM five.learned_item ORDER BY item_id',
                  'VALUES (1, 4::bigint, 4), (2, 4, 3), (3, 4, 3), (4, 3, 3), (5, 1, 1)', 'events and users of each item');
/* Items are numbered by users, most first, then by id: 1 (4 users), 2 3 4 (3 users), 5. */
SELECT results_eq('SELECT item_id FROM five.learned_item ORDER BY item_no', 'VALUES (1), (2), (3), (4), (5)', 'items are numbered by their users, then by id');
SELECT is((SELECT rows_written FROM reco_refresh('five')), 0::bigint, 'a refresh that finds nothing new writes nothing');

-- Every similarity and weighting: a model learns what reco_neighbors says of the same data.
CREATE FUNCTION pg_temp.like_matrix(kind text, form text, keep text, shrinkage float8, support int) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM reco_configure('five', similarity => kind, weighting => form, keep => $3, shrinkage => $4, min_support => support);
  PERFORM reco_refresh('five');
  RETURN is_empty(format('SELECT * FROM five.similar s
      FULL JOIN reco_neighbors(NULL::int, (SELECT reco_matrix(user_id, item_id, weight) FROM five), 20, %L, %L, %L, %L, %L) n USING (item_id, similar_item_id)
      WHERE pg_temp.near(s.similarity, n.similarity) IS NOT TRUE OR s.support IS DISTINCT FROM n.support', kind, support, shrinkage, keep, form),
    format('%s, %s, by %s, shrinkage %s, min_support %s: the model and the matrix agree', kind, form, keep, shrinkage, support));
END $$;
SELECT pg_temp.like_matrix(kind, form, keep, 0, 1)
FROM unnest(ARRAY['cooccurrence', 'cosine', 'asymmetric', 'conditional', 'rp3beta', 'jaccard', 'llr', 'lift', 'tfidf', 'bm25']) kind,
  unnest(ARRAY['binary', 'linear', 'log']) form, unnest(ARRAY['source', 'target']) keep;
SELECT pg_temp.like_matrix(kind, 'log', 'target', 1.5, 2) FROM unnest(ARRAY['cooccurrence', 'cosine', 'jaccard', 'llr', 'bm25']) kind;

/* Worked: linear cosine 12 = 5 / sqrt(7 * 6), from c12 = 1*2 + 2*1 + 1*1, n1 = 1+4+1+1, n2 = 4+1+1. */
SELECT reco_configure('five', similarity => 'cosine', weighting => 'linear', keep => 'source', shrinkage => 0, min_support => 1);
SELECT pg_temp.refresh('five');
SELECT pg_temp.is_near(similarity, 5 / sqrt(42::float8), 'cosine of 1 and 2') FROM five.similar WHERE (item_id, similar_item_id) = (1, 2);
/* Exponents of one's own: b = 1 has c12 = 2/3 + 2/2 + 1/4 = 23/12, s = 23/12 / (7^.3 * 6^.1); the other way round 23/12 / (6^.3 * 7^.1). */
SELECT reco_configure('five', user_exponent => 1, source_exponent => .3, target_exponent => .1);
SELECT pg_temp.refresh('five');
SELECT pg_temp.is_near(similarity, 23 / 12.0 / (7 ^ .3::float8 * 6 ^ .1::float8), 'exponents of one''s own, 1 to 2') FROM five.similar WHERE (item_id, similar_item_id) = (1, 2);
SELECT pg_temp.is_near(similarity, 23 / 12.0 / (6 ^ .3::float8 * 7 ^ .1::float8), 'exponents of one''s own, 2 to 1') FROM five.similar WHERE (item_id, similar_item_id) = (2, 1);

/* Set back, they are the similarity's again. */
SELECT reco_configure('five', reset => '{user_exponent, source_exponent, target_exponent}');
SELECT is(learned_with, 'similarity => ''cosine'', keep => ''source''', 'no exponent of one''s own is left') FROM reco_refresh('five');
SELECT pg_temp.is_near(similarity, 5 / sqrt(42::float8), 'exponents set back, 1 to 2') FROM five.similar WHERE (item_id, similar_item_id) = (1, 2);
SELECT pg_temp.is_near(similarity, 5 / sqrt(42::float8), 'exponents set back, 2 to 1') FROM five.similar WHERE (item_id, similar_item_id) = (2, 1);

/* Whatever a setting was set to, it goes back to what it is in a model made now, and no other with it; all go but those that are given. */
CREATE TABLE chosen (setting text, value text);
INSERT INTO chosen VALUES
  ('algorithm', '''factors'''), ('similarity', '''llr'''), ('user_exponent', '.3'), ('source_exponent', '.4'), ('target_exponent', '.5'),
  ('shrinkage', '3'), ('min_support', '4'), ('lambda', '5'), ('candidates', '6'), ('damping', '.7'), ('blend', '.8'), ('indirect', '.9'),
  ('recency', '.5'), ('factors', '11'), ('iterations', '12'), ('factor_lambda', '13'), ('unobserved', '14'), ('content', '15'), ('neighbors', '17'),
  ('keep', '''source'''), ('weighting', '''linear'''), ('max_history', '18'), ('half_life', '''19 days'''), ('popular_half_life', '''20 days'''),
  ('trend_half_life', '''21 days'''), ('min_match', '22'), ('target_signal', '''buy'''), ('exclude_seen', '''{"buy": "23 days"}'''),
  ('fatigue_half_life', '''24 days'''), ('category', '''kind'''), ('contexts', '''{signal}'''), ('time_zone', '''Europe/Riga'''),
  ('unfinished', '''{"basket": ["cart"], "bought": ["buy"]}'''), ('reranked', 'false');
SELECT set_eq('SELECT setting FROM chosen', $$SELECT unnest(proargnames) FROM pg_proc WHERE proname = 'reco_configure' EXCEPT VALUES ('model'), ('reset')$$, 'every setting');
SELECT reco_create_model(m, 'SELECT 1 AS user_id, 2 AS item_id, now() AS occurred_at, text ''buy'' AS signal', 'SELECT 2 AS item_id, text ''a'' AS kind')
FROM unnest(ARRAY['made', 'changed']) m;
CREATE FUNCTION pg_temp.reset(setting text, more text DEFAULT '') RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE changed jsonb;
BEGIN
  EXECUTE format('SELECT reco_configure(''changed'', %s)', (SELECT string_agg(c.setting || ' => ' || c.value, ', ') FROM chosen c));
  EXECUTE format('SELECT reco_configure(''changed'', reset => ARRAY[%L]%s)', setting, more);
  SELECT to_jsonb(m) INTO changed FROM changed.model m;
  RETURN changed;
END $$;
CREATE TABLE ways AS
SELECT to_jsonb(m) AS made, pg_temp.reset('min_match') || '{"min_match": 22}' AS changed FROM made.model m;
SELECT is_empty('SELECT setting FROM chosen, ways WHERE made -> setting = changed -> setting', 'all were changed');
SELECT is(pg_temp.reset(setting), changed || jsonb_build_object(setting, made -> setting), setting || ' alone goes back') FROM chosen, ways;
SELECT is(pg_temp.reset('all'), made, 'all go back') FROM ways;
SELECT is(pg_temp.reset('all', ', neighbors => 17, time_zone => ''Europe/Riga'''), made || '{"neighbors": 17, "time_zone": "Europe/Riga"}', '... but those that are given') FROM ways;

/* Without times popularity is the plain sum of weights: 1+2+1+1, 1.5+.5+1+1, 1+4+1 (what is negative does not count), 1+2+1, 1; nothing rises. */
SELECT results_eq('SELECT item_id, round(popularity::numeric, 4), users FROM five.popular(NULL) ORDER BY item_id',
                  'VALUES (1, 5.0000, 4), (2, 4.0000, 3), (3, 6.0000, 3), (4, 4.0000, 3), (5, 1.0000, 1)', 'popularity without times');
SELECT results_eq('SELECT item_id FROM five.popular(NULL)', 'VALUES (3), (1), (2), (4), (5)', 'most popular first, ties by number');
SELECT is_empty('SELECT * FROM five.trending(NULL)', 'without times nothing rises');
SELECT is_empty('SELECT * FROM reco_popular(NULL, ''five'') f FULL JOIN five.popular v ON v.item_id::text = f.item_id
                 WHERE f.popularity IS DISTINCT FROM v.popularity OR f.trend IS DISTINCT FROM v.trend OR f.users IS DISTINCT FROM v.users',
                'the view popular says the same as the function, without times');

/* Five users are too few for a curve: no knots, and no match however high the score. */
SELECT is((SELECT cardinality(curve_score) + cardinality(curve_match) FROM five.model), 0, 'no knots from five users');
SELECT cmp_ok(five.score(5, 3), '>', 0::float8, 'a score');
SELECT is(five.match(5, 3), NULL, 'has no match without a curve');

/*
 * Decay: half_life 10 days, ages in days at the newest event.
 *
 *     u1   a: 1 at 0, 2 at 10     = 1 + 1  = 2     b: 4 at 20 = 1
 *     u2   a: 4 at 10             = 2              b: 8 at 20 = 2
 *     u3                                           b: 1 at 0  = 1     c: 2 at 10 = 1
 *     u4   a: 2 at 10, -2 at 0    = 1 - 2  < 0     b: 4 at 20 = 1     c: 4 at 20 = 1
 *
 *   linear cosine:
 *   c_ab = 2*1 + 2*2 = 6, c_bc = 1 + 1 = 2, n_a = 4 + 4 = 8, n_b = 1 + 4 + 1 + 1 = 7, n_c = 2; a and c never met:
 *   s_ab = 6 / sqrt(56) = .801784, s_bc = 2 / sqrt(14) = .534522
 *   without decay: a = 3 4 . 0, b = 4 8 1 4, c = . . 2 4: c_ab = 12 + 32 = 44, n_a = 25, n_b = 16 + 64 + 1 + 16 = 97,
 *   c_bc = 2 + 16 = 18, n_c = 20: s_ab = 44 / sqrt(2425) = .893500, s_bc = 18 / sqrt(1940) = .408672
 */
CREATE TABLE past (user_id text, item_id text, weight numeric, days int, occurred_at timestamptz);
INSERT INTO past VALUES
  ('u1', 'a', 1, 0), ('u1', 'a', 2, 10), ('u1', 'b', 4, 20), ('u2', 'a', 4, 10), ('u2', 'b', 8, 20),
  ('u3', 'b', 1, 0), ('u3', 'c', 2, 10), ('u4', 'a', 2, 10), ('u4', 'a', -2, 0), ('u4', 'b', 4, 20), ('u4', 'c', 4, 20);
UPDATE past SET occurred_at = date_trunc('second', now()) - interval '1 hour' - days * interval '1 day';
SELECT reco_create_model('past', 'SELECT user_id, item_id, weight, occurred_at FROM past');
CREATE FUNCTION pg_temp.past_similar(half_life interval) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM reco_configure('past', similarity => 'cosine', weighting => 'linear', min_support => 1, half_life => $1);
  PERFORM reco_refresh('past');
  RETURN (SELECT string_agg(item_id || similar_item_id || ' ' || round(similarity::numeric, 5) || ' ' || support, ', ' ORDER BY item_id, similar_item_id)
          FROM past.similar WHERE item_id < similar_item_id);
END $$;
SELECT is(pg_temp.past_similar('10 days'), 'ab 0.80178 2, bc 0.53452 2', 'worked decays');
SELECT is(pg_temp.past_similar('240 hours'), 'ab 0.80178 2, bc 0.53452 2', '240 hours are 10 days');
SELECT is(pg_temp.past_similar('0'), 'ab 0.89350 2, bc 0.40867 2', 'half_life 0 is no decay');
UPDATE past SET occurred_at = date_trunc('second', now()) - interval '1 hour' - days * interval '3 days';
SELECT is(pg_temp.past_similar('1 month'), 'ab 0.80178 2, bc 0.53452 2', 'a month is 30 days');
UPDATE past SET occurred_at = date_trunc('second', now()) - interval '400 days' - days * interval '1 day';
SELECT is(pg_temp.past_similar('10 days'), 'ab 0.80178 2, bc 0.53452 2', 'all of it 400 days later, the same');
SELECT set_eq('SELECT item_id, events, users, first_at, last_at FROM past.learned_item',
  'SELECT item_id, count(*) AS events, CASE item_id WHEN ''b'' THEN 4 ELSE 2 END AS users, min(occurred_at) AS first_at, max(occurred_at) AS last_at FROM past GROUP BY 1',
  'counts and times of each item');
SELECT is((SELECT last_event_at FROM past.model), (SELECT max(occurred_at) FROM past), 'the newest event');

-- What cannot be learned from is left out and counted, by the first reason that holds.
INSERT INTO past (user_id, item_id, weight, occurred_at) VALUES
  (NULL, 'a', 1, now()), (NULL, NULL, NULL, NULL), ('u1', NULL, NULL, NULL), ('u1', 'a', NULL, now()), ('u1', 'a', NULL, NULL), ('u1', 'a', NULL, 'infinity'),
  ('u1', 'a', 1, NULL), ('u1', 'a', 'NaN', now()), ('u1', 'a', 'Infinity', NULL), ('u1', 'a', '-Infinity', now()), ('u1', 'a', 1e39, now()),
  ('u1', 'a', 1, now() + interval '1 day'), ('u1', 'a', 1, 'infinity');
SELECT results_eq('SELECT events, skipped_null_user, skipped_null_item, skipped_null_weight, skipped_not_finite, skipped_null_time, skipped_future FROM reco_refresh(''past'')',
                  'VALUES (11::bigint, 2::bigint, 1::bigint, 3::bigint, 4::bigint, 1::bigint, 2::bigint)', 'rows left out are counted by reason');
SELECT is(pg_temp.past_similar('10 days'), 'ab 0.80178 2, bc 0.53452 2', 'and change nothing');

/*
 * Popularity and trend: popular_half_life 20 days, trend_half_life 5 days, linear; ages in days at the newest event, P and R their decayed sums.
 *
 *     1   1 at 0, 2 at 20    P = 1 + 1 = 2     R = 1 + 2/16 = 1.125
 *     2   3.6 at 20          P = 1.8           R = 3.6/16 = .225
 *     3   1 at 40            P = 1/4           R = 1/256
 *     4   2.4 and -5 at 0    P = 2.4           R = 2.4           (a negative event makes nothing less popular)
 *
 *   A steady rate of one a day over the span of 40 days sums up to H / ln 2 * (1 - 2^(-40 / H)):
 *   28.853901 * .75 = 21.640426 for H = 20, 7.213475 * .99609375 = 7.185297 for H = 5.
 *   popularity = P / 21.640426: .092420 .083178 .011553 .110904, mean .074513 = prior
 *   recent = R / 7.185297: .156570 .031314 .000544 .334015
 *   trend = (recent + prior) / (popularity + prior): 1.3843 .6711 .8721 2.2034
 */
CREATE TABLE sold (item_id int, weight float8, days int, occurred_at timestamp);
INSERT INTO sold VALUES (1, 1, 0), (1, 2, 20), (2, 3.6, 20), (3, 1, 40), (4, 2.4, 0), (4, -5, 0);
UPDATE sold SET occurred_at = date_trunc('second', now()) - interval '1 hour' - days * interval '1 day';
SELECT reco_create_model('sold', 'SELECT 7 AS user_id, item_id, weight, occurred_at FROM sold');
SELECT reco_configure('sold', weighting => 'linear', min_support => 1, popular_half_life => '20 days', trend_half_life => '5 days');
SELECT pg_temp.refresh('sold');
SELECT results_eq('SELECT item_id, round(popularity::numeric, 4), round(trend::numeric, 3) FROM sold.popular(NULL)',
                  'VALUES (4, 0.1109, 2.203), (1, 0.0924, 1.384), (2, 0.0832, 0.671), (3, 0.0116, 0.872)', 'popularity is a rate a day, most popular first, with the trend');
SELECT results_eq('SELECT item_id, round(trend::numeric, 3) FROM sold.trending(NULL)', 'VALUES (4, 2.203)', 'what has 1.5 times its long-run rate is rising');
SELECT pg_temp.is_near((SELECT trend_prior FROM sold.model), (2 + 1.8 + .25 + 2.4) / 4 / (20 / ln(2::float8) * .75), 'the prior is the mean popularity', 1e-4);
SELECT is_empty('SELECT * FROM reco_popular(NULL, ''sold'') f FULL JOIN sold.popular v ON v.item_id::text = f.item_id
                 WHERE pg_temp.near(f.popularity, v.popularity, 1e-9) IS NOT TRUE OR pg_temp.near(f.trend, v.trend, 1e-9) IS NOT TRUE OR f.users IS DISTINCT FROM v.users',
                'the view popular says the same as the function');
/* 4 is still first ten weeks later: popularity is that of the time of the newest event. */
CREATE TEMP TABLE popular_before AS SELECT * FROM sold.popular(NULL);
UPDATE sold SET occurred_at = occurred_at - interval '70 days';
SELECT pg_temp.refresh('sold');
SELECT is_empty('SELECT * FROM popular_before b FULL JOIN sold.popular(NULL) a USING (item_id)
                 WHERE pg_temp.near(a.popularity, b.popularity, 1e-4) IS NOT TRUE OR pg_temp.near(a.trend, b.trend, 1e-3) IS NOT TRUE',
                'the same 70 days later: it is counted as of the newest event');

/*
 * Short half-lives, as a news site has them: 10 minutes and 1 minute; ages in minutes: 1: 8 at 0 and 1 at 10; 2: 8 at 0 and .5 at 10; 3: 1 at 20.
 * P1 = 8 + .5 = 8.5, P2 = 8 + .25 = 8.25, P3 = .25; the span is less than a day and counts as one: 1440 minutes, the divisor is
 * (10 minutes = 1/144 day) / ln 2 * 1.  P1 / P2 = 1.030303.
 */
CREATE TABLE news (item_id int, weight float8, minutes int);
INSERT INTO news VALUES (1, 8, 0), (1, 1, 10), (2, 8, 0), (2, .5, 10), (3, 1, 20);
SELECT reco_create_model('news', format($$SELECT 7 AS user_id, item_id, weight, timestamptz %L - minutes * interval '1 minute' AS occurred_at FROM news$$, date_trunc('second', now())));
SELECT reco_configure('news', weighting => 'linear', popular_half_life => '10 minutes', trend_half_life => '1 minute');
SELECT pg_temp.refresh('news');
SELECT pg_temp.is_near(a.popularity / b.popularity, 8.5 / 8.25, 'popularity of half-lives of minutes, one item to another', 1e-3)
FROM news.popular a, news.popular b WHERE a.item_id = 1 AND b.item_id = 2;
SELECT pg_temp.is_near(popularity, 8.5 / (1 / 144.0 / ln(2::float8)), 'popularity of half-lives of minutes', 1e-3) FROM news.popular WHERE item_id = 1;

/*
 * Generated: 200 users, 60 items, 400 days, weights of 1/4 to 4 and some dislikes; the family by its formula in plain SQL,
 * decay counted from the newest event.
 */
CREATE TABLE generated AS
  SELECT user_id, item_id, CASE WHEN h & 63 = 5 THEN -1 ELSE ((h >> 6 & 15) + 1) / 4.0::float8 END AS weight,
         date_trunc('second', now()) - (h >> 10 & 1023) * interval '9 hours' - interval '1 hour' - n * interval '77 minutes' AS occurred_at
  FROM (SELECT user_id, item_id, n, hashint8(user_id * 104729 + item_id * 7919 + n * 31) AS h, hashint8(user_id * 7919 + item_id * 104729) & 1023 AS lot
        FROM generate_series(1, 200) user_id, generate_series(1, 60) item_id, generate_series(0, 1) n) g
  WHERE lot < 700 / (item_id + 1) + 12 * (user_id % 5) + CASE WHEN user_id % 6 = item_id % 6 THEN 200 ELSE 0 END AND (n = 0 OR h & 3 = 0);
SELECT cmp_ok((SELECT count(*) FROM generated), '>', 1500::bigint, 'events were generated');
SELECT reco_create_model('shop', 'SELECT user_id, item_id, weight, occurred_at FROM generated');

CREATE FUNCTION pg_temp.family(b float8, p float8, q float8, form text, seconds float8, shrink float8) RETURNS TABLE (item_id int, similar_item_id int, want float8, support bigint)
LANGUAGE sql AS $$
  WITH cell AS (
    SELECT user_id, item_id, sum(weight * CASE WHEN seconds > 0 THEN 2 ^ -(extract(epoch FROM m.last_event_at - occurred_at)::float8 / seconds) ELSE 1 END) AS r
    FROM generated, shop.model m GROUP BY 1, 2
  ), formed AS (
    SELECT user_id, item_id, CASE form WHEN 'binary' THEN 1 WHEN 'log' THEN ln(1 + r) ELSE r END AS f, count(*) OVER (PARTITION BY user_id)::float8 AS h
    FROM cell WHERE r > 0
  ), item AS (
    SELECT item_id, sum(f * f) AS n FROM formed GROUP BY 1
  )
  SELECT x.item_id, y.item_id, sum(x.h ^ -b * x.f * y.f) / (min(i.n) ^ p * min(j.n) ^ q) * count(*) / (count(*) + shrink), count(*)
  FROM formed x JOIN formed y USING (user_id) JOIN item i ON i.item_id = x.item_id JOIN item j ON j.item_id = y.item_id
  WHERE x.item_id <> y.item_id GROUP BY 1, 2
$$;
CREATE FUNCTION pg_temp.like_family(b float8, p float8, q float8, form text, seconds float8, shrink float8, at_least int, what text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM reco_refresh('shop');
  RETURN NEXT cmp_ok((SELECT count(*) FROM shop.similar), '>', 500::bigint, what || ': many pairs');
  RETURN NEXT is_empty(format('SELECT * FROM shop.similar s FULL JOIN (SELECT * FROM pg_temp.family(%s, %s, %s, %L, %s, %s) WHERE support >= %s) f USING (item_id, similar_item_id)
    WHERE pg_temp.near(s.similarity, f.want, 1e-5) IS NOT TRUE OR s.support IS DISTINCT FROM f.support::int', b, p, q, form, seconds, shrink, at_least), what || ': every similarity and support');
  RETURN NEXT is_empty('SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY item_id ORDER BY rank) AS place, lag(similarity) OVER (PARTITION BY item_id ORDER BY rank) AS before FROM shop.similar) r
    WHERE place <> rank OR before < similarity', what || ': ranks');
END $$;
SELECT reco_configure('shop', similarity => 'cooccurrence', weighting => 'log', keep => 'target');
SELECT pg_temp.like_family(.5, .65, .2, 'log', 0, 0, 2, 'generated, cooccurrence');
SELECT reco_configure('shop', half_life => '60 days');
SELECT pg_temp.like_family(.5, .65, .2, 'log', 60 * 86400, 0, 2, 'generated, half_life 60 days');
SELECT reco_configure('shop', half_life => '1 year 5 days 3:00', weighting => 'linear', similarity => 'asymmetric', shrinkage => 5, min_support => 3, keep => 'source');
SELECT pg_temp.like_family(0, .75, .25, 'linear', (365 * 24 + 3) * 3600, 5, 3, 'generated, asymmetric, linear, shrunk, by source');
SELECT reco_configure('shop', half_life => '0', weighting => 'binary', similarity => 'cooccurrence', shrinkage => 0, min_support => 1, user_exponent => .7, source_exponent => .4, target_exponent => .9);
SELECT pg_temp.like_family(.7, .4, .9, 'binary', 0, 0, 1, 'generated, exponents of one''s own');

-- Cut by source: the best k of each item are those of the whole, in the same order.
CREATE TEMP TABLE uncut AS SELECT * FROM shop.similar;
SELECT reco_configure('shop', keep => 'source', neighbors => 7);
SELECT pg_temp.refresh('shop');
SELECT set_eq('SELECT * FROM shop.similar', 'SELECT * FROM uncut WHERE rank <= 7', 'seven by source are the first seven');
SELECT reco_configure('shop', neighbors => 100, keep => 'target');

-- The match curve, with min_match 0 so that every match shows.
SELECT reco_configure('shop', similarity => 'cosine', user_exponent => 0, source_exponent => .5, target_exponent => .5, weighting => 'log', min_support => 2, min_match => 0);
SELECT cmp_ok((SELECT curve_pairs FROM reco_refresh('shop')), '>=', 40::bigint, 'enough held-out choices for a curve');
CREATE TEMP TABLE knot AS
  SELECT n, score, chance FROM shop.model, unnest(curve_score, curve_match) WITH ORDINALITY k(score, chance, n);
SELECT is((SELECT cardinality(curve_score) FROM shop.model), (SELECT cardinality(curve_match) FROM shop.model), 'a chance for each knot');
SELECT cmp_ok((SELECT count(*) FROM knot), '>=', 2::bigint, 'two knots at least');
SELECT cmp_ok((SELECT count(*) FROM knot), '<=', 64::bigint, '64 knots at most');
SELECT is_empty('SELECT * FROM knot a JOIN knot b ON b.n = a.n + 1 WHERE NOT (b.score > a.score AND b.chance > a.chance)', 'knots rise, in score and in chance');
SELECT is_empty('SELECT * FROM knot WHERE NOT (score > 0 AND chance > 0 AND chance < 1)', 'chances lie between 0 and 1: no sample claims certainty');

CREATE FUNCTION pg_temp.curve_at(at float8) RETURNS float8 LANGUAGE sql AS $$
  SELECT CASE
    WHEN at <= (SELECT min(score) FROM knot) THEN
      (SELECT greatest(a.chance + (b.chance - a.chance) * (at - a.score) / (b.score - a.score), 0) FROM knot a JOIN knot b ON a.n = 1 AND b.n = 2)
    WHEN at >= (SELECT max(score) FROM knot) THEN (SELECT max(chance) FROM knot)
    ELSE (SELECT a.chance + (b.chance - a.chance) * (at - a.score) / (b.score - a.score) FROM knot a JOIN knot b ON b.n = a.n + 1 WHERE at >= a.score AND at < b.score)
  END
$$;
CREATE TEMP TABLE asked AS
  SELECT u AS user_id, i AS item_id, shop.score(u, i) AS score, level.n ^ -.2 * shop.score(u, i) AS level_score, shop.match(u, i) AS match
  FROM generate_series(1, 200, 7) u, generate_series(1, 60) i,
    /* the effective number of items: (sum of |w|)^2 / sum of w^2 */
    LATERAL (SELECT sum(w) ^ 2 / sum(w ^ 2) AS n FROM (SELECT ln(1 + abs(sum(weight))) AS w FROM generated WHERE user_id = u GROUP BY item_id) h) level;
SELECT cmp_ok((SELECT count(*) FROM asked WHERE score > 0), '>', 500::bigint, 'many scores above 0');
SELECT cmp_ok((SELECT count(*) FROM asked WHERE score <= 0), '>', 0::bigint, 'and some not');
SELECT is_empty('SELECT * FROM asked WHERE (match IS NULL) <> (score <= 0)', 'a match where there is evidence, NULL where there is none');
/* Rounded to .1, so within half of that. */
SELECT is_empty('SELECT *, pg_temp.curve_at(level_score) FROM asked WHERE score > 0 AND NOT abs(match - 100 * pg_temp.curve_at(level_score)) <= .05 + 1e-9', 'the match is the curve at the score, brought to the level of all users');
SELECT is_empty('SELECT * FROM asked WHERE score > 0 AND abs(match * 10 - round(match * 10)) > 1e-9', 'in steps of .1');
SELECT is_empty('SELECT * FROM (SELECT *, lag(match) OVER (PARTITION BY user_id ORDER BY score) AS before FROM asked WHERE score > 0) m WHERE before > match', 'a higher score of a user never matches less');
SELECT cmp_ok((SELECT count(DISTINCT match) FROM asked), '>', 5::bigint, 'matches differ');

-- min_match counts at once.
SELECT reco_configure('shop', min_match => 60);
SELECT is_empty('SELECT *, shop.match(user_id, item_id) FROM asked WHERE shop.match(user_id, item_id) IS DISTINCT FROM CASE WHEN match >= 60 THEN match END', 'below min_match there is no number, above it the same');
SELECT cmp_ok((SELECT count(*) FROM asked WHERE match < 60), '>', 0::bigint, 'some matched less');

-- Chosen items score higher than others: more often than not, what users came to like matches better than what they never touched.
SELECT cmp_ok((SELECT max(chance) FROM knot), '>', .5::float8, 'the best scores are better than chance');

-- Rows in another order: the same is learned, byte for byte, and the same curve.
SELECT reco_create_model('shuffled', 'SELECT user_id, item_id, weight, occurred_at FROM generated ORDER BY weight, item_id DESC, user_id % 17');
SELECT reco_configure('shuffled', keep => 'target', similarity => 'cosine', user_exponent => 0, source_exponent => .5, target_exponent => .5, weighting => 'log', min_support => 2);
SELECT pg_temp.refresh('shuffled');
SELECT set_eq('SELECT item_id, item_no, events, users, first_at, last_at, neighbors FROM shuffled.learned_item',
              'SELECT item_id, item_no, events, users, first_at, last_at, neighbors FROM shop.learned_item', 'rows in another order: the same items and neighbours');
SELECT is((SELECT (curve_score, curve_match)::text FROM shuffled.model), (SELECT (curve_score, curve_match)::text FROM shop.model), 'and the same curve');
/* A cosine is the same both ways. */
SELECT is_empty('SELECT * FROM shop.similar a FULL JOIN shop.similar b ON (b.item_id, b.similar_item_id) = (a.similar_item_id, a.item_id) WHERE a.similarity IS DISTINCT FROM b.similarity',
                'cosine is symmetric');

-- Items that are gone, and items that come: the others keep their numbers.
CREATE TEMP TABLE numbered AS SELECT item_id, item_no FROM five.learned_item;
DELETE FROM five WHERE item_id = 2;
INSERT INTO five VALUES (1, 0, 1), (2, 0, 1), (3, 0, 1), (4, 0, 1), (5, 0, 1);
SELECT pg_temp.refresh('five');
SELECT set_eq('SELECT item_id FROM five.learned_item', ARRAY[0, 1, 3, 4, 5], 'what is gone is forgotten, what is new is learned');
SELECT is_empty('SELECT * FROM numbered JOIN five.learned_item l USING (item_id) WHERE l.item_no <> numbered.item_no', 'the others keep their numbers');

-- One item that everybody has, most of whom have nothing else, costs the sums of others no digit: twenty users of a
-- thousand items each count for a millionth in every pair, c = 20 * 1000^-2 = 2e-5, n = 20, and c / n^.65 / n^.2.
CREATE TABLE everybody AS
  SELECT u, 0 AS i FROM generate_series(1, 50000) u UNION ALL SELECT u, i FROM generate_series(1, 20) u, generate_series(1, 999) i;
SELECT reco_create_model('everybody', 'SELECT u AS user_id, i AS item_id FROM everybody');
SELECT reco_configure('everybody', similarity => 'cooccurrence', weighting => 'binary', user_exponent => 2, neighbors => 2, keep => 'source');
SELECT pg_temp.refresh('everybody');
SELECT pg_temp.is_near(min(similarity), 2e-5 / power(20, 0.85), 'an item that everybody has: the least of the others')
FROM everybody.similar WHERE item_id > 0;
SELECT pg_temp.is_near(max(similarity), 2e-5 / power(20, 0.85), 'an item that everybody has: the greatest')
FROM everybody.similar WHERE item_id > 0 AND similar_item_id > 0;
SELECT is(count(*), 1998::bigint, 'two neighbours each') FROM everybody.similar WHERE item_id > 0;

-- What auto goes by where hardly anybody can be held out is written down.
CREATE TABLE pair AS SELECT u, i FROM generate_series(1, 9) u, generate_series(1, 3) i;
SELECT reco_create_model('pair', 'SELECT u AS user_id, i AS item_id FROM pair');
SELECT pg_temp.refresh('pair');
SELECT results_eq('SELECT picked_similarity, picked_keep, picked_shrinkage, picked_recency FROM pair.model', $$VALUES ('cooccurrence', 'target', 5::float8, 1::float8)$$, 'counts with a shrinkage of 5');

-- Ids are told apart by their bytes: a collation that finds different ones equal, for which a server needs ICU, is refused, wherever.
CREATE FUNCTION pg_temp.refuses(name text, query text, items text, users text, place text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
  BEGIN
    CREATE COLLATION pg_temp.no_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
  EXCEPTION WHEN duplicate_object THEN -- made before
  END;
  RETURN NEXT throws_ok(format('SELECT reco_create_model(%L, %L, %L, %L)', name, query, items, users), '42804',
    format('column "%s" of "%s.%s" has the collation "no_case", by which different ids can be equal', split_part(place, '.', 2), name, split_part(place, '.', 1)), place);
EXCEPTION WHEN feature_not_supported THEN
  RETURN NEXT skip('no ICU', 1);
END $$;
SELECT pg_temp.refuses('folded', 'SELECT text ''u'' COLLATE pg_temp.no_case AS user_id, 1 AS item_id', NULL, NULL, 'events.user_id');
SELECT pg_temp.refuses('folded', 'SELECT 1 AS user_id, text ''i'' COLLATE pg_temp.no_case AS item_id', NULL, NULL, 'events.item_id');
SELECT pg_temp.refuses('folded', 'SELECT 1 AS user_id, text ''i'' AS item_id', 'SELECT text ''i'' COLLATE pg_temp.no_case AS item_id', NULL, 'items.item_id');
SELECT pg_temp.refuses('folded', 'SELECT text ''u'' AS user_id, 1 AS item_id', NULL, 'SELECT text ''u'' COLLATE pg_temp.no_case AS user_id', 'users.user_id');

-- What says how new an item is must have an order, or lists would fail once they come to what is new.
SELECT throws_ok(format('SELECT reco_create_model(''released'', ''SELECT 1 AS user_id, 2 AS item_id'', %L)', format('SELECT 2 AS item_id, NULL::%s AS released_at', type)),
  '42804', format('column "released_at" of "released.items" has type %s', type), type || ' has none')
FROM unnest('{json,point,point[]}'::text[]) type;
SELECT lives_ok(format('SELECT reco_create_model(%L, ''SELECT 1 AS user_id, 2 AS item_id'', %L)', 'released ' || type, format('SELECT 2 AS item_id, NULL::%s AS released_at', type)), type || ' has one')
FROM unnest('{date,timestamptz,int,text,int[]}'::text[]) type;

SELECT * FROM finish();
ROLLBACK;
