-- `reco_win_back`, three offers each, everybody who has a rhythm
SELECT 'rows=' || count(*) FROM retail.win_back(NULL, max_chance => 1, as_of => '2011-12-10');
