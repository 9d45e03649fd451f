-- Factors: users and items as a few numbers, and lists made of them.
CREATE TABLE plays (listener text, track int, at timestamptz);
-- two tastes, tracks 1 to 8 and 9 to 16
INSERT INTO plays SELECT 'l' || l, t, '2026-01-01'::timestamptz + (l * 16 + t) * interval '1 hour'
  FROM generate_series(1, 40) l, generate_series(1, 16) t WHERE ((l % 2 = 0) = (t <= 8)) AND (l * 7 + t * 5) % 4 <> 0;
INSERT INTO plays VALUES ('new', 1, '2026-02-01'), ('new', 2, '2026-02-02'), ('l1', 99, '2026-02-02');
SELECT reco_create_model('radio', 'SELECT listener AS user_id, track AS item_id, at AS occurred_at FROM plays');

-- neighbours make lists unless somebody says otherwise; there are no factors then
SELECT events FROM reco_refresh('radio');
SELECT count(*) FROM radio.item_factor;
SELECT radio.user_factor('new');
SELECT * FROM radio.user_factors();
SELECT reco_configure('radio', algorithm => 'vectors');
SELECT reco_configure('radio', factors => 0);
SELECT reco_configure('radio', factors => 513);
SELECT reco_configure('radio', iterations => 0);
SELECT reco_configure('radio', factor_lambda => 'NaN');
SELECT reco_configure('radio', unobserved => 0);

-- a setting counts from the next refresh on
SELECT reco_configure('radio', algorithm => 'factors', factors => 4, factor_lambda => 0.05);
SELECT radio.user_factor('new');
SELECT items, neighbor_pairs > 0 AS has_neighbors, learned_with FROM reco_refresh('radio');
SELECT picked_algorithm, round(picked_factor_lambda::numeric, 3) AS factor_lambda, array_dims(factor_base) FROM radio.model;
SELECT item_id, item_no, array_length(factor, 1) AS factors FROM radio.item_factor ORDER BY item_id LIMIT 2;
SELECT count(*), bool_and(array_length(factor, 1) = 4) AS four FROM radio.user_factors();
SELECT array_length(radio.user_factor('new'), 1), radio.user_factor('nobody') IS NULL AS nobody, radio.user_factor(NULL) IS NULL AS none;

SELECT bytes > pg_total_relation_size('radio.learned_item') + pg_total_relation_size('radio.item_factor') AS counted FROM reco_models() WHERE model = 'radio';

-- every question has an answer by factors
SELECT item_id, score > 0 AS scores, because IN (1, 2) AS because_of_these, source FROM radio.top_n('new', 6) ORDER BY source, item_id;
SELECT item_id BETWEEN 9 AND 16 AS of_that_taste, source FROM radio.complete(ARRAY[9, 10], 3);
SELECT because, sum(share) OVER () = radio.score('new', 4) AS adds_up, weight, occurred_at AT TIME ZONE 'UTC' AS at FROM radio.why('new', 4) ORDER BY because;
SELECT code, reason FROM radio.why_not('new', 99);
SELECT code FROM radio.why_not('new', 1);
SELECT item_id, source FROM radio.rank('new', ARRAY[99, 4, 1234]);
SELECT count(*) AS listeners, bool_and(substr(user_id, 2)::int % 2 = 0) AS of_that_taste FROM radio.similar_users('new', 5);
SELECT count(*) FROM radio.audience(4, 5);
SELECT item_id BETWEEN 1 AND 8 AS of_that_taste, support > 1 AS supported FROM radio.similar_items(1, 2);
SELECT metric, value > 0.5 AS good FROM reco_evaluate('radio', 5, 'users') WHERE algorithm = 'model' AND metric IN ('recall', 'ndcg');
SELECT settings FROM reco_tune('radio', '1 hour', 5, 'users') WHERE trial BETWEEN 1 AND 2;
-- ids of one type for both are what the functions beside the doors take
SELECT reco_user_factor(1, 'radio');
SELECT reco_user_factor('l1', 'radio') = radio.user_factor('l1') AS same_door;
SELECT count(*) FROM reco_user_factors('radio') JOIN radio.user_factors() USING (user_id, factor);
SELECT count(*) FROM radio.user_factors('2026-01-03');

-- what somebody changed behind reco's back is said
BEGIN;
UPDATE radio.item_factor SET factor = '{1,2}' WHERE item_id = 1;
SELECT radio.user_factor('new');
ROLLBACK;
BEGIN;
UPDATE radio.item_factor SET factor = '{1,2,NULL,4}' WHERE item_id = 4;
SELECT * FROM radio.top_n('new', 3);
ROLLBACK;
BEGIN;
UPDATE radio.item_factor SET factor = '{1,2,NaN,4}' WHERE item_id = 4;
SELECT count(*) FROM radio.top_n_all(3);
ROLLBACK;
BEGIN;
UPDATE radio.item_factor SET item_no = -1 WHERE item_id = 4;
SELECT count(*) FROM radio.top_n_all(3);
ROLLBACK;
BEGIN;
UPDATE radio.item_factor SET item_no = 5000 WHERE item_id = 1;
SELECT radio.user_factor('new');
ROLLBACK;
BEGIN;
UPDATE radio.model SET factor_base = '{1,2}';
SELECT radio.user_factor('new');
ROLLBACK;
BEGIN;
UPDATE radio.model SET factor_base = '{{1,2},{3,Infinity}}';
SELECT radio.user_factor('new');
ROLLBACK;
BEGIN;
UPDATE radio.model SET picked_factor_lambda = NULL;
SELECT radio.user_factor('new');
ROLLBACK;
BEGIN;
DROP TABLE radio.item_factor;
SELECT radio.user_factor('new');
ROLLBACK;
-- a refresh mends it
UPDATE radio.item_factor SET factor = '{1,2}', item_no = -1 WHERE item_id IN (1, 2);
UPDATE radio.model SET factor_base = NULL;
SELECT rows_written FROM reco_refresh('radio');
SELECT array_length(radio.user_factor('new'), 1);
-- items that go, go here as well, and back by neighbours there are no factors left
DELETE FROM plays WHERE track = 3;
SELECT items FROM reco_refresh('radio');
SELECT count(*) FILTER (WHERE item_id = 3) AS gone, count(*) FROM radio.item_factor;
SELECT reco_configure('radio', algorithm => 'neighbors');
SELECT learned_with FROM reco_refresh('radio');
SELECT count(*) FROM radio.item_factor;
SELECT picked_algorithm, picked_factor_lambda, factor_base FROM radio.model;
SELECT reco_drop_model('radio');
DROP TABLE plays;
