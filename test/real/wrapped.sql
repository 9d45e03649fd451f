-- A wholesaler's year as stories: every customer's, against plain SQL.  The variable data names the folder with online_retail.csv.xz.

SET client_min_messages = warning;
SET timezone = 'UTC';

\set there `test -r :'data'/online_retail.csv.xz && echo yes || echo no`
\if :there
\else
\echo 1..0 # SKIP no online_retail.csv.xz in :data
\quit
\endif

\ir read/orders.sql

SELECT plan(13);

SELECT reco_create_model('retail', 'SELECT customer_id AS user_id, stock_code AS item_id, ordered_at AS occurred_at, quantity AS weight FROM order_line');

-- The whole file: 4,339 customers bought something, on 397,924 lines.
SELECT clock_timestamp() AS began \gset
CREATE TABLE year AS SELECT * FROM retail.wrapped_all('2010-12-01', '2011-12-10');
SELECT diag('rows of everybody after ' || clock_timestamp() - :'began'::timestamptz);
SELECT clock_timestamp() AS began \gset
CREATE TABLE document AS SELECT * FROM retail.wrapped_json_all('2010-12-01', '2011-12-10');
SELECT diag('documents of everybody after ' || clock_timestamp() - :'began'::timestamptz);
SELECT is(count(DISTINCT user_id), 4339::bigint, 'every customer has a story') FROM year;
SELECT is(sum(value), 397924::float8, 'of all lines') FROM year WHERE part = 'events';
SELECT is(sum(value), (SELECT sum(quantity)::float8 FROM order_line WHERE quantity > 0 AND customer_id IS NOT NULL), 'and all pieces') FROM year WHERE part = 'amount';
SELECT is(count(*) FILTER (WHERE label = 'newcomer'), 4339::bigint, 'where nothing is before, all are new') FROM year WHERE part = 'type';
SELECT is((SELECT count(*) FROM year WHERE value = 'NaN' OR share = 'NaN' OR change = 'NaN' OR percentile = 'NaN' OR share NOT BETWEEN 0 AND 1 OR percentile NOT BETWEEN 0 AND 1), 0::bigint, 'no share is beyond 0 and 1');
SELECT is(count(*), 4339::bigint, 'each has a document') FROM document;
SELECT is_empty($$SELECT user_id FROM document d JOIN year y USING (user_id) WHERE y.part = 'amount' AND (d.wrapped #>> '{amount,value}')::float8 <> y.value$$, 'that says the same');

-- The second half, beside the first.
CREATE TABLE half AS SELECT * FROM retail.wrapped_all('2011-06-09', '2011-12-10');
SELECT results_eq($$SELECT user_id, value, before FROM half WHERE part = 'events' ORDER BY user_id$$,
  $$SELECT customer_id, count(*) FILTER (WHERE ordered_at >= '2011-06-09')::float8, count(*) FILTER (WHERE ordered_at < '2011-06-09')::float8 FROM order_line
    WHERE quantity > 0 AND customer_id IS NOT NULL AND ordered_at >= '2010-12-07' AND ordered_at < '2011-12-10' GROUP BY 1 HAVING bool_or(ordered_at >= '2011-06-09') ORDER BY 1$$, 'lines now and before');
SELECT bag_eq($$SELECT user_id, value FROM half WHERE part = 'discovery'$$,
  $$SELECT customer_id, count(*) FILTER (WHERE f >= '2011-06-09')::float8 FROM (SELECT customer_id, stock_code, min(ordered_at) AS f, max(ordered_at) AS l FROM order_line WHERE quantity > 0 AND customer_id IS NOT NULL GROUP BY 1, 2) i
    GROUP BY 1 HAVING max(l) >= '2011-06-09'$$, 'what was new to them');
SELECT results_eq($$SELECT rank, item_id, value FROM half WHERE part = 'top_items' AND user_id = 14911$$, $$SELECT row_number() OVER (ORDER BY sum(quantity) DESC, count(*) DESC, stock_code COLLATE "C")::int, stock_code, sum(quantity)::float8 FROM order_line
  WHERE quantity > 0 AND customer_id = 14911 AND ordered_at >= '2011-06-09' GROUP BY stock_code ORDER BY 1 LIMIT 5$$, 'tops of the keenest');
SELECT results_eq($$SELECT rank, value FROM half WHERE part = 'rare_items' AND user_id = 14911$$, $$SELECT row_number() OVER (ORDER BY c)::int, c::float8 FROM (SELECT stock_code, count(DISTINCT customer_id) AS c FROM order_line WHERE quantity > 0 AND ordered_at >= '2011-06-09'
  GROUP BY stock_code HAVING bool_or(customer_id = 14911)) s ORDER BY 1 LIMIT 5$$, 'and their rare tastes');
SELECT cmp_ok(count(DISTINCT label), '>=', 5::bigint, 'customers are of several types') FROM half WHERE part = 'type';
SELECT diag(string_agg(label || ' ' || n, ', ' ORDER BY n DESC)) FROM (SELECT label, count(*) AS n FROM half WHERE part = 'type' GROUP BY 1) t;
-- One asked alone.
SELECT results_eq('SELECT * FROM retail.wrapped(14911, ''2011-06-09'', ''2011-12-10'')', $$SELECT part, rank, item_id, label, value, before, change, share, share_before, percentile, began_at, ended_at, rule FROM half WHERE user_id = 14911$$, 'one asked alone has the same story');

SELECT * FROM finish();
