-- replay: the surface and every message.

SELECT (reco_replay(reward, propensity, chance)).* FROM (VALUES (1.0, 0.5, 1.0), (0, 0.25, 0.5), (1, 0.5, 0), (NULL, 1, 1), (1, NULL, 1), (1, 1, NULL)) log(reward, propensity, chance);
SELECT (reco_replay(reward, 1, 0)).* FROM (VALUES (1.0)) log(reward);
SELECT (reco_replay(1, 1, 1)).* WHERE false;

SELECT reco_replay(1, 0, 1);
SELECT reco_replay(1, 1.5, 1);
SELECT reco_replay(1, 'NaN', 1);
SELECT reco_replay(1, 1, -0.1);
SELECT reco_replay(1, 1, 'NaN');
SELECT reco_replay('Infinity', 1, 1);
SELECT reco_replay(-1e101, 1, 1);
SELECT reco_replay_add('{1,2}', 1, 1, 1);
SELECT reco_replay_merge(NULL, '{{1,2}}');
SELECT reco_replay_value('{1,2,3,4,5,6,NULL}');
SELECT reco_replay_merge('{1,1,1,1,1,1,1}', '{1,1,1,1,1,1,1}');
