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
 *   e.g. s12 = .945204 / sqrt(1.322951 * .842498) = .895301
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
SELECT is(pg_temp.s(2, 1, 'tfidf', 'linear'), 0.89530, '.945204 / sqrt(1.322951 * .842498)');
SELECT is(pg_temp.s(2, 4, 'bm25', 'linear'), 0.04409, 'd4 * 2.2 / (K2 + 1) * 4.4 / (K4 + 2) = .033241 * .978923 * 1.354943');
SELECT is(pg_temp.s(3, 4, 'conditional', 'linear'), 0.45455, '5 / 11');
SELECT is(pg_temp.s(4, 3, 'conditional', 'linear'), 0.83333, '5 / 6');
SELECT is(pg_temp.s(1, 2, 'llr', 'log'), 2.23144, '2 (3 ln 1.25 - ln 1.6 + ln 2.5)');
SELECT is(pg_temp.s(4, 5, 'lift', 'linear'), 1.66667, '1 * 5 / (3 * 1)');
SELECT is(pg_temp.s(2, 4, 'jaccard', 'linear'), 0.20000, '1 / (3 + 3 - 1)');

-- The pairs reco_neighbors gives, as "1>2 1>3 ...": item by item, rank by rank.
CREATE FUNCTION pg_temp.pairs(k int, kind text, keep text, support int DEFAULT 1, shrinkage float8 DEFAULT 0) RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(item_id || '>' || similar_item_id, ' ' ORDER BY item_id, rank)
  FROM reco_neighbors(NULL::int, (SELECT m FROM matrix), k => pairs.k, similarity => kind, min_support => support,
                      shrinkage => pairs.shrinkage, keep => pairs.keep)
$$;

/*
 * The cut.  jaccard is 12 13 .75, 23 34 .5, 14 .4, 45 .333, 24 .2; equal similarities go by the smaller id.
 * By source, the best target of each: 1 has 2 before 3; 2 has 1; 3 has 1; 4 has 3; 5 has 4.
 * By target, the best source of each: target 1 has 2 before 3; 2 has 1; 3 has 1; 4 has 3; 5 has 4: 2>1 1>2 1>3 3>4 4>5.
 */
SELECT is(pg_temp.pairs(1, 'jaccard', 'source'), '1>2 2>1 3>1 4>3 5>4', 'k 1 by source, a tie goes to the smaller id');
SELECT is(pg_temp.pairs(1, 'jaccard', 'target'), '1>2 1>3 2>1 3>4 4>5', 'k 1 by target, a tie goes to the smaller id');
/*
 * k 2 by source: 1 has 2 3; 2 has 1 3; 3 has 1, then 2 and 4 tie: 2; 4 has 3, 1; 5 has 4.
 * k 2 by target: sources of 1: 2 3; of 2: 1 3; of 3: 1, then 2 and 4 tie: 2; of 4: 3 1; of 5: 4.
 * Turned to rows: 1 speaks for 2 (.75) 3 (.75) 4 (.4); 2 for 1 (.75) 3 (.5); 3 for 1 (.75) 2 (.5) 4 (.5); 4 for 5.
 */
SELECT is(pg_temp.pairs(2, 'jaccard', 'source'), '1>2 1>3 2>1 2>3 3>1 3>2 4>3 4>1 5>4', 'k 2 by source');
SELECT is(pg_temp.pairs(2, 'jaccard', 'target'), '1>2 1>3 1>4 2>1 2>3 3>1 3>2 3>4 4>5', 'k 2 by target');
/*
 * conditional, c / n_i, tells source from target: 1: 5/7 5/7 3/7 (to 2 3 4); 2: 5/6 3/6 2/6 (to 1 3 4);
 * 3: 5/11 3/11 5/11 (to 1 2 4); 4: 3/6 2/6 5/6 1/6 (to 1 2 3 5); 5: 1 (to 4).
 * By source: 1>2, 2>1, 3>1 (ties with 4), 4>3, 5>4.
 * By target: 1 from 2 (5/6); 2 from 1 (5/7); 3 from 4 (5/6); 4 from 5 (1); 5 from 4 (1/6).
 */
SELECT is(pg_temp.pairs(1, 'conditional', 'source'), '1>2 2>1 3>1 4>3 5>4', 'k 1 by source of what is not symmetric');
SELECT is(pg_temp.pairs(1, 'conditional', 'target'), '1>2 2>1 4>3 4>5 5>4', 'k 1 by target of what is not symmetric');
SELECT is(pg_temp.pairs(20, 'conditional', 'source'), '1>2 1>3 1>4 2>1 2>3 2>4 3>1 3>4 3>2 4>3 4>1 4>2 4>5 5>4', 'all of them, best first');
SELECT is(pg_temp.pairs(20, 'conditional', 'target'), pg_temp.pairs(20, 'conditional', 'source'), 'without a cut it does not matter whose best are kept');

-- Support: 2 users drop 24 and 45, 3 leave 12 and 13, 4 leave nothing.
SELECT is(pg_temp.pairs(20, 'jaccard', 'source', 2), '1>2 1>3 1>4 2>1 2>3 3>1 3>2 3>4 4>3 4>1', 'min_support 2');
SELECT is(pg_temp.pairs(20, 'jaccard', 'target', 3), '1>2 1>3 2>1 3>1', 'min_support 3');
SELECT is(pg_temp.pairs(20, 'jaccard', 'source', 4), NULL, 'min_support 4');
SELECT results_eq('SELECT * FROM reco_neighbors((SELECT m FROM matrix))',
                  $$SELECT * FROM reco_neighbors((SELECT m FROM matrix), 20, 'cosine', 2, 0, 'source', 'linear')$$, 'the defaults');

