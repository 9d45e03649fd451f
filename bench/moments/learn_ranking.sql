-- `reco_learn_ranking` of all orders, measured on people held out, and undone
BEGIN;
SELECT 'rows=' || max(users) FROM reco_learn_ranking('retail');
ROLLBACK;
