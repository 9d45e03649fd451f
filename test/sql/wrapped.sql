-- Wrapped: a stretch of time as a story, and every message.
SET timezone = 'UTC';
CREATE TABLE play (listener uuid, album text, at timestamp, signal text);
INSERT INTO play SELECT md5('l' || l)::uuid, 'a' || (l * n) % 9, timestamp '2026-01-01' + n * l * interval '5 hours', 'play' FROM generate_series(1, 4) l, generate_series(1, 40) n;
CREATE TABLE album (album text, name text, genre text);
INSERT INTO album SELECT 'a' || a, 'Album ' || a, 'genre ' || a % 2 FROM generate_series(0, 7) a;
SELECT reco_create_model('music', 'SELECT listener AS user_id, album AS item_id, at AS occurred_at, signal FROM play', 'SELECT album AS item_id, name, genre FROM album');
SELECT part, rank, item_id, label, value, before, round(share::numeric, 3) AS share, round(percentile::numeric, 3) AS percentile, rule
FROM music.wrapped(md5('l2')::uuid, '2026-01-08', '2026-01-15', 2, category => 'genre');
SELECT part, rank, label FROM music.wrapped(md5('l2')::uuid, '2026-01-08', '2026-01-15', 1, title => 'genre') WHERE part = 'top_items';
SELECT jsonb_pretty(music.wrapped_json(md5('l2')::uuid, '2026-01-08', '2026-01-15', 1) - '{items,days,last,streak,peak_hour,peak_weekday,discovery,discoveries,rare_items}'::text[]);
SELECT count(*), count(DISTINCT user_id) FROM reco_wrapped_all('2026-01-08', '2026-01-15');
SELECT count(*), count(DISTINCT user_id), max(jsonb_array_length(wrapped -> 'top_items')) FROM reco_wrapped_json_all('2026-01-08', '2026-01-15', 'music', 3);
SELECT part, value FROM reco_typed_wrapped(md5('l1')::uuid, '2026-01-08', '2026-01-15', 'music.model', NULL, NULL, NULL, NULL)
  AS t(part text, rank int, item_id text, label text, value float8, before float8, change float8, share float8, share_before float8, percentile float8, began_at timestamptz, ended_at timestamptz, rule text) LIMIT 2;
-- bad input
SELECT * FROM reco_wrapped('l1'::text, '2026-01-08', '2026-01-15');
SELECT * FROM music.wrapped(md5('l1')::uuid, NULL, '2026-01-15');
SELECT * FROM music.wrapped(md5('l1')::uuid, '2026-01-15', NULL);
SELECT * FROM music.wrapped(md5('l1')::uuid, '-infinity', '2026-01-15');
SELECT * FROM music.wrapped(md5('l1')::uuid, '2026-01-15', 'infinity');
SELECT * FROM music.wrapped(md5('l1')::uuid, '2026-01-15', '2026-01-15');
SELECT * FROM music.wrapped(md5('l1')::uuid, '2026-01-08', '2026-01-15', 0);
SELECT * FROM music.wrapped_all('2026-01-08', '2026-01-15', 1001);
SELECT * FROM music.wrapped_all('2026-01-08', '2026-01-15', time_zone => 'Mars/Olympus');
SELECT * FROM music.wrapped_all('2026-01-08', '2026-01-15', category => 'mood');
SELECT * FROM music.wrapped_all('2026-01-08', '2026-01-15', title => 'mood');
SELECT * FROM music.wrapped(md5('nobody')::uuid, '2026-01-08', '2026-01-15');
SELECT music.wrapped_json(md5('nobody')::uuid, '2026-01-08', '2026-01-15') IS NULL AS nothing;
SELECT count(*) FROM music.wrapped_all('4000-01-01 BC', '4000-01-02 BC');
SELECT count(*) FROM music.wrapped_all('4713-01-01 BC', '294276-01-01');
SELECT reco_create_model('timeless', 'SELECT listener AS user_id, album AS item_id FROM play');
SELECT * FROM timeless.wrapped(md5('l1')::uuid, '2026-01-08', '2026-01-15');
SELECT reco_drop_model('timeless');
SELECT reco_drop_model('music');
DROP TABLE play, album;
