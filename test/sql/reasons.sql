-- reasons: the surface and every message.
CREATE TYPE season AS ENUM ('winter', 'summer');
CREATE TABLE visit AS SELECT n AS visit, n % 24 AS hour, (ARRAY['phone', 'tv', NULL, 'it''s'])[1 + n / 24 % 4] AS device, (ARRAY['winter', 'summer'])[1 + n % 2]::season AS season,
  n % 24 >= 18 AND n / 24 % 4 = 1 AS bought, (CASE WHEN n % 24 >= 18 THEN 10 ELSE 2 END + n % 3)::numeric AS paid, now() AS at, n % 3 = 0 AS member
  FROM generate_series(0, 1199) n;
SELECT rule, rows, round(share::numeric, 3) AS share, round(mean::numeric, 3) AS mean, round(lift::numeric, 2) AS lift, round(low::numeric, 3) AS low, round(high::numeric, 3) AS high
  FROM reco_explain_by('SELECT hour, device, season, member, bought FROM visit', 'bought');
SELECT rule, rows, round(mean::numeric, 3) AS mean FROM reco_explain_by('SELECT * FROM visit;  ', 'paid', '{hour,device,paid,NULL}', 1);
SELECT rule, rows FROM reco_explain_by('SELECT * FROM visit -- all', 'paid', '{device,season}');
SELECT rule, rows, round(mean::numeric, 2) AS mean FROM reco_explain_by('SELECT nullif(hour, 3) / 10.0 AS h, hour IN (3, 7) AS hit FROM visit', 'hit', depth => 2, min_rows => 10);
-- an answer whatever there is
SELECT * FROM reco_explain_by('SELECT * FROM visit WHERE false', 'bought');
SELECT rule, rows, mean, lift FROM reco_explain_by('SELECT hour, false AS never FROM visit', 'never');
SELECT rule, rows, mean FROM reco_explain_by('SELECT hour, CASE hour WHEN 1 THEN ''NaN''::float8 WHEN 2 THEN ''Infinity'' WHEN 3 THEN 1 END AS odd FROM visit', 'odd');
SELECT rule, rows, mean FROM reco_explain_by('SELECT CASE WHEN hour < 6 THEN ''-Infinity'' WHEN hour < 12 THEN NULL WHEN hour < 18 THEN ''NaN'' ELSE ''Infinity'' END::float8 AS far, hour < 6 AS early FROM visit', 'early');
SELECT rule, rows FROM reco_explain_by('SELECT 1 AS one, true AS yes', 'yes');
-- what cannot be
SELECT * FROM reco_explain_by(NULL, 'bought');
SELECT * FROM reco_explain_by('SELECT * FROM visit', NULL);
SELECT * FROM reco_explain_by('SELECT * FROM visit', 'sold');
SELECT * FROM reco_explain_by('SELECT * FROM visit', 'device');
SELECT * FROM reco_explain_by('SELECT * FROM visit', 'bought', '{hour,weekday}');
SELECT * FROM reco_explain_by('SELECT * FROM visit', 'bought', '{at}');
SELECT * FROM reco_explain_by('SELECT bought, at FROM visit', 'bought');
SELECT * FROM reco_explain_by('SELECT * FROM visit', 'bought', depth => 0);
SELECT * FROM reco_explain_by('SELECT * FROM visit', 'bought', depth => 7);
SELECT * FROM reco_explain_by('SELECT * FROM visit', 'bought', min_rows => 0);
SELECT * FROM reco_explain_by('SELECT * FROM nowhere', 'bought');
SELECT * FROM reco_explain_by('DELETE FROM visit RETURNING bought', 'bought');
SELECT * FROM reco_explain_by('SELECT true AS bought) q; DELETE FROM visit; SELECT * FROM (SELECT true AS bought', 'bought');
-- rows of a second statement would come in other types than those of the first
SELECT * FROM reco_explain_by('SELECT true AS bought, ''x'' AS a) q; SELECT ''x'' AS a, 1::float8 AS bought FROM (SELECT 1', 'bought');
SELECT * FROM reco_explain_by('SELECT true AS bought, 1 AS a; SELECT 2', 'bought');
SELECT * FROM reco_explain_by('SELECT * INTO other FROM visit', 'bought');
SELECT * FROM reco_explain_by('', 'bought');
SELECT rule, rows FROM reco_explain_by('TABLE visit; -- all of it;', 'paid', '{device,season}');
SELECT count(*) FROM visit;
SET maintenance_work_mem = '1MB';
SELECT count(*) FROM reco_explain_by('SELECT v.*, n FROM visit v, generate_series(1, 300) n', 'bought');
RESET maintenance_work_mem;
DROP TABLE visit;
DROP TYPE season;
