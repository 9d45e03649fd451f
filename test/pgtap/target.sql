-- A target among several signals: what leads to it, by hand and by plain SQL; what each signal is worth beside it; that lists
-- are better where views foresee purchases, and no worse where they are noise.

SELECT no_plan();
SET client_min_messages = warning;
SET timezone = 'UTC';

CREATE FUNCTION pg_temp.refresh(model text) RETURNS text LANGUAGE sql AS 'SELECT learned_with FROM reco_refresh(model)';
CREATE FUNCTION pg_temp.is_near(have float8, want float8, name text, tolerance float8 DEFAULT 1e-6) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE fine boolean := coalesce(abs(have - want) <= tolerance * greatest(abs(want), 1e-12), false);
BEGIN
  RETURN ok(fine, name) || CASE WHEN fine THEN '' ELSE E'\n' || diag(format('have %s, want %s', have, want)) END;
END $$;

/*
 * By hand: a view weighs .5, a purchase 2, a cancellation -2; no exponents, weights as they are.  s(i -> j) is the sum over
 * users of what i weighs by any signal times what j weighs as a purchase.
 *
 *   1   views a, views b, buys c          a c .5 * 2   b c .5 * 2
 *   2   views a twice, buys b             a b 1 * 2
 *   3   buys a, buys c                    a c 2 * 2    c a 2 * 2
 *   4   views b, buys c, cancels it       nothing: c was taken back
 */
CREATE TABLE walk (u int, i text, s text, w float8);
INSERT INTO walk VALUES (1, 'a', 'view', .5), (1, 'b', 'view', .5), (1, 'c', 'buy', 2), (2, 'a', 'view', .5), (2, 'a', 'view', .5),
  (2, 'b', 'buy', 2), (3, 'a', 'buy', 2), (3, 'c', 'buy', 2), (4, 'b', 'view', .5), (4, 'c', 'buy', 2), (4, 'c', 'cancel', -2);
SELECT reco_create_model('walk', 'SELECT u AS user_id, i AS item_id, s AS signal, w AS weight FROM public.walk');
SELECT reco_configure('walk', target_signal => 'buy', similarity => 'cooccurrence', user_exponent => 0, source_exponent => 0,
  target_exponent => 0, min_support => 1, keep => 'source', weighting => 'linear');
SELECT is(pg_temp.refresh('walk'), $$target_signal => 'buy', similarity => 'cooccurrence', user_exponent => 0, source_exponent => 0, target_exponent => 0, keep => 'source'; 'view' 1$$, 'thin data: signals weigh what their events do');
SELECT results_eq('SELECT item_id, similar_item_id, similarity, support FROM walk.similar ORDER BY 1, 2',
  $$VALUES ('a', 'b', 2::float8, 1), ('a', 'c', 5, 2), ('b', 'c', 1, 1), ('c', 'a', 4, 1)$$, 'what leads to purchases, by hand');
SELECT is((SELECT array_agg(item_id || ' ' || similarity) FROM reco_similar_items('a'::text, 10, 'walk')), '{c 5,b 2}', 'similar items, too');
SELECT pg_temp.is_near(walk.score(4, 'a'), NULL, 'what was taken back speaks for nothing') WHERE walk.score(4, 'a') <> 0;
SELECT pg_temp.is_near(walk.score(4, 'c'), .5 * 1 / sqrt(.5 ^ 2), 'a view alone speaks, by hand');
SELECT pg_temp.is_near(walk.score(3, 'b'), 2 * 2 / sqrt(2 ^ 2 + 2 ^ 2), 'a purchase speaks, by hand');
/* What a signal is worth beside the target multiplies it, and what is taken back is taken from the target first. */
UPDATE walk.model SET picked_weights = '{1, .25, 1}';
INSERT INTO walk VALUES (5, 'a', 'view', .5), (5, 'a', 'buy', 2), (6, 'b', 'view', .5), (6, 'c', 'buy', 2), (6, 'c', 'cancel', -2), (6, 'c', 'view', .5),
  (7, 'a', 'buy', 2), (7, 'a', 'view', 1), (7, 'a', 'cancel', -2.5), (8, 'a', 'view', 1), (8, 'a', 'cancel', -1.5), (8, 'b', 'view', 1);
