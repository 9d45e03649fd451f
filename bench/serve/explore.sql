\set user random(1, :users)
SELECT * FROM reco_explore(:user::bigint, 10, 'bench');
