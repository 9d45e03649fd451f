-- Moments of a wholesaler's customers: when they come next, whether they still do, and at which hours, each foreseen from what was
-- before and held against what came.  The variable data names the folder with online_retail.csv.xz.

SET client_min_messages = warning;
SET timezone = 'UTC';

\set there `test -r :'data'/online_retail.csv.xz && echo yes || echo no`
\if :there
\else
\echo 1..0 # SKIP no online_retail.csv.xz in :data
\quit
\endif

\ir read/orders.sql
CREATE TABLE visit AS
  SELECT customer_id, date_trunc('day', ordered_at) AS at FROM order_line WHERE customer_id IS NOT NULL AND quantity > 0 GROUP BY 1, 2;
ANALYZE visit;

SELECT no_plan();


-- Rhythm: of everybody who came on three days and more the last is foreseen from those before.

CREATE TEMP TABLE foreseen AS
  SELECT customer_id, last, (r).times, (r).next_from, (r).next_at, (r).next_until
  FROM (SELECT customer_id, max(at) AS last, reco_rhythm(at) FILTER (WHERE n > 1) AS r
        FROM (SELECT *, row_number() OVER (PARTITION BY customer_id ORDER BY at DESC) AS n FROM visit) v GROUP BY customer_id) r
  WHERE (r).times >= 2;
SELECT diag(format('of %s customers %s %% came between next_from and next_until, %s %% before next_at', count(*),
  round(100 * avg((last BETWEEN next_from AND next_until)::int), 1), round(100 * avg((last < next_at)::int), 1))) FROM foreseen;
SELECT ok(abs(avg((last BETWEEN next_from AND next_until)::int) - 0.8) < 0.04, 'four of five come within the bounds that claim so') FROM foreseen;
-- Who would come after the end of the file is not there, so what is there comes a little soon.
SELECT ok(avg((last < next_at)::int) BETWEEN 0.5 AND 0.62, 'and about half before the middle') FROM foreseen;
SELECT is_empty('SELECT * FROM foreseen WHERE NOT (next_from <= next_at AND next_at <= next_until)', 'the middle is between the bounds');
SELECT is_empty($$SELECT customer_id FROM (SELECT customer_id, reco_rhythm(ordered_at) AS r FROM order_line WHERE customer_id IS NOT NULL GROUP BY 1) f
  JOIN (SELECT customer_id, count(*) AS events, count(DISTINCT ordered_at) AS times, min(ordered_at) AS first_at, max(ordered_at) AS last_at FROM order_line GROUP BY 1) s USING (customer_id)
  WHERE ROW((r).events, (r).times, (r).first_at, (r).last_at) IS DISTINCT FROM ROW(s.events, s.times, s.first_at, s.last_at)$$, 'of order lines, counts are those of SQL');


-- Lifetime: the whole file, where scipy's Nelder-Mead over the likelihood as the paper has it finds .82555, 69.217, .0039278,
-- 6.6574 and -61881.36982; then fitted on nine months, and the last three foreseen.

CREATE TEMP TABLE fit AS SELECT (reco_fit_bgnbd(r, '2011-12-10')).* FROM (SELECT reco_rhythm(at) AS r FROM visit GROUP BY customer_id) v;
SELECT ok(converged, 'the fit ends at a maximum') FROM fit;
SELECT ok(abs(log_likelihood + 61881.36982) < 1e-4, 'with the likelihood that another search finds') FROM fit;
SELECT ok(abs(r - 0.82555) < 1e-4 AND abs(alpha - 69.217) < 0.01 AND abs(a - 0.0039278) < 1e-5 AND abs(b - 6.6574) < 0.01, 'and its parameters') FROM fit;

CREATE TEMP TABLE known AS
  SELECT customer_id, r, later FROM (
    SELECT customer_id, reco_rhythm(at) FILTER (WHERE at < '2011-09-01') AS r, count(*) FILTER (WHERE at >= '2011-09-01') AS later FROM visit GROUP BY 1) v
  WHERE (r).times > 0;
CREATE TEMP TABLE expected AS
  SELECT customer_id, later, (r).times - 1 AS x, reco_p_alive(f, r, '2011-09-01') AS alive, reco_expected_purchases(f, r, '2011-09-01', '100 days') AS purchases
  FROM known, (SELECT reco_fit_bgnbd(r, '2011-09-01') AS f FROM known) f;
SELECT diag(format('purchases of %s customers in 100 days: %s expected, %s came; correlation %s, with the number before alone %s', count(*), round(sum(purchases)), sum(later),
  round(corr(purchases, later)::numeric, 3), round(corr(x, later)::numeric, 3))) FROM expected;
