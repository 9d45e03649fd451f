\set item random(1, :items)
SELECT * FROM reco_audience(:item::bigint, 10, 'bench');