SELECT pg_temp.is_near((SELECT weight FROM walk.why(5, 'c')), 2 + .25 * .5, 'a purchase and a quarter of a view');
SELECT pg_temp.is_near(walk.score(6, 'a'), .125 * 4 / sqrt(.125 ^ 2 * 2), 'of an order that was cancelled the view is left');
SELECT pg_temp.is_near((SELECT weight FROM walk.why(7, 'c')), .25 * .5, 'what is left of the view once more was taken back than bought');
SELECT is((SELECT weight FROM walk.why(8, 'c') WHERE because = 'a'), -.5::float8, 'what is wanting is disliked, whatever views are worth');
SELECT pg_temp.is_near(walk.score(8, 'c'), (-.5 * 5 + .25 * 1) / sqrt(.5 ^ 2 + .25 ^ 2), 'and lowers the score');
SELECT ok(code = 'disliked', 'a dislike stays out of lists') FROM walk.why_not(8, 'a') WHERE code = 'disliked';
/* A signal that is worth nothing says nothing, and keeps its item out all the same. */
UPDATE walk.model SET picked_weights = '{1, 0, 1}';
SELECT is(walk.score(1, 'a'), 4 * 2 / 2::float8, 'views of no worth change no score');
SELECT is((SELECT string_agg(item_id, ' ') FROM walk.top_n(1, 10, fallback => false)), NULL, 'but what was viewed was seen');
SELECT is((SELECT string_agg(item_id, ' ') FROM walk.top_n(1, 10, fallback => false, seen => true)), 'a', 'unless it is let in');
UPDATE walk.model SET picked_weights = '{2, 0, 1}';
SELECT throws_ok($$SELECT walk.score(1, 'a')$$, 'XX001', 'the weights of signals of the model are damaged', 'weights that no refresh writes');
UPDATE walk.model SET picked_weights = '{1, NaN, 1}';
SELECT throws_ok($$SELECT walk.score(1, 'a')$$, 'XX001', 'the weights of signals of the model are damaged', 'NaN among them');
UPDATE walk.model SET picked_weights = '{1}';
SELECT throws_ok($$SELECT walk.score(1, 'a')$$, 'XX001', 'the weights of signals of the model are damaged', 'too few of them');
DELETE FROM walk WHERE u > 4;
/* No target any more: all signals alike again, as before there was one. */
SELECT reco_configure('walk', target_signal => '');
SELECT is(pg_temp.refresh('walk'), $$similarity => 'cooccurrence', user_exponent => 0, source_exponent => 0, target_exponent => 0, keep => 'source'$$, 'without a target nothing is said of signals');
SELECT is((SELECT picked_signals FROM walk.model), NULL, 'nor kept');
SELECT results_eq('SELECT item_id, similar_item_id, similarity FROM walk.similar ORDER BY 1, 2', $$VALUES ('a', 'b', 2.25::float8), ('a', 'c', 5), ('b', 'a', 2.25), ('b', 'c', 1), ('c', 'a', 5), ('c', 'b', 1)$$, 'pairs of all signals');
/* The measures over counts of users: both have 2 of a and c, 3 have a, 3 bought c of 4. */
INSERT INTO walk VALUES (4, 'c', 'buy', 2);
SELECT reco_configure('walk', target_signal => 'buy');
CREATE FUNCTION pg_temp.of(kind text) RETURNS float8 LANGUAGE plpgsql AS $$
BEGIN
  PERFORM reco_configure('walk', similarity => kind);
  PERFORM reco_refresh('walk');
  RETURN (SELECT similarity FROM walk.similar WHERE (item_id, similar_item_id) = ('a', 'c'));
END $$;
SELECT pg_temp.is_near(pg_temp.of('jaccard'), 2 / 4.0, 'jaccard of users with a and buyers of c');
SELECT pg_temp.is_near(pg_temp.of('lift'), 2 * 4 / 9.0, 'lift');
INSERT INTO walk VALUES (9, 'z', 'view', .5), (10, 'z', 'view', .5);
SELECT pg_temp.is_near(pg_temp.of('llr'), reco_llr(2, 3, 3, 6), 'the log-likelihood ratio');

/*
 * Against plain SQL: five signals, two of which are taken back, half-lives, repeats, the weights that the refresh picked.
 */
CREATE TABLE many (u int, i int, s text, at timestamptz, w real);
INSERT INTO many
SELECT u, CASE WHEN s = 'view' THEN 1 + (hashint8extended(u * 1000 + n, 5) & 1073741823) % 60 ELSE 1 + u % 6 + 6 * ((u / 6 + n * n + n * (u / 60)) % 10) END, s,
       '2026-01-01'::timestamptz + ((u * 37 + n * 101) % 2400) * interval '1 hour' + u * interval '1 second', w
