-- `reco_choose` for every customer, of three pictures of one item, by a log that is counted up
SELECT 'rows=' || count(*) FROM customer c, LATERAL reco_choose(c.id::text, '85123A'::text, ARRAY['red', 'blue', 'green'], log => 'picture_count', segment => c.country, seed => 1) n;
