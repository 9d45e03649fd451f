-- Contexts on what people did last: a wholesaler's orders by hour of the week and country, ratings of films by hour of the week.
-- Lists that go by them must be no worse than those of taste alone.
-- The variable data names the folder with online_retail.csv.xz and ml-latest-small/ratings.csv.xz.

SET client_min_messages = warning;
SET timezone = 'UTC';

\set there `test -r :'data'/online_retail.csv.xz -a -r :'data'/ml-latest-small/ratings.csv.xz && echo yes || echo no`
\if :there
\else
\echo 1..0 # SKIP no online_retail.csv.xz and ml-latest-small/ratings.csv.xz in :data
\quit
\endif

\set ratings 'xzcat \'' :data '/ml-latest-small/ratings.csv.xz\''

\ir read/orders.sql
CREATE TABLE rating (movie_id int, title text, year int, genres text, user_id int, rating float8, rated_at bigint);
COPY rating FROM PROGRAM :'ratings' WITH (FORMAT csv, HEADER, NULL 'NA');

-- What happened, but for everybody's last order and last day of films; and what was new in that.
CREATE TABLE bought AS SELECT customer_id AS u, stock_code AS i, ordered_at AS at, country FROM order_line WHERE customer_id IS NOT NULL AND quantity > 0;
CREATE TABLE last_order AS SELECT u, max(at) AS at FROM bought GROUP BY u HAVING min(at) < max(at);
CREATE TABLE ordered AS SELECT b.* FROM bought b LEFT JOIN last_order l USING (u) WHERE b.at < l.at OR l.u IS NULL;
CREATE TABLE order_asked AS SELECT DISTINCT ON (u) u, l.at, b.country FROM last_order l JOIN bought b USING (u, at) ORDER BY u, b.country;
CREATE TABLE order_chosen AS SELECT DISTINCT u, i FROM bought JOIN last_order USING (u, at) WHERE NOT EXISTS (SELECT FROM ordered o WHERE (o.u, o.i) = (bought.u, bought.i));
CREATE TABLE seen AS SELECT user_id AS u, movie_id AS i, to_timestamp(rated_at) AS at FROM rating WHERE rating >= 3;
CREATE TABLE last_day AS SELECT u, date_trunc('day', max(at)) AS day, max(at) AS at FROM seen GROUP BY u HAVING min(at) < date_trunc('day', max(at));
CREATE TABLE watched AS SELECT s.* FROM seen s LEFT JOIN last_day l USING (u) WHERE s.at < l.day OR l.u IS NULL;
CREATE TABLE film_asked AS SELECT u, at FROM last_day;
CREATE TABLE film_chosen AS SELECT u, i FROM seen JOIN last_day l USING (u) WHERE seen.at >= l.day;
CREATE INDEX ON ordered (u);
CREATE INDEX ON watched (u);
ANALYZE ordered, watched;

SELECT reco_create_model('orders', 'SELECT u AS user_id, i AS item_id, at AS occurred_at, country FROM ordered');
SELECT reco_create_model('films', 'SELECT u AS user_id, i AS item_id, at AS occurred_at FROM watched');
SELECT reco_configure('orders', similarity => 'cooccurrence', contexts => '{occurred_at, country}', time_zone => 'Europe/London');
SELECT reco_configure('films', similarity => 'cooccurrence', contexts => '{occurred_at}');
SELECT events FROM reco_refresh('orders') \g /dev/null
SELECT events FROM reco_refresh('films') \g /dev/null

