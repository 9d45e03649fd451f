-- `reco_wrapped_json_all`, the same as documents
SELECT 'rows=' || count(*) FROM retail.wrapped_json_all('2010-12-01', '2011-12-10');
