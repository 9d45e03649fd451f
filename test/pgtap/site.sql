-- site: what a call site knows holds for one statement, also where a function of SQL around it is called anew each time.

BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;
SET LOCAL timezone = 'UTC';

CREATE FUNCTION pg_temp.refresh(model text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM reco_refresh(model); END $$;

-- 60 users of three tastes, 60 films; some are left half seen. Times are of no zone, so that the session's tells what they are.
CREATE TABLE play (u int, i int, at timestamp, progress float8);
INSERT INTO play SELECT u, i, timestamp '2026-05-01' - (n * 37 + u) % 200 * interval '6 hours', CASE WHEN n % 4 = 0 THEN .5 ELSE 1 END
FROM (SELECT u, n, u % 3 * 20 + (u * 7 + n * n) % 20 AS i, row_number() OVER (PARTITION BY u, u % 3 * 20 + (u * 7 + n * n) % 20) AS again FROM generate_series(1, 60) u, generate_series(1, 9) n) p WHERE again = 1;
CREATE INDEX ON play (u);
CREATE TABLE title AS SELECT i, 'kind ' || i / 10 AS kind FROM generate_series(0, 59) i;
SELECT reco_create_model('tv', 'SELECT u AS user_id, i AS item_id, at AS occurred_at, progress FROM play', 'SELECT i AS item_id, kind FROM title');
SELECT reco_configure('tv', similarity => 'cosine', category => 'kind', min_support => 1, content => 0);
SELECT pg_temp.refresh('tv');
SELECT reco_learn_habits('tv', '2026-05-02');
SELECT reco_create_model('other', 'SELECT u AS user_id, 59 - i AS item_id, at AS occurred_at, progress FROM play', 'SELECT i AS item_id, kind FROM title');
SELECT reco_configure('other', similarity => 'cosine', category => 'kind', min_support => 1, content => 0);
SELECT pg_temp.refresh('other');
SELECT reco_learn_habits('other', '2026-05-02');

-- Each question of everybody: plainly, where the planner takes the door apart; WITH ORDINALITY, where it does not; and one statement for each user.
CREATE TABLE question (name text, call text);
INSERT INTO question VALUES
	('page', '%s.page(%s, 5, 4, 3, as_of => ''2026-05-02'')'),
	('continue', '%s.continue(%s, NULL, ''2026-05-02'')'),
	('next_purchases', '%s.next_purchases(%s, 8, ''30 days'', ''2026-05-02'')'),
	('affinity', '%s.affinity(%s)');
CREATE FUNCTION pg_temp.asked(of text, model text, how text) RETURNS TABLE(u int, n bigint, answer text) LANGUAGE plpgsql AS $$
DECLARE
	asked text = (SELECT call FROM question WHERE name = of);
BEGIN
	IF how = 'alone' THEN
		FOR u IN 1 .. 60 LOOP
			RETURN QUERY EXECUTE format('SELECT %s, row_number() OVER (), a::text FROM %s a', u, format(asked, model, u));
		END LOOP;
	ELSIF how = 'plain' THEN
		RETURN QUERY EXECUTE format('SELECT u, row_number() OVER (PARTITION BY u), a::text FROM generate_series(1, 60) u, LATERAL %s a', format(asked, model, 'u'));
	ELSE
		RETURN QUERY EXECUTE format('SELECT u, (to_jsonb(a) ->> ''ordinality'')::bigint, a::text FROM generate_series(1, 60) u, LATERAL %s WITH ORDINALITY a', format(asked, model, 'u'));
	END IF;
END $$;
CREATE FUNCTION pg_temp.same(how text) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT is((SELECT count(*) FROM (SELECT * FROM pg_temp.asked(q.name, m, 'alone') EXCEPT SELECT u, n, regexp_replace(answer, ',[0-9]+\)$', ')') FROM pg_temp.asked(q.name, m, 'ordinal')) d), 0::bigint, q.name || ' of ' || m || ' WITH ORDINALITY as one by one, ' || how)
	FROM question q, unnest(ARRAY['tv', 'other']) m
	UNION ALL
	SELECT is((SELECT count(*) FROM pg_temp.asked(q.name, 'tv', 'ordinal')), (SELECT count(*) FROM pg_temp.asked(q.name, 'tv', 'plain')), 'and as many, of ' || q.name || ', ' || how) FROM question q $$;
SELECT pg_temp.same('at first');
SELECT cmp_ok(count(*), '>', 60::bigint, 'there is an answer to ' || q.name) FROM question q, pg_temp.asked(q.name, 'tv', 'alone') GROUP BY q.name;

-- The calls of a door share one site, which is gone after the statement; 18 plans a door for each call, and there is none.
SELECT is(min(sites) || ' to ' || max(sites), CASE WHEN current_setting('server_version_num')::int < 180000 THEN '1 to 1' ELSE '0 to 0' END, 'one site for all calls of a door')
FROM (SELECT u, (SELECT count(*) FROM pg_backend_memory_contexts WHERE name = 'reco call site' AND p.item_id IS NOT NULL) AS sites FROM generate_series(1, 30) u, LATERAL tv.page(u, 2, 2) WITH ORDINALITY p) s;
SELECT is((SELECT count(*) FROM pg_backend_memory_contexts WHERE name = 'reco call site'), 0::bigint, 'and none after the statement');

-- Two doors in one statement, of two models and of one with other arguments, keep apart what they know.
SELECT is_empty($$SELECT u FROM generate_series(1, 60) u WHERE
	(SELECT array_agg((a.item_id, a.match) ORDER BY a.ordinality) FROM tv.page(u, 3, 3, as_of => '2026-05-02') WITH ORDINALITY a) IS NOT DISTINCT FROM (SELECT array_agg((a.item_id, a.match) ORDER BY a.ordinality) FROM other.page(u, 3, 3, as_of => '2026-05-02') WITH ORDINALITY a)$$, 'two models have pages of their own');
SELECT results_eq($$SELECT u, a.item_id, a.ordinality, b.item_id FROM generate_series(1, 60) u, LATERAL tv.page(u, 3, 3, as_of => '2026-05-02') WITH ORDINALITY a JOIN LATERAL tv.page(u, 2, 4, 5, as_of => '2026-05-02') WITH ORDINALITY b USING (ordinality) ORDER BY 1, 3$$,
	$$SELECT u, a.item_id, a.n, b.item_id FROM generate_series(1, 60) u, LATERAL (SELECT *, row_number() OVER () AS n FROM tv.page(u, 3, 3, as_of => '2026-05-02')) a JOIN LATERAL (SELECT *, row_number() OVER () AS n FROM tv.page(u, 2, 4, 5, as_of => '2026-05-02')) b USING (n) ORDER BY 1, 3$$, 'two questions about one have answers of their own');

/*
 * A function of SQL that writes and asks: every call sees what it wrote, and what calls before did.  One that only asks sees
 * what was there when the statement began, whoever writes meanwhile.
 */
CREATE FUNCTION pg_temp.watch(who int, film int) RETURNS TABLE(item_id int) LANGUAGE sql VOLATILE AS $$
	INSERT INTO play VALUES (who, film, '2026-05-01 12:00', 1);
	SELECT p.item_id::int FROM reco_continue(who::bigint, NULL, 'tv', '2026-05-02') p $$;
SELECT is((SELECT count(*) FROM generate_series(1, 60) u, LATERAL (SELECT u, (SELECT item_id FROM tv.continue(u, 1, '2026-05-02')) AS film OFFSET 0) f, LATERAL pg_temp.watch(f.u, f.film) w WHERE w.item_id = f.film), 0::bigint, 'what was seen to the end just now is not left undone');
SELECT is((SELECT count(*) FROM play WHERE at = '2026-05-01 12:00'), (SELECT count(*) FROM generate_series(1, 60)), 'everybody saw something');
SELECT pg_temp.same('after writes');

-- A setting of the session and what was learned may change between two statements of one transaction.
CREATE FUNCTION pg_temp.between() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	before timestamptz[];
	later timestamptz[];
	asked CONSTANT text = 'SELECT array_agg(a.last_at ORDER BY u, a.ordinality) FROM generate_series(1, 60) u, LATERAL tv.continue(u, NULL, ''2026-05-02'') WITH ORDINALITY a';
BEGIN
	EXECUTE asked INTO before;
	PERFORM set_config('timezone', 'Asia/Tokyo', true);
	EXECUTE asked INTO later;
	PERFORM set_config('timezone', 'UTC', true);
	RETURN NEXT is((SELECT count(*) FROM unnest(before, later) t(b, l) WHERE b - l <> interval '9 hours'), 0::bigint, 'times are those of the zone that is set');
	RETURN NEXT cmp_ok(cardinality(before), '>', 10, 'there are some');
END $$;
SELECT pg_temp.between();
CREATE FUNCTION pg_temp.in_utc(who int) RETURNS SETOF timestamptz LANGUAGE sql STABLE SET timezone = 'UTC' AS $$
	SELECT p.last_at FROM reco_continue(who::bigint, 1, 'tv', '2026-05-01') p $$;
CREATE FUNCTION pg_temp.in_tokyo(who int) RETURNS SETOF timestamptz LANGUAGE sql STABLE SET timezone = 'Asia/Tokyo' AS $$
	SELECT p.last_at FROM reco_continue(who::bigint, 1, 'tv', '2026-05-01') p $$;
CREATE VIEW pg_temp.zones AS SELECT a - b AS apart FROM generate_series(1, 60) u, LATERAL pg_temp.in_utc(u) a, LATERAL pg_temp.in_tokyo(u) b;
SELECT is_empty($$SELECT FROM pg_temp.zones WHERE apart <> interval '9 hours'$$, 'functions with a zone of their own keep to it');
SELECT cmp_ok(count(apart), '>', 30::bigint, 'both of them') FROM pg_temp.zones;
INSERT INTO play SELECT u, 59, '2026-05-01 13:00', 1 FROM generate_series(1, 60) u WHERE u % 3 = 0;
SELECT pg_temp.refresh('tv');
SELECT reco_learn_habits('tv', '2026-05-02');
SELECT pg_temp.same('after a refresh');

-- An error on the way takes what was kept with it.
SELECT throws_ok($$SELECT a.* FROM generate_series(1, 30) u, LATERAL tv.page(u, CASE WHEN u = 25 THEN 0 ELSE 3 END, 3) WITH ORDINALITY a$$, '22023', 'rows must be from 1 to 50, not 0', 'an error after many pages');
SELECT is((SELECT count(*) FROM pg_backend_memory_contexts WHERE name = 'reco call site'), 0::bigint, 'leaves nothing');
SELECT pg_temp.same('after an error');

-- A cursor goes on with what its statement saw.
DECLARE pages CURSOR FOR SELECT u, a.item_id, a.ordinality FROM generate_series(1, 60) u, LATERAL tv.page(u, 3, 3, as_of => '2026-05-02') WITH ORDINALITY a;
CREATE TABLE whole AS SELECT u, a.item_id, a.ordinality FROM generate_series(1, 60) u, LATERAL tv.page(u, 3, 3, as_of => '2026-05-02') WITH ORDINALITY a;
CREATE FUNCTION pg_temp.fetched() RETURNS TABLE(u int, item_id int, ordinality bigint) LANGUAGE plpgsql AS $$
DECLARE
	pages refcursor = 'pages';
	r record;
BEGIN
	LOOP
		FETCH pages INTO r;
		EXIT WHEN NOT FOUND;
		u := r.u; item_id := r.item_id; ordinality := r.ordinality;
		RETURN NEXT;
		IF ordinality = 1 THEN
			INSERT INTO play VALUES (u + 1, item_id, '2026-05-01 14:00', 1);
		END IF;
	END LOOP;
END $$;
SELECT bag_eq('SELECT * FROM pg_temp.fetched()', 'TABLE whole', 'what is written between fetches is not seen by the cursor');

-- What a site knows of a model goes when it is asked of another one: memory while a query asks of two in turns, so many times.
CREATE FUNCTION pg_temp.held(of text, times int) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE held bigint;
BEGIN
	EXECUTE format('SELECT (SELECT sum(total_bytes) FROM pg_backend_memory_contexts WHERE asked.rows > 0) FROM (SELECT count(%s) AS rows FROM generate_series(1, %s) n%s) asked',
		CASE of WHEN 'score' THEN 'reco_score(n % 60 + 1::bigint, 3::bigint, CASE WHEN n % 2 = 0 THEN ''tv'' ELSE ''other'' END)' ELSE '*' END, times,
		CASE of WHEN 'score' THEN '' ELSE format(', LATERAL reco_%s(n %% 60 + 1::bigint, model => CASE WHEN n %% 2 = 0 THEN ''tv'' ELSE ''other'' END)', of) END) INTO held;
	RETURN held;
END $$;
SELECT pg_temp.held(name, 10) FROM (SELECT name FROM question UNION ALL VALUES ('score')) q;
SELECT cmp_ok(pg_temp.held(name, 410) - pg_temp.held(name, 10), '<', 500000::bigint, name || ' keeps nothing of the model before')
FROM (SELECT name FROM question UNION ALL VALUES ('score')) q;

SELECT * FROM finish();
ROLLBACK;
