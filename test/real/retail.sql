-- A wholesaler's real order lines: text products, integer customers, cancellations, orders of nobody; every setting as it
-- comes.  The variable data names the folder with online_retail.csv.xz.

SET client_min_messages = warning;
SET timezone = 'UTC';

\set there `test -r :'data'/online_retail.csv.xz && echo yes || echo no`
\if :there
\else
\echo 1..0 # SKIP no online_retail.csv.xz in :data
\quit
\endif

\set program 'xzcat \'' :data '/online_retail.csv.xz\''

CREATE TABLE order_line (
  invoice      text NOT NULL,
  stock_code   text NOT NULL,
  description  text,
  quantity     int NOT NULL,
  ordered_at   timestamptz NOT NULL,
  price        numeric NOT NULL,
  customer_id  int,
  country      text
);
COPY order_line FROM PROGRAM :'program' WITH (FORMAT csv, HEADER);
CREATE INDEX ON order_line (customer_id, stock_code);
CREATE TABLE product AS
  SELECT stock_code, max(description) AS title FROM order_line GROUP BY stock_code;
ALTER TABLE product ADD PRIMARY KEY (stock_code);
ANALYZE order_line, product;

SELECT plan(32);


-- The whole file.

SELECT is(count(*), 541909::bigint, 'the file is the one its description speaks of') FROM order_line;

SELECT reco_create_model('retail',
  'SELECT customer_id AS user_id, stock_code AS item_id, ordered_at AS occurred_at, sign(quantity) AS weight FROM order_line',
  'SELECT stock_code AS item_id, title FROM product');
CREATE TEMP TABLE report AS SELECT * FROM reco_refresh('retail');

SELECT is(skipped_null_user, 135080::bigint, 'the lines of nobody are left out and counted') FROM report;
SELECT is(r.events, count(o.customer_id), 'every other line is an event')
FROM report r, order_line o GROUP BY r.events;
SELECT is(r.users, count(DISTINCT o.customer_id), 'users are the customers')
FROM report r, order_line o GROUP BY r.users;
SELECT is(r.items, count(DISTINCT o.stock_code), 'items are the products somebody ordered or sent back')
FROM report r, order_line o WHERE o.customer_id IS NOT NULL GROUP BY r.items;
SELECT is(skipped_null_item + skipped_null_weight + skipped_null_time + skipped_not_finite + skipped_future, 0::bigint,
  'nothing else is left out') FROM report;
SELECT ok(rows_written >= items AND neighbor_pairs > items AND curve_pairs > 0,
  'the first refresh writes every item, neighbours and a match curve') FROM report;
-- What fewer than two customers bought more of than they sent back, of which nothing but the id is written down.
CREATE TABLE rare AS SELECT stock_code FROM (SELECT stock_code, sum(sign(quantity)) AS weight FROM order_line WHERE customer_id IS NOT NULL GROUP BY stock_code, customer_id) c
  GROUP BY stock_code HAVING count(*) FILTER (WHERE weight > 0) < 2;
SELECT is_empty($$
  SELECT * FROM (SELECT item_id, events, first_at, last_at FROM retail.learned_item WHERE events > 0) l
  FULL JOIN (SELECT stock_code AS item_id, count(*) AS events, min(ordered_at) AS first_at, max(ordered_at) AS last_at
             FROM order_line WHERE customer_id IS NOT NULL AND stock_code NOT IN (SELECT stock_code FROM rare) GROUP BY stock_code) o USING (item_id, events, first_at, last_at)
  WHERE l.events IS NULL OR o.events IS NULL
$$, 'events, first and last seen of every item that two customers chose are what SQL counts');
SELECT is((SELECT count(*) FROM retail.similar), (SELECT neighbor_pairs + content_pairs FROM report), 'the view similar shows every pair');
SELECT is((SELECT count(*) FROM retail.learned_item WHERE events = 0 AND item_id NOT IN (SELECT stock_code FROM rare)), (SELECT count(DISTINCT stock_code) FROM product p WHERE EXISTS (SELECT FROM retail.similar s WHERE s.item_id = p.stock_code)
  AND NOT EXISTS (SELECT FROM order_line o WHERE o.stock_code = p.stock_code AND o.customer_id IS NOT NULL)), 'and what no customer ordered is there if it has a neighbour by the words of its title');

