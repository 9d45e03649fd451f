-- matrix: a 5 x 5 matrix worked by hand for every similarity, and the properties of the aggregate and its type.

BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;

-- Two numbers that agree to a relative tolerance, that of single precision unless said otherwise.
CREATE FUNCTION pg_temp.near(have float8, want float8, tolerance float8 DEFAULT 1e-6) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$ SELECT coalesce(abs(have - want) <= tolerance * abs(want), false) $$;

/*
 * The matrix, weights of users u1..u5 for items 1..5, and h_u, the number of items of a user:
 *
 *          1  2  3  4  5    h
 *     u1   1  2  1  .  .    3
 *     u2   2  1  .  .  .    2
 *     u3   1  .  3  1  .    3
 *     u4   1  1  1  2  .    4
 *     u5   .  .  .  1  1    2
 *
 * Users n_i:        4  3  3  3  1
 * Users with both:  12: u1 u2 u4   13: u1 u3 u4   14: u3 u4   23: u1 u4   24: u4   34: u3 u4   45: u5
 */
CREATE TABLE five (user_id int, item_id int, weight float8);
INSERT INTO five VALUES
  (1, 1, 1), (1, 2, 2), (1, 3, 1),
  (2, 1, 2), (2, 2, 1),
  (3, 1, 1), (3, 3, 3), (3, 4, 1),
  (4, 1, 1), (4, 2, 1), (4, 3, 1), (4, 4, 2),
  (5, 4, 1), (5, 5, 1);
CREATE TEMP TABLE matrix AS SELECT reco_matrix(user_id, item_id, weight) AS m FROM five;

/* What is wanted of a similarity: every pair in both directions.  support is the number of users with both. */
CREATE TEMP TABLE wanted (similarity text, weighting text, item_id int, similar_item_id int, want float8);
CREATE TEMP TABLE pair (item_id int, similar_item_id int, support int);
INSERT INTO pair VALUES (1, 2, 3), (1, 3, 3), (1, 4, 2), (2, 3, 2), (2, 4, 1), (3, 4, 2), (4, 5, 1);
INSERT INTO pair SELECT similar_item_id, item_id, support FROM pair;

/*
 * The family, s(i -> j) = c_ij / (n_i^p * n_j^q), c_ij = sum over u of h_u^-b * f(w_ui) * f(w_uj), n_i = sum of f^2.
 *
 * linear, f(w) = w, b = 0:
 *   c12 = 1*2 + 2*1 + 1*1 = 5    c13 = 1*1 + 1*3 + 1*1 = 5    c14 = 1*1 + 1*2 = 3
 *   c23 = 2*1 + 1*1 = 3          c24 = 1*2 = 2                c34 = 3*1 + 1*2 = 5    c45 = 1
 *   n1 = 1+4+1+1 = 7   n2 = 4+1+1 = 6   n3 = 1+9+1 = 11   n4 = 1+4+1 = 6   n5 = 1
 * linear, b = 1, each user's part divided by h = 3, 2, 3, 4, 2:
 *   c12 = 2/3 + 2/2 + 1/4 = 23/12   c13 = 1/3 + 3/3 + 1/4 = 19/12   c14 = 1/3 + 2/4 = 5/6
 *   c23 = 2/3 + 1/4 = 11/12         c24 = 2/4 = 1/2                 c34 = 3/3 + 2/4 = 3/2   c45 = 1/2
 * linear, b = 1/2, divided by the roots of h:
 *   c12 = 2/r3 + 2/r2 + 1/2   c13 = 1/r3 + 3/r3 + 1/2   c14 = 1/r3 + 2/2
 *   c23 = 2/r3 + 1/2          c24 = 2/2                 c34 = 3/r3 + 2/2   c45 = 1/r2
 * binary, f(w) = 1: c is the number of users with both, n the number of users.
 * log, f(w) = ln(1 + w), a = f(1) = ln 2 = .6931, b = f(2) = ln 3 = 1.0986, f(3) = ln 4 = 2a, exponent 0:
 *   c12 = ab + ba + aa   c13 = aa + a*2a + aa = 4aa   c14 = aa + ab
 *   c23 = ba + aa        c24 = ab                     c34 = 2a*a + ab   c45 = aa
 *   n1 = 3aa + bb   n2 = 2aa + bb   n3 = aa + 4aa + aa = 6aa   n4 = 2aa + bb   n5 = aa
 */
