-- `reco_win_back`, three offers each, all that are silent
SELECT 'rows=' || count(*) FROM retail.win_back(NULL, as_of => '2011-12-10');
