-- Next purchases: the surface, people of all kinds, and every message.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
CREATE TABLE buy (u int, i int, at timestamptz, weight int DEFAULT 1);
INSERT INTO buy SELECT u, (u + n) % 12, timestamptz '2024-01-01 12:00' + make_interval(days => 7 * n + u) FROM generate_series(1, 20) u, generate_series(0, 8) n;
-- 1 has item 100 every ten days; 21 came once, 22 sent back what they had, 23 has nothing.
INSERT INTO buy SELECT 1, 100, timestamptz '2024-01-02 12:00' + make_interval(days => 10 * n) FROM generate_series(0, 5) n;
INSERT INTO buy VALUES (21, 3, '2024-02-01', 1), (22, 4, '2024-02-01', 1), (22, 4, '2024-02-02', -1), (21, 5, '2024-02-01', 0);
CREATE TABLE stock AS SELECT generate_series(0, 11) AS i UNION SELECT 100;
SELECT reco_create_model('next', 'SELECT u AS user_id, i AS item_id, at AS occurred_at, weight FROM public.buy', 'SELECT i AS item_id FROM public.stock');
SELECT reco_configure('next', similarity => 'cosine');
SELECT reco_next_purchases(1, model => 'next');
SELECT events FROM reco_refresh('next');
SELECT reco_next_purchases(1, model => 'next');
SELECT users, items FROM reco_learn_habits('next', '2024-03-10');
SELECT item_id, round(chance::numeric, 4) AS chance, date_trunc('hour', expected_at) AS expected_at, date_trunc('hour', expected_from) AS expected_from, date_trunc('hour', expected_until) AS expected_until, source, times
FROM next.next_purchases(1, 3, as_of => '2024-03-01');
SELECT item_id, source, times FROM next.next_purchases(21, 3, as_of => '2024-03-01');
SELECT item_id, chance, expected_at, source, times FROM next.next_purchases(22, 2, as_of => '2024-03-01');
SELECT item_id, chance, expected_at, source, times FROM next.next_purchases(23, 2, as_of => '2024-03-01');
SELECT item_id, chance, expected_at, source, times FROM next.next_purchases(NULL, 2, as_of => '2024-03-01');
SELECT item_id, source FROM reco_next_purchases(1, 1, 'next', as_of => '2024-03-01');
-- Before anything was, and long after; what is out of stock does not come.
SELECT count(chance) FROM next.next_purchases(1, as_of => '2023-03-01');
SELECT item_id, chance BETWEEN 0 AND 1 AS chance, expected_at > '2090-01-01' AS later, source FROM next.next_purchases(1, 1, as_of => '2090-01-01');
DELETE FROM stock WHERE i = 100;
SELECT count(*) FILTER (WHERE item_id = 100) AS gone, count(*) FROM next.next_purchases(1, NULL, as_of => '2024-03-01');
-- What cannot be.
SELECT next.next_purchases(1, 0);
SELECT next.next_purchases(1, horizon => '0');
SELECT next.next_purchases(1, horizon => '200 years');
SELECT next.next_purchases(1, as_of => '-infinity');
SELECT reco_next_purchases('x'::text, model => 'next');
SELECT reco_drop_model('next');
DROP TABLE buy, stock;
