-- Lifetime: the surface of BG/NBD, what NULL means, and every message.
SET timezone = 'UTC';
CREATE TABLE customer (x float8, t_x float8, age float8);
INSERT INTO customer SELECT x, CASE WHEN x > 0 THEN 30 * x / (x + 1.0 + n % 3) END, 30 + n % 7 FROM generate_series(0, 6) x, generate_series(1, 12 - x) n;
UPDATE customer SET t_x = 0 WHERE x = 0;
SELECT round((f).r::numeric, 2) > 0 AS r, (f).alpha > 0 AS alpha, (f).a > 0 AS a, (f).b > 0 AS b, round((f).log_likelihood::numeric, 2) AS log_likelihood, (f).customers, (f).converged
FROM (SELECT reco_fit_bgnbd(x, t_x, age) AS f FROM customer) f;
-- Whom nothing is known of.
SELECT reco_fit_bgnbd(x, t_x, age) FROM customer WHERE false;
SELECT reco_fit_bgnbd(NULL::float8, 1, 2);
SELECT reco_fit_bgnbd(0, 0, age) FROM customer;
SELECT reco_fit_bgnbd(3, 0, 0);
SELECT (reco_fit_bgnbd(3, 20, 30)).customers;
SELECT reco_fit_bgnbd(NULL::reco_rhythm, now());
-- What parameters say: those of the paper, and the first customer of Fader, Hardie and Lee's spreadsheet, 1.226 purchases in 39 weeks.
CREATE FUNCTION paper() RETURNS reco_bgnbd LANGUAGE sql IMMUTABLE AS 'SELECT ROW(0.243, 4.414, 0.793, 2.426, NULL, NULL, NULL)::reco_bgnbd';
SELECT round(reco_p_alive(paper(), 2, 30.43, 38.86)::numeric, 4) AS alive, round(reco_expected_purchases(paper(), 2, 30.43, 38.86, 39)::numeric, 3) AS purchases;
SELECT reco_p_alive(paper(), 0, 0, 38.86), reco_p_alive(paper(), 0, NULL, 5), reco_expected_purchases(paper(), 0, 0, 0, 0);
SELECT reco_p_alive(ROW(NULL, 1, 1, 1, NULL, 5, NULL)::reco_bgnbd, 1, 2, 3), reco_expected_purchases(ROW(NULL, 1, 1, 1, NULL, 5, NULL)::reco_bgnbd, 1, 2, 3, 4);
-- Of a rhythm, in days.
CREATE TABLE visit (who int, at timestamptz);
INSERT INTO visit VALUES (1, '2024-01-01'), (1, '2024-01-11'), (1, '2024-01-31'), (2, '2024-01-05'), (3, NULL);
SELECT who, reco_p_alive(paper(), r, '2024-02-10') = reco_p_alive(paper(), x, t_x, age) AS alive,
  reco_expected_purchases(paper(), r, '2024-02-10', '60 days') = reco_expected_purchases(paper(), x, t_x, age, 60) AS purchases
FROM (SELECT who, reco_rhythm(at) AS r FROM visit GROUP BY who) v JOIN (VALUES (1, 2, 30, 40), (2, 0, 0, 36)) s(who, x, t_x, age) USING (who) ORDER BY who;
SELECT reco_p_alive(paper(), reco_rhythm(at), '2024-02-10') FROM visit WHERE who = 3;
SELECT (f).customers, (f).r = (g).r AND (f).alpha = (g).alpha AND (f).a = (g).a AND (f).b = (g).b AS same
FROM (SELECT reco_fit_bgnbd(r, '2024-02-10') AS f FROM (SELECT reco_rhythm(at) AS r FROM visit GROUP BY who) v) f,
  (SELECT reco_fit_bgnbd(x, t_x, age) AS g FROM (VALUES (2, 30, 40), (0, 0, 36)) s(x, t_x, age)) g;
-- What cannot be.
SELECT reco_fit_bgnbd(1.5, 1, 2);
SELECT reco_fit_bgnbd(-1, 1, 2);
SELECT reco_fit_bgnbd(1e8, 1, 2);
SELECT reco_fit_bgnbd('NaN'::float8, 1, 2);
SELECT reco_fit_bgnbd(1, 3, 2);
SELECT reco_fit_bgnbd(1, 1, 'infinity'::float8);
SELECT reco_fit_bgnbd(1, 'NaN'::float8, 1);
SELECT reco_p_alive(paper(), 1, -1, 2);
SELECT reco_p_alive(ROW(0, 1, 1, 1, NULL, NULL, NULL)::reco_bgnbd, 1, 1, 2);
SELECT reco_p_alive(ROW('NaN', 1, 1, 1, NULL, NULL, NULL)::reco_bgnbd, 1, 1, 2);
SELECT reco_expected_purchases(paper(), 1, 1, 2, -1);
SELECT reco_expected_purchases(paper(), 1, 1, 2, 'infinity');
SELECT reco_expected_purchases(paper(), 1000, 1, 2, 1e9);
SELECT reco_p_alive(paper(), reco_rhythm(at), '2024-01-20') FROM visit WHERE who = 1;
SELECT reco_p_alive(paper(), reco_rhythm(at), 'infinity') FROM visit WHERE who = 1;
SELECT reco_p_alive(paper(), ROW(3, 3, '2024-01-01', '2024-01-01', NULL, NULL, NULL, NULL, NULL, NULL)::reco_rhythm, '2024-02-10');
SELECT reco_p_alive(paper(), ROW(3, 3, NULL, '2024-01-01', NULL, NULL, NULL, NULL, NULL, NULL)::reco_rhythm, '2024-02-10');
SELECT reco_bgnbd_final('{2,1,1,5}');
SELECT reco_bgnbd_final('{3,0.5,1,5}');
SELECT reco_bgnbd_merge('{3,1,1,5}', '{NULL}');
DROP TABLE customer, visit;
DROP FUNCTION paper;
