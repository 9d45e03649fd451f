-- A page of six rows of ten items.
\set user random(1, :users)
SELECT * FROM reco_page(:user::bigint, 6, 10, 'bench');
