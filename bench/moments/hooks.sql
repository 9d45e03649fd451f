-- `reco_hooks` of every series
SELECT 'rows=' || count(*) FROM retail.hooks(every => true);
