-- Consent: a column of the users query; what is refused, and what the refresh reports.
CREATE TABLE act (u int, i text);
INSERT INTO act SELECT u, i FROM generate_series(1, 6) u, unnest('{a,b}'::text[]) i;
CREATE TABLE person (u int, yes boolean, word text);
INSERT INTO person VALUES (1, true, 'yes'), (2, true, 'yes'), (3, true, 'yes'), (4, false, 'no'), (5, NULL, NULL);
SELECT reco_create_model('shop', 'SELECT u AS user_id, i AS item_id FROM act', users => 'SELECT u AS user_id, word AS consent FROM person');
SELECT reco_create_model('shop', 'SELECT u AS user_id, i AS item_id FROM act', users => 'SELECT u AS user_id, yes AS consent FROM person');
SELECT events, users, skipped_no_consent FROM reco_refresh('shop');
SELECT item_id, users FROM shop.learned_item ORDER BY 1;
SELECT item_id, similar_item_id, support FROM shop.similar ORDER BY 1;
-- nobody: a notice says where to look
UPDATE person SET yes = false;
SELECT events, users, skipped_no_consent FROM reco_refresh('shop');
-- a yes of everybody who was asked
UPDATE person SET yes = true;
SELECT events, users, skipped_no_consent FROM reco_refresh('shop');
-- a list needs nobody's consent but a right to the history
SELECT item_id, source FROM shop.top_n(6, 1, seen => true);
-- a domain over boolean will do
CREATE DOMAIN agreed AS boolean;
DROP VIEW shop.users;
CREATE VIEW shop.users WITH (security_invoker = true) AS SELECT u AS user_id, (u < 3)::agreed AS consent FROM person;
SELECT events, users, skipped_no_consent FROM reco_refresh('shop');
DROP VIEW shop.users;
CREATE VIEW shop.users WITH (security_invoker = true) AS SELECT u AS user_id, u AS consent FROM person;
SELECT events FROM reco_refresh('shop');
DROP VIEW shop.users;
SELECT events, users, skipped_no_consent FROM reco_refresh('shop');
SELECT reco_drop_model('shop');
DROP DOMAIN agreed;
DROP TABLE act, person;
