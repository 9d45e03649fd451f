\set user random(1, :users)
SELECT count(reco_match(:user::bigint, item, 'bench')) FROM generate_series(1, 10000) item;
