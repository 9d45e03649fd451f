-- choose: the surface and every message.

CREATE TABLE picture (item_id int, variant text, chosen boolean, segment text);
INSERT INTO picture SELECT 7, 'red', n <= 30, 'young' FROM generate_series(1, 100) n;
INSERT INTO picture SELECT 7, 'blue', n <= 10, 'young' FROM generate_series(1, 100) n;
INSERT INTO picture SELECT 7, 'blue', n <= 60, 'old' FROM generate_series(1, 100) n;
INSERT INTO picture VALUES (7, 'green', true, 'young'), (NULL, 'red', true, NULL), (8, NULL, true, NULL), (8, 'red', NULL, NULL);

SELECT variant, round(propensity::numeric, 4) AS propensity, round(expected::numeric, 4) AS expected, shown
  FROM reco_choose(42, 7, ARRAY['red', 'blue'], 'picture', 'young');
SELECT variant, round(propensity::numeric, 4) AS propensity, round(expected::numeric, 4) AS expected, shown
  FROM reco_choose(42, 7, ARRAY['red', 'blue'], 'picture', 'old');
SELECT variant, round(propensity::numeric, 4) AS propensity, round(expected::numeric, 4) AS expected, shown
  FROM reco_choose(42, 7, ARRAY['red', 'blue'], 'picture', 'nobody', explore => 1);

-- NULLs and what is named twice
SELECT variant, propensity FROM reco_choose('42', 8, ARRAY['red', NULL, 'red'], 'picture');
SELECT * FROM reco_choose(42, 7, '{}', 'picture');
SELECT * FROM reco_choose(42, 7, NULL, 'picture');
SELECT * FROM reco_choose(42, NULL::int, ARRAY['red'], 'picture');
SELECT variant FROM reco_choose(NULL::int, 7, ARRAY['red'], 'picture', NULL, NULL);

-- counts instead of single showings
CREATE VIEW counted AS SELECT item_id::bigint, variant::varchar, count(*) AS shown, sum(chosen::int) AS chosen FROM picture GROUP BY 1, 2;
SELECT a = b AS same FROM reco_choose(42, 7, ARRAY['red', 'blue'], 'picture') a, reco_choose(42, 7, ARRAY['red', 'blue'], 'counted') b;

-- what cannot be
SELECT * FROM reco_choose(42, 7, ARRAY['red'], NULL);
SELECT * FROM reco_choose(42, 7, ARRAY['red'], 'counted', 'young');
SELECT * FROM reco_choose(42, '7', ARRAY['red'], 'picture');
SELECT * FROM reco_choose(42.5, 7, ARRAY['red'], 'picture');
SELECT * FROM reco_choose(42, 7, ARRAY['red'], 'pg_class');
SELECT * FROM reco_choose(42, 7, ARRAY['red'], 'no_such_table');
SELECT * FROM reco_choose(42, 7, ARRAY['red'], 0);
SELECT * FROM reco_choose(42, 7, ARRAY['red'], 'picture', explore => 2);
SELECT * FROM reco_choose(42, 7, ARRAY['red'], 'picture', explore => NULL);
SELECT * FROM reco_choose(42, 7, ARRAY['red'], 'picture', prior => 'NaN');
SELECT * FROM reco_choose(42, 7, ARRAY(SELECT n::text FROM generate_series(1, 101) n), 'picture');
CREATE INDEX picture_item ON picture (item_id);
SELECT * FROM reco_choose(42, 7, ARRAY['red'], 'picture_item');
CREATE VIEW odd AS SELECT 7 AS item_id, 'red' AS variant, 3 AS chosen, 2.5 AS shown;
SELECT * FROM reco_choose(42, 7, ARRAY['red'], 'odd');
CREATE OR REPLACE VIEW odd AS SELECT 7 AS item_id, 'red' AS variant, -1 AS chosen, 2.5 AS shown;
SELECT * FROM reco_choose(42, 7, ARRAY['red'], 'odd');
DROP VIEW odd;
CREATE VIEW odd AS SELECT 7 AS item_id, 'red' AS variant, 1 AS chosen, 'NaN'::float8 AS shown;
SELECT * FROM reco_choose(42, 7, ARRAY['red'], 'odd');
DROP VIEW odd;
CREATE VIEW odd AS SELECT 7 AS item_id, 'red' AS variant, now() AS chosen;
SELECT * FROM reco_choose(42, 7, ARRAY['red'], 'odd');

SELECT reco_best_chances('{}', '{}');
SELECT reco_best_chances('{3}', '{5}');
SELECT reco_best_chances('{3, 1}', '{5}');
SELECT reco_best_chances('{3, NULL}', '{5, 6}');
SELECT reco_best_chances('{3, 7}', '{5, 6}');
SELECT reco_best_chances('{{3, 7}}', '{{5, 8}}');
SELECT reco_best_chances('{0}', '{Infinity}');
SELECT reco_best_chances(array_agg(0::float8), array_agg(0::float8)) FROM generate_series(1, 101);

DROP VIEW counted, odd;
DROP TABLE picture;
