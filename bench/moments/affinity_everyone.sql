-- `reco_affinity` of everybody together
SELECT 'rows=' || count(*) FROM retail.affinity(NULL, ARRAY['category', 'price'], NULL);
