-- trial: the surface and every message.

-- The same on every server, for ever.
SELECT reco_bucket(42, 'new page'), reco_bucket(42::bigint, 'new page'), reco_bucket(42::smallint, 'new page'), reco_bucket('42', 'new page'),
  reco_bucket(42, 'another'), reco_bucket('c0ffee00-0000-4000-8000-000000000000'::uuid, 'new page', 1000), reco_bucket(42, '', 1);
SELECT reco_bucket(NULL::int, 'new page');
SELECT reco_bucket(42, 'new page', 0);
SELECT reco_bucket(42, 'new page', 1000001);
SELECT reco_bucket(now(), 'new page');

SELECT * FROM reco_interleave(ARRAY[1, 2, 3, 4], ARRAY[3, 5, 1, 6], 5, 1);
SELECT * FROM reco_interleave(ARRAY['a', NULL, 'b'], ARRAY['a', 'a', 'c', 'd'], NULL);
SELECT * FROM reco_interleave(ARRAY[1, 2]::bigint[], NULL);
SELECT * FROM reco_interleave('{}'::uuid[], '{}');
SELECT * FROM reco_interleave(ARRAY[1], ARRAY[2], 0);
SELECT * FROM reco_interleave(ARRAY[1], ARRAY[2], 1000001);
SELECT * FROM reco_interleave(ARRAY[1.5], ARRAY[2.5]);

SELECT reco_sign_test(0, 0), reco_sign_test(5, 0), reco_sign_test(0, 5), reco_sign_test(7, 7);
SELECT reco_sign_test(-1, 5);
