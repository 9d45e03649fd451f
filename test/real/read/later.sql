-- What came later, kept back: of the wholesaler's orders what known customers bought for the first time in the last fifth of the
-- days (gifts_past, gifts_future), of films everybody's newest fifth (films_past, films_future).

CREATE TABLE gifts_past AS
  SELECT customer_id AS user_id, stock_code AS item_id, ordered_at AS occurred_at, sign(quantity) AS weight FROM order_line
  WHERE customer_id IS NOT NULL AND ordered_at < (SELECT min(ordered_at::date) + (0.8 * (max(ordered_at::date) - min(ordered_at::date)))::int FROM order_line);
CREATE TABLE gifts_future AS
  SELECT customer_id AS user_id, stock_code AS item_id FROM order_line
  WHERE quantity > 0 AND customer_id IN (SELECT user_id FROM gifts_past WHERE weight > 0) AND ordered_at > (SELECT max(occurred_at) FROM gifts_past)
  EXCEPT SELECT user_id, item_id FROM gifts_past;
CREATE TABLE films_past AS
  SELECT user_id, movie_id AS item_id, to_timestamp(at) AS occurred_at, ntile(5) OVER (PARTITION BY user_id ORDER BY at, movie_id) AS part FROM rating;
CREATE TABLE films_future AS SELECT user_id, item_id FROM films_past WHERE part = 5;
DELETE FROM films_past WHERE part = 5;
ALTER TABLE films_past DROP part;
ANALYZE gifts_past, gifts_future, films_past, films_future;
