-- `reco_rhythm` of every customer
SELECT 'rows=' || count((r).next_at) FROM (SELECT reco_rhythm(ordered_at) AS r FROM order_line WHERE customer_id IS NOT NULL GROUP BY customer_id) v;
