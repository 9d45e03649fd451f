-- Does match mean what it says?  On three sets, with some events of every user kept back: for each of them one item is
-- drawn at random from the catalogue that the user never touched, so that a blind guess is right half of the time.  Of the
-- pairs that are claimed to match by 60 to 70, so many must have been chosen as is claimed on average, give or take five
-- points; and so in every tenth of the scale that has a number.  The variable data names the folder with the sets.

SET client_min_messages = warning;
SET maintenance_work_mem = '512MB';
SET timezone = 'UTC';

\set there `test -r :'data'/ml-1m/test.txt.xz -a -r :'data'/amazon-cds/test.txt.xz -a -r :'data'/online_retail.csv.xz && echo yes || echo no`
\if :there
\else
\echo 1..0 # SKIP no ml-1m, amazon-cds and online_retail.csv.xz in :data
\quit
\endif

-- MovieLens 1M and Amazon CDs: no times, a part of each user's items kept back.
\set split ml-1m
\set train film_train
\set test film_test
\ir read/split.sql
\set split amazon-cds
\set train disc_train
\set test disc_test
\ir read/split.sql
CREATE INDEX ON film_train (user_id);
CREATE INDEX ON disc_train (user_id);

-- The wholesaler: what known customers bought for the first time in the last fifth of the days.
\ir read/orders.sql
CREATE TABLE gift_train AS
  SELECT customer_id AS user_id, stock_code AS item_id, ordered_at AS occurred_at, sign(quantity) AS weight FROM order_line
  WHERE customer_id IS NOT NULL AND ordered_at < (SELECT min(ordered_at::date)
    + (0.8 * (max(ordered_at::date) - min(ordered_at::date)))::int FROM order_line);
CREATE TABLE gift_test AS
  SELECT customer_id AS user_id, stock_code AS item_id FROM order_line
  WHERE quantity > 0 AND customer_id IN (SELECT user_id FROM gift_train WHERE weight > 0)
    AND ordered_at > (SELECT max(occurred_at) FROM gift_train)
  EXCEPT SELECT user_id, item_id FROM gift_train;
CREATE INDEX ON gift_train (user_id);
ANALYZE gift_train, gift_test;

