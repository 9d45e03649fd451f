-- What any answer from tables must read: a history, and the neighbour rows of its items. Nothing is computed.
\set user random(1, :users)
SELECT count(*), sum(length(neighbors)) FROM bench.learned_item WHERE item_id = ANY (ARRAY(SELECT item_id FROM events WHERE user_id = :user));
