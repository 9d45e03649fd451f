-- Hooks: the part of a series after which people stay, and every message.
SET timezone = 'UTC';
CREATE TABLE seen (viewer uuid, part text, at timestamptz);
CREATE TABLE part (part text, season text, episode int, aired text);
INSERT INTO part SELECT 'episode ' || e, 'season 1', e, e::text FROM generate_series(1, 4) e;
INSERT INTO seen SELECT md5('v' || v)::uuid, 'episode ' || e, '2026-01-01'::timestamptz + e * interval '1 day' FROM generate_series(1, 50) v, generate_series(1, 4) e WHERE e = 1 OR e = 2 AND v % 2 = 0 OR e > 2 AND v % 4 = 0 OR v % 6 = 0;
SELECT reco_create_model('tv', 'SELECT viewer AS user_id, part AS item_id, at AS occurred_at FROM seen', 'SELECT part AS item_id, season, episode, aired FROM part');
SELECT * FROM reco_hooks();
SELECT reco_configure('tv', unfinished => '{"series": "season", "order": "episode"}');
SELECT series, item_id, episode, viewers, finishers, round(share::numeric, 3) AS share, round(low::numeric, 3) AS low FROM reco_hooks();
SELECT item_id, viewers, finishers, hook FROM tv.hooks(every => true);
SELECT item_id FROM reco_hooks('tv', 0.25, 10);
SELECT item_id FROM reco_typed_hooks('tv.model', .5, NULL, NULL, NULL, NULL) AS t(series text, item_id text, episode int, episodes int, viewers bigint, finishers bigint, share float8, low float8, high float8, hook boolean);
-- some parts have no place, then none
UPDATE part SET episode = NULL WHERE part = 'episode 2';
SELECT item_id, episode FROM reco_hooks(every => true);
UPDATE part SET episode = NULL;
SELECT * FROM reco_hooks();
-- bad input
SELECT * FROM reco_hooks('tv', 0);
SELECT * FROM reco_hooks('tv', 'NaN');
SELECT * FROM reco_hooks('tv', 1.5);
SELECT * FROM reco_hooks('tv', min_viewers => 0);
SELECT * FROM reco_hooks('tv', patience => '-1 day');
SELECT * FROM reco_hooks('nowhere');
SELECT * FROM reco_hooks('tv', unfinished => '{"series": "season"}');
SELECT * FROM reco_hooks('tv', unfinished => '{"series": "season", "order": "aired"}');
SELECT * FROM reco_hooks('tv', unfinished => '{"series": "saison", "order": "episode"}');
SELECT * FROM reco_hooks('tv', unfinished => '{"series": 7, "order": "episode"}');
-- an attribute that is gone since it was set
ALTER VIEW tv.items RENAME COLUMN season TO saison;
SELECT * FROM reco_hooks();
SELECT reco_drop_model('tv');
DROP TABLE seen, part;