-- Shrinkage: times users / (users + s), of every similarity.
SELECT is_empty(format($$
    SELECT n.*, w.want FROM reco_neighbors(NULL::int, (SELECT m FROM matrix), 20, %L, 1, shrinkage => %s) n
    FULL JOIN (SELECT * FROM wanted WHERE similarity = %1$L AND weighting = 'linear') w USING (item_id, similar_item_id)
    LEFT JOIN pair p USING (item_id, similar_item_id)
    WHERE pg_temp.near(n.similarity, w.want * p.support / (p.support + %2$s)) IS NOT TRUE$$, kind, shrinkage),
  format('%s with shrinkage %s', kind, shrinkage))
FROM unnest(ARRAY['cooccurrence', 'cosine', 'asymmetric', 'conditional', 'rp3beta', 'jaccard', 'llr', 'lift', 'tfidf', 'bm25']) kind,
  unnest(ARRAY[2, 0.5, 1000]::float8[]) shrinkage;
SELECT is(pg_temp.pairs(1, 'lift', 'source', 1), '1>2 2>1 3>1 4>5 5>4', 'without shrinkage one user makes the best lift');
SELECT is(pg_temp.pairs(1, 'lift', 'source', 1, 4), '1>2 2>1 3>1 4>3 5>4', 'with it, two users do: 10/9 * 2/6 = .370 before 5/3 * 1/5 = .333');

-- Ids: equal similarities in the order of the ids' own type.
/* Three users who took all of the items: every similarity is 1, so ranks are the order of ids. */
CREATE FUNCTION pg_temp.order_of(m reco_matrix) RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(similar_item_id, ' ' ORDER BY rank) FROM reco_neighbors(m, similarity => 'jaccard')
  WHERE item_id = (SELECT min(item_id COLLATE "C") FROM reco_neighbors(m, similarity => 'jaccard'))
$$;
SELECT is(pg_temp.order_of(reco_matrix(u, i, 1)), '-9223372036854775808 9 10 100 9223372036854775807', 'bigint ids are ordered as numbers')
FROM generate_series(1, 3) u, unnest(ARRAY[100, 10, 9, -1, 9223372036854775807, -9223372036854775808]) i;
SELECT is(pg_temp.order_of(reco_matrix(u, i, 1)), 'B a aa b ä', 'text ids are ordered by their bytes')
FROM generate_series(1, 3) u, unnest(ARRAY['ä', 'b', 'A', 'aa', 'a', 'B']) i;
SELECT is(pg_temp.order_of(reco_matrix(u, i::uuid, 1)),
          '00000000-0000-0000-0000-000000000002 10000000-0000-0000-0000-000000000000 f0000000-0000-0000-0000-000000000000', 'uuid ids are ordered by their bytes')
FROM generate_series(1, 3) u, unnest(ARRAY['f0000000-0000-0000-0000-000000000000', '10000000-0000-0000-0000-000000000000',
  '00000000-0000-0000-0000-000000000002', '00000000-0000-0000-0000-000000000001']) i;

/* The 5 x 5 matrix under other names: item n as text chr(96 + n), as uuid, as smallint; the users too. */
CREATE FUNCTION pg_temp.as_uuid(n int) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$ SELECT (lpad(n::text, 8, '0') || '-0000-4000-8000-000000000000')::uuid $$;
CREATE TEMP TABLE by_number AS SELECT item_id, rank, similar_item_id, similarity, support FROM reco_neighbors(NULL::int, (SELECT m FROM matrix), min_support => 1);
SELECT is((SELECT count(*) FROM by_number), 14::bigint, 'seven pairs in both directions');
SELECT set_eq('SELECT * FROM reco_neighbors(NULL::text, (SELECT reco_matrix(chr(64 + user_id), chr(96 + item_id), weight) FROM five), min_support => 1)',
              'SELECT chr(96 + item_id) AS item_id, rank, chr(96 + similar_item_id) AS similar, similarity, support FROM by_number', 'text ids');
SELECT set_eq('SELECT * FROM reco_neighbors(NULL::uuid, (SELECT reco_matrix(pg_temp.as_uuid(user_id), pg_temp.as_uuid(item_id), weight) FROM five), min_support => 1)',
              'SELECT pg_temp.as_uuid(item_id) AS item_id, rank, pg_temp.as_uuid(similar_item_id) AS similar, similarity, support FROM by_number', 'uuid ids');
SELECT set_eq('SELECT * FROM reco_neighbors(NULL::text, (SELECT reco_matrix(user_id::smallint, chr(96 + item_id)::varchar(10), weight) FROM five), min_support => 1)',
              'SELECT chr(96 + item_id) AS item_id, rank, chr(96 + similar_item_id) AS similar, similarity, support FROM by_number', 'smallint users and varchar items');
SELECT set_eq('SELECT * FROM reco_neighbors(NULL::smallint, (SELECT reco_matrix(pg_temp.as_uuid(user_id), item_id::bigint, weight) FROM five), min_support => 1)',
              'SELECT item_id::smallint, rank, similar_item_id::smallint, similarity, support FROM by_number', 'uuid users and bigint items, as smallint');
SELECT set_eq('SELECT * FROM reco_neighbors((SELECT reco_matrix(chr(64 + user_id), item_id, weight) FROM five), min_support => 1)',
              'SELECT item_id::text, rank, similar_item_id::text, similarity, support FROM by_number', 'ids as text');
SELECT throws_ok('SELECT * FROM reco_neighbors(NULL::uuid, (SELECT m FROM matrix))', '42804', NULL, 'integer items are no uuid');
SELECT throws_ok('SELECT * FROM reco_neighbors(NULL::smallint, (SELECT reco_matrix(u, i, 1) FROM generate_series(1, 2) u, generate_series(40000, 40001) i))',
                 '22003', NULL, '40000 is no smallint');

