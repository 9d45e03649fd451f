-- Variety: the best 500 weighed against each other.
\set user random(1, :users)
SELECT * FROM reco_top_n(:user::bigint, 10, 'bench', diversity => 0.3);
