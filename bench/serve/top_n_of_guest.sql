-- What somebody without a history is shown, by the hour of the week.
\set hour random(0, 167)
SELECT * FROM reco_top_n(NULL::bigint, 10, 'stocked', context => jsonb_build_object('occurred_at', timestamptz '2024-01-01 00:00+00' + :hour * interval '1 hour'));
