-- `reco_page` of every fortieth customer, six rows of ten: a page is asked for at a visit
SELECT 'rows=' || count(*) FROM customer c, LATERAL retail.page(c.id, 6, 10, as_of => '2011-12-10') n WHERE c.id % 40 = 0;
