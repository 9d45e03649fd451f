-- origins: several services in one model: what one knows of people improves the lists of another, as far as they agree.

BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;

/*
 * Planted: 600 people of three tastes.  A bank has seen ten purchases of each, two thirds of them of
 * their taste; a pizzeria has seen one order of each, and knows what the next one was, which nobody
 * else does.  Of 30 pizzas ten go with each taste.
 */
CREATE TABLE person AS SELECT u, u % 3 AS taste, u % 5 > 0 AS shares FROM generate_series(1, 600) u;
CREATE TABLE purchase AS SELECT u, CASE WHEN h & 1023 < 683 THEN taste ELSE (h >> 20 & 1023) % 3 END * 20 + (h >> 10 & 1023) % 20 AS shop, '2026-01-01'::timestamptz + n * interval '1 day' AS at
  FROM person, generate_series(1, 10) n, LATERAL (SELECT hashint8extended(n, u) AS h) x;
CREATE TABLE pizza AS SELECT u, n, CASE WHEN h & 1023 < 683 THEN taste ELSE (h >> 20 & 1023) % 3 END * 10 + (h >> 10 & 1023) % 10 AS pizza, '2026-02-01'::timestamptz + n * interval '1 day' AS at
  FROM person, generate_series(1, 2) n, LATERAL (SELECT hashint8extended(n, u + 10000) AS h) x;

-- Ids say where they come from; everybody's bank counts, or only that of those who agreed to it.
CREATE VIEW bank AS SELECT u AS user_id, 'bank ' || shop AS item_id, at AS occurred_at, 'paid' AS signal, 'bank' AS origin FROM purchase;
CREATE VIEW pizzeria AS SELECT u AS user_id, 'pizza ' || pizza AS item_id, at AS occurred_at, 'ordered' AS signal, 'pizzeria' AS origin FROM pizza WHERE n = 1;
SELECT reco_create_model('alone', 'SELECT * FROM pizzeria');
SELECT reco_create_model('all_of_it', 'SELECT * FROM bank UNION ALL SELECT * FROM pizzeria');
SELECT reco_create_model('as_agreed', 'SELECT b.* FROM bank b JOIN person p ON p.u = b.user_id WHERE p.shares UNION ALL SELECT * FROM pizzeria');
SELECT reco_configure(m, similarity => 'cooccurrence') FROM unnest('{alone,all_of_it,as_agreed}'::text[]) m;
SELECT reco_refresh(m) IS NOT NULL FROM unnest('{alone,all_of_it,as_agreed}'::text[]) m;

-- The next pizza among the first five of the pizzeria's list, asked for with any SQL around it.
CREATE FUNCTION pg_temp.list(model text, u int) RETURNS TABLE(item_id text) LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY EXECUTE format('SELECT t.item_id FROM %I.top_n($1, NULL) t WHERE t.item_id LIKE ''pizza %%'' LIMIT 5', model) USING u;
END $$;
CREATE FUNCTION pg_temp.found(model text, who boolean[]) RETURNS float8 LANGUAGE sql AS $$
  SELECT avg((EXISTS (SELECT FROM (SELECT item_id FROM pg_temp.list(model, p.u)) l WHERE l.item_id = 'pizza ' || z.pizza))::int)
  FROM person p JOIN pizza z ON z.u = p.u AND z.n = 2 JOIN pizza f ON f.u = p.u AND f.n = 1 WHERE p.shares = ANY (who) AND f.pizza <> z.pizza $$;
CREATE TEMP TABLE said AS SELECT m AS model, pg_temp.found(m, '{true}') AS sharing, pg_temp.found(m, '{false}') AS private FROM unnest('{alone,all_of_it,as_agreed}'::text[]) m;
SELECT diag(format('the next pizza among five: %s (who shares), %s (who does not) by %s', round(sharing::numeric, 3), round(private::numeric, 3), model)) FROM said;
SELECT cmp_ok(b.sharing, '>', 1.3 * a.sharing, 'what the bank knows improves the lists of the pizzeria') FROM said a, said b WHERE a.model = 'alone' AND b.model = 'all_of_it';
SELECT cmp_ok(b.sharing, '>', 1.3 * a.sharing, 'of those who agreed to it, too') FROM said a, said b WHERE a.model = 'alone' AND b.model = 'as_agreed';
SELECT cmp_ok(abs(b.private - a.private), '<', 0.08::float8, 'and not those of others') FROM said a, said b WHERE a.model = 'alone' AND b.model = 'as_agreed';

-- Of who does not share, the bank is in nothing: neither in what was learned nor in a history.
SELECT is((SELECT sum(l.events) FROM as_agreed.learned_item l WHERE item_id LIKE 'bank %'), (SELECT count(*)::numeric FROM purchase JOIN person USING (u) WHERE shares), 'only what was agreed is counted');
SELECT is((SELECT count(*) FROM person p, LATERAL (SELECT * FROM as_agreed.top_n(p.u, 20) t) l WHERE NOT shares AND because LIKE 'bank %'), 0::bigint, 'no list of theirs has its reason at the bank');
SELECT cmp_ok((SELECT count(*) FROM person p, LATERAL (SELECT * FROM as_agreed.top_n(p.u, 20) t) l WHERE shares AND because LIKE 'bank %' AND item_id LIKE 'pizza %'), '>', 50::bigint, 'which lists of others have');

SELECT * FROM finish();
ROLLBACK;
