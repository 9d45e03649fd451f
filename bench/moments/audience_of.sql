-- `reco_audience_of` it, every customer
SELECT 'rows=' || count(*) FROM retail.audience_of('{"category": ["BAG"], "price": "low"}', NULL);