-- Once more, with nothing changed: a refresh rewrites what changed and no more.
CREATE TEMP TABLE again AS SELECT * FROM reco_refresh('retail');
SELECT ok(a.rows_written <= r.items / 100, 'a refresh without new orders writes at most 1 % of the items')
FROM again a, report r;
SELECT diag(format('rows written: %s at first, %s of %s when nothing had changed', r.rows_written, a.rows_written, r.items))
FROM again a, report r;
SELECT ok(ROW(a.events, a.users, a.items, a.neighbor_pairs, a.curve_pairs) =
    ROW(r.events, r.users, r.items, r.neighbor_pairs, r.curve_pairs), 'and reports the same model')
FROM again a, report r;


-- The last fifth of the days held out: is what people went on to buy in their lists?

CREATE TEMP TABLE cut AS
  SELECT min(ordered_at::date) + (0.8 * (max(ordered_at::date) - min(ordered_at::date)))::int AS day FROM order_line;
CREATE TABLE past AS SELECT o.* FROM order_line o, cut WHERE o.ordered_at < cut.day;
CREATE INDEX ON past (customer_id, stock_code);
CREATE TEMP TABLE future AS
  SELECT DISTINCT o.customer_id, o.stock_code FROM order_line o, cut
  WHERE o.ordered_at >= cut.day AND o.quantity > 0 AND o.customer_id IS NOT NULL;
CREATE TABLE customer AS
  SELECT DISTINCT customer_id FROM past WHERE customer_id IS NOT NULL AND quantity > 0;
ALTER TABLE customer ADD PRIMARY KEY (customer_id);
ANALYZE past, future, customer;

-- What each of them bought for the first time after the cut.  The planner takes the anti-join for one row: without
-- the key of customer above it would scan that table for each of them.
CREATE TEMP TABLE fresh AS
  SELECT f.* FROM future f JOIN customer USING (customer_id)
  WHERE NOT EXISTS (SELECT FROM past p WHERE p.customer_id = f.customer_id AND p.stock_code = f.stock_code);
CREATE INDEX ON fresh (customer_id, stock_code);
ANALYZE fresh;

SELECT reco_create_model('known',
  'SELECT customer_id AS user_id, stock_code AS item_id, ordered_at AS occurred_at, sign(quantity) AS weight FROM past',
  'SELECT stock_code AS item_id, title FROM product');
SELECT is(r.skipped_null_user, count(*), 'the lines of nobody, of the days before the cut')
FROM reco_refresh('known') r, past p WHERE p.customer_id IS NULL GROUP BY r.skipped_null_user;

CREATE MATERIALIZED VIEW offer AS
  SELECT c.customer_id, t.rank, t.item_id, t.score, t.match, t.because, t.source
  FROM customer c CROSS JOIN LATERAL known.top_n(c.customer_id, 10)
    WITH ORDINALITY AS t(item_id, score, match, because, source, rank);
CREATE UNIQUE INDEX ON offer (customer_id, rank);
ANALYZE offer;

