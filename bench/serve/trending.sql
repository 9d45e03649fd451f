SELECT * FROM reco_trending(10, 'bench');
