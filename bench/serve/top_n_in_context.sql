-- A list that goes by the hour of the week, of what is in stock.
\set user random(1, :users)
\set hour random(0, 167)
SELECT * FROM reco_top_n(:user::bigint, 10, 'stocked', context => jsonb_build_object('occurred_at', timestamptz '2024-01-01 00:00+00' + :hour * interval '1 hour'));
