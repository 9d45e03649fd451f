\set user random(1, :users)
SELECT * FROM reco_similar_users(:user::bigint, 10, 'bench');
