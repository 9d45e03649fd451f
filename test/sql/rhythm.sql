-- Rhythm: the surface, what NULL and infinity mean, and every message.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET intervalstyle = 'postgres';
CREATE TABLE visit (who int, at timestamptz);
INSERT INTO visit VALUES (1, '2024-01-31'), (1, '2024-01-01'), (1, '2024-01-11'), (1, '2024-01-11'), (1, NULL), (1, 'infinity'),
  (2, '2024-01-01'), (2, '2024-01-11'), (3, '2024-02-02 12:00'), (4, '-infinity'), (4, NULL), (5, '2024-03-01'), (5, '2024-03-01');
SELECT who, (r).events, (r).times, (r).first_at, (r).last_at, (r).mean_gap, (r).median_gap, date_trunc('second', (r).spread) AS spread
FROM (SELECT who, reco_rhythm(at) AS r FROM visit GROUP BY who) v ORDER BY who;
SELECT who, date_trunc('second', (r).next_at) AS next_at, date_trunc('second', (r).next_from) AS next_from, date_trunc('second', (r).next_until) AS next_until
FROM (SELECT who, reco_rhythm(at) AS r FROM visit GROUP BY who) v ORDER BY who;
SELECT reco_rhythm(at) FROM visit WHERE false;
-- In a window, too; and beyond what a time can be.
SELECT at, (reco_rhythm(at) OVER (ORDER BY at)).times FROM visit WHERE who = 1 ORDER BY at NULLS FIRST;
SELECT (r).mean_gap, (r).next_until FROM (SELECT reco_rhythm(at) AS r FROM (VALUES (timestamptz '4713-01-01 BC'), ('294276-12-31')) v(at)) v;
-- States are readable, but not anything is one.
SELECT reco_rhythm_add(NULL, '2000-01-01 00:00:01');
SELECT (reco_rhythm_final(reco_rhythm_merge(reco_rhythm_add(NULL, '2000-01-01'), reco_rhythm_add(NULL, '2000-01-02')))).mean_gap;
SELECT reco_rhythm_final('{}');
SELECT reco_rhythm_final('{1,1}');
SELECT reco_rhythm_final('{0,1,5}');
SELECT reco_rhythm_final('{1,NULL,5}');
SELECT reco_rhythm_final('{{1,1,5}}');
SELECT reco_rhythm_merge('{9223372036854775807,0}', '{1,0}');
DROP TABLE visit;
