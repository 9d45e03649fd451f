-- choose: chances of being the best against closed forms and against drawn rates, and lots that fall as often as they say.

BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;

CREATE FUNCTION pg_temp.is_near(have float8, want float8, name text, tolerance float8) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE fine boolean := coalesce(abs(have - want) <= tolerance, false);
BEGIN
  RETURN ok(fine, name) || CASE WHEN fine THEN '' ELSE E'\n' || diag(format('have %s, want %s', have, want)) END;
END $$;

/*
 * By hand.  Nothing known: all alike.  One choice of one showing against nothing: the rates have the
 * densities 2x and 1, so the first is greater with the chance of the integral of 2x * x, 2/3.
 * Two of two against nothing: of 3x^2 * x, 3/4.  Against two others of which nothing is known: of
 * 2x * x * x, 1/2.
 */
SELECT is(reco_best_chances('{0,0,0,0}', '{0,0,0,0}')::numeric(12, 6)[], '{0.25,0.25,0.25,0.25}', 'nothing known: all alike');
SELECT pg_temp.is_near((reco_best_chances('{1,0}', '{1,0}'))[1], 2 / 3::float8, 'one of one against nothing', 1e-6);
SELECT pg_temp.is_near((reco_best_chances('{2,0}', '{2,0}'))[1], 3 / 4::float8, 'two of two against nothing', 1e-6);
SELECT pg_temp.is_near((reco_best_chances('{1,0,0}', '{1,0,0}'))[1], 1 / 2::float8, 'one of one against two others', 1e-6);

/*
 * Against the closed form for two (Miller 2015): P(B > A) = sum over i < aB of
 * B(aA + i, bA + bB) / ((bB + i) B(1 + i, bB) B(aA, bA)), a = 1 + chosen, b = 1 + shown - chosen.
 */
CREATE FUNCTION pg_temp.log_factorial(n int) RETURNS float8 LANGUAGE sql AS
$$ SELECT coalesce(sum(ln(i::float8)), 0) FROM generate_series(2, n) i $$;
CREATE FUNCTION pg_temp.log_beta(a int, b int) RETURNS float8 LANGUAGE sql AS
$$ SELECT pg_temp.log_factorial(a - 1) + pg_temp.log_factorial(b - 1) - pg_temp.log_factorial(a + b - 1) $$;
CREATE FUNCTION pg_temp.second_wins(aa int, ba int, ab int, bb int) RETURNS float8 LANGUAGE sql AS
$$ SELECT sum(exp(pg_temp.log_beta(aa + i, ba + bb) - ln(bb + i) - pg_temp.log_beta(1 + i, bb) - pg_temp.log_beta(aa, ba))) FROM generate_series(0, ab - 1) i $$;
SELECT pg_temp.is_near((reco_best_chances(ARRAY[c1, c2], ARRAY[n1, n2]))[2], pg_temp.second_wins(1 + c1, 1 + n1 - c1, 1 + c2, 1 + n2 - c2),
  format('%s of %s against %s of %s', c2, n2, c1, n1), 1e-6)
FROM (VALUES (3, 10, 5, 9), (0, 50, 1, 2), (40, 200, 55, 210), (10, 11, 1, 90), (0, 0, 12, 300), (120, 240, 120, 240)) v(c1, n1, c2, n2);

-- Against rates that are drawn: a rate of a successes and b failures is the a-th smallest of a + b - 1 numbers drawn evenly.
SELECT setseed(0.5);
CREATE TEMP TABLE drawn AS
  SELECT turn, arm, (array_agg(draw ORDER BY draw))[1 + chosen] AS rate
  FROM (SELECT turn, arm, chosen, random() AS draw
    FROM generate_series(1, 4000) turn, (VALUES (1, 3, 20), (2, 5, 22), (3, 0, 4)) arms(arm, chosen, shown), generate_series(1, 1 + shown)) d
  GROUP BY turn, arm, chosen;
SELECT pg_temp.is_near((reco_best_chances('{3,5,0}', '{20,22,4}'))[arm], avg((place = 1)::int)::float8, format('arm %s of three, as often as drawn rates say', arm), 0.03)
FROM (SELECT arm, row_number() OVER (PARTITION BY turn ORDER BY rate DESC) AS place FROM drawn) p GROUP BY arm ORDER BY arm;

-- They sum to 1 and none is below 0, however far apart counts are.
SELECT is(bool_and(abs((SELECT sum(x) FROM unnest(c) x) - 1) < 1e-9 AND 0 <= ALL (c)), true, 'chances are chances')
FROM generate_series(1, 300) n, LATERAL (SELECT reco_best_chances(array_agg(least(shown, floor(shown * ((n * arm * 7919) % 101) / 100))), array_agg(shown)) AS c
  FROM (SELECT arm, floor(power(10, (n * arm * 31) % 8))::float8 AS shown FROM generate_series(1, 1 + n % 20) arm) a) x;

