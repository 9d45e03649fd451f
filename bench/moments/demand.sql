-- `reco_demand` of an item that does not exist
SELECT 'rows=' || learned_from FROM reco_demand('{"category": ["BAG"], "price": "low"}', 'retail');
