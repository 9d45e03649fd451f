-- Rules: boosts, pins and shares of a fourth query; what contradicts itself; every message.
-- Twelve albums in three tastes, of which each user likes one; three more have just come.
SET timezone = 'UTC';
SET datestyle = 'ISO';
CREATE TABLE albums (id bigint PRIMARY KEY, title text, genre text, tags text[], released_at date);
INSERT INTO albums SELECT n, (ARRAY['jazz', 'rock', 'folk'])[1 + n % 3] || ' ' || n / 3, (ARRAY['jazz', 'rock', 'folk'])[1 + n % 3], ARRAY['tag ' || n % 2, 'tag ' || n % 5] FROM generate_series(0, 11) n;
INSERT INTO albums SELECT n, 'new ' || n, 'folk', NULL, '2026-01-01'::date + n::int FROM generate_series(20, 22) n;
CREATE TABLE plays (listener bigint, album bigint);
INSERT INTO plays SELECT u, 3 * n + u % 3 FROM generate_series(1, 120) u, generate_series(0, 3) n WHERE (u / 3) % 4 <> n;
INSERT INTO plays SELECT u, (3 * (u % 4) + u % 3 + 1) % 12 FROM generate_series(6, 120, 3) u;
CREATE TABLE wishes (item_id int, attribute varchar(40), value text, boost real, pin int, share numeric, starts_at timestamptz, ends_at date);
SELECT reco_create_model('music', 'SELECT listener AS user_id, album AS item_id FROM plays', 'SELECT id AS item_id, title, genre, tags, released_at FROM albums', rules => 'SELECT * FROM wishes');
SELECT reco_configure('music', similarity => 'cosine');
SELECT events, users, items FROM reco_refresh();
CREATE FUNCTION lists(usr bigint, k int) RETURNS TABLE(title text, source text) LANGUAGE sql AS $$
  SELECT title, source FROM reco_top_n(usr, k) r JOIN albums ON id = item_id ORDER BY score DESC $$;
SELECT * FROM lists(6, 6);
SELECT obj_description('music.rules'::regclass);

-- pins
BEGIN;
INSERT INTO wishes (item_id, pin) VALUES (21, 1), (4, 3);
SELECT * FROM lists(6, 6);
SELECT * FROM lists(NULL, 4);
-- as they are at the moment
INSERT INTO albums VALUES (23, 'banner', 'rock', NULL, NULL);
UPDATE wishes SET item_id = 23 WHERE pin = 1;
SELECT * FROM lists(6, 2);
DELETE FROM albums WHERE id = 23;
SELECT * FROM lists(6, 2);
-- two at one place: the smaller id; the other comes at the next that is free; one pinned twice is where it is pinned first
DELETE FROM wishes;
INSERT INTO wishes (item_id, pin) VALUES (8, 1), (5, 1), (10, 2), (1, 4), (1, 2000000000), (1, 4);
SELECT * FROM lists(6, 6);
-- further down than the list is long: last; and not in a shorter list
DELETE FROM wishes;
INSERT INTO wishes (item_id, pin) VALUES (6, 100), (1, 100);
SELECT (array_agg(title))[8:] FROM lists(6, NULL);
SELECT count(*) FROM lists(6, 9) WHERE title IN (SELECT title FROM albums WHERE id IN (1, 6));
ROLLBACK;
-- what keeps an item out keeps it out
BEGIN;
INSERT INTO wishes (item_id, pin) VALUES (0, 1), (999, 2), (5, 3);
SELECT * FROM lists(6, 3);
SELECT item_id, source FROM reco_top_n(6, 3, seen => true);
SELECT item_id, source FROM reco_top_n(6, 2, exclude => ARRAY[5]);
SELECT item_id, source FROM reco_top_n(6, 2, among => ARRAY[1, 5]);
SELECT item_id, source FROM reco_top_n(6, 5, fallback => false);
SELECT item_id, source FROM reco_top_n(6, 5, min_match => 50);
SELECT item_id, source FROM reco_complete(ARRAY[0, 3], 3);
SELECT item_id, source FROM music.top_n(6, 3, max_per => 'genre');
ROLLBACK;