/*
 * A segment.  Elsewhere red had 8 of 18, so its rate there is (1 + 8) / (2 + 18) = .45; with the
 * strength of 10, and 2 of 5 here: Beta(10 * .45 + 2, 10 * .55 + 3) = Beta(6.5, 8.5), mean 6.5 / 15.
 * With a prior of 50, no more than all 20 count: Beta(9 + 2, 11 + 3), mean 11 / 25.
 * Without a segment all count alike: Beta(1 + 10, 1 + 13), mean 11 / 25 too.
 */
CREATE TABLE showing (item_id text, variant text, segment text, shown int, chosen int);
INSERT INTO showing VALUES ('a', 'red', 'here', 5, 2), ('a', 'red', 'there', 10, 5), ('a', 'red', NULL, 8, 3), ('b', 'red', 'here', 100, 100);
SELECT pg_temp.is_near(expected, 6.5 / 15, 'a segment with what is known elsewhere', 1e-12) FROM reco_choose(1, 'a', '{red}', 'showing', 'here', prior => 10);
SELECT pg_temp.is_near(expected, 11 / 25::float8, 'with no more than there is', 1e-12) FROM reco_choose(1, 'a', '{red}', 'showing', 'here', prior => 50);
SELECT pg_temp.is_near(expected, 11 / 25::float8, 'all segments together', 1e-12) FROM reco_choose(1, 'a', '{red}', 'showing');
SELECT is(shown, 5::float8, 'shown here') FROM reco_choose(1, 'a', '{red}', 'showing', 'here');
SELECT is(shown, 23::float8, 'shown in all') FROM reco_choose(1, 'a', '{red}', 'showing');
SELECT is(propensity, 1::float8, 'one variant: no choice') FROM reco_choose(1, 'a', '{red}', 'showing');

-- Lots fall as often as they say, over users and over seeds, and the same ask has the same answer.
INSERT INTO showing VALUES ('c', 'x', 's', 50, 10), ('c', 'y', 's', 40, 12), ('c', 'z', 's', 3, 0);
CREATE TEMP TABLE lots AS SELECT n, c.* FROM generate_series(1, 3000) n, reco_choose(n, 'c', '{x,y,z}', 'showing', 's', explore => 0.1) c;
SELECT pg_temp.is_near(count(*) / 3000.0, max(propensity), format('%s over users', variant), 0.03) FROM lots GROUP BY variant;
SELECT is((SELECT count(*) FROM lots l, reco_choose(l.n, 'c', '{x,y,z}', 'showing', 's', explore => 0.1) c WHERE (c.variant, c.propensity) <> (l.variant, l.propensity)), 0::bigint,
  'the same ask has the same answer');
SELECT pg_temp.is_near(count(*) / 3000.0, max(propensity), format('%s over seeds', variant), 0.03)
FROM generate_series(1, 3000) n, reco_choose(1, 'c', '{x,y,z}', 'showing', 's', seed => n, explore => 0.1) c GROUP BY variant;
SELECT pg_temp.is_near(sum(DISTINCT propensity), 1, 'and what they say sums to 1', 1e-9) FROM lots;
SELECT is(count(DISTINCT variant), 3::bigint, 'explore => 1 is even') FROM generate_series(1, 50) n, reco_choose(n, 'c', '{x,y,z}', 'showing', 's', explore => 1) c WHERE c.propensity BETWEEN 0.3333333 AND 0.3333334;

/*
 * It learns: of two pictures one segment likes the first, another the second.  Thirty rounds of 40
 * users; afterwards both get mostly theirs.  A log by lot says what always showing the first, or to
 * each segment its own, is worth: .2 or .3.
 */
CREATE TABLE learned (item_id int, variant text, segment text, chosen boolean, propensity float8, round int);
DO $$
BEGIN
  FOR turn IN 1 .. 30 LOOP
    INSERT INTO learned
      SELECT 1, c.variant, s, (hashint8extended(u, turn) & 1023) < CASE WHEN (c.variant = 'first') = (s = 'young') THEN 307 ELSE 102 END, c.propensity, turn
      FROM generate_series(1, 40) u, LATERAL (SELECT CASE WHEN u % 2 = 0 THEN 'young' ELSE 'old' END AS s) x,
        reco_choose(u, 1, '{first,second}', 'learned', s, seed => turn) c;
  END LOOP;
END $$;
SELECT cmp_ok(avg(((variant = 'first') = (segment = 'young'))::int), '>', 0.85, format('%s people get theirs', segment)) FROM learned WHERE round > 20 GROUP BY segment;
SELECT pg_temp.is_near((v).value, 0.3, 'to each segment its own: about .3', 0.06)
FROM (SELECT reco_replay(chosen::int, propensity, ((variant = 'first') = (segment = 'young'))::int) AS v FROM learned) r;
SELECT ok((v).low < 0.2 AND (v).high > 0.2, 'always the first: .2 lies within the interval')
FROM (SELECT reco_replay(chosen::int, propensity, (variant = 'first')::int) AS v FROM learned) r;

SELECT * FROM finish();
ROLLBACK;
