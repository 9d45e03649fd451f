-- The usual join, over a table with a row for each pair.
\set user random(1, :users)
WITH history AS MATERIALIZED (SELECT item_id FROM events WHERE user_id = :user)
SELECT p.j, sum(p.s) AS score FROM history h JOIN pair p ON p.i = h.item_id
WHERE p.j NOT IN (SELECT item_id FROM history)
GROUP BY p.j ORDER BY score DESC, p.j LIMIT 10;