CREATE TEMP TABLE worked_pair (weighting text, exponent float8, i int, j int, c float8);
INSERT INTO worked_pair VALUES
  ('linear', 0, 1, 2, 5), ('linear', 0, 1, 3, 5), ('linear', 0, 1, 4, 3), ('linear', 0, 2, 3, 3),
  ('linear', 0, 2, 4, 2), ('linear', 0, 3, 4, 5), ('linear', 0, 4, 5, 1),
  ('linear', 1, 1, 2, 23 / 12.0), ('linear', 1, 1, 3, 19 / 12.0), ('linear', 1, 1, 4, 5 / 6.0), ('linear', 1, 2, 3, 11 / 12.0),
  ('linear', 1, 2, 4, 1 / 2.0), ('linear', 1, 3, 4, 3 / 2.0), ('linear', 1, 4, 5, 1 / 2.0),
  ('linear', .5, 1, 2, 2 / sqrt(3) + 2 / sqrt(2) + .5), ('linear', .5, 1, 3, 4 / sqrt(3) + .5), ('linear', .5, 1, 4, 1 / sqrt(3) + 1),
  ('linear', .5, 2, 3, 2 / sqrt(3) + .5), ('linear', .5, 2, 4, 1), ('linear', .5, 3, 4, 3 / sqrt(3) + 1), ('linear', .5, 4, 5, 1 / sqrt(2)),
  ('binary', 0, 1, 2, 3), ('binary', 0, 1, 3, 3), ('binary', 0, 1, 4, 2), ('binary', 0, 2, 3, 2),
  ('binary', 0, 2, 4, 1), ('binary', 0, 3, 4, 2), ('binary', 0, 4, 5, 1),
  ('binary', 1, 1, 2, 1/3.0 + 1/2.0 + 1/4.0), ('binary', 1, 1, 3, 1/3.0 + 1/3.0 + 1/4.0), ('binary', 1, 1, 4, 1/3.0 + 1/4.0),
  ('binary', 1, 2, 3, 1/3.0 + 1/4.0), ('binary', 1, 2, 4, 1/4.0), ('binary', 1, 3, 4, 1/3.0 + 1/4.0), ('binary', 1, 4, 5, 1/2.0),
  ('binary', .5, 1, 2, 1/sqrt(3) + 1/sqrt(2) + 1/2.0), ('binary', .5, 1, 3, 2/sqrt(3) + 1/2.0), ('binary', .5, 1, 4, 1/sqrt(3) + 1/2.0),
  ('binary', .5, 2, 3, 1/sqrt(3) + 1/2.0), ('binary', .5, 2, 4, 1/2.0), ('binary', .5, 3, 4, 1/sqrt(3) + 1/2.0), ('binary', .5, 4, 5, 1/sqrt(2));
INSERT INTO worked_pair
SELECT 'log', 0, pairs.*
FROM (SELECT ln(2::float8) AS a, ln(3::float8) AS b) f, LATERAL (VALUES
  (1, 2, 2*a*b + a*a), (1, 3, 4*a*a), (1, 4, a*a + a*b), (2, 3, a*b + a*a), (2, 4, a*b), (3, 4, 2*a*a + a*b), (4, 5, a*a)) pairs;
/* log, b = 1 and 1/2: the same parts as above, divided by h = 3, 2, 3, 4, 2 or its root. */
INSERT INTO worked_pair
SELECT 'log', e, pairs.*
FROM (SELECT ln(2::float8) AS a, ln(3::float8) AS b) f, unnest(ARRAY[1, .5]::float8[]) e, LATERAL (VALUES
  (1, 2, a*b / 3^e + a*b / 2^e + a*a / 4^e), (1, 3, a*a / 3^e + 2*a*a / 3^e + a*a / 4^e), (1, 4, a*a / 3^e + a*b / 4^e),
  (2, 3, a*b / 3^e + a*a / 4^e), (2, 4, a*b / 4^e), (3, 4, 2*a*a / 3^e + a*b / 4^e), (4, 5, a*a / 2^e)) pairs;
INSERT INTO worked_pair SELECT weighting, exponent, j, i, c FROM worked_pair;

CREATE TEMP TABLE worked_item (weighting text, i int, n float8);
INSERT INTO worked_item VALUES
  ('linear', 1, 7), ('linear', 2, 6), ('linear', 3, 11), ('linear', 4, 6), ('linear', 5, 1),
  ('binary', 1, 4), ('binary', 2, 3), ('binary', 3, 3), ('binary', 4, 3), ('binary', 5, 1);