-- Text form, worked: ids in order, cells of a user in order of the item.
SELECT is(reco_matrix(u, i, w)::text, '{"user": "text", "item": "bigint", "cells": [["a", 3, 0.5], ["a", 20, -2], ["b\"", 3, 4]]}', 'a matrix as text')
FROM (VALUES ('b"', 3, 4::float8), ('a', 20, -2), ('a', 3, .25), ('a', 3, .25)) v(u, i, w);
SELECT is(m::text, '{"user": "bigint", "item": "bigint", "cells": [[1, 1, 1], [1, 2, 2], [1, 3, 1], [2, 1, 2], [2, 2, 1], '
  '[3, 1, 1], [3, 3, 3], [3, 4, 1], [4, 1, 1], [4, 2, 1], [4, 3, 1], [4, 4, 2], [5, 4, 1], [5, 5, 1]]}', 'the 5 x 5 matrix as text') FROM matrix;
CREATE TEMP TABLE various AS
  SELECT 'integer' AS name, m FROM matrix
  UNION ALL SELECT 'text', reco_matrix(chr(64 + user_id), E'\\"\t/ü€😀' || item_id, weight / 3) FROM five
  UNION ALL SELECT 'uuid', reco_matrix(pg_temp.as_uuid(user_id), pg_temp.as_uuid(item_id), -weight) FROM five
  UNION ALL SELECT 'mixed', reco_matrix(user_id, chr(96 + item_id), weight * 1e-300) FROM five
  UNION ALL SELECT 'extremes', reco_matrix(u, i, w) FROM (VALUES (9223372036854775807, '', 1.7976931348623157e308::float8),
    (-9223372036854775808, ' ', 4.9406564584124654e-324), (0, repeat('x', 5000), -0.1)) v(u, i, w)
  UNION ALL SELECT 'zero', reco_matrix(u, 1, w) FROM (VALUES (1, 1::float8), (1, -1)) v(u, w)
  UNION ALL SELECT 'empty', '{"user": "uuid", "item": "text", "cells": []}'::reco_matrix;
SELECT is(m::text::reco_matrix::text, m::text, name || ': text there and back') FROM various;
SELECT is(reco_matrix_send(m::text::reco_matrix), reco_matrix_send(m), name || ': text there and back, byte for byte') FROM various;
SELECT is('{"cells": [[2, "b", 0.5], [1, "a", 2], [2, "b", 1.5]], "item": "text", "user": "bigint"}'::reco_matrix::text,
          '{"user": "bigint", "item": "text", "cells": [[1, "a", 2], [2, "b", 2]]}', 'cells in any order, repeats summed');

-- Binary form, through COPY to a file of the server and back; reading it removes it.
CREATE TEMP TABLE copied (LIKE various);
DO $$
DECLARE file text := format('%s/reco_matrix_%s.copy', current_setting('data_directory'), pg_backend_pid());
BEGIN
  EXECUTE format('COPY various TO %L (FORMAT binary)', file);
  EXECUTE format('COPY copied FROM PROGRAM %L (FORMAT binary)', format('cat "%s" && rm "%1$s"', file));
END $$;
SELECT is((SELECT count(*) FROM copied), 7::bigint, 'seven matrices came back in binary');
SELECT is(c.m::text, v.m::text, v.name || ': binary there and back') FROM various v LEFT JOIN copied c USING (name);
SELECT is(reco_matrix_send(c.m), reco_matrix_send(v.m), v.name || ': binary there and back, byte for byte') FROM various v LEFT JOIN copied c USING (name);
SELECT set_eq('SELECT n.* FROM copied c, reco_neighbors(NULL::int, c.m, min_support => 1) n WHERE name = ''integer''', 'SELECT * FROM by_number',
              'neighbours of what came back');

-- Order of rows: the same bytes.  Weights are multiples of 1/8, so that every order of summing gives the same number.
CREATE TABLE rows_in_order AS
  SELECT user_id, item_id, ((user_id * 5 + item_id * 3 + n) % 16 - 3) / 8.0::float8 AS weight, n,
         hashint8(user_id * 1000003::bigint + item_id * 1009 + n) AS lot
  FROM generate_series(1, 300) user_id, generate_series(1, 40) item_id, generate_series(0, 2) n
  WHERE (hashint4(user_id * 64 + item_id) & 7) < 3;
ANALYZE rows_in_order;
SELECT cmp_ok((SELECT count(*) FROM rows_in_order), '>', 10000::bigint, 'enough rows for repeats to be summed many times over');
CREATE TEMP TABLE whole AS SELECT reco_matrix(user_id, item_id, weight) AS m FROM rows_in_order;
SELECT is((SELECT m::text FROM whole), reco_matrix(user_id, item_id, weight ORDER BY lot)::text, 'shuffled rows give the same matrix') FROM rows_in_order;
SELECT is((SELECT reco_matrix_send(m) FROM whole), reco_matrix_send(reco_matrix(user_id, item_id, weight ORDER BY weight, lot DESC)), 'in any order, byte for byte')
FROM rows_in_order;
SELECT is((SELECT reco_matrix_send(m) FROM whole), reco_matrix_send(reco_matrix(user_id, item_id, w)), 'summed by GROUP BY before, the same')
FROM (SELECT user_id, item_id, sum(weight) AS w FROM rows_in_order GROUP BY 1, 2) s;
SELECT results_eq('SELECT (c ->> 0)::int, (c ->> 1)::int, (c ->> 2)::float8 FROM whole, json_array_elements(m::text::json -> ''cells'') c',
                  'SELECT user_id, item_id, sum(weight) FROM rows_in_order GROUP BY 1, 2 ORDER BY 1, 2', 'the cells are the sums of GROUP BY');
