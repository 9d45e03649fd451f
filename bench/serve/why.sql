\set user random(1, :users)
\set item random(1, :items)
SELECT * FROM reco_why(:user::bigint, :item::bigint, 'bench');