INSERT INTO worked_item
SELECT 'log', items.*
FROM (SELECT ln(2::float8) AS a, ln(3::float8) AS b) f, LATERAL (VALUES
  (1, 3*a*a + b*b), (2, 2*a*a + b*b), (3, 6*a*a), (4, 2*a*a + b*b), (5, a*a)) items;

INSERT INTO wanted
SELECT kind, weighting, c.i, c.j, c.c / (source.n ^ p * target.n ^ q)
FROM (VALUES ('cooccurrence', .5::float8, .65::float8, .2::float8), ('cosine', 0, .5, .5), ('asymmetric', 0, .75, .25),
             ('conditional', 0, 1, 0), ('rp3beta', 1, 1, .6)) family(kind, b, p, q)
JOIN worked_pair c ON c.exponent = b
JOIN worked_item source USING (weighting)
JOIN worked_item target USING (weighting)
WHERE source.i = c.i AND target.i = c.j;

/*
 * Over users alone, whatever the weighting; U = 5.
 *
 *   jaccard both / (a + b - both)   lift both * 5 / (a * b)
 *   12, 13  3 / (4 + 3 - 3) = 3/4        3 * 5 / 12 = 5/4
 *   14      2 / (4 + 3 - 2) = 2/5        2 * 5 / 12 = 5/6
 *   23, 34  2 / (3 + 3 - 2) = 1/2        2 * 5 / 9  = 10/9
 *   24      1 / (3 + 3 - 1) = 1/5        1 * 5 / 9  = 5/9
 *   45      1 / (3 + 1 - 1) = 1/3        1 * 5 / 3  = 5/3
 *
 * llr = 2 * sum of observed * ln(observed / expected); pairs that meet less than chance (lift < 1: 14, 24) have none.
 *   12, 13  3 1 / 0 1, expected 2.4 1.6 / .6 .4:  2 * (3 ln(3/2.4) + ln(1/1.6) + ln(1/.4))
 *           = 2 * (.669431 - .470004 + .916291) = 2.231436
 *   23, 34  2 1 / 1 1, expected 1.8 1.2 / 1.2 .8: 2 * (2 ln(2/1.8) + 2 ln(1/1.2) + ln(1/.8))
 *           = 2 * (.210721 - .364643 + .223144) = .138443
 *   45      1 2 / 0 2, expected .6 2.4 / .4 1.6:  2 * (ln(1/.6) + 2 ln(2/2.4) + 2 ln(2/1.6))
 *           = 2 * (.510826 - .364643 + .446287) = 1.184939
 */
INSERT INTO wanted
SELECT kind, weighting, i, j, want
FROM unnest(ARRAY['binary', 'linear', 'log']) weighting, (VALUES
  ('jaccard', 1, 2, .75::float8), ('jaccard', 1, 3, .75), ('jaccard', 1, 4, .4), ('jaccard', 2, 3, .5), ('jaccard', 2, 4, .2),
  ('jaccard', 3, 4, .5), ('jaccard', 4, 5, 1 / 3.0),
  ('lift', 1, 2, 1.25), ('lift', 1, 3, 1.25), ('lift', 1, 4, 5 / 6.0), ('lift', 2, 3, 10 / 9.0), ('lift', 2, 4, 5 / 9.0),
  ('lift', 3, 4, 10 / 9.0), ('lift', 4, 5, 5 / 3.0),
  ('llr', 1, 2, 2 * (3 * ln(3 / 2.4) + ln(1 / 1.6) + ln(1 / .4))), ('llr', 1, 3, 2 * (3 * ln(3 / 2.4) + ln(1 / 1.6) + ln(1 / .4))),
  ('llr', 2, 3, 2 * (2 * ln(2 / 1.8) + 2 * ln(1 / 1.2) + ln(1 / .8))), ('llr', 3, 4, 2 * (2 * ln(2 / 1.8) + 2 * ln(1 / 1.2) + ln(1 / .8))),
  ('llr', 4, 5, 2 * (ln(1 / .6) + 2 * ln(2 / 2.4) + 2 * ln(2 / 1.6)))) worked(kind, i, j, want);

