-- `reco_best_time` of every customer
SELECT 'rows=' || count(*) FROM customer c, LATERAL retail.best_time(c.id, '1 day', '2011-12-10') b;
