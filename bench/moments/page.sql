-- `reco_page` of every customer, one by one, six rows of ten
SELECT 'rows=' || count(*) FROM customer c, LATERAL retail.page(c.id, 6, 10, as_of => '2011-12-10') n;