SELECT is_empty('SELECT * FROM expected WHERE NOT (alive BETWEEN 0 AND 1 AND purchases >= 0)', 'chances and numbers are such');
SELECT ok(corr(purchases, later) > 0.75, 'who comes how often is foreseen') FROM expected;
SELECT diag(string_agg(format('%s %s', round(expected, 2), round(came, 2)), ', ' ORDER BY expected)) FROM (SELECT avg(purchases)::numeric AS expected, avg(later) AS came FROM (SELECT purchases, later, ntile(10) OVER (ORDER BY purchases) AS tenth FROM expected) t GROUP BY tenth) t;
-- The autumn is the season of this trade, so more comes than nine months foresee.
SELECT ok(bool_and(came BETWEEN expected AND 2.4 * expected) AND bool_and(came > 0.9 * least), 'tenth by tenth of what is expected, so much comes, up to the season')
FROM (SELECT avg(purchases) AS expected, avg(later) AS came, lag(avg(later), 1, 0) OVER (ORDER BY tenth) AS least FROM (SELECT purchases, later, ntile(10) OVER (ORDER BY purchases) AS tenth FROM expected) t GROUP BY tenth) t;


-- Hours: those of the last three months by what was known before, in London.

CREATE TEMP TABLE called AS SELECT DISTINCT customer_id, ordered_at FROM order_line WHERE customer_id IS NOT NULL AND quantity > 0;
CREATE TEMP TABLE habit AS
  SELECT customer_id, reco_hours(ordered_at, 'Europe/London') FILTER (WHERE ordered_at < '2011-09-01') AS own, reco_hours(ordered_at, 'Europe/London') FILTER (WHERE ordered_at >= '2011-09-01') AS later
  FROM called GROUP BY 1;
CREATE TEMP TABLE everybody AS SELECT reco_hours(own) AS hours FROM habit;
-- The mean of ln(share * 168) at the hours when they came: what is known over an even week.
CREATE TEMP TABLE gain AS
  SELECT sum(l * ln(168 * s)) / sum(l) AS own, sum(l * ln(168 * e)) / sum(l) AS everybody
  FROM (SELECT h.l, h.s, h.e FROM habit, everybody, unnest(later, reco_smooth_hours(own, hours), reco_smooth_hours(NULL, hours)) h(l, s, e) WHERE h.l > 0 AND (SELECT sum(n) FROM unnest(own) n) > 0) g;
SELECT diag(format('ln of the lift at the hours when people came: %s by their own habit, %s by everybody''s', round(own::numeric, 3), round(everybody::numeric, 3))) FROM gain;
SELECT ok(everybody > 1, 'everybody''s hours foresee everybody''s') FROM gain;
SELECT ok(own > everybody + 0.01, 'and somebody''s own foresee theirs better') FROM gain;


-- Winning back: who is silent as of September, what was lost with them by December, and what they are offered.

CREATE INDEX ON order_line (customer_id);
SELECT reco_create_model('retail', 'SELECT customer_id AS user_id, stock_code AS item_id, ordered_at AS occurred_at, (quantity * price)::float8 AS weight FROM order_line');
SELECT reco_configure('retail', similarity => 'cosine');
SELECT is(events, 406829::bigint, 'the model learns') FROM reco_refresh('retail');
CREATE TEMP TABLE silence AS SELECT w.*, w.chance <= 0.1 AS silent, (SELECT count(DISTINCT at) FROM visit v WHERE v.customer_id = w.user_id AND at >= '2011-09-01') AS later
  FROM retail.win_back(NULL, 0, '100 days', 1, '2011-09-01') w;
SELECT diag(format('%s of %s customers with a rhythm are silent as of September; %s %% of them came in the next 100 days, for %s visits expected of such who still come; of the others %s %%', count(*) FILTER (WHERE silent), count(*),
  round(100 * avg((later > 0)::int) FILTER (WHERE silent), 1), round(sum(purchases) FILTER (WHERE silent)), round(100 * avg((later > 0)::int) FILTER (WHERE NOT silent), 1))) FROM silence;
SELECT ok(avg((later > 0)::int) FILTER (WHERE silent) < 0.85 * avg((later > 0)::int) FILTER (WHERE NOT silent), 'the silent come less than the others') FROM silence;
SELECT ok(count(*) > 50 AND min(cardinality(items)) = 3 AND count(DISTINCT user_id) = count(*), 'each of them gets three offers') FROM retail.win_back(NULL, as_of => '2011-09-01');
SELECT is_empty($$SELECT * FROM retail.win_back(NULL, as_of => '2011-09-01') w CROSS JOIN unnest(w.items) i JOIN order_line o ON (o.customer_id, o.stock_code) = (w.user_id, i) WHERE o.ordered_at < '2011-09-01' AND o.price > 0$$, 'of what they did not have');

SELECT * FROM finish();
