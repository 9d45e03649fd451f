-- `reco_segments` by factors, as many as there are
SELECT 'rows=' || count(*) FROM pieces.segments(by => 'factors');
