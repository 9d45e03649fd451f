-- What a model and a matrix of an older version say, before an upgrade and after it.
SELECT u, t.* FROM generate_series(1, 50) u, LATERAL reco_top_n(u, 5, 'shop') t;
SELECT u, t.* FROM generate_series(1, 50) u, LATERAL shop.top_n(u, 5) t;
SELECT * FROM reco_similar_items(3, 10, 'shop');
SELECT * FROM shop.similar ORDER BY item_id, rank;
SELECT * FROM shop.popular ORDER BY item_id;
SELECT reco_match(7, i, 'shop') FROM generate_series(0, 22) i;
SELECT * FROM reco_popular(5, 'shop');
SELECT n.* FROM stored, reco_neighbors(m) n ORDER BY 1, 2;
