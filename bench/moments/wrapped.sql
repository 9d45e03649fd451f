-- `reco_wrapped_all`, the year of every customer, as rows
SELECT 'rows=' || count(*) FROM retail.wrapped_all('2010-12-01', '2011-12-10');
