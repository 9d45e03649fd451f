-- The same with a catalogue query, of which every tenth item is out of stock.
\set user random(1, :users)
SELECT * FROM reco_top_n(:user::bigint, 10, 'stocked');
