-- `reco_attribute` of all that was shown
SELECT 'rows=' || sum(shown) FROM reco_attribute('retail', '1 day');
