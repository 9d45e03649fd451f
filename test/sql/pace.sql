-- Pace: the surface, what NULL means, and every message.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
CREATE TABLE send (who int, at timestamptz, answered boolean);
INSERT INTO send VALUES (1, '2024-01-01', true), (1, '2024-01-05', false), (1, '2024-01-03', NULL), (1, NULL, true), (1, 'infinity', false),
  (2, '2024-01-02', false), (2, '2024-01-01', false), (3, '2024-01-02', true), (3, '2024-01-01', false), (3, '2024-01-02', false), (4, NULL, true);
SELECT who, s, reco_pace(s), reco_pace(s, '12 hours', 3) AS threefold, reco_pace(s, '1 month', 1) AS even, reco_pace(s, '1 month', most => '45 days') AS at_most
FROM (SELECT who, reco_sends(at, answered) AS s FROM send GROUP BY who) v ORDER BY who;
SELECT reco_sends(at, answered), reco_pace(reco_sends(at, answered)) FROM send WHERE false;
SELECT reco_pace(NULL), reco_pace(ROW(5, 0, 2000, '2024-01-01')::reco_sends), reco_pace(ROW(5, 0, 2, '2024-01-01')::reco_sends, '200000 years', most => '300000 years'), reco_pace(ROW(1, 0, NULL, '2024-01-01')::reco_sends);
-- What cannot be.
SELECT reco_pace(ROW(1, 0, 1, '2024-01-01')::reco_sends, '0');
SELECT reco_pace(ROW(1, 0, 1, '2024-01-01')::reco_sends, '1 day', 0.5);
SELECT reco_pace(ROW(1, 0, 1, '2024-01-01')::reco_sends, '1 day', 'NaN');
SELECT reco_pace(ROW(1, 0, 1, '2024-01-01')::reco_sends, most => '-1 day');
SELECT reco_sends_final('{1,2,3}');
DROP TABLE send;
