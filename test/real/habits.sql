-- What a wholesaler's customers buy next and when, foreseen as of September 2011 and held against the 60 days that followed.  The
-- variable data names the folder with online_retail.csv.xz.

SET client_min_messages = warning;
SET timezone = 'UTC';

\set there `test -r :'data'/online_retail.csv.xz && echo yes || echo no`
\if :there
\else
\echo 1..0 # SKIP no online_retail.csv.xz in :data
\quit
\endif

\ir read/orders.sql
CREATE INDEX ON order_line (customer_id);
SELECT no_plan();

SELECT reco_create_model('retail', $$SELECT customer_id AS user_id, stock_code AS item_id, ordered_at AS occurred_at, sign(quantity) AS weight FROM public.order_line WHERE ordered_at < '2011-09-01'$$);
SELECT reco_configure('retail', similarity => 'cosine', time_zone => 'Europe/London');
SELECT is(users, 3360::bigint, 'the model learns') FROM reco_refresh('retail');
SELECT is(h.users, count(DISTINCT o.customer_id), 'habits are those of everybody who bought something') FROM reco_learn_habits('retail', '2011-09-01') h, order_line o
WHERE o.ordered_at < '2011-09-01' AND o.quantity > 0 AND o.customer_id IS NOT NULL GROUP BY h.users;
SELECT is(l.visits, v.visits, format('%s days with 85123A', v.visits)) FROM retail.learned_repeat l,
  (SELECT count(*) AS visits FROM (SELECT DISTINCT customer_id, (ordered_at AT TIME ZONE 'Europe/London')::date FROM order_line WHERE stock_code = '85123A' AND quantity > 0 AND ordered_at < '2011-09-01' AND customer_id IS NOT NULL) d) v WHERE l.item_id = '85123A';

CREATE TEMP TABLE asker AS SELECT DISTINCT customer_id FROM order_line WHERE ordered_at < '2011-09-01' AND quantity > 0 AND customer_id % 8 = 1;
CREATE TEMP TABLE bought AS
  SELECT customer_id, stock_code, min(ordered_at) AS at FROM order_line WHERE quantity > 0 AND ordered_at >= '2011-09-01' AND customer_id IS NOT NULL GROUP BY 1, 2;
CREATE TEMP TABLE foreseen AS
  SELECT a.customer_id, n.*, b.at, coalesce(b.at < '2011-10-31', false) AS came FROM asker a CROSS JOIN retail.next_purchases(a.customer_id, 300, '60 days', '2011-09-01') n
  LEFT JOIN bought b ON (b.customer_id, b.stock_code) = (a.customer_id, n.item_id) WHERE n.chance IS NOT NULL;
CREATE TEMP TABLE tenth AS
  SELECT repeat, tenth, avg(chance) AS said, avg(came::int)::float8 AS came FROM (SELECT *, source = 'repeat' AS repeat, ntile(10) OVER (PARTITION BY source = 'repeat' ORDER BY chance) AS tenth FROM foreseen) t GROUP BY 1, 2;
SELECT diag(format('%s said %s, came %s', CASE WHEN repeat THEN 'repeats' ELSE 'new items' END, string_agg(round(said::numeric, 3)::text, ' ' ORDER BY tenth), string_agg(round(came::numeric, 3)::text, ' ' ORDER BY tenth))) FROM tenth GROUP BY repeat;
SELECT ok(max(abs(said - came)) < 0.1, 'in every tenth as many repeats come as was said, within ten points') FROM tenth WHERE repeat;
SELECT ok(max(abs(said - came)) < 0.03, 'and new items within three') FROM tenth WHERE NOT repeat;
SELECT ok(max(came) > 8 * min(came), 'the likeliest tenth of each kind comes eight times as often as the least likely') FROM tenth GROUP BY repeat;
-- Of ten repeats a customer, against those they bought on most days.
SELECT ok(ours > 1.05 * most, format('of the ten likeliest repeats %s come, of those bought most often %s', ours, most)) FROM
  (SELECT sum(came::int) FILTER (WHERE place <= 10) AS ours, sum(came::int) FILTER (WHERE often <= 10) AS most
   FROM (SELECT came, row_number() OVER (PARTITION BY customer_id ORDER BY chance DESC) AS place, row_number() OVER (PARTITION BY customer_id ORDER BY times DESC, item_id) AS often FROM foreseen WHERE source = 'repeat') r) s;
SELECT is_empty('SELECT * FROM foreseen WHERE NOT (expected_from <= expected_at AND expected_at <= expected_until)', 'times follow each other');
-- Of what came at all before the end of the file, 100 days on.
SELECT diag(format('of repeats that came within 100 days %s %% did before expected_at, %s %% before expected_from', round(100 * avg((at < expected_at)::int)), round(100 * avg((at < expected_from)::int)))) FROM foreseen WHERE source = 'repeat' AND at IS NOT NULL AND expected_until < '2011-12-09';
SELECT is(count(*), (SELECT count(*) FROM asker), 'everybody has a best time') FROM asker a CROSS JOIN retail.best_time(a.customer_id, '7 days', '2011-09-01') b WHERE b.lift >= 1 AND b.at < '2011-09-08';
-- Are they there at that hour of the week?
SELECT ok(here > 2 * even, format('%s of %s later orders are in the best hour of the week, by chance it would be %s', here, every, round(even::numeric))) FROM
  (SELECT count(*) FILTER (WHERE to_char(o.at AT TIME ZONE 'Europe/London', 'Dy HH24') = b.hour) AS here, count(*) AS every, count(*) / 168.0 AS even
   FROM asker a CROSS JOIN LATERAL retail.best_time(a.customer_id, '7 days', '2011-09-01') b JOIN (SELECT DISTINCT customer_id, ordered_at AS at FROM order_line WHERE quantity > 0 AND ordered_at >= '2011-09-01') o USING (customer_id)) s;

SELECT * FROM finish();
