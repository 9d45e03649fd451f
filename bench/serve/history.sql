\set user random(1, :users)
SELECT item_id, occurred_at, weight FROM events WHERE user_id = :user;
