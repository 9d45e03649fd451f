-- Onboarding: what is proposed at sign-up, and every message.
CREATE TABLE plays (listener uuid, album text, at timestamptz);
INSERT INTO plays SELECT md5('u' || u)::uuid, (ARRAY['jazz', 'rock', 'folk'])[1 + u % 3] || ' ' || n, '2026-01-01'::timestamptz + (u * 4 + n) * interval '1 hour'
  FROM generate_series(1, 60) u, generate_series(1, 4) n WHERE n < 2 + u % 4;
SELECT reco_create_model('music', 'SELECT listener AS user_id, album AS item_id, at AS occurred_at FROM plays');
SELECT * FROM reco_onboarding();
SELECT events, users, items FROM reco_refresh();
SELECT item_id, rank, users, nearest FROM reco_onboarding(3);
SELECT item_id, rank, users, nearest FROM music.onboarding(3);
SELECT count(*), max(rank) FROM reco_onboarding(100, 'music');
-- what is picked goes on
SELECT item_id, source FROM reco_complete(ARRAY(SELECT item_id FROM reco_onboarding(1)), 2);
-- bad input
SELECT * FROM reco_onboarding(0);
SELECT * FROM reco_onboarding(101);
SELECT * FROM reco_onboarding(NULL);
SELECT * FROM reco_onboarding(3, 'nowhere');
SELECT * FROM reco_typed_onboarding(3, 'music.model') AS t(item_id int, rank int, popularity float8, users int, nearest float8);
SELECT reco_drop_model('music');
DROP TABLE plays;