/*
 * tfidf: the cosine of rows sqrt(f) * ln(6 / (1 + h)); d_u is the square of the logarithm, which both cells carry:
 *   d1 = d3 = ln(6/4)^2 = .164402   d2 = d5 = ln(6/3)^2 = .480453   d4 = ln(6/5)^2 = .033241
 * linear (r2, r3: roots of 2 and 3):
 *   c12 = r2 d1 + r2 d2 + d4   c13 = d1 + r3 d3 + d4   c14 = d3 + r2 d4
 *   c23 = r2 d1 + d4           c24 = r2 d4             c34 = r3 d3 + r2 d4   c45 = d5
 *   n1 = d1 + 2 d2 + d3 + d4   n2 = 2 d1 + d2 + d4   n3 = d1 + 3 d3 + d4   n4 = d3 + 2 d4 + d5   n5 = d5
 *   e.g. s12 = .945199 / sqrt(1.322952 * .842499) = .895287
 * binary: every root and square is 1.
 *
 * bm25: v = f * 2.2 / (1.2 * (.25 + .75 * n / mean n) + f), n the sum of an item's f, s = sum of d_u * v_ui * v_uj.
 * linear: n = 5 4 5 4 1, mean 19/5.  With K = .3 + .9 * n / 3.8: K1 = K3 = 1.484211, K2 = K4 = 1.247368, K5 = .536842:
 *   v(w, K) = 2.2 w / (K + w)
 * binary: n = 4 3 3 3 1, mean 14/5, K = .3 + .9 * n / 2.8.
 */
INSERT INTO wanted
SELECT 'tfidf', weighting, i, j, c / sqrt(ni * nj)
FROM (SELECT ln(1.5::float8) ^ 2 AS d1, ln(2::float8) ^ 2 AS d2, ln(1.2::float8) ^ 2 AS d4) d,
  /* f(1), f(2), f(3) of each weighting, and the roots of products of two of them */
  (VALUES ('linear', 1::float8, 2::float8, 3::float8), ('binary', 1, 1, 1), ('log', ln(2::float8), ln(3::float8), ln(4::float8))) f(weighting, f1, f2, f3),
  LATERAL (SELECT f1*d1 + f2*d2 + f1*d1 + f1*d4 AS n1, f2*d1 + f1*d2 + f1*d4 AS n2, f1*d1 + f3*d1 + f1*d4 AS n3,
                  f1*d1 + f2*d4 + f1*d2 AS n4, f1*d2 AS n5, sqrt(f1*f2) AS r2, sqrt(f1*f3) AS r3) n,
  LATERAL (VALUES (1, 2, r2*d1 + r2*d2 + f1*d4, n1, n2), (1, 3, f1*d1 + r3*d1 + f1*d4, n1, n3), (1, 4, f1*d1 + r2*d4, n1, n4),
                  (2, 3, r2*d1 + f1*d4, n2, n3), (2, 4, r2*d4, n2, n4), (3, 4, r3*d1 + r2*d4, n3, n4), (4, 5, f1*d2, n4, n5)) c(i, j, c, ni, nj);
INSERT INTO wanted
SELECT 'bm25', weighting, i, j, c
FROM (SELECT ln(1.5::float8) ^ 2 AS d1, ln(2::float8) ^ 2 AS d2, ln(1.2::float8) ^ 2 AS d4) d,
  (VALUES ('linear', 1::float8, 2::float8, 3::float8), ('binary', 1, 1, 1), ('log', ln(2::float8), ln(3::float8), ln(4::float8))) f(weighting, f1, f2, f3),
  /* item 1 has weights 1 2 1 1, item 2 has 2 1 1, item 3 has 1 3 1, item 4 has 1 2 1, item 5 has 1 */
  LATERAL (SELECT 3*f1 + f2 AS m1, 2*f1 + f2 AS m2, 2*f1 + f3 AS m3, 2*f1 + f2 AS m4, f1 AS m5, (10*f1 + 3*f2 + f3) / 5 AS mean) m,
  LATERAL (SELECT .3 + .9 * m1 / mean AS k1, .3 + .9 * m2 / mean AS k2, .3 + .9 * m3 / mean AS k3,
                  .3 + .9 * m4 / mean AS k4, .3 + .9 * m5 / mean AS k5) k,
  /* v of item and weight: v12 is item 1 with weight 2 */
  LATERAL (SELECT 2.2*f1/(k1+f1) AS v11, 2.2*f2/(k1+f2) AS v12, 2.2*f1/(k2+f1) AS v21, 2.2*f2/(k2+f2) AS v22, 2.2*f1/(k3+f1) AS v31,
                  2.2*f3/(k3+f3) AS v33, 2.2*f1/(k4+f1) AS v41, 2.2*f2/(k4+f2) AS v42, 2.2*f1/(k5+f1) AS v51) v,
  LATERAL (VALUES (1, 2, d1*v11*v22 + d2*v12*v21 + d4*v11*v21), (1, 3, d1*v11*v31 + d1*v11*v33 + d4*v11*v31), (1, 4, d1*v11*v41 + d4*v11*v42),
                  (2, 3, d1*v22*v31 + d4*v21*v31), (2, 4, d4*v21*v42), (3, 4, d1*v33*v41 + d4*v31*v42), (4, 5, d2*v41*v51)) c(i, j, c);
