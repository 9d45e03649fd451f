-- The usual join, over a table with two arrays for each item.
\set user random(1, :users)
WITH history AS MATERIALIZED (SELECT item_id FROM events WHERE user_id = :user)
SELECT n.j, sum(n.s) AS score FROM history h JOIN row_of r ON r.i = h.item_id CROSS JOIN LATERAL unnest(r.j, r.s) n(j, s)
WHERE n.j NOT IN (SELECT item_id FROM history)
GROUP BY n.j ORDER BY score DESC, n.j LIMIT 10;
