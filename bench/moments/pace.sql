-- `reco_sends` and `reco_pace` of every customer, each invoice a letter, every third answered
SELECT 'rows=' || count(reco_pace(s, '2 days')) FROM (SELECT reco_sends(ordered_at, invoice LIKE '%3') AS s FROM order_line WHERE customer_id IS NOT NULL GROUP BY customer_id) v;
