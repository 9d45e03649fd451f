-- What the questions about moments cost, of all customers of the retail set at once.  psql variable: unpack, a command that prints
-- the file.  The lines with "user" are seconds of the processor.
SET timezone = 'UTC';
CREATE TABLE order_line (invoice text, stock_code text, description text, quantity int, ordered_at timestamptz, price numeric, customer_id int, country text);
COPY order_line FROM PROGRAM :'unpack' WITH (FORMAT csv, HEADER);
CREATE INDEX ON order_line (customer_id);
ANALYZE order_line;
SELECT reco_create_model('retail', 'SELECT customer_id AS user_id, stock_code AS item_id, ordered_at AS occurred_at, (quantity * price)::float8 AS weight FROM public.order_line');
SELECT events, users FROM reco_refresh('retail');
SET max_parallel_workers_per_gather = 0;
SET client_min_messages = log;
SET log_statement_stats = on;
\echo reco_rhythm of every customer
SELECT count((r).next_at) FROM (SELECT reco_rhythm(ordered_at) AS r FROM order_line GROUP BY customer_id) v;
\echo reco_fit_bgnbd of all, then p_alive and expected_purchases of each
WITH v AS MATERIALIZED (SELECT reco_rhythm(date_trunc('day', ordered_at)) AS r FROM order_line WHERE quantity > 0 AND customer_id IS NOT NULL GROUP BY customer_id),
  f AS MATERIALIZED (SELECT reco_fit_bgnbd(r, '2011-12-10') AS f FROM v)
SELECT count(*), avg(reco_p_alive(f, r, '2011-12-10')), sum(reco_expected_purchases(f, r, '2011-12-10', '90 days')) FROM v, f;
\echo reco_win_back, those who are silent
SELECT count(*) FROM retail.win_back(NULL, as_of => '2011-12-10');
\echo reco_win_back, everybody with a rhythm
SELECT count(*) FROM retail.win_back(NULL, max_chance => 1, as_of => '2011-12-10');
\echo reco_hours of every customer, smoothed
WITH h AS MATERIALIZED (SELECT reco_hours(ordered_at, 'Europe/London') AS hours FROM order_line GROUP BY customer_id), e AS MATERIALIZED (SELECT reco_hours(hours) AS everybody FROM h)
SELECT count(reco_smooth_hours(hours, everybody)) FROM h, e;
\echo reco_wrapped_all, the year of every customer, as rows
CREATE TABLE stories AS SELECT * FROM retail.wrapped_all('2010-12-01', '2011-12-10');
\echo reco_wrapped_json_all, the same as documents
CREATE TABLE documents AS SELECT * FROM retail.wrapped_json_all('2010-12-01', '2011-12-10');
\echo reco_wrapped of one customer, beside everybody
SELECT count(*) FROM retail.wrapped(14911, '2010-12-01', '2011-12-10');
\echo reco_page of a hundred customers, six rows of ten
SELECT count(*) FROM (SELECT DISTINCT customer_id FROM order_line WHERE customer_id % 40 = 0 ORDER BY 1 LIMIT 100) c, retail.page(customer_id, as_of => '2011-12-10');
\echo reco_learn_habits
SELECT users, items FROM reco_learn_habits('retail', '2011-12-10');
\echo reco_next_purchases of every customer, ten each
SELECT count(*) FROM (SELECT DISTINCT customer_id FROM order_line WHERE customer_id IS NOT NULL) c, LATERAL retail.next_purchases(c.customer_id, 10, '30 days', '2011-12-10') n;
\echo reco_best_time of every customer
SELECT count(*) FROM (SELECT DISTINCT customer_id FROM order_line WHERE customer_id IS NOT NULL) c, LATERAL retail.best_time(c.customer_id, '1 day', '2011-12-10') n;
