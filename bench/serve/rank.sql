\set user random(1, :users)
\set item random(1, :items - 50)
SELECT * FROM reco_rank(:user::bigint, ARRAY(SELECT generate_series(:item::bigint, :item::bigint + 49)), 'bench');
