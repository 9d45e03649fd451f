-- audience: users for an item, and users of the same taste, worked by hand and held against plain SQL.

BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;
SET LOCAL timezone = 'UTC';

CREATE FUNCTION pg_temp.near(have float8, want float8, tolerance float8 DEFAULT 1e-6) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$ SELECT coalesce(abs(have - want) <= tolerance * abs(want), false) $$;
CREATE FUNCTION pg_temp.refresh(model text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM reco_refresh(model); END $$;
CREATE TABLE five (user_id int, item_id int, weight float8);
INSERT INTO five VALUES
  (1, 1, 1), (1, 2, 2), (1, 3, 1),
  (2, 1, 2), (2, 2, 1),
  (3, 1, 1), (3, 3, 3), (3, 4, 1),
  (4, 1, 1), (4, 2, 1), (4, 3, 1), (4, 4, 2),
  (5, 4, 1), (5, 5, 1);
SELECT reco_create_model('five', 'SELECT * FROM five');
SELECT reco_configure('five', similarity => 'cosine', weighting => 'linear', min_support => 1);
SELECT pg_temp.refresh('five');
CREATE FUNCTION pg_temp.list(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE answer text;
BEGIN
  EXECUTE format($q$SELECT string_agg(concat_ws(' ', user_id, round(value::numeric, 4), shared, because), ', ' ORDER BY n)
    FROM %s WITH ORDINALITY AS t(user_id, value, shared, because, n)$q$, call) INTO answer;
  RETURN answer;
END $$;

/*
 * For 4: u1 and u2 do not have it; s14 = .462910, s24 = .333333, s34 = .615457.
 *   u1: (.462910 + 2 * .333333 + .615457) / sqrt 6 = .712407, most from 2;  u2: (2 * .462910 + .333333) / sqrt 5 = .563110, most from 1
 * For 3: u2: .674792 from 1; u5: .435194 from 4.  For 5: u3: .408248 / sqrt 11 = .123091; u4: 2 * .408248 / sqrt 7 = .308607.
 */
SELECT is(pg_temp.list('five.audience(4)'), '1 0.7124 2, 2 0.5631 1', 'the audience of 4');
SELECT is(pg_temp.list('five.audience(3)'), '2 0.6748 1, 5 0.4352 4', 'the audience of 3');
SELECT is(pg_temp.list('five.audience(5)'), '4 0.3086 4, 3 0.1231 4', 'the audience of 5');
SELECT is(pg_temp.list('five.audience(5, 1)'), '4 0.3086 4', 'the first of it');
SELECT is(pg_temp.list('five.audience(99)'), NULL, 'an item nobody knows has none');
SELECT is(pg_temp.list('five.audience(NULL)'), NULL, 'no item, none');
/* A user who came since is there at once; a dislike counts against, and who disliked the item itself is left out. */
INSERT INTO five VALUES (6, 4, 1), (7, 1, -1), (8, 4, 2), (8, 5, -1), (9, 4, 1), (9, 5, 0);
SELECT is(pg_temp.list('five.audience(5, NULL)'), '6 0.4082 4, 9 0.4082 4, 4 0.3086 4, 3 0.1231 4', 'equal scores go by id; merely shown is not seen');
/*
 * For 2: u7 disliked 1, which speaks against 2 (-.7715): not there.  u8: 2 * .333333 / sqrt 5 = .2981, for 5, disliked, has no tie to 2
 * and counts in the norm.  u3: (.771517 + 3 * .369274 + .333333) / sqrt 11 = .6671 and u5: .2357 as ever.
 */
SELECT is(pg_temp.list('five.audience(2, NULL)'), '3 0.6671 3, 6 0.3333 4, 9 0.3333 4, 8 0.2981 4, 5 0.2357 4', 'the audience of 2');
DELETE FROM five WHERE user_id > 5;

/*
 * Tastes: users 5; 1 has 4 users, 2 3 4 have 3, 5 has 1: rarities ln 5/4 = .223144 = a, ln 5/3 = .510826 = b, ln 5 = 1.609438 = c.
 *   u1 = (a, 2b, b)       |u1| = sqrt(.049793 + 5 * .260943) = 1.163838
 *   u2 = (2a, b)          |u2| = sqrt(.199173 + .260943) = .678319
 *   u3 = (a, ., 3b, b)    |u3| = sqrt(.049793 + 10 * .260943) = 1.630697
 *   u4 = (a, b, b, 2b)    |u4| = sqrt(.049793 + 6 * .260943) = 1.270867
 *   u5 = (., ., ., b, c)  |u5| = sqrt(.260943 + 2.590290) = 1.688560
 *   u1 u2: 2a^2 + 2b^2 = .621473 / (1.163838 * .678319) = .787218    u1 u3: a^2 + 3b^2 = .832622 / (1.163838 * 1.630697) = .438717
 *   u1 u4: a^2 + 3b^2 / (1.163838 * 1.270867) = .562932              u5 shares 4 with u3 and u4: b^2 / ... = .094767, 2b^2 / ... = .243198
 */
SELECT is(pg_temp.list('five.similar_users(1)'), '2 0.7872 2 2, 4 0.5629 3 2, 3 0.4387 2 3', 'like u1');
SELECT is(pg_temp.list('five.similar_users(5)'), '4 0.2432 1 4, 3 0.0948 1 4', 'like u5');
SELECT is(pg_temp.list('five.similar_users(5, 1)'), '4 0.2432 1 4', 'the first');
SELECT is(pg_temp.list('five.similar_users(99)'), NULL, 'nobody is like nobody');
SELECT is(pg_temp.list('five.similar_users(NULL)'), NULL, 'nor like NULL');
INSERT INTO five VALUES (6, 5, -2), (7, 5, 3), (8, 5, -1), (9, 7, 1);
SELECT is(pg_temp.list('five.similar_users(6)'), '8 1.0000 1 5', 'who dislikes the same is alike, who likes it is not');
SELECT is(pg_temp.list('five.similar_users(7)'), '5 0.9531 1 5', 'who has nothing but 5: c / |u5|');
SELECT is(pg_temp.list('five.similar_users(9)'), NULL, 'of what was never learned nothing is said');
DELETE FROM five WHERE user_id > 5;

-- Generated: 300 users, 90 items, repeats, dislikes, decay; ids of other kinds; and histories shortened.
CREATE TABLE taste AS
  SELECT 'user ' || u AS user_id, i AS item_id, (CASE WHEN h % 9 = 0 THEN -1 ELSE 1 END * (1 + h % 4) / 3.0)::float8 AS weight,
         timestamptz '2024-01-01' + ((h >> 20) % 730) * interval '1 day' AS occurred_at
  FROM generate_series(1, 200) u, generate_series(1, 60) i, generate_series(1, 2) n, LATERAL (SELECT abs(hashint8(u * 7919 + i * 104729 + n)::bigint) AS h) g
  WHERE hashint8(u * 31 + i * 17) & 255 < 8 + CASE WHEN u % 5 = i % 5 THEN 60 ELSE 0 END AND (n = 1 OR h % 3 = 0);
CREATE INDEX ON taste (user_id);
SELECT reco_create_model('taste', 'SELECT * FROM taste');
CREATE FUNCTION pg_temp.whole(similarity text, max_history int) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM reco_configure('taste', similarity => similarity, half_life => '90 days', max_history => max_history);
  PERFORM reco_refresh('taste');
  CREATE TEMP TABLE score AS
    SELECT u AS user_id, i AS item_id, taste.score(u, i) AS score, taste.match(u, i) AS match FROM (SELECT DISTINCT user_id AS u FROM taste) u, generate_series(1, 60, 3) i;
  CREATE TEMP TABLE audience AS SELECT i AS item_id, t.* FROM generate_series(1, 60, 3) i, LATERAL taste.audience(i, NULL) WITH ORDINALITY t(user_id, score, match, because, n);
  RETURN NEXT cmp_ok((SELECT count(*) FROM audience), '>', 1000::bigint, format('%s: there are audiences', similarity));
  RETURN NEXT set_eq('SELECT item_id, user_id, float8send(score), match FROM audience',
    'SELECT item_id, user_id, float8send(score), match FROM score s WHERE score > 0 AND NOT EXISTS (SELECT FROM taste t WHERE (t.user_id, t.item_id) = (s.user_id, s.item_id))',
    format('%s, max_history %s: an audience is everybody with a score who has not seen the item, and the score is reco_score, bit for bit', similarity, max_history));
  RETURN NEXT is_empty($q$SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY item_id ORDER BY score DESC, user_id COLLATE "C") AS want FROM audience) a WHERE n <> want$q$, format('%s: best first', similarity));
  RETURN NEXT is_empty($q$SELECT * FROM audience a, LATERAL (SELECT because AS first FROM taste.why(user_id, item_id) LIMIT 1) w WHERE n < 6 AND first <> because$q$, format('%s: because is the first of why', similarity));
  RETURN NEXT set_eq('SELECT i, t.user_id, t.score FROM generate_series(1, 60, 3) i, taste.audience(i, 7) t', 'SELECT item_id, user_id, score FROM audience WHERE n <= 7', format('%s: the first seven', similarity));
  DROP TABLE score, audience;
