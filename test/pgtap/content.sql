-- content: neighbours by attributes: numbers worked by hand, against plain SQL, and what nobody has among everything else.

BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;

CREATE FUNCTION pg_temp.refresh(model text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM reco_refresh(model); END $$;

/*
 * Six items with tags; nobody has 3 and 6.  Users 1 and 2 have items 1 and 2, users 3 and 4 items 4 and 5.
 *
 *   item   1    2    3   4   5   6       Each of the tags a, b, c is of three items in six: idf = ln 2, all alike.
 *   tags   a b  a b  a   c   c   b c     So likeness is plain cosine: of 3 with 1 and 2  1 / (1 sqrt 2) = .70711,
 *                                        of 6 with 4 and 5 the same, of 6 with 1 and 2  1 / (sqrt 2 sqrt 2) = .5.
 * Cosine of what people chose: 1 and 2, 4 and 5 have 2 / sqrt(2 * 2) = 1.
 * With content = .3 items of 0 users need pairs (0 <= .9) and those of 2 users do not.  These are each other's nearest,
 * alike by 1 and similar by 1: the slope is 1.  Nobody has 3 or 6: their share is .3 / (.3 + 0) = 1.
 */
CREATE TABLE thing AS SELECT * FROM (VALUES (1, '{a,b}'::text[]), (2, '{b,a}'), (3, '{a}'), (4, '{c}'), (5, '{c,c}'), (6, '{c,b,NULL}')) t(item_id, tags);
CREATE TABLE has AS SELECT * FROM (VALUES (1, 1), (1, 2), (2, 1), (2, 2), (3, 4), (3, 5), (4, 4), (4, 5)) h(user_id, item_id);
SELECT reco_create_model('six', 'SELECT * FROM public.has', 'SELECT * FROM public.thing');
SELECT reco_configure('six', similarity => 'cosine', weighting => 'binary', keep => 'source', content => 0.3);
SELECT results_eq($$SELECT events, items, neighbor_pairs, content_pairs, rows_written FROM reco_refresh('six')$$,
  'VALUES (8::bigint, 4::bigint, 4::bigint, 12::bigint, 6::bigint)', 'six items are learned of, two of them by attributes: 2 * 2 + 2 * 4 pairs');
SELECT results_eq($$SELECT item_id, similar_item_id, round(similarity::numeric, 5), support FROM six.similar ORDER BY item_id, rank$$,
  $$VALUES (1, 2, 1.00000, 2), (1, 3, .70711, 0), (1, 6, .50000, 0), (2, 1, 1.00000, 2), (2, 3, .70711, 0), (2, 6, .50000, 0),
    (3, 1, .70711, 0), (3, 2, .70711, 0), (4, 5, 1.00000, 2), (4, 6, .70711, 0), (5, 4, 1.00000, 2), (5, 6, .70711, 0),
    (6, 4, .70711, 0), (6, 5, .70711, 0), (6, 1, .50000, 0), (6, 2, .50000, 0)$$, 'six: neighbours as worked by hand');
SELECT results_eq($$SELECT item_id, round(similarity::numeric, 5), support FROM reco_similar_items(6, 3, 'six')$$,
  $$VALUES (4::bigint, .70711, 0), (5, .70711, 0), (1, .50000, 0)$$, 'a new item has neighbours');

/* User 1 has 1 and 2, each of weight 1: norm 1 / sqrt 2.  3 scores 2 * .70711 / sqrt 2 = 1, 6 scores 2 * .5 / sqrt 2 = .70711. */
SELECT results_eq($$SELECT item_id, round(score::numeric, 5), because, source FROM reco_top_n(1, 9, 'six')$$,
  $$VALUES (3::bigint, 1.00000, 1::bigint, 'content'), (6, .70711, 1, 'content'), (4, -1, NULL, 'popular'), (5, -2, NULL, 'popular')$$,
  'six: what nobody has is recommended, with the item of the history that it is like, and says so');
SELECT results_eq($$SELECT because, round(share::numeric, 5), round(similarity::numeric, 5) FROM reco_why(1, 6, 'six')$$,
  'VALUES (1::bigint, .35355, .50000), (2, .35355, .50000)', 'reco_why has the shares');
SELECT results_eq($$SELECT item_id, round(score::numeric, 5), because, source FROM reco_complete(ARRAY[6], 5, 'six', fallback => false)$$,
  $$VALUES (4::bigint, .70711, 6::bigint, 'content'), (5, .70711, 6, 'content'), (1, .50000, 6, 'content'), (2, .50000, 6, 'content')$$,
  'a basket with a new item alone is completed by what is like it');
SELECT results_eq($$SELECT item_id, round(score::numeric, 5), source FROM reco_rank(1, ARRAY[4, 6, 3], 'six')$$,
  $$VALUES (3::bigint, 1.00000, 'content'), (6, .70711, 'content'), (4, -1.00000, 'given')$$, 'reco_rank puts it before what nothing speaks for');
SELECT results_eq($$SELECT user_id, round(score::numeric, 5), because FROM reco_audience(3, 9, 'six')$$,
  'VALUES (1::bigint, 1.00000, 1::bigint), (2, 1.00000, 1)', 'its audience has what it is like');
SELECT results_eq($$SELECT code FROM reco_why_not(3, 3, 'six')$$, $$VALUES ('no_evidence'), ('listed')$$, 'reco_why_not: nothing in the history of 3 is like it');
SELECT is(reason, 'fewer users than min_support, 2, chose the item, and none of the 2 learned items of the user''s history is near to it by attributes', 'and says what would')
  FROM reco_why_not(3, 3, 'six') WHERE code = 'no_evidence';
SELECT results_eq($$SELECT item_id FROM reco_popular(9, 'six')$$, $$VALUES ('1'::text), ('2'), ('4'), ('5')$$, 'what nobody has is not popular');
SELECT is_empty($$SELECT * FROM six.popular WHERE users = 0$$, 'nor in the view');
SELECT results_eq($$SELECT item_id, source FROM reco_top_n(NULL::bigint, 9, 'six')$$,
  $$VALUES (1::bigint, 'popular'), (2, 'popular'), (4, 'popular'), (5, 'popular'), (3, 'new'), (6, 'new')$$, 'to a guest it is new');

-- Bought since the refresh, it speaks for what is like it; disliked, it speaks against that.
INSERT INTO has VALUES (5, 6), (6, 4), (6, 6);
SELECT results_eq($$SELECT item_id, round(score::numeric, 5), source FROM reco_top_n(5, 3, 'six')$$,
  $$VALUES (4::bigint, .70711, 'content'), (5, .70711, 'content'), (1, .50000, 'content')$$, 'an item bought for the first time speaks at once');
/* 5 for user 6: 1 from 4 and .70711 from 6, over sqrt 2: more than half is owed to people's choices. */
SELECT results_eq($$SELECT item_id, round(score::numeric, 5), source FROM reco_top_n(6, 2, 'six')$$,
  $$VALUES (5::bigint, 1.20711, 'personal'), (1, .35355, 'content')$$, 'source is what more than half is owed to');
DELETE FROM has WHERE user_id > 4;

-- A refresh with nothing new writes nothing; what leaves the catalogue goes; what comes gets a number.
SELECT is(rows_written, 0::bigint, 'a refresh with nothing new writes nothing') FROM reco_refresh('six');
DELETE FROM thing WHERE item_id = 3;
SELECT cmp_ok(rows_written, '>', 0::bigint, 'what nobody has and leaves the catalogue') FROM reco_refresh('six');
SELECT results_eq('SELECT item_id FROM six.learned_item ORDER BY 1', 'VALUES (1), (2), (4), (5)', 'is forgotten, and so is what is like nothing any more: b and c are now of more than half');
SELECT is(rows_written, 0::bigint, 'once') FROM reco_refresh('six');
INSERT INTO thing VALUES (3, '{a}'), (7, '{z}');
SELECT cmp_ok(rows_written, '>', 0::bigint, 'what comes') FROM reco_refresh('six');
SELECT results_eq('SELECT item_id FROM six.learned_item ORDER BY 1', 'VALUES (1), (2), (3), (4), (5), (6)', 'is learned of, unless it is like nothing');
SELECT results_eq($$SELECT item_id, source FROM reco_top_n(3, 9, 'six', fallback => true) WHERE source = 'new'$$,
  $$VALUES (3::bigint, 'new'), (7, 'new')$$, 'and comes at the end as new');

-- What loses all its events and is like nothing goes, though the catalogue has it.
INSERT INTO has VALUES (1, 7), (2, 7);
SELECT cmp_ok(rows_written, '>', 0::bigint, 'an item like no other that somebody has') FROM reco_refresh('six');
SELECT is(events, 2::bigint, 'is learned of') FROM six.learned_item WHERE item_id = 7;
DELETE FROM has WHERE item_id = 7;
SELECT cmp_ok(rows_written, '>', 0::bigint, 'and once nobody has it') FROM reco_refresh('six');
SELECT is_empty('SELECT FROM six.learned_item WHERE item_id = 7', 'forgotten');

-- Off, it leaves no trace.
SELECT reco_configure('six', content => 0);
SELECT is(content_pairs, 0::bigint, 'content => 0') FROM reco_refresh('six');
SELECT results_eq('SELECT item_id FROM six.learned_item ORDER BY 1', 'VALUES (1), (2), (4), (5)', 'only what people chose is learned of');
SELECT is_empty('SELECT * FROM six.similar WHERE support = 0', 'and no pair without users');
SELECT results_eq($$SELECT item_id, source FROM reco_top_n(1, 9, 'six')$$, $$VALUES (4::bigint, 'popular'), (5, 'popular'), (3, 'new'), (6, 'new'), (7, 'new')$$, 'new items are at the end');


/*
 * Against plain SQL.  40 items, of words, tags, an enum, a flag, a price of few values and a maker_id; some are well known, some
 * have a few users, some none.  Everything up to the slope is computed anew.
 */
CREATE TYPE make AS ENUM ('new', 'used', 'mended');
CREATE FUNCTION pg_temp.lot(a int, b int) RETURNS int LANGUAGE sql IMMUTABLE AS $$SELECT abs(hashint8(a::bigint * 7919 + b)) % 1000$$;
CREATE TABLE stock AS
  SELECT i AS item_id,
    initcap((ARRAY['red','blue','green','grey'])[1 + pg_temp.lot(i, 1) % 4]) || ', ' || (ARRAY['lamp','chair','table','mug','sofa'])[1 + pg_temp.lot(i, 2) % 5] || ' & Co. no ' || pg_temp.lot(i, 3) % 3 AS title,
    CASE WHEN i % 7 > 0 THEN ARRAY['t' || pg_temp.lot(i, 4) % 6, 'T' || pg_temp.lot(i, 5) % 9, 'u' || i] END AS tags,
    (enum_range(NULL::make))[1 + pg_temp.lot(i, 6) % 3] AS condition, pg_temp.lot(i, 7) % 3 = 0 AS on_sale,
    (pg_temp.lot(i, 8) % 5 + 0.5)::numeric AS price, 100 + pg_temp.lot(i, 9) % 4 AS maker_id, date '2024-01-01' + i AS released_at, ARRAY[i, 0.5]::real[] AS embedding
  FROM generate_series(1, 40) i;
CREATE TABLE bought AS
  SELECT u AS user_id, i AS item_id FROM generate_series(1, 60) u, generate_series(1, 40) i
  WHERE pg_temp.lot(u * 100 + i, 10) < CASE WHEN i <= 16 THEN 500 WHEN i <= 26 THEN 60 ELSE 0 END;
SELECT reco_create_model('store', 'SELECT * FROM public.bought', 'SELECT * FROM public.stock');
SELECT reco_configure('store', similarity => 'cosine', keep => 'source', weighting => 'binary', min_support => 1);
SELECT pg_temp.refresh('store');

CREATE TEMP TABLE token AS
  WITH raw(item_id, col, tok) AS (
    SELECT item_id, 'title', w FROM stock, regexp_split_to_table(lower(title), '[^a-z0-9]+') w WHERE length(w) > 1 OR w ~ '[0-9]'
    UNION SELECT item_id, 'title', '=' || lower(title) FROM stock
    UNION SELECT item_id, 'tags', lower(t) FROM stock, unnest(tags) t
    UNION SELECT item_id, 'condition', condition::text FROM stock
    UNION SELECT item_id, 'on_sale', on_sale::text FROM stock
    UNION SELECT item_id, 'price', price::text FROM stock
    UNION SELECT item_id, 'maker', maker_id::text FROM stock),
  kept AS (SELECT *, ln(40.0::float8 / count(*) OVER (PARTITION BY col, tok)) AS idf, count(*) OVER (PARTITION BY col, tok) AS df FROM raw)
  SELECT item_id, col, tok, idf / sqrt(sum(idf * idf) OVER (PARTITION BY item_id, col)) AS value FROM kept WHERE df BETWEEN 2 AND 20;
CREATE TEMP TABLE alike AS
  SELECT a.item_id AS source, b.item_id AS target, sum(a.value * b.value) / 6 AS likeness
  FROM token a JOIN token b USING (col, tok) WHERE a.item_id <> b.item_id GROUP BY 1, 2;
CREATE TEMP TABLE people AS SELECT item_id, count(user_id) AS users, count(user_id) <= 6 AS needy FROM stock LEFT JOIN bought USING (item_id) GROUP BY 1;
SELECT cmp_ok(count(*) FILTER (WHERE NOT needy), '>=', 10::bigint, 'the set has items that are well known') FROM people;
SELECT cmp_ok(count(*) FILTER (WHERE needy AND users > 0), '>=', 5::bigint, 'some that few have') FROM people;
SELECT cmp_ok(count(*) FILTER (WHERE users = 0), '>=', 10::bigint, 'and some that nobody has') FROM people;

/* The slope, over pairs of well-known items: what people's choices say against likeness. */
CREATE TEMP TABLE slope AS
  SELECT sum(coalesce(n.similarity, 0) * a.likeness) / sum(a.likeness ^ 2) AS scale
  FROM alike a JOIN people s ON s.item_id = source AND NOT s.needy JOIN people t ON t.item_id = target AND NOT t.needy
  LEFT JOIN store.similar n ON n.item_id = source AND n.similar_item_id = target;
SELECT cmp_ok(scale, '>', 0::float8, 'a slope there is') FROM slope;
CREATE TEMP TABLE want AS
  SELECT a.*, scale * likeness * 2 / (2 + least(s.users, t.users)) AS value, s.needy AS source_needy, t.needy AS target_needy, s.users AS source_users,
    (array_agg(likeness) OVER (PARTITION BY source ORDER BY likeness DESC ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING))[20] AS last_shown
  FROM alike a JOIN people s ON s.item_id = source JOIN people t ON t.item_id = target CROSS JOIN slope;
/* What people's choices alone say, for pairs of which one is needy. */
CREATE TEMP TABLE chosen AS
  SELECT a.item_id AS source, b.item_id AS target, count(*) / sqrt(sa.users::float8 * sb.users) AS cosine
  FROM bought a JOIN bought b USING (user_id) JOIN people sa ON sa.item_id = a.item_id JOIN people sb ON sb.item_id = b.item_id
  WHERE a.item_id <> b.item_id GROUP BY 1, 2, sa.users, sb.users;
SELECT is_empty($$
  SELECT source, target, value, n.similarity, cosine FROM want w LEFT JOIN chosen c USING (source, target)
  LEFT JOIN store.similar n ON n.item_id = source AND n.similar_item_id = target
  WHERE (target_needy AND source_users > 0 OR source_needy AND likeness > coalesce(last_shown, 0) + 1e-6)
    AND (n.similarity IS NULL OR abs(n.similarity - value - coalesce(cosine, 0)) > 1e-5 * value)$$,
  'every pair that one of the two needs is there, with what attributes say added to what people''s choices say');
SELECT is_empty($$
  SELECT n.* FROM store.similar n LEFT JOIN want w ON n.item_id = source AND n.similar_item_id = target
  WHERE n.support = 0 AND (w.value IS NULL OR NOT (target_needy AND source_users > 0 OR source_needy AND likeness > coalesce(last_shown, 0) - 1e-6)
    OR abs(n.similarity - value) > 1e-5 * value)$$, 'and no other');
SELECT is_empty($$
  SELECT * FROM store.similar n JOIN chosen c ON n.item_id = source AND n.similar_item_id = target JOIN people s ON s.item_id = source JOIN people t ON t.item_id = target
  WHERE NOT s.needy AND NOT t.needy AND abs(similarity - cosine) > 1e-6$$, 'what is well known is as it was');
SELECT cmp_ok(count(*), '>', 200::bigint, 'many pairs were compared') FROM store.similar WHERE support = 0;


/*
 * Where targets keep what speaks for them, some of an item's own are only shown; pairs by attributes are taken out of these one by one,
 * and of all that people's choices say none is lost and none comes twice.
 */
SELECT reco_create_model('mixed', 'SELECT * FROM public.bought', 'SELECT * FROM public.stock');
SELECT reco_configure('mixed', similarity => 'cosine', keep => 'target', weighting => 'binary', min_support => 1);
CREATE FUNCTION pg_temp.kept_with(k int, content float8) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM reco_configure('mixed', neighbors => k, content => kept_with.content);
  PERFORM reco_refresh('mixed');
  RETURN QUERY SELECT format('%s %s %s %s', k, item_id, similar_item_id, support) FROM mixed.similar WHERE support > 0;
END $$;
CREATE TEMP TABLE by_choice AS SELECT p FROM unnest(ARRAY[5, 8, 12, 16]) k, pg_temp.kept_with(k, 0) p;
CREATE TEMP TABLE by_both AS SELECT p FROM unnest(ARRAY[5, 8, 12, 16]) k, pg_temp.kept_with(k, 2) p;
SELECT cmp_ok((SELECT count(*) FROM by_choice), '>', 1000::bigint, 'pairs by choices');
SELECT bag_eq('TABLE by_both', 'TABLE by_choice', 'all stay, each once, beside those by attributes');
SELECT cmp_ok((SELECT count(*) FROM mixed.similar WHERE support = 0), '>', 200::bigint, 'of which there are many');

-- Everything adds up, for everybody, one at a time and all at once.
SELECT is_empty($$SELECT user_id, item_id FROM (SELECT DISTINCT user_id FROM bought) u, stock, LATERAL (SELECT coalesce(sum(share), 0) AS sum FROM store.why(user_id, item_id)) w
  WHERE float8send(store.score(user_id, item_id)) <> float8send(sum)$$, 'shares sum to the score, to the last bit');
SELECT is_empty($$(SELECT user_id, t.* FROM (SELECT DISTINCT user_id FROM bought) u, store.top_n(user_id, 25) t) EXCEPT SELECT user_id, item_id, score, match, because, source FROM store.top_n_all(25)$$,
  'reco_top_n_all has the lists of reco_top_n');
SELECT cmp_ok(count(*), '>', 100::bigint, 'with many rows by content') FROM store.top_n_all(25) WHERE source = 'content';
SELECT is_empty($$SELECT user_id, t.item_id FROM (SELECT DISTINCT user_id FROM bought) u, store.top_n(user_id, 40) t,
    LATERAL (SELECT sum(share) FILTER (WHERE n.support = 0) AS by_content, sum(share) AS whole FROM store.why(user_id, t.item_id) w JOIN store.similar n ON n.item_id = w.because AND n.similar_item_id = t.item_id) w
  WHERE t.score > 0 AND (t.source = 'content') <> coalesce(by_content > whole / 2, false)$$, 'source is content where more than half of the shares is');
SELECT is_empty($$SELECT user_id, t.item_id FROM (SELECT DISTINCT user_id FROM bought) u, store.top_n(user_id, 40, fallback => false) t, LATERAL (SELECT because FROM store.why(user_id, t.item_id) LIMIT 1) w
  WHERE w.because <> t.because$$, 'because is the greatest of the shares, whichever run of a row it is in');
SELECT is_empty($$SELECT p.item_id, a.user_id FROM people p, LATERAL store.audience(p.item_id, 5) a WHERE float8send(a.score) <> float8send(store.score(a.user_id, p.item_id))$$, 'an audience has the scores');
SELECT cmp_ok(count(*), '>', 50::bigint, 'of items that nobody has, too') FROM people p, LATERAL store.audience(p.item_id, 5) a WHERE p.users = 0;

-- The order of rows does not matter, nor that of columns, nor rows that come twice.
CREATE TEMP TABLE before AS SELECT item_id, events, users, string_agg(format('%s %s %s', similar_item_id, similarity, support), ', ' ORDER BY rank) AS neighbors FROM store.learned_item LEFT JOIN store.similar USING (item_id) GROUP BY 1, 2, 3;
SELECT reco_create_model('shuffled', 'SELECT * FROM public.bought ORDER BY md5(user_id::text || item_id)',
  'SELECT embedding, price, item_id, tags, title, on_sale, maker_id, condition FROM (SELECT * FROM public.stock UNION ALL SELECT * FROM public.stock WHERE item_id % 3 = 0) s ORDER BY md5(item_id::text)');
SELECT reco_configure('shuffled', similarity => 'cosine', keep => 'source', weighting => 'binary', min_support => 1);
SELECT pg_temp.refresh('shuffled');
SELECT set_eq($$SELECT item_id, events, users, string_agg(format('%s %s %s', similar_item_id, similarity, support), ', ' ORDER BY rank) FROM shuffled.learned_item LEFT JOIN shuffled.similar USING (item_id) GROUP BY 1, 2, 3$$,
  'SELECT * FROM before', 'the order of rows and columns does not matter');
SELECT set_eq($$SELECT * FROM shuffled.top_n_all(40, fallback => false)$$, $$SELECT * FROM store.top_n_all(40, fallback => false)$$, 'nor for lists');
SELECT is_empty($$SELECT user_id, item_id FROM shuffled.top_n_all(40) GROUP BY 1, 2 HAVING count(*) > 1$$, 'what is in the catalogue twice comes once');


/* Numbers: 200 different ones are cut into ranges, of which close ones share one at least and far ones none. */
CREATE TABLE priced AS SELECT i AS item_id, (i * 1.5)::float8 AS price, NULL::int AS nothing FROM generate_series(1, 200) i;
INSERT INTO priced VALUES (201, 'NaN'), (202, 'Infinity'), (203, NULL), (204, '-Infinity');
CREATE TABLE paid AS SELECT u AS user_id, 10 * (1 + (u + n) % 20) AS item_id FROM generate_series(1, 100) u, generate_series(0, 1) n;
SELECT reco_create_model('price', 'SELECT * FROM public.paid', 'SELECT * FROM public.priced');
SELECT pg_temp.refresh('price');
SELECT is_empty($$SELECT * FROM price.similar WHERE support = 0 AND abs(item_id - similar_item_id) > 20$$, 'numbers that are far apart have nothing in common');
SELECT results_eq($$SELECT count(*) FROM price.learned_item WHERE item_id > 200$$, 'VALUES (0::bigint)', 'what is no number is no attribute');
SELECT cmp_ok(count(DISTINCT item_id), '=', 200::bigint, 'every other item has neighbours') FROM price.similar;

/* Attributes that do not fit in memory go through temporary files; the model is the same, row for row. */
CREATE TABLE wide AS
  SELECT i AS item_id, (SELECT array_agg('t' || pg_temp.lot(i, n) * (1 + pg_temp.lot(i, n + 50) % 20)) FROM generate_series(1, 24) n) AS tags, sqrt(i) AS size FROM generate_series(1, 3000) i;
CREATE TABLE owned AS SELECT u AS user_id, 1 + pg_temp.lot(u, n) AS item_id FROM generate_series(1, 400) u, generate_series(1, 12) n;
SELECT reco_create_model('wide', 'SELECT * FROM public.owned', 'SELECT * FROM public.wide');
SELECT reco_configure('wide', similarity => 'cosine');
CREATE FUNCTION pg_temp.learned(memory text) RETURNS TABLE(items bigint, pairs bigint, hash text) LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('maintenance_work_mem', memory, true);
  SELECT content_pairs INTO pairs FROM reco_refresh('wide');
  SELECT count(*), md5(string_agg(format('%s %s %s', item_id, item_no, md5(neighbors)), ',' ORDER BY item_id)) INTO items, hash FROM wide.learned_item;
  RETURN NEXT;
END $$;
CREATE TEMP TABLE roomy AS SELECT * FROM pg_temp.learned('128MB');
SELECT ok(items = 3000 AND pairs > 100000, 'three thousand items with many tags') FROM roomy;
SELECT results_eq($$SELECT * FROM pg_temp.learned('8MB')$$, 'SELECT * FROM roomy', 'the same with attributes on tape');

/*
 * Measured as it is served.  Eighty people of four tastes have four of the six things of their taste each; later everybody buys one that
 * is new, of the same taste.  Attributes lead to it, people's choices cannot; and of what nobody ever has there are others like it.
 */
CREATE TABLE taste AS SELECT u AS user_id, 10 * (u % 4) + (u / 4 + n) % 6 AS item_id, '2026-01-01'::timestamptz + n * interval '1 day' + u * interval '1 minute' AS occurred_at
  FROM generate_series(1, 80) u, generate_series(1, 4) n UNION ALL SELECT u, 100 + u % 4, '2026-03-01'::timestamptz + u * interval '1 minute' FROM generate_series(1, 80) u;
CREATE TABLE described AS SELECT DISTINCT item_id, ARRAY['taste ' || CASE WHEN item_id < 100 THEN item_id / 10 ELSE item_id - 100 END, 'of ' || item_id % 3] AS tags FROM taste;
SELECT reco_create_model('taste', 'SELECT * FROM public.taste', 'SELECT * FROM public.described');
SELECT reco_configure('taste', similarity => 'cosine');
CREATE FUNCTION pg_temp.measured(metric text) RETURNS float8 LANGUAGE sql AS
  $$SELECT value FROM reco_evaluate('taste', 3, split => 'time') WHERE (algorithm, reco_evaluate.metric) = ('model', $1)$$;
SELECT is(pg_temp.measured('hit_rate'), 1::float8, 'reco_evaluate knows what attributes say of new items');
SELECT is(pg_temp.measured('reachable'), 0::float8, 'of which nobody had any');
CREATE TABLE before AS SELECT * FROM taste WHERE occurred_at < '2026-02-01';
SELECT reco_create_model('before', 'SELECT * FROM public.before', 'SELECT * FROM public.described');
SELECT reco_configure('before', similarity => 'cosine');
SELECT pg_temp.refresh('before');
SELECT is(round(pg_temp.measured('ndcg')::numeric, 12), round(avg(n)::numeric, 12), 'and measures the lists that are served')
FROM (SELECT reco_ndcg(l.rank, true, 3) AS n FROM taste t LEFT JOIN (SELECT * FROM before.top_n_all(3, fallback => false)) l USING (user_id, item_id)
      WHERE occurred_at > '2026-02-01' GROUP BY user_id) x;
SELECT ok(max(ndcg) > .5, 'reco_tune does, too') FROM reco_tune('taste', '1 second', 3);
INSERT INTO described SELECT 1000 + n, ARRAY['taste ' || n % 4, 'of ' || n % 3] FROM generate_series(1, 30) n;
SELECT is(pg_temp.measured('hit_rate'), 1::float8, 'what is in no event at all takes no place, as nobody could choose it');
SELECT ok((SELECT count(*) > 0 FROM reco_evaluate('taste', 3, split => 'users') WHERE value IS NOT NULL), 'with any split');
SELECT reco_configure('taste', content => 0);
SELECT is(pg_temp.measured('hit_rate'), 0::float8, 'without attributes nothing leads there');

SELECT * FROM finish();
ROLLBACK;