FROM (SELECT u, n, (ARRAY['buy', 'view', 'view', 'cart', NULL, 'rate', 'shown'])[1 + k] AS s,
        CASE k WHEN 0 THEN 3 WHEN 1 THEN .5 WHEN 2 THEN .5 WHEN 3 THEN 1 WHEN 4 THEN .7 WHEN 5 THEN ((u + n) % 4) - 1.5 ELSE 0 END AS w
      FROM generate_series(1, 600) u, generate_series(1, 24) n, LATERAL (SELECT (u * 3 + n * 5 + n * n) % 7 AS k) k) e;
INSERT INTO many SELECT u, i, 'cancel', at + interval '3 hours', -w FROM many WHERE s = 'buy' AND (u + i) % 9 = 0;
SELECT reco_create_model('many', 'SELECT u AS user_id, i AS item_id, s AS signal, at AS occurred_at, w AS weight FROM public.many');
SELECT reco_configure('many', target_signal => 'buy', similarity => 'cooccurrence', keep => 'source', neighbors => 1000, half_life => '40 days');
SELECT diag(pg_temp.refresh('many'));
SELECT is((SELECT picked_signals FROM many.model), '{buy,view,cart,rate,*}', 'the target, then those with the most events that say something, then the rest');
/* With the weights that were picked, some of which are not 1. */
CREATE TEMP TABLE weighs AS SELECT s, w, n FROM many.model, unnest(picked_signals, picked_weights) WITH ORDINALITY v(s, w, n);
SELECT ok(count(*) > 0, 'some weigh other than their events') FROM weighs WHERE w <> 1;
CREATE TEMP TABLE event AS
  SELECT u, i, coalesce((SELECT n FROM weighs WHERE weighs.s = m.s AND n < 5), 5) AS part, w * exp(-ln(2) * extract(epoch FROM date_trunc('second', max(at) OVER ()) - date_trunc('second', at)) / (40 * 86400)) AS w, at
  FROM many m;
CREATE TEMP TABLE part AS
  SELECT u, i, part, greatest(0, target + taken) AS target, least(0, target + taken) AS wanting, others, p FROM (
    SELECT u, i, part, coalesce(sum(w) FILTER (WHERE w > 0), 0) AS p,
      coalesce(sum(sum(w) FILTER (WHERE w > 0 AND part = 1)) OVER c, 0) AS target, coalesce(sum(sum(w) FILTER (WHERE w < 0)) OVER c, 0) AS taken,
      coalesce(sum(sum(w) FILTER (WHERE w > 0 AND part > 1)) OVER c, 0) AS others
    FROM event GROUP BY u, i, part WINDOW c AS (PARTITION BY u, i)) x;
CREATE TEMP VIEW weighed AS
  SELECT u, i, max(ln(1 + target)) AS b,
    ln(1 + greatest(0, max(target) + sum(CASE WHEN part > 1 AND others + wanting > 0 THEN weighs.w * p * (others + wanting) / others ELSE 0 END))) AS a,
    max(target) + max(others) + max(wanting) AS r
  FROM part JOIN weighs ON n = part GROUP BY u, i;
CREATE TEMP TABLE cell AS TABLE weighed;
CREATE TEMP TABLE had AS SELECT *, count(*) OVER (PARTITION BY u) AS h FROM cell WHERE a > 0;
CREATE INDEX ON had (u); ANALYZE had;
CREATE TEMP TABLE want AS
  SELECT x.i, y.i AS j, sum(x.a * y.b / sqrt(x.h)) / (max(n.a) ^ .65 * max(m.b) ^ .2) AS s, count(*) AS support
  FROM had x JOIN had y ON y.u = x.u AND y.i <> x.i AND y.b > 0
    JOIN (SELECT i, sum(a * a) AS a FROM had GROUP BY i) n ON n.i = x.i JOIN (SELECT i, sum(b * b) AS b FROM had GROUP BY i) m ON m.i = y.i
  GROUP BY x.i, y.i HAVING count(*) >= 2;