-- The events that were kept back of one user in so many, and beside each an item that the user has neither there nor in the training
-- part.  Both are items that a model can know of.
CREATE FUNCTION pg_temp.draw(things text, share int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('
    CREATE TABLE catalogue AS
      SELECT item_id, row_number() OVER (ORDER BY item_id) - 1 AS n FROM (SELECT DISTINCT item_id FROM %1$s_train) i;
    CREATE TABLE known AS SELECT user_id, item_id FROM %1$s_train UNION SELECT user_id, item_id FROM %1$s_test;
    CREATE TABLE kept AS
      SELECT user_id, item_id, row_number() OVER (PARTITION BY user_id ORDER BY item_id) AS n
      FROM %1$s_test JOIN catalogue USING (item_id) WHERE hashint8(user_id) %% %2$s = 0;
    CREATE TABLE %1$s_pair AS SELECT user_id, item_id, true AS chosen FROM kept;
    ANALYZE catalogue, known, kept', things, share);
  FOR try IN 1 .. 8 LOOP
    EXECUTE format('
      WITH drawn AS (
        DELETE FROM kept k USING catalogue c
        WHERE c.n = (hashint8extended(k.user_id::bigint * 100000 + k.n, %2$s) & 1073741823) %% (SELECT count(*) FROM catalogue)
          AND NOT EXISTS (SELECT FROM known o WHERE o.user_id = k.user_id AND o.item_id = c.item_id)
        RETURNING k.user_id, c.item_id)
      INSERT INTO %1$s_pair SELECT user_id, item_id, false FROM drawn', things, try);
    EXIT WHEN NOT EXISTS (SELECT FROM kept);
  END LOOP;
  EXECUTE format('ANALYZE %s_pair; DROP TABLE catalogue, known, kept', things);
END $$;
SELECT pg_temp.draw('film', 3), pg_temp.draw('disc', 5), pg_temp.draw('gift', 1) \g /dev/null

-- What a model says of them.  A list among the items asked about is the same as shop.match of each, in a tenth of the time.
CREATE TABLE said (things text, similarity text, chosen bool, match float8);
CREATE FUNCTION pg_temp.ask(things text, kind text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  IF kind = 'factors' THEN
    PERFORM reco_configure(things, algorithm => kind);
  ELSE
    PERFORM reco_configure(things, similarity => kind);
  END IF;
  PERFORM reco_refresh(things);
  EXECUTE format('
    CREATE TEMP TABLE list AS
      SELECT w.user_id, t.item_id, t.match
      FROM (SELECT user_id, array_agg(item_id) AS items FROM %1$s_pair GROUP BY user_id) w
        CROSS JOIN LATERAL %1$I.top_n(w.user_id, NULL, among => w.items, fallback => false) t;
    ANALYZE list;
    INSERT INTO said SELECT %1$L, %2$L, chosen, match FROM %1$s_pair LEFT JOIN list USING (user_id, item_id);
    DROP TABLE list', things, kind);
  RETURN NULL;
END $$;
SELECT reco_create_model('film', 'SELECT user_id, item_id FROM film_train'),
  reco_create_model('disc', 'SELECT user_id, item_id FROM disc_train'),
  reco_create_model('gift', 'SELECT user_id, item_id, occurred_at, weight FROM gift_train') \g /dev/null
CREATE VIEW tenth AS
  SELECT things, similarity, CASE WHEN match < 90 THEN 10 * floor(match / 10) WHEN match >= 90 THEN 90 END AS tenth, count(*) AS pairs,
    round(avg(match)::numeric, 1) AS claimed, round(100 * avg(chosen::int), 1) AS observed,
    round(100 * avg(chosen::int) - avg(match)::numeric, 1) AS off
  FROM said GROUP BY 1, 2, 3;

SELECT plan(36);

-- What anybody gets, counts, ridge, bm25, whose scores rise with the number of people learned from, and next, which reads
-- histories by recency; factors last, since the setting stays.
CREATE TABLE question (things text, kind text);
INSERT INTO question VALUES ('film', 'auto'), ('disc', 'auto'), ('gift', 'auto'),
  ('film', 'cooccurrence'), ('disc', 'cooccurrence'), ('gift', 'cooccurrence'),
  ('film', 'ridge'), ('gift', 'ridge'), ('film', 'bm25'), ('gift', 'bm25'), ('gift', 'next'),
  ('film', 'factors'), ('disc', 'factors'), ('gift', 'factors');
SELECT pg_temp.ask(things, kind) FROM question \g /dev/null

SELECT diag(E'match, claimed and observed\n' || string_agg(format('%s %s %s: %s pairs, %s, %s%s',
    things, similarity, coalesce(tenth || ' to ' || tenth + 10, 'NULL'), pairs, coalesce(claimed::text, '-'), observed,
    CASE WHEN pairs < 200 THEN ' (too few)' END), E'\n' ORDER BY things, similarity, tenth)) FROM tenth;

-- The list says what reco_match says.
SELECT is_empty($$
  SELECT * FROM (SELECT p.user_id, p.item_id, t.match, film.match(p.user_id, p.item_id) AS alone
    FROM (SELECT DISTINCT user_id, item_id FROM film_pair WHERE user_id < 8) p
      LEFT JOIN LATERAL film.top_n(p.user_id, NULL, among => ARRAY[p.item_id], fallback => false) t USING (item_id)) b
  WHERE match IS DISTINCT FROM alone
$$, 'film: the match of a list is that of the function');
SELECT is_empty('SELECT * FROM said WHERE match < 50 OR match > 100', 'no number below min_match');

-- The sample is balanced.
SELECT cmp_ok(abs(count(*) FILTER (WHERE chosen) - count(*) FILTER (WHERE NOT chosen)) * 1000, '<=', count(*),
  things || ': as many chosen as drawn') FROM said GROUP BY things ORDER BY things;

-- The scale.
SELECT is_empty(format('SELECT * FROM tenth WHERE things = %L AND similarity = %L AND pairs >= 200 AND abs(off) > 5', things, kind),
  format('%s, %s: in every tenth the observed share is within 5 points of the claimed one', things, kind))
FROM question;
SELECT ok(count(*) = 5 AND min(pairs) >= 200, format('%s, %s: every tenth has enough pairs to judge', things, similarity))
FROM tenth WHERE tenth IS NOT NULL GROUP BY things, similarity ORDER BY things, similarity;
-- It says something: most of what was chosen and has a number has a high one, and hardly anything drawn has.
SELECT cmp_ok(avg(match) FILTER (WHERE chosen) - avg(match) FILTER (WHERE NOT chosen), '>', 5::float8,
  things || ': what was chosen matches more than what was drawn')
FROM said WHERE similarity = 'auto' GROUP BY things ORDER BY things;

SELECT * FROM finish();
