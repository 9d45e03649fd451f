\set item random(1, :items)
\set second 1 + (:item * 7919) % :items
\set third 1 + (:item * 104729) % :items
SELECT * FROM reco_complete(ARRAY[:item, :second, :third]::bigint[], 10, 'bench');
