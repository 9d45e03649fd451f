-- No more than two of a brand, of which there are forty.
\set user random(1, :users)
SELECT * FROM reco_top_n(:user::bigint, 10, 'stocked', max_per => 'brand', max_per_n => 2);
