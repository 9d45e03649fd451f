-- `reco_affinity` of every customer, five each
SELECT 'rows=' || count(*) FROM customer c, LATERAL retail.affinity(c.id, ARRAY['category', 'price'], 5) n;
