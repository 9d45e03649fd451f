-- Twenty items to pick favourites from.
SELECT * FROM reco_onboarding(20, 'bench');