-- NDCG of ten of each list, by what was asked for.
CREATE TABLE result (model text, asked text, u int, ndcg float8);
CREATE FUNCTION pg_temp.measure(model text, people text, chosen text, asked text, context text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('INSERT INTO result SELECT %1$L, %2$L, c.u, reco_ndcg(l.n, true, 10) FROM %4$s c LEFT JOIN
    (SELECT p.u, t.item_id, t.n FROM %3$s p, LATERAL %1$s.top_n(p.u, 10, context => %5$s) WITH ORDINALITY AS t(item_id, score, match, because, source, n)) l ON (l.u, l.item_id) = (c.u, c.i) GROUP BY c.u',
    model, asked, people, chosen, context);
END $$;
SELECT pg_temp.measure('orders', 'order_asked', 'order_chosen', asked, context) FROM (VALUES ('nothing', 'NULL'), ('hour', 'jsonb_build_object(''occurred_at'', p.at)'),
  ('country', 'jsonb_build_object(''country'', p.country)'), ('both', 'jsonb_build_object(''occurred_at'', p.at, ''country'', p.country)')) v(asked, context);
SELECT pg_temp.measure('films', 'film_asked', 'film_chosen', asked, context) FROM (VALUES ('nothing', 'NULL'), ('hour', 'jsonb_build_object(''occurred_at'', p.at)')) v(asked, context);

SELECT no_plan();
SELECT diag(format('%s, context %s: NDCG@10 %s of %s people', model, asked, round(avg(ndcg)::numeric, 4), count(*))) FROM result GROUP BY model, asked ORDER BY model, asked;
SELECT diag(format('%s: %s lifts of %s, from %s to %s', model, count(*), context, round(min(lift)::numeric, 2), round(max(lift)::numeric, 2)))
FROM (SELECT 'orders' AS model, context, lift FROM orders.learned_context UNION ALL SELECT 'films', context, lift FROM films.learned_context) l GROUP BY model, context;
SELECT cmp_ok(count(DISTINCT u), '>', least, format('%s: enough people to tell', model)) FROM result JOIN (VALUES ('orders', 2000::bigint), ('films', 100)) v(model, least) USING (model) GROUP BY model, least;
-- The mean difference from the list of taste, person by person, must not be below 0 by more than chance has it.
SELECT ok(avg(d) + 2 * stddev(d) / sqrt(count(*)) >= 0 AND avg(d) >= -.02 * avg(plain), format('%s by %s: %s on top of %s', model, asked, round(avg(d)::numeric, 5), round(avg(plain)::numeric, 4)))
FROM (SELECT r.model, r.asked, r.ndcg - p.ndcg AS d, p.ndcg AS plain FROM result r JOIN result p ON p.model = r.model AND p.u = r.u AND p.asked = 'nothing' WHERE r.asked <> 'nothing') r GROUP BY model, asked;

-- The same by reco_evaluate, of the newest fifth: lists as they are served at the moments of what was chosen, against those of taste.
SELECT reco_create_model('bought', 'SELECT u AS user_id, i AS item_id, at AS occurred_at, country FROM bought');
SELECT reco_create_model('seen', 'SELECT u AS user_id, i AS item_id, at AS occurred_at FROM seen');
SELECT reco_configure('bought', similarity => 'cooccurrence', contexts => '{occurred_at, country}', time_zone => 'Europe/London');
SELECT reco_configure('seen', similarity => 'cooccurrence', contexts => '{occurred_at}');
CREATE TABLE evaluated AS SELECT m AS model, e.* FROM unnest('{bought,seen}'::text[]) m, reco_evaluate(m, 10, as_served => true) e;
SELECT diag(format('%s, %s: %s %s (%s to %s) of %s people', model, algorithm, metric, round(value::numeric, 4), round(low::numeric, 4), round(high::numeric, 4), users)) FROM evaluated WHERE metric IN ('ndcg', 'ndcg_gain');
SELECT ok(g.high >= 0 AND g.value >= -.02 * m.value, format('%s: %s on top of %s', model, round(g.value::numeric, 5), round(m.value::numeric, 4)))
FROM evaluated g JOIN evaluated m USING (model) WHERE (g.algorithm, g.metric) = ('in_context', 'ndcg_gain') AND (m.algorithm, m.metric) = ('model', 'ndcg');

SELECT * FROM finish();
