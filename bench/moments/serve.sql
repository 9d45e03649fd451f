-- `serve`, a list of ten for every customer, written down
SELECT 'rows=' || count(*) FROM customer c, LATERAL retail.serve(c.id, 10, CASE WHEN reco_bucket(c.id, 'bench') < 50 THEN 'a' ELSE 'b' END) n;
