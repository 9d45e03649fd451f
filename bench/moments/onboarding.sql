-- `reco_onboarding` of forty, then `reco_complete` of three picks for every customer
WITH o AS MATERIALIZED (SELECT array_agg(item_id ORDER BY rank) AS items FROM retail.onboarding(40))
SELECT 'rows=' || count(*) FROM customer c, o, LATERAL retail.complete(ARRAY[items[1 + id % 40], items[1 + id / 7 % 40], items[1 + id / 3 % 40]], 10) n;