INSERT INTO wanted SELECT similarity, weighting, similar_item_id, item_id, want FROM wanted
WHERE similarity IN ('jaccard', 'lift', 'llr', 'tfidf', 'bm25');

/* 10 similarities of 3 weightings: 7 pairs in both directions, 5 for llr. */
SELECT is((SELECT count(*) FROM wanted), (9 * 3 * 14 + 3 * 10)::bigint, 'every similarity and weighting is worked');

-- What reco_neighbors says of the 5 x 5 matrix, beside what is wanted, where they differ.
CREATE FUNCTION pg_temp.differ(kind text, form text, keep text) RETURNS SETOF text LANGUAGE sql AS $$
  SELECT format('%s -> %s: have %s, want %s; support %s, want %s', w.item_id, w.similar_item_id, n.similarity, w.want, n.support, p.support)
  FROM reco_neighbors(NULL::int, (SELECT m FROM matrix), k => 20, similarity => kind, min_support => 1, keep => $3, weighting => form) n
  FULL JOIN (SELECT * FROM wanted WHERE similarity = kind AND weighting = form) w USING (item_id, similar_item_id)
  LEFT JOIN pair p USING (item_id, similar_item_id)
  WHERE pg_temp.near(n.similarity, w.want) IS NOT TRUE OR n.support IS DISTINCT FROM p.support
$$;
SELECT is_empty(format('SELECT pg_temp.differ(%L, %L, %L)', kind, form, keep), format('%s, %s, by %s', kind, form, keep))
FROM unnest(ARRAY['cooccurrence', 'cosine', 'asymmetric', 'conditional', 'rp3beta', 'jaccard', 'llr', 'lift', 'tfidf', 'bm25']) kind,
  unnest(ARRAY['binary', 'linear', 'log']) form, unnest(ARRAY['source', 'target']) keep;

/* A few of the above as numbers, worked outside of SQL. */
CREATE FUNCTION pg_temp.s(i int, j int, kind text, form text) RETURNS numeric LANGUAGE sql AS $$
  SELECT round(similarity::numeric, 5) FROM reco_neighbors(NULL::int, (SELECT m FROM matrix), 20, kind, 1, 0, 'source', form)
  WHERE item_id = i AND similar_item_id = j
$$;
SELECT is(pg_temp.s(1, 2, 'cosine', 'linear'), 0.77152, '5 / sqrt(7 * 6)');
SELECT is(pg_temp.s(1, 2, 'cosine', 'binary'), 0.86603, '3 / sqrt(4 * 3)');
SELECT is(pg_temp.s(1, 3, 'cosine', 'log'), 0.69555, '4 aa / sqrt((3 aa + bb) 6 aa) = 1.921812 / sqrt(2.648308 * 2.882718)');
SELECT is(pg_temp.s(2, 1, 'tfidf', 'linear'), 0.89529, '.945199 / sqrt(1.322952 * .842499)');
SELECT is(pg_temp.s(2, 4, 'bm25', 'linear'), 0.04410, 'd4 * 2.2 / (K2 + 1) * 4.4 / (K4 + 2) = .033241 * .978923 * 1.354943');
SELECT is(pg_temp.s(3, 4, 'conditional', 'linear'), 0.45455, '5 / 11');
SELECT is(pg_temp.s(4, 3, 'conditional', 'linear'), 0.83333, '5 / 6');
SELECT is(pg_temp.s(1, 2, 'llr', 'log'), 2.23144, '2 (3 ln 1.25 - ln 1.6 + ln 2.5)');
SELECT is(pg_temp.s(4, 5, 'lift', 'linear'), 1.66667, '1 * 5 / (3 * 1)');
SELECT is(pg_temp.s(2, 4, 'jaccard', 'linear'), 0.20000, '1 / (3 + 3 - 1)');

SELECT * FROM finish();
ROLLBACK;