/* Sums of other weights depend on the order in their last digits; neighbours agree to single precision. */
SELECT is_empty($$
  SELECT * FROM reco_neighbors((SELECT reco_matrix(user_id, item_id, weight / 7) FROM rows_in_order), 40) a
  FULL JOIN reco_neighbors((SELECT reco_matrix(user_id, item_id, weight / 7 ORDER BY lot) FROM rows_in_order), 40) b USING (item_id, similar_item_id)
  WHERE pg_temp.near(a.similarity, b.similarity) IS NOT TRUE OR a.support IS DISTINCT FROM b.support$$, 'neighbours do not depend on the order of rows');

-- Merging: parts by user, by item, and cells cut in two are the whole again.
SELECT is(reco_matrix_merge(a.m, b.m)::text, matrix.m::text, 'users 1 to 3 and users 4 and 5 make the whole')
FROM matrix, (SELECT reco_matrix(user_id, item_id, weight) AS m FROM five WHERE user_id <= 3) a,
  (SELECT reco_matrix(user_id, item_id, weight) AS m FROM five WHERE user_id > 3) b;
SELECT is(reco_matrix_merge(b.m, a.m)::text, matrix.m::text, 'parts by item, the later one first')
FROM matrix, (SELECT reco_matrix(user_id, item_id, weight) AS m FROM five WHERE item_id <= 3) a,
  (SELECT reco_matrix(user_id, item_id, weight) AS m FROM five WHERE item_id > 3) b;
SELECT is(reco_matrix_merge(a.m, b.m)::text, matrix.m::text, 'a quarter and three quarters of each cell make the whole')
FROM matrix, (SELECT reco_matrix(user_id, item_id, weight * .25) AS m FROM five) a, (SELECT reco_matrix(user_id, item_id, weight * .75) AS m FROM five) b;
CREATE TABLE shard AS SELECT user_id % 7 AS shard, reco_matrix(user_id, item_id, weight) AS m FROM rows_in_order GROUP BY 1;
INSERT INTO shard VALUES (NULL, NULL);
SELECT is((SELECT reco_matrix_send(reco_matrix_merge(m)) FROM shard), (SELECT reco_matrix_send(m) FROM whole), 'seven stored shards make the whole, byte for byte');
SELECT is((SELECT reco_matrix_send(reco_matrix_merge(m ORDER BY shard DESC)) FROM shard), (SELECT reco_matrix_send(m) FROM whole), 'in any order');
SELECT set_eq('SELECT * FROM reco_neighbors((SELECT reco_matrix_merge(m) FROM shard))', 'SELECT * FROM reco_neighbors((SELECT m FROM whole))', 'with the same neighbours');
SELECT is(reco_matrix_merge(NULL, NULL)::text, NULL, 'nothing and nothing');
SELECT is(reco_matrix_merge(m, NULL)::text, m::text, 'a matrix and nothing') FROM matrix;
SELECT is(reco_matrix_merge(NULL, m)::text, m::text, 'nothing and a matrix') FROM matrix;
SELECT is((SELECT reco_matrix_merge(m)::text FROM matrix WHERE false), NULL, 'no matrices');
SELECT is(reco_matrix_merge(m, m)::text, (SELECT reco_matrix(user_id, item_id, weight * 2)::text FROM five), 'a matrix and itself') FROM matrix;
SELECT throws_ok('SELECT reco_matrix_merge(a.m, b.m) FROM various a, various b WHERE (a.name, b.name) = (''integer'', ''text'')', '42804',
                 'matrices of different id types cannot be merged');

/* What is merged is left as it was, also where it is a variable that holds it in memory. */
CREATE FUNCTION pg_temp.merge_leaves_alone() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  a reco_matrix := (SELECT reco_matrix(user_id, item_id, weight) FROM five WHERE user_id <= 3);
  b reco_matrix := (SELECT reco_matrix(user_id, item_id, weight) FROM five WHERE user_id > 3);
  a_text text := a::text;
  b_text text := b::text;
  merged reco_matrix := reco_matrix_merge(a, b);
BEGIN
  RETURN NEXT is(a::text, a_text, 'merging leaves the first as it was');
  RETURN NEXT is(b::text, b_text, 'merging leaves the second as it was');
  RETURN NEXT is(merged::text, (SELECT m::text FROM matrix), 'and gives the whole');
  a := reco_matrix_merge(a, b);
  RETURN NEXT is(a::text, merged::text, 'a variable can be merged into');
  a := reco_matrix_merge(a, a);
  RETURN NEXT is(a::text, (SELECT reco_matrix(user_id, item_id, weight * 2)::text FROM five), 'and doubled');
  RETURN NEXT is(merged::text, (SELECT m::text FROM matrix), 'while what was made of it before stays');
END $$;
SELECT pg_temp.merge_leaves_alone();

