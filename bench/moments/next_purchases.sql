-- `reco_next_purchases` of every customer, one by one, ten each
SELECT 'rows=' || count(*) FROM customer c, LATERAL retail.next_purchases(c.id, 10, '30 days', '2011-12-10') n;
