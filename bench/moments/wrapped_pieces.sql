-- `reco_wrapped_json_all` where weights are whole numbers
SELECT 'rows=' || count(*) FROM pieces.wrapped_json_all('2010-12-01', '2011-12-10');