-- Parallel: the same bytes as serial, and the plan says so.
CREATE FUNCTION pg_temp.plan(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  line text;
  lines text := '';
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
    lines := lines || line || E'\n';
  END LOOP;
  RETURN lines;
END $$;
CREATE FUNCTION pg_temp.grouped() RETURNS text LANGUAGE sql AS $$
  SELECT 'SELECT item_id % 5, reco_matrix_send(reco_matrix(chr(64 + user_id % 26) || user_id, (lpad(item_id::text, 8, ''0'') || ''-0000-4000-8000-000000000000'')::uuid, weight))
    FROM rows_in_order GROUP BY 1'
$$;
SET LOCAL max_parallel_workers_per_gather = 0;
SELECT doesnt_match(pg_temp.plan('SELECT reco_matrix(user_id, item_id, weight) FROM rows_in_order'), 'Partial', 'a serial plan');
SELECT is((SELECT reco_matrix_send(reco_matrix(user_id, item_id, weight)) FROM rows_in_order), (SELECT reco_matrix_send(m) FROM whole), 'the bytes of a serial plan');
CREATE TEMP TABLE serial_grouped (part int, bytes bytea);
DO $$ BEGIN EXECUTE 'INSERT INTO serial_grouped ' || pg_temp.grouped(); END $$;
SET LOCAL max_parallel_workers_per_gather = 2;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SELECT matches(pg_temp.plan('SELECT reco_matrix(user_id, item_id, weight) FROM rows_in_order'), 'Finalize Aggregate.*Gather.*Partial Aggregate', 'the aggregate has a parallel plan');
SELECT is((SELECT reco_matrix_send(reco_matrix(user_id, item_id, weight)) FROM rows_in_order), (SELECT reco_matrix_send(m) FROM whole), 'in parallel the bytes are the same');
SELECT is((SELECT reco_matrix(user_id, item_id, weight)::text FROM rows_in_order), (SELECT m::text FROM whole), 'and the text');
SELECT matches(pg_temp.plan('SELECT reco_matrix_merge(m) FROM shard'), 'Finalize Aggregate.*Gather.*Partial Aggregate', 'merging has a parallel plan');
SELECT is((SELECT reco_matrix_send(reco_matrix_merge(m)) FROM shard), (SELECT reco_matrix_send(m) FROM whole), 'merged in parallel the bytes are the same');
SELECT matches(pg_temp.plan(pg_temp.grouped()), 'Finalize .*Gather.*Partial ', 'GROUP BY has a parallel plan');
SELECT set_eq(pg_temp.grouped(), 'SELECT * FROM serial_grouped', 'text users and uuid items by GROUP BY, in parallel');
SET LOCAL parallel_leader_participation = off;
SELECT is((SELECT reco_matrix_send(reco_matrix(user_id, item_id, weight)) FROM rows_in_order), (SELECT reco_matrix_send(m) FROM whole), 'by the workers alone');
SET LOCAL parallel_leader_participation = on;
SET LOCAL max_parallel_workers_per_gather = 0;

-- Stored: a matrix too large for a page is read back equal.
CREATE TABLE store (id int, m reco_matrix);
INSERT INTO store SELECT 1, m FROM whole;
SELECT cmp_ok((SELECT octet_length(reco_matrix_send(m)) FROM whole), '>', 40000, 'the whole is larger than a page');
SELECT cmp_ok(pg_relation_size((SELECT reltoastrelid FROM pg_class WHERE oid = 'store'::regclass)), '>', 0::bigint, 'it is stored out of line');
SELECT is((SELECT reco_matrix_send(m) FROM store), (SELECT reco_matrix_send(m) FROM whole), 'read back, it is the same');
SELECT set_eq('SELECT * FROM reco_neighbors((SELECT m FROM store))', 'SELECT * FROM reco_neighbors((SELECT m FROM whole))', 'with the same neighbours');
ALTER TABLE store ALTER m SET STORAGE EXTERNAL;
INSERT INTO store SELECT 2, reco_matrix_merge(m, m) FROM store;
UPDATE store SET m = reco_matrix_merge(m, (SELECT m FROM whole)) WHERE id = 1;
SELECT is((SELECT reco_matrix_send(m) FROM store WHERE id = 1), (SELECT reco_matrix_send(m) FROM store WHERE id = 2), 'merged into where it is stored: twice the whole');
SELECT isnt((SELECT reco_matrix_send(m) FROM store WHERE id = 1), (SELECT reco_matrix_send(m) FROM whole), 'which is not the whole');

-- GROUP BY: many small matrices at once, by hash and by sort.
/* Tenant t has users 1 and 2 with items t and t + 1, and user 3 with item t: jaccard 2 / 3. */
CREATE TABLE tenant_row AS
  SELECT t AS tenant, u AS user_id, t + i AS item_id FROM generate_series(1, 500) t, (VALUES (1, 0), (1, 1), (2, 0), (2, 1), (3, 0)) v(u, i)
  ORDER BY hashint4(t * 16 + u * 2 + i);
CREATE FUNCTION pg_temp.tenants() RETURNS text LANGUAGE sql AS $$
  SELECT 'SELECT tenant, n.item_id, n.similar_item_id, round(n.similarity::numeric, 6), n.support
    FROM (SELECT tenant, reco_matrix(user_id, item_id, 1) AS m FROM tenant_row GROUP BY tenant) g, reco_neighbors(NULL::int, m, similarity => ''jaccard'') n'
$$;
CREATE FUNCTION pg_temp.tenants_wanted() RETURNS text LANGUAGE sql AS $$
  SELECT 'SELECT t AS tenant, t + i AS item_id, t + 1 - i AS similar, 0.666667 AS s, 2 AS support FROM generate_series(1, 500) t, generate_series(0, 1) i'
$$;
SET LOCAL enable_sort = off;
SELECT matches(pg_temp.plan(pg_temp.tenants()), 'HashAggregate', '500 tenants by hash');
SELECT set_eq(pg_temp.tenants(), pg_temp.tenants_wanted(), '500 small matrices by hash');
SET LOCAL enable_sort = on;
SET LOCAL enable_hashagg = off;
SELECT matches(pg_temp.plan(pg_temp.tenants()), 'GroupAggregate', '500 tenants by sort');
SELECT set_eq(pg_temp.tenants(), pg_temp.tenants_wanted(), '500 small matrices by sort');
SET LOCAL enable_hashagg = on;

-- As a window aggregate the matrix grows row by row and no earlier row changes.
SELECT results_eq('SELECT (reco_matrix(user_id, item_id, weight) OVER (ORDER BY user_id, item_id))::text FROM five ORDER BY user_id, item_id',
  'SELECT (SELECT reco_matrix(user_id, item_id, weight)::text FROM five b WHERE (b.user_id, b.item_id) <= (a.user_id, a.item_id)) FROM five a ORDER BY user_id, item_id',
  'running matrices over a window');
SELECT results_eq('SELECT (reco_matrix(user_id, item_id, weight) OVER (PARTITION BY user_id))::text FROM five ORDER BY user_id, item_id',
  'SELECT (SELECT reco_matrix(user_id, item_id, weight)::text FROM five b WHERE b.user_id = a.user_id) FROM five a ORDER BY user_id, item_id',
  'a matrix for each partition of a window');

-- Odd rows.
/* A user with one item has no pair, but counts: with u6 who took item 1 alone n1 is 5, so jaccard 12 is 3 / (5 + 3 - 3), and all are 6: lift 3 * 6 / 15. */
UPDATE matrix SET m = reco_matrix_merge(m, (SELECT reco_matrix(6, 1, 1)));
SELECT is(pg_temp.s(1, 2, 'jaccard', 'linear'), 0.60000, 'a user with one item counts for the item');
SELECT is(pg_temp.s(1, 2, 'lift', 'linear'), 1.20000, 'and among all users');
SELECT is((SELECT count(*) FROM reco_neighbors((SELECT reco_matrix(u, u, 1) FROM generate_series(1, 10) u), min_support => 1)), 0::bigint, 'users with one item each have no pairs');
SELECT is((SELECT count(*) FROM reco_neighbors((SELECT reco_matrix(u, i, 1) FROM generate_series(1, 5) u, generate_series(1, 5) i), min_support => 1)), 20::bigint,
          'five users who like five items make all neighbours');
SELECT is((SELECT count(*) FROM reco_neighbors((SELECT reco_matrix(u, i, -1) FROM generate_series(1, 5) u, generate_series(1, 5) i), min_support => 1)), 0::bigint,
          'dislikes alone make none');
SELECT is((SELECT count(*) FROM reco_neighbors((SELECT reco_matrix(u, i, 0) FROM generate_series(1, 5) u, generate_series(1, 5) i), min_support => 1)), 0::bigint,
          'nor do weights of 0');
/* Users 1 and 2 took 1 and 2; user 3 took 1, and took back 2 (2 - 2 = 0) and more than took back 3 (1 - 2 < 0): jaccard 12 is 2/3, 3 has nothing. */
SELECT results_eq($$
  SELECT item_id, similar_item_id, round(similarity::numeric, 6), support
  FROM reco_neighbors(NULL::int, (SELECT reco_matrix(u, i, w) FROM (VALUES (1, 1, 1::float8), (1, 2, 1), (2, 1, 1), (2, 2, 1),
    (3, 1, 1), (3, 2, 2), (3, 2, -2), (3, 3, 1), (3, 3, -2)) v(u, i, w)), similarity => 'jaccard', min_support => 1)$$,
  'VALUES (1, 2, 0.666667, 2), (2, 1, 0.666667, 2)', 'what sums to 0 or less is no choice');
SELECT is((SELECT reco_matrix(u, i, w)::text FROM (SELECT * FROM five UNION ALL VALUES (NULL, 1, 1), (1, NULL, 1), (1, 1, NULL), (NULL, NULL, NULL)) v(u, i, w)),
          (SELECT reco_matrix(user_id, item_id, weight)::text FROM five), 'rows with a NULL are left out');
SELECT is(reco_matrix(NULL::int, 1, 1)::text, NULL, 'only such rows: NULL');
SELECT is((SELECT reco_matrix(user_id, item_id, weight)::text FROM five WHERE false), NULL, 'no rows: NULL');
SELECT is((SELECT count(*) FROM reco_neighbors(NULL::reco_matrix)), 0::bigint, 'no matrix, no neighbours');
SELECT is((SELECT count(*) FROM reco_neighbors('{"user": "bigint", "item": "bigint", "cells": []}'::reco_matrix)), 0::bigint, 'an empty matrix, no neighbours');
SELECT throws_ok(format('SELECT reco_matrix(1, 1, %L)', weight), '22003', 'weight of reco_matrix is not a finite number', weight)
FROM unnest(ARRAY['NaN', 'Infinity', '-Infinity']) weight;
SELECT throws_ok('SELECT reco_matrix(1.5, 1, 1)', '42804', NULL, 'numeric ids');

-- Against plain SQL: 200 users, 60 items, popular ones and rare ones, weights of 1/4 to 4.
CREATE TABLE generated AS
  SELECT user_id, item_id, ((hashint8(user_id * 977 + item_id) & 15) + 1) / 4.0::float8 AS weight
  FROM generate_series(1, 200) user_id, generate_series(1, 60) item_id
  WHERE (hashint8(user_id * 7919 + item_id * 104729) & 1023) < 700 / (item_id + 1) + 12 * (user_id % 5) + CASE WHEN user_id % 6 = item_id % 6 THEN 200 ELSE 0 END;
CREATE TEMP TABLE generated_matrix AS SELECT reco_matrix(user_id, item_id, weight) AS m FROM generated;

-- The similarities of every pair by their formulas, from the rows and not through the matrix.
CREATE FUNCTION pg_temp.by_formula(kind text, form text) RETURNS TABLE (item_id int, similar_item_id int, want float8, support bigint) LANGUAGE sql AS $$
  WITH form_of AS (
    SELECT user_id, item_id, CASE form WHEN 'binary' THEN 1 WHEN 'log' THEN ln(1 + weight) ELSE weight END AS f FROM generated
  ), cell AS (
    SELECT *, count(*) OVER (PARTITION BY user_id)::float8 AS h, sum(f) OVER (PARTITION BY item_id) AS length FROM form_of
  ), size AS (
    SELECT count(DISTINCT user_id)::float8 AS users, count(DISTINCT item_id)::float8 AS items, sum(f) / count(DISTINCT item_id) AS mean FROM cell
  ), exponents AS (
    SELECT b, p, q FROM (VALUES ('cooccurrence', .5::float8, .65::float8, .2::float8), ('cosine', 0, .5, .5), ('asymmetric', 0, .75, .25),
      ('conditional', 0, 1, 0), ('rp3beta', 1, 1, .6), ('tfidf', 0, .5, .5), ('bm25', 0, 0, 0), ('jaccard', 0, 0, 0), ('lift', 0, 0, 0), ('llr', 0, 0, 0)) e(name, b, p, q)
    WHERE name = kind
  ), valued AS (
    SELECT user_id, item_id,
      CASE kind WHEN 'tfidf' THEN sqrt(f) WHEN 'bm25' THEN f * 2.2 / (1.2 * (.25 + .75 * length / mean) + f) ELSE f END AS v,
      CASE WHEN kind IN ('tfidf', 'bm25') THEN ln((1 + items) / (1 + h)) ^ 2 ELSE h ^ -b END AS d
    FROM cell, size, exponents
  ), item AS (
    SELECT item_id, count(*)::float8 AS users, sum(v * v * CASE WHEN kind = 'tfidf' THEN d ELSE 1 END) AS n FROM valued GROUP BY 1
  ), met AS (
    SELECT a.item_id AS i, b.item_id AS j, sum(a.d * a.v * b.v) AS c, count(*)::float8 AS x
    FROM valued a JOIN valued b USING (user_id) WHERE a.item_id <> b.item_id GROUP BY 1, 2
  )
  SELECT i, j, s, x::bigint FROM (
    SELECT i, j, x, CASE kind
        WHEN 'jaccard' THEN x / (a.users + b.users - x)
        WHEN 'lift' THEN (x / size.users) / (a.users / size.users * (b.users / size.users))
        WHEN 'llr' THEN CASE WHEN x * size.users > a.users * b.users THEN 2 * (SELECT sum(k * ln(k * size.users / (r * s)))
          FROM (VALUES (x, a.users, b.users), (a.users - x, a.users, size.users - b.users), (b.users - x, size.users - a.users, b.users),
                       (size.users - a.users - b.users + x, size.users - a.users, size.users - b.users)) k(k, r, s) WHERE k > 0) END
        ELSE c / (a.n ^ p * b.n ^ q) END AS s
    FROM met JOIN item a ON a.item_id = i JOIN item b ON b.item_id = j, size, exponents) all_pairs
  WHERE s > 0
$$;

SELECT cmp_ok((SELECT count(*) FROM pg_temp.by_formula('cosine', 'linear')), '>', 2000::bigint, 'the generated data has pairs of most items');
SELECT is_empty(format($$
    SELECT * FROM reco_neighbors(NULL::int, (SELECT m FROM generated_matrix), 60, %L, 1, weighting => %L) n
    FULL JOIN pg_temp.by_formula(%1$L, %2$L) f USING (item_id, similar_item_id)
    WHERE pg_temp.near(n.similarity, f.want, 1e-5) IS NOT TRUE OR n.support IS DISTINCT FROM f.support::int$$, kind, form),
  format('generated: %s, %s as its formula', kind, form))
FROM unnest(ARRAY['cooccurrence', 'cosine', 'asymmetric', 'conditional', 'rp3beta', 'jaccard', 'llr', 'lift', 'tfidf', 'bm25']) kind,
  unnest(ARRAY['binary', 'linear', 'log']) form;

/*
 * Cut to k with support and shrinkage: each kept pair has its formula's value, each side keeps min(k, those there are),
 * ranks count from 1 down the similarities, and nothing better than the worst kept was left out (but for the last digits).
 */
CREATE FUNCTION pg_temp.cut_is_right(kind text, k int, keep text, least_support int, shrink float8) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  what text := format('generated: %s, k %s by %s, min_support %s, shrinkage %s', kind, k, keep, least_support, shrink);
BEGIN
  CREATE TEMP TABLE have AS
    SELECT n.*, CASE $3 WHEN 'source' THEN item_id ELSE similar_item_id END AS side
    FROM reco_neighbors(NULL::int, (SELECT m FROM generated_matrix), $2, kind, least_support, shrink, $3) n;
  CREATE TEMP TABLE could AS
    SELECT item_id, similar_item_id, want * f.support / (f.support + shrink) AS want, CASE $3 WHEN 'source' THEN item_id ELSE similar_item_id END AS side
    FROM pg_temp.by_formula(kind, 'linear') f WHERE f.support >= least_support;
  RETURN NEXT is_empty('SELECT * FROM have LEFT JOIN could USING (item_id, similar_item_id) WHERE pg_temp.near(similarity, want, 1e-5) IS NOT TRUE', what || ': values');
  RETURN NEXT set_eq('SELECT side, count(*) FROM have GROUP BY 1', format('SELECT side, least(count(*), %s) FROM could GROUP BY 1', k), what || ': how many');
  RETURN NEXT is_empty('SELECT * FROM could JOIN (SELECT side, min(similarity) AS worst FROM have GROUP BY 1) w USING (side)
    WHERE want > worst * (1 + 1e-5) AND (item_id, similar_item_id) NOT IN (SELECT item_id, similar_item_id FROM have)', what || ': none better left out');
  RETURN NEXT is_empty('SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY item_id ORDER BY similarity DESC, similar_item_id) AS place FROM have) r WHERE place <> rank',
    what || ': ranks');
  DROP TABLE have, could;
END $$;
SELECT pg_temp.cut_is_right(kind, k, keep, least, shrinkage)
FROM (VALUES ('cosine', 5, 1, 0::float8), ('rp3beta', 10, 3, 10), ('llr', 3, 2, 2.5)) v(kind, k, least, shrinkage), unnest(ARRAY['source', 'target']) keep;

-- Weights far from 1, as decay and odd units leave them: what does not change with the unit does not change, to the last digit.
CREATE TABLE unit AS
  SELECT u AS user_id, (hashint8extended(n, u) & 31)::int AS item_id, (1 + n % 3)::float8 AS weight FROM generate_series(1, 200) u, generate_series(1, 6) n;
CREATE FUNCTION pg_temp.in_unit(kind text, unit text, same text DEFAULT 'weight') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  query text := format('SELECT item_id, similar_item_id, similarity, support FROM reco_neighbors((SELECT reco_matrix(user_id, item_id, %%s) FROM unit), k => 100, similarity => %L)', kind);
BEGIN
  EXECUTE format('CREATE TEMP TABLE plain AS ' || query, same);
  RETURN ok((SELECT count(*) FROM plain) > 900, kind || ': there are many neighbours') || E'\n' ||
    set_eq(format(query, format('%s * (%s)', same, unit)), 'TABLE plain', format('%s, %s: weights times %s change nothing', kind, same, unit));
END $$;
CREATE FUNCTION pg_temp.in_units() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE kind text; unit text; same text;
BEGIN
  FOREACH kind IN ARRAY ARRAY['cosine', 'asymmetric', 'conditional', 'ridge'] LOOP
    FOREACH unit IN ARRAY ARRAY['2::float8 ^ 100', '2::float8 ^ (-100)'] LOOP
      FOREACH same IN ARRAY ARRAY['weight', '1'] LOOP
        RETURN NEXT pg_temp.in_unit(kind, unit, same);
        DROP TABLE plain;
      END LOOP;
    END LOOP;
  END LOOP;
  RETURN NEXT pg_temp.in_unit('cosine', '2::float8 ^ CASE item_id % 3 WHEN 0 THEN -100 WHEN 1 THEN 0 ELSE 100 END');
  DROP TABLE plain;
END $$;
SELECT pg_temp.in_units();

-- CREATE MATERIALIZED VIEW also_bought: refreshed, it knows what happened since.
CREATE MATERIALIZED VIEW also_bought AS
  SELECT * FROM reco_neighbors(NULL::int, (SELECT reco_matrix(user_id, item_id, weight) FROM five), similarity => 'jaccard');
CREATE UNIQUE INDEX ON also_bought (item_id, similar_item_id);
CREATE FUNCTION pg_temp.also_bought() RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(similar_item_id || ' ' || round(similarity::numeric, 6), ', ' ORDER BY rank) FROM also_bought WHERE item_id = 4
$$;
SELECT is(pg_temp.also_bought(), '3 0.500000, 1 0.400000', 'also_bought before');
/* u1 takes 4: 34 have u1 u3 u4, item 4 has u1 u3 u4 u5: 3 / (3 + 4 - 3) = .75; 14 the same three, 3 / (4 + 4 - 3) = .6; 24 have u1 u4: 2 / (3 + 4 - 2) = .4. */
INSERT INTO five VALUES (1, 4, 1);
SELECT is(pg_temp.also_bought(), '3 0.500000, 1 0.400000', 'also_bought until it is refreshed');
REFRESH MATERIALIZED VIEW also_bought;
SELECT is(pg_temp.also_bought(), '3 0.750000, 1 0.600000, 2 0.400000', 'also_bought refreshed');
DELETE FROM five WHERE (user_id, item_id) = (1, 4);
REFRESH MATERIALIZED VIEW CONCURRENTLY also_bought;
SELECT is(pg_temp.also_bought(), '3 0.500000, 1 0.400000', 'also_bought refreshed concurrently');

-- Three users with 1,023, 1,024 and 1,025 items that nobody else has: a walk goes from each to any other by 1 in as many.
SELECT is(string_agg(h || ': ' || n || ' ' || fine, ', ' ORDER BY h), '1023: 1023 true, 1024: 1024 true, 1025: 1025 true', 'rp3beta of users of many items, by hand')
FROM (SELECT h, count(*) AS n, bool_and(pg_temp.near(similarity, 1.0 / h)) AS fine
      FROM (SELECT reco_matrix(h, h * 10000 + n, 1) AS m FROM generate_series(1023, 1025) h, generate_series(1, h) n) made,
        LATERAL (SELECT *, left(item_id, 4)::int AS h FROM reco_neighbors(m, 1, 'rp3beta', 1)) r
      GROUP BY h) walks;

-- Repeats that come to too much are an error, after which the matrix is what it was.
CREATE FUNCTION pg_temp.caught() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  half reco_matrix := '{"user": "bigint", "item": "bigint", "cells": [[1, 1, 1], [2, 2, 1e308]]}';
  less reco_matrix := '{"user": "bigint", "item": "bigint", "cells": [[2, 2, -1e308]]}';
  twice reco_matrix := reco_matrix_merge(half, half);
BEGIN
  BEGIN
    RAISE NOTICE '%', twice;
    RETURN 'no error';
  EXCEPTION WHEN numeric_value_out_of_range THEN
    twice := reco_matrix_merge(twice, less);
  END;
  RETURN twice;
END $$;
SELECT is(pg_temp.caught(), '{"user": "bigint", "item": "bigint", "cells": [[1, 1, 2], [2, 2, 1e+308]]}', 'a matrix goes on after sums that were too large');

SELECT * FROM finish();
ROLLBACK;
