\set item random(1, :items)
SELECT * FROM reco_similar_items(:item::bigint, 10, 'bench');