SELECT is_empty('SELECT customer_id FROM customer c LEFT JOIN offer o USING (customer_id)
  GROUP BY customer_id HAVING count(o.item_id) <> 10', 'every customer is offered ten products');
SELECT is_empty('SELECT customer_id, item_id FROM offer GROUP BY 1, 2 HAVING count(*) > 1', 'none of them twice');
SELECT is_empty('SELECT * FROM offer o JOIN past p ON p.customer_id = o.customer_id AND p.stock_code = o.item_id',
  'none that the customer had already');
SELECT is_empty('SELECT * FROM offer o WHERE NOT EXISTS (SELECT FROM product p WHERE p.stock_code = o.item_id)',
  'all of the catalogue');
SELECT is_empty('SELECT * FROM offer WHERE item_id IS NULL OR score IS NULL OR source IS NULL OR rank IS NULL',
  'and no NULL where something must stand');
SELECT is_empty('SELECT * FROM offer WHERE source = $$personal$$ AND (because IS NULL OR score <= 0)',
  'what is personal has a score and a reason');
SELECT is_empty('SELECT * FROM offer o WHERE because IS NOT NULL AND NOT EXISTS
    (SELECT FROM past p WHERE p.customer_id = o.customer_id AND p.stock_code = o.because AND p.quantity > 0)',
  'the reason is something the customer bought');
SELECT is_empty('SELECT * FROM offer WHERE match NOT BETWEEN 50 AND 100', 'match is from 50 to 100 or NULL');
SELECT is_empty('SELECT * FROM (SELECT score, lag(score) OVER (PARTITION BY customer_id ORDER BY rank) AS above
    FROM offer WHERE source = $$personal$$) s WHERE score > above', 'the best comes first');
SELECT ok(count(*) FILTER (WHERE source = 'personal') > 0.9 * count(*), 'more than nine tenths are personal') FROM offer;

-- Beside them what anybody would be shown: the most bought products that the customer does not have.
CREATE TEMP TABLE bestseller AS
  SELECT stock_code, row_number() OVER (ORDER BY count(DISTINCT customer_id) DESC, stock_code COLLATE "C") AS place
  FROM past WHERE quantity > 0 AND customer_id IS NOT NULL GROUP BY stock_code;
CREATE INDEX ON bestseller (place);
ANALYZE bestseller;
CREATE TEMP TABLE shelf AS
  SELECT c.customer_id, b.stock_code AS item_id
  FROM customer c CROSS JOIN LATERAL
    (SELECT stock_code FROM bestseller b WHERE NOT EXISTS
       (SELECT FROM past p WHERE p.customer_id = c.customer_id AND p.stock_code = b.stock_code)
     ORDER BY place LIMIT 10) b;
ANALYZE shelf;

CREATE FUNCTION pg_temp.recall(lists regclass) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
  answer float8;
BEGIN
  EXECUTE format('SELECT avg(hits / least(10, wanted)::float8) FROM (
      SELECT f.customer_id, count(*) AS wanted, count(l.item_id) AS hits
      FROM fresh f LEFT JOIN %s l ON l.customer_id = f.customer_id AND l.item_id = f.stock_code
      GROUP BY f.customer_id) c', lists) INTO answer;
  RETURN answer;
END $$;
CREATE TEMP TABLE recall AS SELECT pg_temp.recall('offer') AS ours, pg_temp.recall('shelf') AS popular;

SELECT diag(format('recall@10 of new products, %s customers: %s, bestsellers %s',
  (SELECT count(DISTINCT customer_id) FROM fresh), round(ours::numeric, 4), round(popular::numeric, 4))) FROM recall;
SELECT ok(popular > 0.02, 'bestsellers find some of them') FROM recall;
SELECT ok(ours >= 2 * popular, 'the model finds at least twice as many') FROM recall;
SELECT ok(ours >= 0.09, 'and at least what it found when this was written') FROM recall;


-- Lists as tables: a materialized view that is refreshed, over a catalogue that is live.

CREATE TEMP TABLE before AS SELECT * FROM offer;
REFRESH MATERIALIZED VIEW CONCURRENTLY offer;
SELECT is_empty('(TABLE before EXCEPT ALL TABLE offer) UNION ALL (TABLE offer EXCEPT ALL TABLE before)',
  'refreshed, the lists are the same as long as nothing changes');

CREATE TEMP TABLE gone AS SELECT item_id FROM offer GROUP BY item_id ORDER BY count(*) DESC, item_id LIMIT 1;
DELETE FROM product p USING gone WHERE p.stock_code = gone.item_id;
REFRESH MATERIALIZED VIEW offer;
SELECT ok(count(*) FILTER (WHERE o.item_id = g.item_id) = 0, 'a product taken off the catalogue is in no list')
FROM offer o, gone g;
SELECT is_empty('SELECT customer_id FROM customer c LEFT JOIN offer o USING (customer_id)
  GROUP BY customer_id HAVING count(o.item_id) <> 10', 'whose lists are full all the same');


-- Newcomers of whom nothing is known but the country, and lists that go by the hour.

CREATE TABLE buyer AS SELECT customer_id, min(country) AS country, min(ordered_at) AS first FROM order_line WHERE customer_id IS NOT NULL GROUP BY customer_id;
ALTER TABLE buyer ADD PRIMARY KEY (customer_id);
SELECT reco_create_model('autumn',
  $$SELECT customer_id AS user_id, stock_code AS item_id, ordered_at AS occurred_at, sign(quantity) AS weight
    FROM order_line WHERE ordered_at < '2011-10-01'$$, users => 'SELECT customer_id AS user_id, country FROM buyer');
SELECT reco_configure('autumn', similarity => 'cosine', contexts => '{occurred_at}', time_zone => 'Europe/London');
CREATE TEMP TABLE autumn_report AS SELECT * FROM reco_refresh('autumn');
CREATE TEMP TABLE basket AS
  SELECT DISTINCT o.customer_id, o.stock_code, f.at FROM order_line o
  JOIN (SELECT customer_id, min(ordered_at) AS at FROM order_line WHERE ordered_at >= '2011-10-01' AND quantity > 0 GROUP BY customer_id) f
    ON f.customer_id = o.customer_id AND o.ordered_at = f.at
  WHERE quantity > 0 AND NOT EXISTS (SELECT FROM order_line b WHERE (b.customer_id, b.stock_code) = (o.customer_id, o.stock_code) AND b.ordered_at < '2011-10-01');
CREATE TEMP TABLE asker AS SELECT DISTINCT k.customer_id, k.at, b.first < '2011-10-01' AS known FROM basket k JOIN buyer b USING (customer_id);
CREATE TEMP TABLE shown AS
  SELECT 'alike' AS list, a.customer_id, t.item_id FROM asker a CROSS JOIN LATERAL autumn.top_n(a.customer_id, 10) t WHERE NOT known
  UNION ALL SELECT 'guest', a.customer_id, t.item_id FROM asker a CROSS JOIN autumn.top_n(NULL, 10) t WHERE NOT known
  UNION ALL SELECT 'popular', a.customer_id, t.item_id FROM asker a CROSS JOIN autumn.popular(10) t WHERE NOT known
  UNION ALL SELECT 'plain', a.customer_id, t.item_id FROM asker a CROSS JOIN LATERAL autumn.top_n(a.customer_id, 10) t WHERE known
  UNION ALL SELECT 'hour', a.customer_id, t.item_id FROM asker a CROSS JOIN LATERAL autumn.top_n(a.customer_id, 10, context => jsonb_build_object('occurred_at', a.at)) t WHERE known;
CREATE TEMP TABLE hits AS SELECT list, count(b.stock_code)::float8 AS hits FROM shown s LEFT JOIN basket b ON (b.customer_id, b.stock_code) = (s.customer_id, s.item_id) GROUP BY list;
SELECT diag(string_agg(format('%s %s', list, hits), ', ' ORDER BY list)) FROM hits;
SELECT ok((SELECT hits FROM hits WHERE list = 'alike') >= 1.1 * (SELECT hits FROM hits WHERE list = 'popular'), 'by their country newcomers find more than by what is popular');
SELECT ok((SELECT hits FROM hits WHERE list = 'alike') >= 1.05 * (SELECT hits FROM hits WHERE list = 'guest'), 'and more than guests');
SELECT ok((SELECT hits FROM hits WHERE list = 'hour') >= .99 * (SELECT hits FROM hits WHERE list = 'plain'), 'the hour, which makes hardly a difference to a wholesaler, takes nothing away');

SELECT * FROM finish();
