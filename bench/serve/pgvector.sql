-- Ten nearest of 64-dimensional factors by an HNSW index, as it comes: what was seen is not left out.
\set user random(1, :users)
SELECT f.item_id FROM item_factors f ORDER BY f.factors <#> (SELECT u.factors FROM user_factors u WHERE u.user_id = :user) LIMIT 10;
