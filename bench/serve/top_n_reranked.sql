-- The same of a model whose first hundred items a network puts in order.
\set user random(1, :users)
SELECT * FROM reco_top_n(:user::bigint, 10, 'ordered');
