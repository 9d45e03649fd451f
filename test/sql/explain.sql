-- Explaining: the parts of a score.
CREATE TABLE reads (reader text, book text, at date);
INSERT INTO reads SELECT 'reader ' || u, 'book ' || (u % 3) * 4 + n, '2026-01-01'::date + n
  FROM generate_series(1, 60) u, generate_series(0, 3) n WHERE (u / 3) % 4 <> n;
SELECT reco_create_model('library', 'SELECT reader AS user_id, book AS item_id, at AS occurred_at FROM reads');
SELECT events FROM reco_refresh('library');
SELECT book FROM reads WHERE reader = 'reader 1' ORDER BY 1;
SELECT because, round(share::numeric, 6) AS share, round(similarity::numeric, 6) AS similarity, weight,
       (occurred_at AT TIME ZONE current_setting('TimeZone'))::date AS at
  FROM reco_why('reader 1', 'book 4') ORDER BY because;
SELECT abs(sum(share) - reco_score('reader 1', 'book 4')) < 1e-12 AS sums_up FROM reco_why('reader 1', 'book 4');
SELECT (SELECT array_agg(w) FROM reco_why('reader 1', 'book 4') w) = (SELECT array_agg(w) FROM library.why('reader 1', 'book 4') w) AS same_door;
-- nothing to explain
SELECT * FROM reco_why('reader 1', 'no such book');
SELECT * FROM reco_why('nobody', 'book 4');
SELECT * FROM reco_why(NULL::text, 'book 4');
SELECT * FROM reco_why('reader 1', NULL::text);
SELECT * FROM reco_why(1, 4);
SELECT * FROM reco_why('reader 1', 'book 4', 'nowhere');
-- dislikes speak against
INSERT INTO reads VALUES ('reader 1', 'book 9', '2026-01-05');
CREATE OR REPLACE VIEW library.events WITH (security_invoker = true) AS
  SELECT reader AS user_id, book AS item_id, at AS occurred_at, CASE WHEN book = 'book 5' THEN -1 ELSE 1 END AS weight FROM reads;
SELECT because, share < 0 AS against FROM reco_why('reader 1', 'book 4') ORDER BY share DESC, because;
SELECT reco_drop_model('library');
DROP TABLE reads;