END $$;
SELECT pg_temp.whole('cooccurrence', 5000);
SELECT pg_temp.whole('ridge', 5000);
SELECT pg_temp.whole('ridge', 9);
SELECT reco_configure('taste', max_history => 5000);
SELECT pg_temp.refresh('taste');
/* The formula in plain SQL. */
CREATE TEMP TABLE vector AS
  SELECT user_id, item_id, (sign(r) * ln(1 + abs(r)))::float8 * ln(m.users::float8 / l.users) AS x
  FROM (SELECT user_id, item_id, sum(weight * 2 ^ (-extract(epoch FROM last_event_at - occurred_at)::float8 / (90 * 86400))) AS r FROM taste, taste.model GROUP BY 1, 2) h JOIN taste.learned_item l USING (item_id), taste.model m;
CREATE TEMP TABLE cosine AS
  SELECT a.user_id AS a, b.user_id AS b, sum(a.x * b.x) / (min(na.n) * min(nb.n)) AS similarity, count(*) FILTER (WHERE a.x * b.x > 0) AS shared, (array_agg(a.item_id ORDER BY a.x * b.x DESC))[1] AS because
  FROM vector a JOIN vector b USING (item_id) JOIN (SELECT user_id, sqrt(sum(x * x)) AS n FROM vector GROUP BY 1) na ON na.user_id = a.user_id JOIN (SELECT user_id, sqrt(sum(x * x)) AS n FROM vector GROUP BY 1) nb ON nb.user_id = b.user_id
  WHERE a.user_id <> b.user_id AND a.user_id LIKE '%7' GROUP BY 1, 2;
