-- A model made by the SQL of an older version, and a stored matrix.
SET client_min_messages = warning;
CREATE TABLE visits AS SELECT n % 50 AS u, (n * n) % 23 AS i, '2024-01-01'::timestamptz + n * interval '1 hour' AS at FROM generate_series(1, 1500) n;
SELECT reco_create_model('shop', 'SELECT u AS user_id, i AS item_id, at AS occurred_at FROM visits');
SELECT reco_refresh('shop');
CREATE TABLE stored AS SELECT reco_matrix(u, i, 1) AS m FROM visits;
