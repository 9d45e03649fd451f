-- `reco_continue` of every customer, ten each
SELECT 'rows=' || count(*) FROM customer c, LATERAL retail."continue"(c.id, 10, as_of => '2011-12-10') n;
