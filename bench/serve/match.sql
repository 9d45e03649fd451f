\set user random(1, :users)
\set item random(1, :items)
SELECT reco_match(:user::bigint, :item::bigint, 'bench');
