-- `reco_fit_bgnbd` over every customer's rhythm by days
SELECT 'rows=' || (reco_fit_bgnbd(r, '2011-12-10')).customers FROM (SELECT reco_rhythm(date_trunc('day', ordered_at)) AS r FROM order_line WHERE quantity > 0 AND customer_id IS NOT NULL GROUP BY customer_id) v;
