-- Pages: rows of lists for one visit, and every message.
SET timezone = 'UTC';
CREATE TABLE play (listener uuid, album text, at timestamptz, heard float8);
CREATE TABLE album (album text, genre text, label text);
INSERT INTO play SELECT md5('l' || l)::uuid, 'a' || (l * 7 + n * n) % 24, '2026-01-01'::timestamptz + (n * 31 + l) % 90 * interval '8 hours', CASE WHEN (l + n) % 8 = 0 THEN .5 ELSE 1 END FROM generate_series(1, 60) l, generate_series(1, 6) n WHERE (l * 7 + n * n) % 24 % 2 = l % 2 OR n = 6;
INSERT INTO album SELECT 'a' || a, (ARRAY['jazz', 'folk'])[1 + a % 2], 'label ' || a % 4 FROM generate_series(0, 29) a;
SELECT reco_create_model('music', 'SELECT listener AS user_id, album AS item_id, at AS occurred_at, heard FROM play', 'SELECT album AS item_id, genre, label FROM album');
SELECT * FROM reco_page(md5('l4')::uuid);
SELECT reco_configure('music', similarity => 'cosine', category => 'genre', unfinished => '{"progress": "heard"}');
SELECT events, users FROM reco_refresh();
SELECT row_rank, kind, subject, label, count(*), max(rank) FROM music.page(md5('l4')::uuid, 6, 3, visit => 1, as_of => '2026-02-01') GROUP BY 1, 2, 3, 4 ORDER BY 1;
SELECT kind, rank, item_id, source FROM music.page(md5('l4')::uuid, 2, 3, visit => 1, as_of => '2026-02-01');
SELECT count(*), count(DISTINCT item_id), count(DISTINCT row_rank) FROM music.page(md5('l4')::uuid, as_of => '2026-02-01');
SELECT row_rank, kind, label, count(*) FROM music.page(NULL, 4, 3) GROUP BY 1, 2, 3 ORDER BY 1;
SELECT count(*) FROM reco_typed_page(md5('l4')::uuid, NULL, NULL, 'music.model', NULL, NULL, NULL)
  AS t(row_rank int, kind text, subject text, label text, rank int, item_id text, score float8, match float8, because text, source text);
SELECT DISTINCT label FROM music.page(md5('l4')::uuid, 20, 3, follows => 'label') WHERE kind = 'new';
-- bad input
SELECT * FROM music.page(md5('l4')::uuid, 0);
SELECT * FROM music.page(md5('l4')::uuid, 51);
SELECT * FROM music.page(md5('l4')::uuid, 6, 0);
SELECT * FROM music.page(md5('l4')::uuid, 6, 101);
SELECT * FROM music.page(md5('l4')::uuid, follows => 'artist');
SELECT * FROM reco_page('l4'::text, 6, 10, 'music');
SELECT * FROM reco_page(md5('l4')::uuid, model => 'nowhere');
SELECT count(DISTINCT item_id) = count(*) AS once FROM music.page(md5('l4')::uuid, visit => -9223372036854775808, as_of => 'infinity');
SELECT count(*) > 0 AS some FROM music.page(md5('l4')::uuid, as_of => '-infinity');
SELECT reco_drop_model('music');
DROP TABLE play, album;
