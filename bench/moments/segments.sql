-- `reco_segments` by the shares of categories, as many as there are
SELECT 'rows=' || count(*) FROM retail.segments();
