-- `reco_learn_habits`
SELECT 'rows=' || users FROM reco_learn_habits('retail', '2011-12-10');
