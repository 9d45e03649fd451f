-- Measures over counts, and the decayed sum.
SELECT reco_cosine(2, 4, 4), reco_jaccard(2, 4, 4), round(reco_llr(2, 4, 4, 10)::numeric, 6) AS llr, reco_lift(2, 4, 4, 16);
SELECT reco_cosine(0, 0, 4), reco_jaccard(0, 0, 0), reco_lift(0, 0, 1, 2), reco_llr(0, 0, 0, 0);
SELECT reco_cosine(NULL, 1, 1), reco_llr(1, 1, 1, NULL);
SELECT reco_cosine(5, 4, 4);
SELECT reco_jaccard(-1, 4, 4);
SELECT reco_llr(2, 4, 4, 5);
SELECT reco_lift('NaN', 4, 4, 5);
SELECT reco_decayed_sum(w, t, '30 days', '2026-01-31') FROM (VALUES (1::float8, '2026-01-31'::timestamptz), (1, '2026-01-01'), (8, '2026-02-01'), (NULL, '2026-01-01'), (1, NULL), (5, '-infinity')) v(w, t);
SELECT reco_decayed_sum(w, t, '30 days', '2026-01-31') FROM (VALUES (1::float8, '2026-02-01'::timestamptz)) v(w, t);
SELECT reco_decayed_sum(1, now(), '-1 day', now());
SELECT reco_decayed_sum(1, now(), '1 day', 'infinity');
