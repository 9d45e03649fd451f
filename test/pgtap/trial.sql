-- trial: even buckets, drafts by hand and their properties, the sign test against its sum.

BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;

-- Buckets are even: chi square over 100 buckets of 50,000 users has 99 degrees of freedom, mean 99, deviation 14.
SELECT cmp_ok(sum((n - 500)^2 / 500.0)::float8, '<', 170::float8, 'even over integers') FROM (SELECT count(*) AS n FROM generate_series(1, 50000) u GROUP BY reco_bucket(u, 'a')) b;
SELECT cmp_ok(sum((n - 500)^2 / 500.0)::float8, '<', 170::float8, 'even over texts') FROM (SELECT count(*) AS n FROM generate_series(1, 50000) u GROUP BY reco_bucket('user ' || u, 'a')) b;
SELECT is(count(DISTINCT reco_bucket(u, 'a')), 100::bigint, 'all are there') FROM generate_series(1, 50000) u;
SELECT is(array_agg(DISTINCT b ORDER BY b), '{0,1,2}', 'three buckets') FROM (SELECT reco_bucket(u, 'a', 3) AS b FROM generate_series(1, 1000) u) x;
-- Two experiments are independent: of those in the first half of one, half are in that of the other.
SELECT ok(abs(avg((reco_bucket(u, 'b') < 50)::int) - 0.5) < 0.012, 'experiments are independent') FROM generate_series(1, 50000) u WHERE reco_bucket(u, 'a') < 50;

/*
 * By hand.  Lists 1 2 3 and 1 4 5: whoever picks first takes 1; the other takes its next.  So the
 * first two are 1 and 4, or 1 and 2, by the coin.
 */
SELECT is(count(DISTINCT l), 2::bigint, 'two coins, two drafts') FROM generate_series(1, 40) s, LATERAL (SELECT array_agg(item_id ORDER BY rank) AS l FROM reco_interleave(ARRAY[1, 2, 3], ARRAY[1, 4, 5], 2, s)) x;
SELECT is((SELECT bool_and(l IN ('{1a,4b}', '{1b,2a}')) FROM generate_series(1, 40) s,
  LATERAL (SELECT array_agg(item_id || team ORDER BY rank) AS l FROM reco_interleave(ARRAY[1, 2, 3], ARRAY[1, 4, 5], 2, s)) x), true, 'as worked by hand');

-- Over many lists: no item twice, ranks without a gap, teams never more than one apart, picks in the order of their list, all of both lists with k => NULL.
CREATE TEMP TABLE drafts AS
  SELECT s, a, b, d.* FROM (SELECT s, ARRAY(SELECT (hashint8extended(n, s) & 31)::int FROM generate_series(1, 12) n) AS a,
    ARRAY(SELECT (hashint8extended(n, s + 1000) & 31)::int FROM generate_series(1, 9) n) AS b FROM generate_series(1, 200) s) l, reco_interleave(a, b, NULL, s) d;
SELECT is((SELECT count(*) FROM (SELECT s, item_id FROM drafts GROUP BY 1, 2 HAVING count(*) > 1) x), 0::bigint, 'no item twice');
SELECT is((SELECT count(*) FROM (SELECT s FROM drafts GROUP BY s HAVING max(rank) <> count(*) OR min(rank) <> 1) x), 0::bigint, 'ranks without a gap');
SELECT is((SELECT count(*) FROM (SELECT s FROM drafts GROUP BY s, a, b HAVING count(*) <> (SELECT count(DISTINCT i) FROM unnest(a || b) i)) x), 0::bigint, 'all of both lists');
SELECT cmp_ok((SELECT max(abs(n)) FROM (SELECT sum(CASE team WHEN 'a' THEN 1 WHEN 'b' THEN -1 ELSE 0 END) OVER (PARTITION BY s ORDER BY rank) AS n FROM drafts) x), '<=', 1::bigint, 'teams are never more than one apart');
SELECT is((SELECT count(*) FROM (SELECT array_position(CASE team WHEN 'a' THEN a ELSE b END, item_id) AS place,
    lag(array_position(CASE team WHEN 'a' THEN a ELSE b END, item_id)) OVER (PARTITION BY s, team ORDER BY rank) AS before FROM drafts WHERE team IS NOT NULL) x WHERE place < before),
  0::bigint, 'each picks in the order of its list');
-- Equal lists have no favourite: each has the credit of the first place half of the time.
SELECT ok(abs(avg((team = 'a')::int) - 0.5) < 0.05, 'equal lists are treated alike') FROM generate_series(1, 2000) s, reco_interleave(ARRAY[1, 2, 3], ARRAY[1, 2, 3], 3, s) d WHERE rank = 1;

-- The sign test: 2 * (1 + 5) / 2^5 for 4 to 1 is .375; against its sum of binomials; symmetric; 1 in the middle.
SELECT is(reco_sign_test(4, 1)::numeric(10, 9), 0.375, 'four to one');
SELECT is(count(*), 0::bigint, 'against the sum') FROM generate_series(0, 40) n, generate_series(0, 40) w,
  LATERAL (SELECT least(1, 2 * sum(factorial(n + w) / factorial(i) / factorial(n + w - i)) / power(2::numeric, n + w)) AS p FROM generate_series(0, least(n, w)) i) x
  WHERE abs(reco_sign_test(n, w) - p) > 1e-12;
SELECT is(reco_sign_test(500000, 500000)::numeric(6, 4), 1.0000, 'a million, and even');
-- A million fair throws deviate by 500: 501000 wins are two deviations off, .0455.
SELECT is(reco_sign_test(501000, 499000)::numeric(5, 4), 0.0456, 'a million, two deviations off');
SELECT cmp_ok(reco_sign_test(9000000000000000000, 9000000000000000000), '<=', 1::float8, 'as many as there can be');
SELECT is(reco_sign_test(9000000000000000000, 0), 0::float8, 'all of them');

SELECT * FROM finish();
ROLLBACK;
