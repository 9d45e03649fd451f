-- Continuing: what was left unfinished, and every message.
SET timezone = 'UTC';
CREATE TABLE play (listener text, album text, at timestamptz, heard float8, kind text);
CREATE TABLE album (album text, cycle text, volume int, word text);
INSERT INTO play SELECT 'l' || l, 'a' || a, '2026-01-01'::timestamptz + ((l * 7 + a * 3) % 20) * interval '1 day', (l + a) % 5 / 4.0, 'play' FROM generate_series(1, 30) l, generate_series(1, 12) a WHERE (l * a) % 3 = 1;
INSERT INTO album SELECT 'a' || a, 'cycle ' || a % 3, a, 'w' FROM generate_series(1, 12) a;
SELECT reco_create_model('music', 'SELECT listener AS user_id, album AS item_id, at AS occurred_at, heard, kind AS signal FROM play', 'SELECT album AS item_id, cycle, volume, word FROM album');
SELECT * FROM reco_continue('l1'::text);
SELECT events, users FROM reco_refresh();
SELECT * FROM reco_continue('l1'::text);
SELECT reco_configure('music', unfinished => '{"progress": "heard", "series": "cycle", "order": "volume", "basket": ["wish"], "bought": ["buy"]}');
-- counted with the next refresh; until then one half
SELECT item_id, kind, probability, progress, series, after FROM music.continue('l1', as_of => '2026-02-01');
SELECT events, users FROM reco_refresh();
SELECT kind, progress_from, visit_from, trials, resumed, round(probability::numeric, 4) AS probability FROM music.learned_resume WHERE trials > 0 ORDER BY 1, 2, 3;
SELECT item_id, kind, round(probability::numeric, 4) AS probability, progress, last_at, series, after FROM music.continue('l1', as_of => '2026-02-01');
SELECT item_id, kind FROM reco_continue('l1'::text, 2, as_of => '2026-02-01');
SELECT item_id FROM reco_typed_continue('l1'::text, 1, 'music.model', '2026-02-01', NULL) AS t(item_id text, kind text, probability float8, progress float8, last_at timestamptz, series text, after text);
SELECT count(*) FROM reco_continue('l1'::text, NULL, as_of => '2026-02-01', unfinished => '{"progress": "heard"}');
SELECT * FROM reco_continue('nobody'::text);
SELECT * FROM reco_continue(NULL::text);
-- bad input
SELECT * FROM reco_continue('l1'::text, 0);
SELECT * FROM reco_continue(7);
SELECT * FROM reco_continue('l1'::text, 10, 'nowhere');
SELECT * FROM reco_continue('l1'::text, unfinished => '{"progress": "skipped"}');
SELECT * FROM reco_continue('l1'::text, unfinished => '{"progress": "signal"}');
SELECT * FROM reco_continue('l1'::text, unfinished => '{"progress": ["heard"]}');
SELECT * FROM reco_continue('l1'::text, unfinished => '{"progress": "heard", "finished": 0}');
SELECT * FROM reco_continue('l1'::text, unfinished => '{"progress": "heard", "finished": "all"}');
SELECT * FROM reco_continue('l1'::text, unfinished => '{"basket": ["wish"]}');
SELECT * FROM reco_continue('l1'::text, unfinished => '{"basket": "wish", "bought": ["buy"]}');
SELECT * FROM reco_continue('l1'::text, unfinished => '{"basket": [1], "bought": ["buy"]}');
SELECT * FROM reco_continue('l1'::text, unfinished => '{"series": "cycle", "order": "word"}');
SELECT * FROM reco_continue('l1'::text, unfinished => '{"baskets": ["wish"]}');
SELECT * FROM reco_continue('l1'::text, unfinished => '[]');
SELECT reco_configure('music', unfinished => '"heard"');
SELECT reco_configure('music', unfinished => '{"series": "cycle", "order": "place"}');
-- columns that are gone since they were set are none
ALTER VIEW music.events RENAME COLUMN heard TO listened;
SELECT finding, hint FROM reco_check('music') WHERE code = 'unfinished_unknown';
ALTER VIEW music.items RENAME COLUMN cycle TO ring;
SELECT kind, count(*) FROM reco_continue('l1'::text, NULL) GROUP BY 1;
SELECT events FROM reco_refresh();
SELECT count(*) FROM music.learned_resume;
SELECT reco_configure('music', unfinished => '{}');
SELECT * FROM reco_continue('l1'::text);
SELECT reco_drop_model('music');
-- baskets of events without signals
SELECT reco_create_model('bare', 'SELECT listener AS user_id, album AS item_id, at AS occurred_at FROM play');
SELECT reco_configure('bare', unfinished => '{"basket": ["cart"], "bought": ["buy"]}');
SELECT reco_configure('bare', unfinished => '{"series": "cycle", "order": "volume"}');
SELECT reco_drop_model('bare');
DROP TABLE play, album;
