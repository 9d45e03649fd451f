SELECT * FROM reco_popular(10, 'bench');
