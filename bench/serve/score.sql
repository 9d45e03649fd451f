\set user random(1, :users)
\set item random(1, :items)
SELECT reco_score(:user::bigint, :item::bigint, 'bench');