CREATE TEMP TABLE alike AS SELECT u AS a, t.user_id AS b, t.similarity, t.shared, t.because, n FROM (SELECT DISTINCT a AS u FROM cosine) u, LATERAL taste.similar_users(u, NULL) WITH ORDINALITY t(user_id, similarity, shared, because, n);
SELECT cmp_ok((SELECT count(*) FROM alike), '>', 500::bigint, 'there are users alike');
SELECT is_empty('SELECT * FROM alike FULL JOIN (SELECT * FROM cosine WHERE similarity > 0) c USING (a, b)
  WHERE pg_temp.near(alike.similarity, c.similarity, 1e-9) IS NOT TRUE OR alike.shared IS DISTINCT FROM c.shared OR alike.because IS DISTINCT FROM c.because', 'the cosine of weights by rarity, in plain SQL');
SELECT is_empty('SELECT * FROM (SELECT *, lag(similarity) OVER (PARTITION BY a ORDER BY n) AS above FROM alike) x WHERE above < similarity', 'most alike first');
SELECT is_empty('SELECT x.a, x.b FROM alike x LEFT JOIN alike y ON (x.a, x.b) = (y.b, y.a) WHERE x.b LIKE ''%7'' AND pg_temp.near(x.similarity, y.similarity, 1e-9) IS NOT TRUE', 'one is as much like another as the other way round');
SELECT set_eq($$SELECT t.user_id, t.similarity FROM taste.similar_users('user 7', 9) t$$, $$SELECT b, similarity FROM alike WHERE a = 'user 7' AND n <= 9$$, 'the first nine');

/*
 * Where indexes lead to users, histories are read round by round, of whom the most can come first: in each round of three there is
 * somebody, and the first seven are those of the whole audience, dislikes, decay, repeats, shortened histories and all.
 */
CREATE INDEX ON taste (item_id);
SELECT pg_temp.whole('ridge', 9);
SELECT pg_temp.whole('next', 5000);
SELECT pg_temp.whole('cooccurrence', 5000);
CREATE TEMP TABLE seven AS SELECT i, t.* FROM generate_series(1, 60) i, LATERAL taste.audience(i, 7) WITH ORDINALITY t(user_id, score, match, because, n);
SELECT set_eq('SELECT i, t.* FROM generate_series(1, 60) i, LATERAL taste.audience(i, NULL) WITH ORDINALITY t(user_id, score, match, because, n) WHERE n <= 7', 'TABLE seven', 'the first seven of all items');
SET LOCAL maintenance_work_mem = '1MB';
SELECT set_eq('SELECT i, t.* FROM generate_series(1, 60) i, LATERAL taste.audience(i, 7) WITH ORDINALITY t(user_id, score, match, because, n)', 'TABLE seven', 'in little memory');
RESET maintenance_work_mem;
/* By plain counts an item speaks for another by more than 1, and the squares of that tell who may come first. */
SELECT reco_create_model('counts', 'SELECT * FROM taste');
SELECT reco_configure('counts', similarity => 'cooccurrence', user_exponent => 0, source_exponent => 0, target_exponent => 0, weighting => 'binary', keep => 'source');
SELECT pg_temp.refresh('counts');
SELECT cmp_ok((SELECT min(similarity) FROM counts.similar), '>', 1::float8, 'similarities above 1');
SELECT set_eq('SELECT i, t.* FROM generate_series(1, 60) i, LATERAL counts.audience(i, NULL) WITH ORDINALITY t(user_id, score, match, because, n) WHERE n <= 2',
  'SELECT i, t.* FROM generate_series(1, 60) i, LATERAL counts.audience(i, 2) WITH ORDINALITY t(user_id, score, match, because, n)', 'the first two by counts');
/* Ids as far apart as they can be, where no table from the first to the last can be. */
CREATE TABLE far AS SELECT user_id, (item_id::bigint - 30) * 300000000000000000 AS item_id FROM taste;
CREATE INDEX ON far (user_id);
CREATE INDEX ON far (item_id);
SELECT reco_create_model('far', 'SELECT * FROM far');
SELECT reco_configure('far', similarity => 'cosine');
SELECT pg_temp.refresh('far');
SELECT set_eq('SELECT i, t.* FROM (SELECT DISTINCT item_id AS i FROM far) i, LATERAL far.audience(i, NULL) WITH ORDINALITY t(user_id, score, match, because, n) WHERE n <= 2',
  'SELECT i, t.* FROM (SELECT DISTINCT item_id AS i FROM far) i, LATERAL far.audience(i, 2) WITH ORDINALITY t(user_id, score, match, because, n)', 'and of items whose ids lie far apart');
/* By a policy, who has seen an item long ago may come again. */
SELECT reco_configure('taste', exclude_seen => '{"*": "200 days"}');
INSERT INTO taste VALUES ('user 1', 3, 1, now()), ('user 2', 3, -9, now()), ('later', 1, 5, now() + interval '1 day'), (NULL, 1, 1, now()), ('user 3', 4, NULL, now());
SELECT set_eq('SELECT i, t.* FROM generate_series(1, 60) i, LATERAL taste.audience(i, NULL) WITH ORDINALITY t(user_id, score, match, because, n) WHERE n <= 7',
  'SELECT i, t.* FROM generate_series(1, 60) i, LATERAL taste.audience(i, 7) WITH ORDINALITY t(user_id, score, match, because, n)', 'under a policy, with rows that do not count');
SELECT ok((SELECT count(*) FROM seven s JOIN taste t ON (t.user_id, t.item_id) = (s.user_id, s.i)) = 0, 'nobody who had seen an item came before');
SELECT ok((SELECT count(*) FROM generate_series(1, 60) i, taste.audience(i, 7) a, taste t WHERE (t.user_id, t.item_id) = (a.user_id, i)) > 0, 'some do now');
SELECT reco_configure('taste', exclude_seen => '{}');
DELETE FROM taste WHERE user_id IS NULL OR user_id = 'later' OR occurred_at >= now() OR weight IS NULL;

/* 4,000 users with up to 40 of 50 items: who comes first for an item that nobody has not is among few, and few histories are read. */
CREATE TABLE crowd AS SELECT u AS user_id, i AS item_id FROM generate_series(1, 4000) u, generate_series(1, 50) i
WHERE hashint8(u * 7919 + i * 104729) & 1023 < CASE WHEN u % 50 = 0 THEN 600 ELSE 60 END;
CREATE INDEX ON crowd (user_id);
CREATE INDEX ON crowd (item_id);
ANALYZE crowd;
SELECT reco_create_model('crowd', 'SELECT * FROM crowd');
SELECT reco_configure('crowd', similarity => 'cosine');
SELECT pg_temp.refresh('crowd');
CREATE FUNCTION pg_temp.fetched() RETURNS bigint LANGUAGE sql AS $$ SELECT idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'crowd' $$;
SET LOCAL enable_seqscan = off;
SET LOCAL jit = off;
CREATE TEMP TABLE all_of_crowd AS SELECT i, t.* FROM generate_series(1, 50) i, LATERAL crowd.audience(i, NULL) WITH ORDINALITY t(user_id, score, match, because, n);
SELECT cmp_ok((SELECT count(*) FROM all_of_crowd), '>', 50000::bigint, 'nearly everybody may come');
SELECT set_eq('SELECT i, t.* FROM generate_series(1, 50) i, LATERAL crowd.audience(i, 5) WITH ORDINALITY t(user_id, score, match, because, n)', 'SELECT * FROM all_of_crowd WHERE n <= 5', 'the first five of a crowd');
SELECT set_eq('SELECT i, t.* FROM generate_series(1, 50) i, LATERAL crowd.audience(i, 600) WITH ORDINALITY t(user_id, score, match, because, n)', 'SELECT * FROM all_of_crowd WHERE n <= 600', 'and the first 600, more than a few');
SELECT pg_temp.fetched() AS before \gset
SELECT count(*) FROM crowd.audience(25, 5);
SELECT cmp_ok(pg_temp.fetched() - :before, '<', (SELECT count(*) * 5 / 4 FROM crowd), 'items are looked at once, and few histories');
RESET enable_seqscan;

-- The same through reco_*, with ids of one kind.
SELECT reco_create_model('texts', 'SELECT user_id, ''item '' || item_id AS item_id, weight, occurred_at FROM taste');
SELECT pg_temp.refresh('texts');
SELECT set_eq($$SELECT i, t::text FROM generate_series(1, 60, 10) i, reco_audience('item ' || i, 5, 'texts') t$$, $$SELECT i, t::text FROM generate_series(1, 60, 10) i, texts.audience('item ' || i, 5) t$$, 'reco_audience and the door');
SELECT set_eq($$SELECT i, t::text FROM generate_series(1, 60, 10) i, reco_similar_users('user ' || i, 5, 'texts') t$$, $$SELECT i, t::text FROM generate_series(1, 60, 10) i, texts.similar_users('user ' || i, 5) t$$, 'reco_similar_users and the door');

/*
 * Circles of twenty people and ten things: who may come for an item is few, and found by indexes where there are some, with the same
 * answers.  The table is as large as tables are that reco_check speaks of.
 */
CREATE TABLE circles (person text COLLATE "C", thing int, weight float8, note text);
INSERT INTO circles SELECT 'p' || u, u / 20 * 10 + i, CASE WHEN h % 11 = 0 THEN -1 ELSE 1 + h % 3 END, repeat('-', 900)
FROM generate_series(0, 1599) u, generate_series(0, 9) i, LATERAL (SELECT abs(hashint8(u * 7919 + i * 104729)::bigint) AS h) g WHERE h % 3 > 0;
ANALYZE circles;
SELECT reco_create_model('circles', 'SELECT person AS user_id, thing AS item_id, weight FROM circles');
SELECT reco_configure('circles', similarity => 'cooccurrence', min_match => 0);
SELECT pg_temp.refresh('circles');
CREATE FUNCTION pg_temp.asked() RETURNS TABLE (question text, t text) LANGUAGE sql AS $$
  SELECT 'item ' || i, t::text FROM generate_series(0, 799, 199) i, circles.audience(i, NULL) t
  UNION ALL SELECT 'user ' || u, t::text FROM generate_series(0, 1599, 399) u, circles.similar_users('p' || u, NULL) t
$$;
CREATE FUNCTION pg_temp.read_in_full() RETURNS bigint LANGUAGE sql AS $$ SELECT seq_tup_read FROM pg_stat_xact_user_tables WHERE relname = 'circles' $$;
CREATE TEMP TABLE in_full AS SELECT * FROM pg_temp.asked();
SELECT cmp_ok((SELECT count(*) FROM in_full), '>', 100::bigint, 'there are answers');
SELECT pg_temp.read_in_full() AS before \gset
SELECT set_eq('SELECT * FROM pg_temp.asked()', 'TABLE in_full', 'asked again');
SELECT cmp_ok(pg_temp.read_in_full() - :before, '>=', 10 * (SELECT count(*) FROM circles), 'without indexes each reads all');
SELECT results_eq($$SELECT code, severity FROM reco_check('circles') WHERE code IN ('no_index', 'no_item_index') ORDER BY code$$, $$VALUES ('no_index', 'warning'), ('no_item_index', 'notice')$$, 'which reco_check says');
/* An index that has the item, but not first, spares nothing: all of it is read for one item, whichever way. */
CREATE INDEX covering ON circles (person) INCLUDE (weight, thing);
SELECT results_eq($$SELECT code, hint LIKE '%run CREATE INDEX ON public.circles (thing):%' FROM reco_check('circles') WHERE code IN ('no_index', 'no_item_index') ORDER BY code$$, $$VALUES ('no_item_index', true)$$, 'nor does an index that has the item behind the user');
CREATE INDEX second ON circles (person, thing);
SELECT results_eq($$SELECT code, hint LIKE '%run CREATE INDEX ON public.circles (thing):%' FROM reco_check('circles') WHERE code IN ('no_index', 'no_item_index') ORDER BY code$$, $$VALUES ('no_item_index', true)$$, 'or after it');
DROP INDEX covering;
SELECT results_eq($$SELECT code, hint LIKE '%run CREATE INDEX ON public.circles (thing):%' FROM reco_check('circles') WHERE code IN ('no_index', 'no_item_index') ORDER BY code$$, $$VALUES ('no_item_index', true)$$, 'alone neither');
DROP INDEX second;
CREATE INDEX ON circles (person);
CREATE INDEX ON circles (thing);
SELECT is_empty($$SELECT code FROM reco_check('circles') WHERE code IN ('no_index', 'no_item_index')$$, 'and no more');
SELECT pg_temp.read_in_full() AS before \gset
SELECT set_eq('SELECT * FROM pg_temp.asked()', 'TABLE in_full', 'the same answers by indexes');
SELECT is(pg_temp.read_in_full() - :before, 0::bigint, 'and nothing is read in full');
INSERT INTO circles VALUES ('somebody new', 0, 1, ''), ('somebody new', 799, 1, ''), ('against', 1, -1, '');
SELECT ok('somebody new' IN (SELECT user_id FROM circles.audience(1, NULL)), 'who came since is there at once');
SELECT ok('against' NOT IN (SELECT user_id FROM circles.audience(2, NULL)), 'whom all speaks against is not');
-- Where most may come, all is read in any case.
SELECT reco_configure('circles', similarity => 'cooccurrence');
UPDATE circles SET thing = 5 WHERE thing % 10 = 5;
SELECT pg_temp.refresh('circles');
SELECT pg_temp.read_in_full() AS before \gset
SELECT count(*) FROM circles.audience(5, NULL);
SELECT cmp_ok(pg_temp.read_in_full() - :before, '>', 0::bigint, 'an item that everybody is tied to');

-- Memory: many questions in one query leave nothing behind.
CREATE FUNCTION pg_temp.used() RETURNS bigint LANGUAGE sql AS $$ SELECT sum(used_bytes)::bigint FROM pg_backend_memory_contexts $$;
DO $$ BEGIN PERFORM count(*) FROM generate_series(1, 20) i, texts.audience('item ' || i, 3); END $$;
CREATE TEMP TABLE before AS SELECT pg_temp.used() AS bytes;
DO $$ BEGIN PERFORM count(*) FROM generate_series(1, 100) n, texts.audience('item ' || n % 60, 3); PERFORM count(*) FROM generate_series(1, 100) n, texts.similar_users('user ' || n, 3); END $$;
SELECT cmp_ok(pg_temp.used() - bytes, '<', 1000000::bigint, 'nothing is left behind') FROM before;

SELECT * FROM finish();
ROLLBACK;
