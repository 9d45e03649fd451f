-- `reco_replay` over every line
SELECT 'rows=' || events FROM (SELECT (reco_replay(chosen::int, propensity, (variant = 'blue')::int)).* FROM picture_log) r;
