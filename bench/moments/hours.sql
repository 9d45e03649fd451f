-- `reco_hours` of every customer, summed, and each smoothed
WITH h AS MATERIALIZED (SELECT reco_hours(ordered_at, 'Europe/London') AS hours FROM order_line WHERE customer_id IS NOT NULL GROUP BY customer_id), e AS MATERIALIZED (SELECT reco_hours(hours) AS everybody FROM h)
SELECT 'rows=' || count(reco_smooth_hours(hours, everybody)) FROM h, e;