-- boosts: of items and of values; those of one item are multiplied; match is of the evidence
BEGIN;
SELECT item_id, round(score::numeric, 3) AS score, match, round(reco_score(6, item_id)::numeric, 3) AS evidence FROM reco_top_n(6, 4);
INSERT INTO wishes (item_id, boost) VALUES (4, 4);
SELECT item_id, round(score::numeric, 3) AS score, match, source, round(reco_score(6, item_id)::numeric, 3) AS evidence FROM reco_top_n(6, 4);
INSERT INTO wishes (attribute, value, boost) VALUES ('genre', 'jazz', .25), ('tags', 'tag 0', .5), ('tags', 'tag 1', 8);
SELECT item_id, round(score::numeric, 3) AS score, match, source, round(reco_score(6, item_id)::numeric, 3) AS evidence FROM reco_top_n(6, 4);
SELECT item_id FROM reco_top_n(6, 1);
SELECT * FROM reco_why_not(6, 4);
SELECT count(*) FROM reco_why(6, 4);
-- of what is popular, and of what is new
SELECT * FROM lists(NULL, 2);
INSERT INTO wishes (item_id, boost) VALUES (10, 30), (20, 2);
SELECT * FROM lists(NULL, 2);
SELECT * FROM lists(NULL, NULL) WHERE source = 'new';
ROLLBACK;

-- shares: at every length at least so many, rounded down; the best of them, where they are not there already
BEGIN;
INSERT INTO wishes (attribute, value, share) VALUES ('genre', 'folk', .5);
SELECT * FROM lists(6, 6);
SELECT * FROM lists(2, 2);
SELECT * FROM lists(NULL, 4);
SELECT item_id, source FROM reco_top_n(6, 6, fallback => false);
SELECT rank, count(*) FILTER (WHERE genre = 'folk') >= count(*) * .5 AS half FROM music.top_n_all(2) JOIN albums ON id = item_id GROUP BY rank HAVING rank = 2;
SELECT code, reason, hint, rank FROM reco_why_not(6, 5);
-- of one item, and more than there is
UPDATE wishes SET share = .34;
INSERT INTO wishes (item_id, share) VALUES (20, .9);
SELECT * FROM lists(6, 6);
SELECT severity, code, finding, hint FROM reco_check() WHERE code LIKE 'rules%';
ROLLBACK;

-- times
BEGIN;
INSERT INTO wishes (item_id, pin, starts_at, ends_at) VALUES (20, 1, '2020-01-01', '2020-02-01'), (21, 1, '2999-01-01', NULL), (22, 1, '2020-02-01', NULL);
SELECT title FROM lists(6, 1);
SELECT count(*) FROM reco_top_n(6, 1, as_of => '2019-12-31') WHERE source = 'pinned';
SELECT item_id FROM reco_top_n(6, 1, as_of => '2020-01-01');
SELECT item_id FROM reco_top_n(6, 1, as_of => '2020-01-31 23:59');
SELECT item_id FROM reco_top_n(6, 1, as_of => '2020-02-01');
SELECT code, reason, rank FROM reco_why_not(6, 22);
ROLLBACK;

