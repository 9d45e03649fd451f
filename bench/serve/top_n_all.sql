-- The lists of one in fifty users, from one read of the events.
SELECT count(*) FROM reco_top_n_all(10, 'bench', part => 1, parts => 50);
