-- the same, and `reco_p_alive` and `reco_expected_purchases` of each
WITH v AS MATERIALIZED (SELECT reco_rhythm(date_trunc('day', ordered_at)) AS r FROM order_line WHERE quantity > 0 AND customer_id IS NOT NULL GROUP BY customer_id),
  f AS MATERIALIZED (SELECT reco_fit_bgnbd(r, '2011-12-10') AS f FROM v)
SELECT 'rows=' || count(*) FROM v, f WHERE reco_p_alive(f, r, '2011-12-10') >= 0 AND reco_expected_purchases(f, r, '2011-12-10', '90 days') >= 0;
