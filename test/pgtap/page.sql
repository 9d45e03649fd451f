-- page: rows of lists, each what it says it is, no item twice, still within a visit and new at the next.

BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;
SET LOCAL timezone = 'UTC';

CREATE FUNCTION pg_temp.refresh(model text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM reco_refresh(model); END $$;

/*
 * Small enough that nothing is drawn: rows show all they have.  Users 1 to 4 watched films 1 and 2, users 2 to 4 film 3 too, users 3 and 4 film 4; films 5 and 6, drama like 3,
 * came out lately, film 7 long ago, nobody saw them.  User 1 began film 8, drama, alone.
 *   continue  8                                         what is unfinished comes first
 *   top       3 and 4 by their scores, then what is popular, trending or new: 5, 6, 7
 * Once these are on the page nothing is left for another row: everything was shown.
 */
CREATE TABLE film (id int, kind text[], released_at date);
INSERT INTO film VALUES (1, '{drama}', '2020-01-01'), (2, '{drama}', '2020-01-01'), (3, '{drama}', '2020-01-01'), (4, '{comedy}', '2020-01-01'), (5, '{drama}', '2026-05-20'), (6, '{drama,comedy}', '2026-05-10'),
  (7, '{comedy}', '2020-01-01'), (8, '{drama}', '2020-01-01');
CREATE TABLE watched (u int, film int, at timestamptz, progress float8);
INSERT INTO watched SELECT u, f, '2026-05-01'::timestamptz + f * interval '1 day', 1 FROM generate_series(1, 4) u, generate_series(1, 4) f WHERE f <= 2 OR f = 3 AND u >= 2 OR f = 4 AND u >= 3;
INSERT INTO watched VALUES (1, 8, '2026-05-20', .4);
SELECT reco_create_model('tv', 'SELECT u AS user_id, film AS item_id, at AS occurred_at, progress FROM watched', 'SELECT id AS item_id, kind, released_at FROM film');
SELECT reco_configure('tv', similarity => 'cosine', content => 0, category => 'kind', min_support => 1, exclude_seen => '{"*": "never"}');
SELECT reco_configure('tv', exclude_seen => '{}');
SELECT pg_temp.refresh('tv');
SELECT results_eq($$SELECT row_rank, kind, rank, item_id, subject, label FROM tv.page(1, 3, 5, as_of => '2026-06-01')$$, $$
  SELECT 1, 'continue', 1, 8, NULL::int, NULL::text UNION ALL SELECT 2, 'top', rank::int, item_id, NULL, NULL FROM tv.top_n(1, 5, as_of => '2026-06-01') WITH ORDINALITY AS t(item_id, score, match, because, source, rank)$$, 'all of it in two rows');
SELECT results_eq($$SELECT score, source FROM tv.page(1, 3, 5, as_of => '2026-06-01') WHERE kind = 'continue'$$, $$SELECT probability, kind FROM tv.continue(1, as_of => '2026-06-01')$$, 'what is unfinished says how likely it is resumed');
SELECT bag_eq($$SELECT item_id, score, match, because, source FROM tv.page(1, 3, 5, as_of => '2026-06-01') WHERE kind = 'top' AND score IS NOT NULL$$, $$SELECT * FROM tv.top_n(1, 5, as_of => '2026-06-01') WHERE score > 0$$, 'top picks with the columns of top_n');

-- Of one item a row, with the same films: continue 8; top picks; the films that are left in rows of their own kinds.
CREATE VIEW narrow AS SELECT * FROM tv.page(1, 6, 1, as_of => '2026-06-01', visit => 3);
SELECT results_eq('SELECT count(*), count(DISTINCT item_id), max(row_rank) FROM narrow', 'SELECT count(*), count(*), count(*)::int FROM narrow', 'no item twice');
SELECT is_empty('SELECT item_id FROM narrow WHERE item_id IN (1, 2)', 'nothing seen');
SELECT is_empty($$SELECT * FROM narrow n JOIN film f ON f.id = n.item_id WHERE n.kind = 'new' AND NOT (n.item_id IN (5, 6) AND n.label = 'kind')$$, 'new is what came out lately in what is followed');
SELECT is_empty($$SELECT * FROM narrow n JOIN film f ON f.id = n.item_id WHERE n.kind = 'trending' AND NOT n.label = ANY (f.kind)$$, 'what trends is of its category');
SELECT is_empty($$SELECT item_id FROM tv.page(1, 6, 1, as_of => '2026-04-01') WHERE kind = 'new' OR kind = 'continue'$$, 'in April neither had come');

-- Nobody, a guest, one event, an empty catalogue.
SELECT results_eq('SELECT count(DISTINCT item_id), count(*), bool_or(match IS NOT NULL), bool_or(because IS NOT NULL) FROM tv.page(NULL, 4, 3)', 'VALUES (8::bigint, 8::bigint, false, false)', 'a guest gets all there is');
SELECT results_eq('SELECT count(DISTINCT item_id), count(*) FROM tv.page(99, 4, 3)', 'VALUES (8::bigint, 8::bigint)', 'and so does who has no history');
CREATE TABLE shelved AS SELECT * FROM film;
DELETE FROM film;
SELECT is_empty('SELECT * FROM tv.page(1)', 'an empty catalogue');
INSERT INTO film TABLE shelved;

/*
 * 300 users of six tastes, 240 films of as many kinds, some of them new, series and baskets besides: every row against the list it is made of.
 */
CREATE TABLE play (u int, i int, at timestamptz, progress float8, signal text);
INSERT INTO play SELECT DISTINCT ON (u, i) u, i, timestamptz '2026-05-01' - (n * 37 + u) % 200 * interval '6 hours', CASE WHEN n % 9 = 0 THEN .5 ELSE 1 END, CASE WHEN n % 11 = 0 THEN 'cart' ELSE 'play' END
FROM (SELECT u, n, CASE WHEN (hashint4(u * 100 + n) & 7) < 6 THEN (u % 6) * 40 + (hashint4(u * 1000 + n) & 1023) % 40 ELSE (hashint4(u * 1000 + n) & 1023) % 240 END AS i FROM generate_series(1, 300) u, generate_series(1, 25) n) p WHERE i % 10 > 0 ORDER BY u, i, n;
CREATE TABLE title AS SELECT i, ARRAY['kind ' || i / 40, 'hue ' || i % 3] AS kind, CASE WHEN i % 10 = 0 THEN date '2026-04-20' ELSE date '2025-01-01' END AS released_at, 'series ' || i / 6 AS series, i % 6 AS part FROM generate_series(0, 239) i;
CREATE INDEX ON play (u);
SELECT reco_create_model('show', 'SELECT u AS user_id, i AS item_id, at AS occurred_at, progress, signal FROM play', 'SELECT i AS item_id, kind, released_at, series, part FROM title');
SELECT reco_configure('show', similarity => 'cosine', category => 'kind', unfinished => '{"basket": ["cart"], "bought": ["buy"], "series": "series", "order": "part"}');
SELECT pg_temp.refresh('show');
CREATE TABLE page AS SELECT u, v, p.* FROM generate_series(1, 10) u, generate_series(1, 3) v CROSS JOIN LATERAL show.page(u, 8, 6, v, as_of => '2026-05-02') p;
SELECT is_empty('SELECT u, v, item_id FROM page GROUP BY 1, 2, 3 HAVING count(*) > 1', 'no item twice on a page');
SELECT is_empty($$SELECT u, v FROM page GROUP BY 1, 2 HAVING max(row_rank) <> 8 OR count(DISTINCT row_rank) <> 8$$, 'eight rows each');
SELECT is_empty($$SELECT u, v, row_rank FROM page GROUP BY 1, 2, 3 HAVING max(rank) <> count(*) OR count(*) > 6 OR count(DISTINCT (kind, subject, label)) <> 1$$, 'rows are ranked, of six at most, about one thing');
SELECT is_empty($$SELECT u, v, kind, subject, label FROM page GROUP BY 1, 2, 3, 4, 5 HAVING count(DISTINCT row_rank) > 1$$, 'no row twice');
SELECT set_eq('SELECT DISTINCT kind FROM page', ARRAY['continue', 'top', 'because', 'trending', 'new', 'discover'], 'rows of every kind');
SELECT is_empty($$SELECT p.u, p.item_id FROM page p JOIN play l ON (l.u, l.i) = (p.u, p.item_id) WHERE p.kind <> 'continue'$$, 'nothing seen but what is unfinished');
SELECT is_empty($$SELECT p.u, p.item_id FROM page p JOIN LATERAL show.continue(p.u, NULL, '2026-05-02') c USING (item_id) WHERE p.kind <> 'continue'$$, 'what is unfinished or next is kept out of the other rows');
SELECT results_eq($$SELECT u, v, rank, item_id, score, source FROM page WHERE kind = 'continue' ORDER BY 1, 2, 3$$,
  $$SELECT u, v, rank::int, c.item_id, c.probability, c.kind FROM generate_series(1, 10) u, generate_series(1, 3) v CROSS JOIN LATERAL show.continue(u, 6, '2026-05-02') WITH ORDINALITY AS c(item_id, kind, probability, progress, last_at, series, after, rank) ORDER BY 1, 2, 3$$,
  'the row of what is unfinished is the beginning of that list');
SELECT is_empty($$SELECT * FROM page WHERE (kind = 'continue') <> (row_rank = 1)$$, 'and comes first');
SELECT is_empty($$SELECT p.u, p.item_id FROM page p LEFT JOIN LATERAL show.top_n(p.u, 60, as_of => '2026-05-02', exclude => ARRAY(SELECT item_id FROM show.continue(p.u, NULL, '2026-05-02'))) t ON (t.item_id, t.match, t.because) IS NOT DISTINCT FROM (p.item_id, p.match, p.because)
  WHERE p.kind = 'top' AND t.item_id IS NULL AND p.v = 1$$, 'top picks are of the list of top_n, with its match and because');
SELECT ok(bool_and(at > before), 'in its order') FROM (SELECT array_position(l.items, p.item_id) AS at, lag(array_position(l.items, p.item_id)) OVER (PARTITION BY p.u ORDER BY rank) AS before
  FROM page p CROSS JOIN LATERAL (SELECT array_agg(item_id ORDER BY rank) AS items FROM show.top_n(p.u, 100, as_of => '2026-05-02') WITH ORDINALITY AS t(item_id, score, match, because, source, rank)) l WHERE p.kind = 'top' AND p.v = 1) o WHERE before IS NOT NULL;
SELECT is_empty($$SELECT p.u, p.item_id FROM page p WHERE kind = 'because' AND v = 1 AND u <= 8 AND NOT EXISTS (SELECT FROM show.complete(ARRAY[p.subject], NULL, fallback => false) c WHERE c.item_id = p.item_id)$$, 'because rows are what goes with their subject');
SELECT is_empty($$SELECT p.u, subject FROM page p WHERE kind = 'because' AND NOT EXISTS (SELECT FROM (SELECT i FROM play l WHERE l.u = p.u ORDER BY at DESC, i LIMIT 20) n WHERE n.i = p.subject)$$, 'which was chosen lately');
SELECT is_empty($$SELECT item_id FROM page p JOIN title t ON t.i = p.item_id WHERE p.kind = 'trending' AND NOT p.label = ANY (t.kind)$$, 'trending rows are of their category');
SELECT is_empty($$SELECT item_id FROM page p JOIN title t ON t.i = p.item_id WHERE p.kind = 'new' AND (t.released_at < '2026-04-01' OR NOT EXISTS (SELECT FROM play l JOIN title c ON c.i = l.i WHERE l.u = p.u AND c.kind && t.kind GROUP BY l.u HAVING count(*) >= 2))$$, 'new rows are new, of what they come back to');
SELECT is_empty($$SELECT p.item_id, p.match, p.score FROM page p WHERE kind IN ('because', 'trending', 'new', 'discover') AND v = 2 AND (p.match IS DISTINCT FROM show.match(u, item_id) OR coalesce(p.score, 0) IS DISTINCT FROM greatest(coalesce(show.score(u, item_id), 0), 0))$$, 'score and match are those of the user');
-- Rows are ranked: what is unfinished, top picks, and then what is worth most.
SELECT ok(avg(match) FILTER (WHERE kind = 'top') > avg(match) FILTER (WHERE kind <> 'top'), 'top picks match best') FROM page;
SELECT is_empty($$SELECT u, v FROM page WHERE (kind = 'top') <> (row_rank = 2)$$, 'and come second');
SELECT cmp_ok(avg(worth) FILTER (WHERE row_rank = 3), '>', avg(worth) FILTER (WHERE row_rank = 8), 'the third is worth more than the last') FROM (SELECT u, v, row_rank, sum(coalesce(match / 100, .5)) / 6 AS worth FROM page GROUP BY 1, 2, 3) w;

-- A visit is still, another is another, whatever is read in what order.
SELECT bag_eq('SELECT p.* FROM show.page(7, 8, 6, 2, as_of => ''2026-05-02'') p', 'SELECT row_rank, kind, subject, label, rank, item_id, score, match, because, source FROM page WHERE (u, v) = (7, 2)', 'the same visit has the same page');
INSERT INTO play VALUES (7, 3, '2026-05-03', 1, 'play');
SELECT bag_eq('SELECT p.* FROM show.page(7, 8, 6, 2, as_of => ''2026-05-02'') p', 'SELECT row_rank, kind, subject, label, rank, item_id, score, match, because, source FROM page WHERE (u, v) = (7, 2)', 'also after something was chosen in it');
SELECT cmp_ok(same, '<', .8, format('%s of the items of a visit are there at the next', round(same, 2))) FROM (SELECT count(b.item_id)::numeric / count(*) AS same FROM page a LEFT JOIN page b ON (b.u, b.v, b.item_id) = (a.u, 2, a.item_id) WHERE a.v = 1 AND a.kind <> 'continue') s;
SELECT ok(bool_and(n > 1), 'and subjects change') FROM (SELECT u, count(DISTINCT subjects) AS n FROM (SELECT u, v, array_agg(DISTINCT subject) AS subjects FROM page WHERE kind = 'because' GROUP BY 1, 2) s GROUP BY u) n;
-- The draw goes by place: half as likely every six places, so the first six of the list are there more often than the third six.
SELECT cmp_ok(count(*) FILTER (WHERE at <= 6)::numeric, '>', 1.5 * count(*) FILTER (WHERE at BETWEEN 13 AND 18), 'what is further up comes sooner') FROM (SELECT array_position(l.items, p.item_id) AS at
  FROM page p CROSS JOIN LATERAL (SELECT array_agg(item_id ORDER BY rank) AS items FROM show.top_n(p.u, 100, as_of => '2026-05-02', exclude => ARRAY(SELECT item_id FROM show.continue(p.u, NULL, '2026-05-02'))) WITH ORDINALITY AS t(item_id, score, match, because, source, rank)) l WHERE p.kind = 'top') o;

-- Rules hold in every row but the first: what is pinned is among the top picks at every visit.
CREATE VIEW show.rules WITH (security_invoker = true) AS SELECT 230 AS item_id, 1 AS pin;
SELECT is(count(*), 20::bigint, 'a pinned item is first of the top picks') FROM generate_series(1, 20) v CROSS JOIN LATERAL show.page(1, 3, 6, v, as_of => '2026-05-02') p WHERE p.kind = 'top' AND p.rank = 1 AND p.item_id = 230 AND p.source = 'pinned';
SELECT is_empty($$SELECT v, item_id FROM generate_series(1, 20) v CROSS JOIN LATERAL show.page(1, 8, 6, v, as_of => '2026-05-02') p GROUP BY 1, 2 HAVING count(*) > 1$$, 'and nowhere else');
DROP VIEW show.rules;
-- The place of an item in what goes with a subject, of what the user has not seen and not begun; a boost of b divides it.
CREATE FUNCTION pg_temp.places(person int, about int) RETURNS TABLE(item_id int, place bigint) LANGUAGE sql AS $$
  SELECT c.item_id, row_number() OVER (ORDER BY c.nth) FROM show.complete(ARRAY[about], NULL, fallback => false) WITH ORDINALITY AS c(item_id, score, match, because, source, nth)
  WHERE NOT EXISTS (SELECT FROM play l WHERE (l.u, l.i) = (person, c.item_id) AND l.at <= '2026-05-02') AND NOT EXISTS (SELECT FROM show.continue(person, NULL, '2026-05-02') w WHERE w.item_id = c.item_id) $$;
CREATE TABLE boosted AS SELECT u, v, p.* FROM generate_series(1, 6) u, generate_series(1, 3) v CROSS JOIN LATERAL show.page(u, 10, 6, v, as_of => '2026-05-02') p WHERE false;
CREATE TABLE goes_with AS SELECT u, subject, c.item_id, c.place FROM (SELECT DISTINCT u, subject FROM generate_series(1, 6) u, generate_series(1, 3) v CROSS JOIN LATERAL show.page(u, 10, 6, v, as_of => '2026-05-02') p WHERE kind = 'because') s CROSS JOIN LATERAL pg_temp.places(u, subject) c;
CREATE VIEW show.rules WITH (security_invoker = true) AS SELECT 'kind' AS attribute, 'hue 1' AS value, 3.0::float8 AS boost;
INSERT INTO boosted SELECT u, v, p.* FROM generate_series(1, 6) u, generate_series(1, 3) v CROSS JOIN LATERAL show.page(u, 10, 6, v, as_of => '2026-05-02') p;
SELECT cmp_ok(count(*), '>', 20::bigint, 'boosted rows of what goes with something') FROM (SELECT DISTINCT u, v, row_rank FROM boosted WHERE kind = 'because') r;
SELECT is_empty($$SELECT * FROM (SELECT b.*, g.place / CASE WHEN b.item_id % 3 = 1 THEN 3.0 ELSE 1 END AS key, lag(g.place / CASE WHEN b.item_id % 3 = 1 THEN 3.0 ELSE 1 END) OVER (PARTITION BY b.u, b.v, b.row_rank ORDER BY b.rank) AS before
  FROM boosted b JOIN goes_with g USING (u, subject, item_id) WHERE b.kind = 'because') k WHERE before > key$$, 'are in the order of place / boost');
SELECT isnt_empty($$SELECT * FROM (SELECT g.place, lag(g.place) OVER (PARTITION BY b.u, b.v, b.row_rank ORDER BY b.rank) AS before FROM boosted b JOIN goes_with g USING (u, subject, item_id) WHERE b.kind = 'because') k WHERE before > place$$, 'which is another than without');
SELECT cmp_ok(a.part, '>', 1.3 * b.part, format('of what is discovered %s instead of %s are of the boosted kind', round(a.part, 2), round(b.part, 2)))
  FROM (SELECT avg((item_id % 3 = 1)::int) AS part FROM generate_series(1, 40) v CROSS JOIN LATERAL show.page(3, 10, 6, v, as_of => '2026-05-02') p WHERE kind = 'discover') a,
    LATERAL (SELECT 1.0 / 3 AS part) b;
DROP VIEW show.rules;
-- Half of each row, but for what was begun, to one hue: as many as are due, at every length of a row, in the order in which they are picked.
CREATE VIEW show.rules WITH (security_invoker = true) AS SELECT 'kind' AS attribute, 'hue 2' AS value, 0.5::float8 AS share;
CREATE TABLE shared AS SELECT u, v, p.* FROM generate_series(1, 10) u, generate_series(1, 3) v CROSS JOIN LATERAL show.page(u, 8, 6, v, as_of => '2026-05-02') p;
SELECT is_empty($$SELECT u, v, row_rank FROM shared WHERE kind IN ('top', 'because', 'discover') GROUP BY 1, 2, 3 HAVING count(*) FILTER (WHERE item_id % 3 = 2) < count(*) / 2$$, 'half of every row');
SELECT is_empty($$SELECT u, v, row_rank, label FROM shared s WHERE kind = 'trending' GROUP BY 1, 2, 3, 4 HAVING count(*) FILTER (WHERE item_id % 3 = 2) < count(*) / 2 AND EXISTS (SELECT FROM title t WHERE s.label = ANY (t.kind) AND t.i % 3 = 2 AND t.i % 10 > 0
  AND NOT EXISTS (SELECT FROM play l WHERE (l.u, l.i) = (s.u, t.i)) AND NOT EXISTS (SELECT FROM shared o WHERE (o.u, o.v, o.item_id) = (s.u, s.v, t.i)) AND NOT EXISTS (SELECT FROM show.continue(s.u, NULL, '2026-05-02') c WHERE c.item_id = t.i))$$, 'of a category as well, while there are any');
SELECT set_eq($$SELECT DISTINCT kind FROM shared WHERE source = 'promoted'$$, ARRAY['top', 'because', 'trending', 'new', 'discover'], 'promoted where the draw had fewer');
SELECT is_empty($$SELECT FROM shared WHERE source = 'promoted' AND item_id % 3 <> 2$$, 'nothing else is');
SELECT is_empty('SELECT u, v, item_id FROM shared GROUP BY 1, 2, 3 HAVING count(*) > 1', 'no item twice');
SELECT bag_eq('SELECT p.* FROM show.page(7, 8, 6, 2, as_of => ''2026-05-02'') p', 'SELECT row_rank, kind, subject, label, rank, item_id, score, match, because, source FROM shared WHERE (u, v) = (7, 2)', 'and the same visit has the same page');
DROP VIEW show.rules;

-- Fatigue, too: what was shown n times without a click has its place times 1 + n, in every row; long ago it counts for less.
CREATE TABLE shown AS SELECT u, i, at, 1.0::float8 AS weight FROM play;
SELECT reco_create_model('tired', 'SELECT u AS user_id, i AS item_id, at AS occurred_at, weight FROM shown', 'SELECT i AS item_id, kind, released_at FROM title');
SELECT reco_configure('tired', similarity => 'cosine', category => 'kind', fatigue_half_life => '3650 days');
SELECT pg_temp.refresh('tired');
CREATE TABLE fresh AS SELECT v, p.* FROM generate_series(1, 20) v CROSS JOIN LATERAL tired.page(5, 10, 6, v, as_of => '2026-05-02') p;
CREATE TABLE worn_item AS SELECT DISTINCT item_id, kind FROM fresh f WHERE kind IN ('because', 'trending', 'discover') AND item_id % 2 = 0;
INSERT INTO shown SELECT 5, item_id, '2026-05-01 20:00+00', 0 FROM (SELECT DISTINCT item_id FROM worn_item) w, generate_series(1, 3);
CREATE TABLE worn AS SELECT v, p.* FROM generate_series(1, 20) v CROSS JOIN LATERAL tired.page(5, 10, 6, v, as_of => '2026-05-02') p;
SELECT cmp_ok(a.worn::numeric, '<', .7 * b.worn, format('of %s what was shown thrice comes %s times instead of %s', kind, a.worn, b.worn)) FROM
  (SELECT kind, count(*) FILTER (WHERE item_id IN (SELECT item_id FROM worn_item)) AS worn FROM worn WHERE kind IN ('because', 'trending', 'discover') GROUP BY 1) a JOIN
  (SELECT kind, count(*) FILTER (WHERE item_id IN (SELECT item_id FROM worn_item)) AS worn FROM fresh WHERE kind IN ('because', 'trending', 'discover') GROUP BY 1) b USING (kind) ORDER BY kind;

-- Other ids, another attribute to follow, the widest page.
SELECT results_eq($$SELECT DISTINCT label FROM generate_series(1, 12) u, show.page(u, 20, 6, 2, 'series', '2026-05-02') WHERE kind = 'new'$$, $$VALUES ('series')$$, 'another attribute to follow');
SELECT is_empty($$SELECT item_id FROM reco_page(1, 50, 100, 'show', 2) GROUP BY 1 HAVING count(*) > 1$$, 'the widest page');
SELECT cmp_ok((SELECT count(*) FROM reco_page(1, 50, 100, 'show', 2)), '>', 150::bigint, 'shows nearly all there is');
/*
 * Page after page in one query, what is alike for all is held after the first few; asked in a statement of
 * its own, a page has everything read for it.  Of people, guests, and somebody nobody heard of.
 */
CREATE FUNCTION pg_temp.alone() RETURNS SETOF record LANGUAGE plpgsql AS $$
BEGIN
	FOR n IN 0 .. 39 LOOP
		RETURN QUERY EXECUTE format('SELECT %s, p::text FROM show.page(%s, 9, 5, %s, %L, %L) p', n, CASE WHEN n % 13 = 5 THEN 'NULL' WHEN n = 20 THEN '9999' ELSE (n + 1)::text END,
			n / 3, CASE WHEN n % 2 = 1 THEN 'series' END, timestamptz '2026-05-02' + n % 3 * interval '1 day');
	END LOOP;
END $$;
CREATE VIEW pg_temp.together AS SELECT n, p::text FROM generate_series(0, 39) n,
	LATERAL show.page(CASE WHEN n % 13 = 5 THEN NULL WHEN n = 20 THEN 9999 ELSE n + 1 END, 9, 5, n / 3, CASE WHEN n % 2 = 1 THEN 'series' END, timestamptz '2026-05-02' + n % 3 * interval '1 day') p;
CREATE VIEW pg_temp.apart AS SELECT * FROM pg_temp.alone() a(n int, p text);
CREATE FUNCTION pg_temp.same(how text) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT bag_eq('SELECT * FROM pg_temp.together', 'SELECT * FROM pg_temp.apart', 'many pages are those asked one by one, ' || how)
	UNION ALL SELECT cmp_ok((SELECT count(DISTINCT n) FROM pg_temp.apart), '>=', 39::bigint, 'nearly all of which are there, ' || how) $$;
SELECT pg_temp.same('by neighbors');
SET LOCAL maintenance_work_mem = '1MB';
SELECT pg_temp.same('where little memory is to be had');
RESET maintenance_work_mem;
CREATE VIEW show.rules WITH (security_invoker = true) AS SELECT 'kind' AS attribute, 'hue 1' AS value, 3.0::float8 AS boost, NULL::float8 AS share UNION ALL SELECT 'kind', 'hue 2', NULL, 0.3;
SELECT pg_temp.same('with rules');
DROP VIEW show.rules;
SELECT reco_configure('show', algorithm => 'factors', factors => 8);
SELECT pg_temp.refresh('show');
SELECT is_empty($$SELECT item_id FROM show.page(1, 8, 6) GROUP BY 1 HAVING count(*) > 1$$, 'by factors, too');
SELECT pg_temp.same('by factors');
SELECT cmp_ok((SELECT count(DISTINCT kind) FROM show.page(1, 8, 6, as_of => '2026-05-02')), '>=', 5::bigint, 'rows of most kinds');

CREATE ROLE reco_page_reader;
GRANT USAGE ON SCHEMA show TO reco_page_reader;
SET LOCAL ROLE reco_page_reader;
SELECT throws_ok('SELECT * FROM show.page(1)', '42501', NULL, 'read with the rights of whoever asks');
RESET ROLE;

SELECT * FROM finish();
ROLLBACK;