SELECT ok(count(*) > 500, count(*) || ' pairs') FROM want;
SELECT is_empty('SELECT * FROM want w FULL JOIN many.similar s ON (s.item_id, s.similar_item_id) = (w.i, w.j)
  WHERE (abs(s.similarity - w.s) < 1e-4 * w.s AND s.support = w.support) IS NOT TRUE', 'what leads to purchases, by plain SQL');
/* Scores: the history as it weighs, dislikes with their own weight; by weights that are all different, which count at once. */
UPDATE many.model SET picked_weights = '{1, .25, 4, .5, 2}';
UPDATE weighs SET w = ('{1, .25, 4, .5, 2}'::float8[])[n];
CREATE TEMP TABLE listed AS SELECT u.u, t.* FROM (SELECT DISTINCT u FROM many) u, LATERAL many.top_n(u.u, 60, fallback => false, seen => true) t;
CREATE TEMP TABLE own AS SELECT u, i, CASE WHEN r < 0 THEN -ln(1 - r) ELSE a END AS w FROM weighed WHERE r < -1e-9 OR a > 0;
CREATE TEMP TABLE scored AS
  SELECT o.u, j, sum(o.w * s) / max(norm) AS score FROM own o JOIN want ON want.i = o.i
    JOIN (SELECT u, sqrt(sum(w * w)) AS norm FROM own GROUP BY u) n ON n.u = o.u GROUP BY o.u, j;
SELECT ok(count(*) > 10000, count(*) || ' scores') FROM listed;
SELECT is_empty('SELECT * FROM listed l JOIN scored s ON (s.u, s.j) = (l.u, l.item_id) WHERE (abs(l.score - s.score) < 1e-4 * abs(s.score) + 1e-7) IS NOT TRUE', 'scores by plain SQL');
SELECT is_empty('SELECT u, item_id FROM listed EXCEPT SELECT u, j FROM scored', 'of no other item');
SELECT is_empty($$SELECT * FROM generate_series(1, 600, 31) u, generate_series(1, 60) i
  WHERE float8send(many.score(u, i)) IS DISTINCT FROM float8send(coalesce((SELECT sum(share) FROM many.why(u, i)), 0))$$, 'shares sum to scores, bit by bit');
SELECT is_empty('(SELECT u::int, item_id, score, match, because, source FROM listed EXCEPT SELECT user_id, item_id, score, match, because, source FROM many.top_n_all(60, fallback => false, seen => true))',
  'everybody''s lists are the same');
/* In any order of rows it is the same. */
CREATE TEMP TABLE before AS SELECT * FROM many.similar;
CREATE TABLE shuffled AS SELECT * FROM many ORDER BY hashint8(u * 1000 + i);
CREATE OR REPLACE VIEW many.events WITH (security_invoker = true) AS SELECT u AS user_id, i AS item_id, s AS signal, at AS occurred_at, w AS weight FROM public.shuffled;
SELECT diag(pg_temp.refresh('many'));
SELECT is_empty('(TABLE before EXCEPT TABLE many.similar) UNION ALL (TABLE many.similar EXCEPT TABLE before)', 'the order of rows changes nothing');

/*
 * Ridge: for a target all of whose candidates are few, the weights solve (G + lambda mean(diag G)) w = A'D B_j; by plain
 * SQL of one system of two candidates.  Users 1 to 30 have a and buy c, 21 to 40 have b and buy c, 41 to 60 have a and b.
 */
CREATE TABLE small (u int, i text, s text);
INSERT INTO small SELECT u, 'a', 'view' FROM generate_series(1, 30) u UNION ALL SELECT u, 'b', 'view' FROM generate_series(21, 40) u
  UNION ALL SELECT u, 'c', 'buy' FROM generate_series(1, 40) u UNION ALL SELECT u, x, 'view' FROM generate_series(41, 60) u, unnest('{a,b}'::text[]) x;
SELECT reco_create_model('small', 'SELECT u AS user_id, i AS item_id, s AS signal FROM public.small');
SELECT reco_configure('small', target_signal => 'buy', similarity => 'ridge', user_exponent => 0, lambda => 1, weighting => 'binary', content => 0);
SELECT diag(pg_temp.refresh('small'));
/* G: aa 50, bb 40, ab 30 (21 to 30, 41 to 60), cc 40; right side a 30, b 20; ridge (50 + 40 + 40) / 3. */
SELECT pg_temp.is_near((SELECT similarity FROM small.similar WHERE (item_id, similar_item_id) = ('a', 'c')),
  (30 * (40 + 130 / 3.0) - 20 * 30) / ((50 + 130 / 3.0) * (40 + 130 / 3.0) - 30 * 30), 'ridge, one weight by hand', 1e-5);
SELECT pg_temp.is_near((SELECT similarity FROM small.similar WHERE (item_id, similar_item_id) = ('b', 'c')),
  (20 * (50 + 130 / 3.0) - 30 * 30) / ((50 + 130 / 3.0) * (40 + 130 / 3.0) - 30 * 30), 'and the other', 1e-5);
SELECT is((SELECT string_agg(DISTINCT similar_item_id, ' ') FROM small.similar), 'c', 'nothing leads to what nobody buys');

/*
 * Planted: 1500 people look at a thing a day and buy at the end of a week, one week for one taste of 25, the next for another.  Four of
 * five things looked at are of that taste, and so is the one bought, of eight of the taste that are bought at all: what was looked
 * at foresees what is bought, what was bought does not.  In the other model people have one taste and buy four times, and what
 * they look at is drawn from all.
 */
CREATE FUNCTION pg_temp.lot(a bigint, b bigint, c bigint, of int) RETURNS int LANGUAGE sql IMMUTABLE AS
  'SELECT ((hashint8extended(a * 1000003 + b * 7919 + c, 7) & 1073741823) % of)::int';
CREATE FUNCTION pg_temp.at(u int, days float8) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS
  $$SELECT '2026-01-01'::timestamptz + u % 300 * interval '1 hour' + days * interval '1 day' + u * interval '1 second'$$;
CREATE TABLE looks (kind text, u int, i int, s text, at timestamptz);
INSERT INTO looks
SELECT 'foresee', u, CASE WHEN n % 5 <> 0 THEN pg_temp.lot(u, (n - 1) / 7, 0, 25) + 25 * pg_temp.lot(u, n, 1, 16) ELSE pg_temp.lot(u, n, 2, 400) END, 'view', pg_temp.at(u, n)
FROM generate_series(1, 1500) u, generate_series(1, 14) n;
INSERT INTO looks
SELECT 'foresee', u, 400 + pg_temp.lot(u, n, 0, 25) + 25 * pg_temp.lot(u, n, 3, 8), 'buy', pg_temp.at(u, 7 * n + 7.5) FROM generate_series(1, 1500) u, generate_series(0, 1) n;
INSERT INTO looks SELECT 'noise', u, pg_temp.lot(u, n, 2, 400), 'view', pg_temp.at(u, n) FROM generate_series(1, 1500) u, generate_series(1, 14) n;
INSERT INTO looks
SELECT 'noise', u, 400 + u % 25 + 25 * pg_temp.lot(u, n, 3, 8), 'buy', pg_temp.at(u, 3.5 * n + .5) FROM generate_series(1, 1500) u, generate_series(1, 4) n;
CREATE VIEW early AS SELECT * FROM looks WHERE at < '2026-01-17';
CREATE TEMP TABLE late AS SELECT DISTINCT kind, u AS user_id, i AS item_id FROM looks l WHERE s = 'buy' AND at >= '2026-01-17'
  AND NOT EXISTS (SELECT FROM early e WHERE (e.kind, e.u, e.i) = (l.kind, l.u, l.i)) AND EXISTS (SELECT FROM early e WHERE (e.kind, e.u, e.s) = (l.kind, l.u, 'buy'));
CREATE TEMP TABLE learned (name text, said text);
CREATE FUNCTION pg_temp.ndcg(things text, which text, target text) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE answer float8; name text := things || '_' || coalesce(target, 'all') || length(which);
BEGIN
  PERFORM reco_create_model(name, format('SELECT u AS user_id, i AS item_id, s AS signal, at AS occurred_at FROM public.early WHERE kind = %L AND %s', things, which));
  IF target IS NOT NULL THEN PERFORM reco_configure(name, target_signal => target); END IF;
  INSERT INTO learned SELECT name, pg_temp.refresh(name);
  EXECUTE format('SELECT avg(n) FROM (SELECT reco_ndcg(l.rank, true, 20) AS n FROM late t LEFT JOIN (SELECT * FROM %I.top_n_all(20)) l USING (user_id, item_id) WHERE t.kind = %L GROUP BY user_id) x', name, things) INTO answer;
  RETURN answer;
END $$;
CREATE TEMP TABLE got AS SELECT kind, pg_temp.ndcg(kind, 'true', 'buy') AS target, pg_temp.ndcg(kind, 'true', NULL) AS blind, pg_temp.ndcg(kind, $$s = 'buy'$$, NULL) AS alone
  FROM unnest('{foresee,noise}'::text[]) kind;
SELECT diag(format('%s: NDCG %s for the target, %s of all signals alike, %s of purchases alone', kind, round(target::numeric, 4), round(blind::numeric, 4), round(alone::numeric, 4))) FROM got;
SELECT diag(name || ': ' || said) FROM learned;
SELECT cmp_ok(target, '>', 1.3 * greatest(blind, alone), 'where views foresee purchases, lists are better for it') FROM got WHERE kind = 'foresee';
SELECT cmp_ok(target, '>', .97 * alone, 'where they are noise, lists are as good as of purchases alone') FROM got WHERE kind = 'noise';
SELECT cmp_ok((SELECT w FROM noise_buy4.model, unnest(picked_signals, picked_weights) v(s, w) WHERE s = 'view'), '<=', .0625::float8, 'and views weigh next to nothing');
SELECT cmp_ok((SELECT w FROM foresee_buy4.model, unnest(picked_signals, picked_weights) v(s, w) WHERE s = 'view'), '>=', .25::float8, 'where they foresee, they count');
SELECT alike((SELECT said FROM learned WHERE name = 'noise_buy4'), $$target_signal => 'buy', %; 'view' 0$$, 'the report says what was picked');
SELECT is_empty($$SELECT * FROM foresee_buy4.similar s WHERE similar_item_id < 400$$, 'nothing leads to what nobody buys');

/* What is measured is what is served: the same lists from a model of the past and from reco_evaluate of all. */
CREATE TEMP TABLE line AS SELECT percentile_disc(.8) WITHIN GROUP (ORDER BY at) AS at FROM looks WHERE kind = 'foresee';
SELECT reco_create_model('all_time', $$SELECT u AS user_id, i AS item_id, s AS signal, at AS occurred_at FROM public.looks WHERE kind = 'foresee'$$);
SELECT reco_configure('all_time', target_signal => 'buy', similarity => 'cooccurrence');
SELECT diag(pg_temp.refresh('all_time'));
CREATE TABLE past AS SELECT looks.* FROM looks, line WHERE kind = 'foresee' AND looks.at <= line.at;
SELECT reco_create_model('past', 'SELECT u AS user_id, i AS item_id, s AS signal, at AS occurred_at FROM public.past');
SELECT reco_configure('past', target_signal => 'buy', similarity => 'cooccurrence');
SELECT diag(pg_temp.refresh('past'));
SELECT is((SELECT picked_weights FROM past.model), (SELECT picked_weights FROM all_time.model), 'both picked the same weights');
CREATE TEMP TABLE future AS SELECT DISTINCT u AS user_id, i AS item_id FROM looks, line l WHERE kind = 'foresee' AND s = 'buy' AND looks.at > l.at
  AND NOT EXISTS (SELECT FROM past p WHERE (p.u, p.i) = (looks.u, looks.i)) AND EXISTS (SELECT FROM past p WHERE p.u = looks.u);
SELECT pg_temp.is_near((SELECT value FROM reco_evaluate('all_time', 10, split => 'time') WHERE (algorithm, metric) = ('model', 'ndcg')),
  (SELECT avg(n) FROM (SELECT reco_ndcg(l.rank, true, 10) AS n FROM future LEFT JOIN (SELECT * FROM past.top_n_all(10, fallback => false)) l USING (user_id, item_id) GROUP BY user_id) x),
  'reco_evaluate measures the lists that are served', 1e-9);
SELECT is((SELECT users FROM reco_evaluate('all_time', 10, split => 'time') WHERE (algorithm, metric) = ('model', 'ndcg')), (SELECT count(DISTINCT user_id) FROM future), 'of those who bought something new');
SELECT ok(value > .2, 'the last purchase of each: NDCG ' || value) FROM reco_evaluate('all_time', 10, split => 'leave_last_out') WHERE (algorithm, metric) = ('model', 'ndcg');
SELECT ok(value > .2, 'of some users: NDCG ' || value) FROM reco_evaluate('all_time', 10, split => 'users') WHERE (algorithm, metric) = ('model', 'ndcg');
SELECT ok(value > .1, 'repeats as well: NDCG ' || value) FROM reco_evaluate('all_time', 10, split => 'leave_last_out', new_only => false) WHERE (algorithm, metric) = ('model', 'ndcg');
SELECT ok((SELECT count(*) FROM reco_tune('all_time', '1 second', 10)) > 0, 'settings can be tuned for a target');

/* A match means a purchase: of those held out, the chance that an item was bought. */
SELECT cmp_ok((SELECT count(match) FROM foresee_buy4.top_n_all(10)), '>', 1000::bigint, 'lists have matches');

/* What goes by order leads to the target, too, and has histories read by recency. */
SELECT reco_configure('past', similarity => 'next');
SELECT diag(pg_temp.refresh('past'));
SELECT is_empty('SELECT * FROM past.similar WHERE similar_item_id < 400', 'what follows is what is bought');
/* Lists by factors know no target, and say nothing of signals. */
SELECT reco_configure('past', algorithm => 'factors', similarity => 'auto');
SELECT unalike(pg_temp.refresh('past'), '%signal%', 'factors are of all signals alike');

/*
 * By hand, what counts as chosen.  All twenty buy 1 in January and 2 on 6 April, when five are shown 3 and three others view it; on the
 * 11th the first ten buy 3, the others 1 once more.  After 6 April something new was bought by ten, of whom three knew it: seven.  To
 * have been shown a thing is not to know it.  With repeats all twenty bought something.
 */
CREATE TABLE lately AS
  SELECT n AS u, i, 'buy' AS s, 1.0::float8 AS w, at::timestamptz FROM generate_series(1, 20) n, (VALUES (1, '2026-01-01'), (2, '2026-04-06')) v(i, at)
  UNION ALL SELECT n, 3, CASE WHEN n <= 5 THEN 'show' ELSE 'view' END, (n > 5)::int, '2026-04-06' FROM generate_series(1, 8) n
  UNION ALL SELECT n, CASE WHEN n <= 10 THEN 3 ELSE 1 END, 'buy', 1, '2026-04-11' FROM generate_series(1, 20) n
  UNION ALL SELECT 100 + n, i, 'buy', 1, '2026-01-01' FROM generate_series(1, 6) n, unnest(ARRAY[1, 3]) i;
SELECT reco_create_model('lately', 'SELECT u AS user_id, i AS item_id, s AS signal, w AS weight, at AS occurred_at FROM public.lately');
SELECT reco_configure('lately', target_signal => 'buy', similarity => 'cooccurrence', min_support => 1);
SELECT is(users, want, what) FROM (VALUES (true, 7::bigint, 'who bought what was new, shown before or not'), (false, 20, 'with repeats all who bought')) v(new, want, what),
  LATERAL reco_evaluate('lately', 2, split => 'time', holdout => .31, new_only => new) WHERE (algorithm, metric) = ('model', 'ndcg');

/* By any number of processes it is the same: 130,000 events, which is more than are shared. */
CREATE TABLE busy WITH (parallel_workers = 2) AS
  SELECT (n * 7919 % 6011)::int AS u, (CASE WHEN n % 3 = 0 THEN (n * n + n * 31) % 397 ELSE n * 131 % 499 END)::int AS i, CASE WHEN n % 11 = 0 THEN 'buy' WHEN n % 7 = 0 THEN 'like' WHEN n % 5 <> 0 THEN 'view' END AS s,
    '2026-01-01'::timestamptz + (n * 37 % 9000000) * interval '1 second' AS at, CASE WHEN n % 29 = 0 THEN -1 ELSE 1 END::real AS w FROM generate_series(1::bigint, 130000) n;
ANALYZE busy;
SELECT reco_create_model('busy', 'SELECT u AS user_id, i AS item_id, s AS signal, at AS occurred_at, w AS weight FROM public.busy');
SELECT reco_configure('busy', target_signal => 'buy', similarity => 'ridge', candidates => 40);
CREATE FUNCTION pg_temp.learned_by(workers int) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('max_parallel_maintenance_workers', workers::text, false);
  TRUNCATE busy.learned_item;
  PERFORM reco_refresh('busy');
  RETURN (SELECT md5(string_agg(l::text, ' ' ORDER BY item_id)) || (SELECT md5((curve_score, curve_match, picked_weights)::text) FROM busy.model) FROM busy.learned_item l);
END $$;
SELECT is(pg_temp.learned_by(workers), pg_temp.learned_by(0), workers || ' workers learn what one process learns') FROM unnest(ARRAY[1, 3]) workers;

SELECT * FROM finish();