-- what makes no sense is passed over, and reco_check says so
BEGIN;
SELECT count(*) FROM reco_check() WHERE code LIKE 'rules%';
INSERT INTO wishes (boost) VALUES (2);
INSERT INTO wishes (attribute, boost) VALUES ('genre', 2);
INSERT INTO wishes (item_id, attribute, value, boost) VALUES (1, 'genre', 'folk', 2);
INSERT INTO wishes (attribute, value, boost) VALUES ('mood', 'sad', 2), ('item_id', '1', 2);
INSERT INTO wishes (item_id) VALUES (1);
INSERT INTO wishes (item_id, boost) VALUES (1, 0), (1, -1), (1, 'NaN'), (1, 'Infinity');
INSERT INTO wishes (item_id, pin) VALUES (1, 0), (1, -3);
INSERT INTO wishes (attribute, value, pin) VALUES ('genre', 'folk', 1);
INSERT INTO wishes (item_id, share) VALUES (1, 0), (1, 1.01), (1, 'NaN');
INSERT INTO wishes (item_id, pin, starts_at, ends_at) VALUES (1, 1, '2020-02-01', '2020-01-01');
INSERT INTO wishes (item_id, pin, ends_at) VALUES (1, 0, '2020-01-01');
SELECT count(*) FILTER (WHERE source IN ('pinned', 'promoted')) AS arranged, bool_and(score < 0 OR score = reco_score(6, item_id)) AS plain FROM reco_top_n(6, NULL);
INSERT INTO wishes (item_id, pin) VALUES (5, 2), (8, 2), (999, 4);
INSERT INTO wishes (attribute, value, share) VALUES ('genre', 'folk', .7), ('genre', 'rock', .7);
\pset format unaligned
SELECT severity, code, finding, hint FROM reco_check() WHERE code LIKE 'rules%';
\pset format aligned
ROLLBACK;

-- read with the caller's own privileges
CREATE ROLE regress_reco_listener;
GRANT USAGE ON SCHEMA music TO regress_reco_listener;
GRANT SELECT ON plays, albums TO regress_reco_listener;
SET ROLE regress_reco_listener;
\set VERBOSITY terse
SELECT count(*) FROM reco_top_n(6, 3);
\set VERBOSITY default
RESET ROLE;
GRANT SELECT ON wishes TO regress_reco_listener;
SET ROLE regress_reco_listener;
SELECT count(*) FROM reco_top_n(6, 3);
RESET ROLE;

-- rules can come later, and go
CREATE OR REPLACE VIEW music.rules WITH (security_invoker = true) AS SELECT 22 AS item_id, NULL::varchar(40) AS attribute, NULL AS value, NULL::real AS boost, 1 AS pin, NULL::numeric AS share, NULL::timestamptz AS starts_at, NULL::date AS ends_at;
SELECT title, source FROM lists(6, 1);
DROP VIEW music.rules;
SELECT title, source FROM lists(6, 1);
CREATE VIEW music.rules WITH (security_invoker = true) AS SELECT 22 AS item_id, 2 AS pin;
SELECT title, source FROM lists(6, 2);

-- bad queries
SELECT reco_create_model('bad', 'SELECT listener AS user_id, album AS item_id FROM plays', rules => 'SELECT 1 AS pin');
SELECT reco_create_model('bad', 'SELECT listener AS user_id, album AS item_id FROM plays', rules => $$SELECT 'genre' AS attribute, 1 AS pin$$);
SELECT reco_create_model('bad', 'SELECT listener AS user_id, album AS item_id FROM plays', rules => 'SELECT 1 AS item_id');
SELECT reco_create_model('bad', 'SELECT listener AS user_id, album AS item_id FROM plays', rules => $$SELECT 'x' AS item_id, 1 AS pin$$);
SELECT reco_create_model('bad', 'SELECT listener AS user_id, album AS item_id FROM plays', rules => 'SELECT 1 AS item_id, 1.5 AS pin');
SELECT reco_create_model('bad', 'SELECT listener AS user_id, album AS item_id FROM plays', rules => $$SELECT 1 AS item_id, '2' AS boost$$);
SELECT reco_create_model('bad', 'SELECT listener AS user_id, album AS item_id FROM plays', rules => 'SELECT 1 AS item_id, 2 AS boost, 3 AS starts_at');
SELECT reco_create_model('bad', 'SELECT listener AS user_id, album AS item_id FROM plays', rules => 'TABLE wishes; SELECT 1');
CREATE OR REPLACE VIEW music.rules WITH (security_invoker = true) AS SELECT 22 AS item_id, 2 AS pin, 'high' AS share;
SELECT * FROM reco_top_n(6, 1);
SELECT reco_drop_model('music');
DROP FUNCTION lists;
DROP TABLE plays, albums, wishes;
DROP ROLE regress_reco_listener;
