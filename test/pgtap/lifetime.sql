-- lifetime: BG/NBD by hand, against the formulas of the paper and slow integrals, and found again where it is known.

BEGIN;
SELECT no_plan();
SET LOCAL client_min_messages = warning;
SET LOCAL timezone = 'UTC';

CREATE FUNCTION pg_temp.is_near(have float8, want float8, name text, tolerance float8 DEFAULT 1e-10) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE fine boolean := coalesce(abs(have - want) <= tolerance * abs(want), false);
BEGIN
  RETURN ok(fine, name) || CASE WHEN fine THEN '' ELSE E'\n' || diag(format('have %s, want %s', have, want)) END;
END $$;
CREATE FUNCTION pg_temp.model(r float8, alpha float8, a float8, b float8) RETURNS reco_bgnbd LANGUAGE sql AS
  'SELECT ROW(r, alpha, a, b, NULL, NULL, NULL)::reco_bgnbd';

/*
 * By hand, with r = 1, alpha = 10, a = 1, b = 2 and a customer who came once more, after 10 of 30 days:
 *
 *   P(alive) = 1 / (1 + a/(b+x-1) ((10 + 30) / (10 + 10))^2) = 1 / (1 + 1/2 * 4) = 1/3
 *   P(alive) of one who came at the end, t_x = T = 30: 1 / (1 + 1/2) = 2/3
 *
 * Expected in the next 40 days: a = 1 is where (10) of the paper is 0 / 0.  Of p ~ Beta(1, 3), density 3 (1-p)^2, given alive,
 * with k = 2 and 40 / (10 + 30) = 1, the mean of (1 - 1/(1+p)^2) / p = (2+p) / (1+p)^2:  with q = 1 + p,
 * (1-p)^2 (2+p) = q^3 - 3 q^2 + 4, so that it is 3 times the integral of q - 3 + 4/q^2 from 1 to 2, 3 (3/2 - 3 + 2) = 3/2;
 * times 1/3 who are alive, 1/2.
 */
SELECT pg_temp.is_near(reco_p_alive(pg_temp.model(1, 10, 1, 2), 1, 10, 30), 1 / 3.0, 'alive, by hand');
SELECT pg_temp.is_near(reco_p_alive(pg_temp.model(1, 10, 1, 2), 1, 30, 30), 2 / 3.0, 'alive, who came just now');
SELECT is(reco_p_alive(pg_temp.model(1, 10, 1, 2), 0, 0, 1000), 1::float8, 'alive, who came only once');
SELECT pg_temp.is_near(reco_expected_purchases(pg_temp.model(1, 10, 1, 2), 1, 10, 30, 40), 0.5, 'expected, by hand, where a is 1');

/*
 * Published: Fader, Hardie and Lee's spreadsheet of CDNOW has, of customer 0001 (x = 2, t_x = 30.43, T = 38.86 weeks),
 * 1.226 purchases in the next 39 weeks.
 */
SELECT is(round(reco_expected_purchases(pg_temp.model(0.243, 4.414, 0.793, 2.426), 2, 30.43, 38.86, 39)::numeric, 3), 1.226, 'expected, as published');

-- Equation (10) as it is in the paper, with the series of 2F1 term by term.
CREATE FUNCTION pg_temp.hyper(a float8, b float8, c float8, z float8) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
  term float8 := 1;
  sum float8 := 1;
BEGIN
  FOR n IN 0 .. 20000 LOOP
    term := term * (a + n) * (b + n) / (c + n) / (n + 1) * z;
    sum := sum + term;
    EXIT WHEN abs(term) < 1e-17 * abs(sum);
  END LOOP;
  RETURN sum;
END $$;
CREATE FUNCTION pg_temp.paper(m reco_bgnbd, x float8, t_x float8, age float8, t float8) RETURNS float8 LANGUAGE sql AS $$
  SELECT (a + b + x - 1) / (a - 1) * (1 - ((alpha + age) / (alpha + age + t)) ^ (r + x) * pg_temp.hyper(r + x, b + x, a + b + x - 1, t / (alpha + age + t)))
    / (1 + CASE WHEN x > 0 THEN a / (b + x - 1) * ((alpha + age) / (alpha + t_x)) ^ (r + x) ELSE 0 END)
  FROM (SELECT (m).*) p
$$;
SELECT is_empty($$SELECT *, reco_expected_purchases(pg_temp.model(r, alpha, a, b), x, t_x, age, t) AS fast FROM
    (VALUES (0.243, 4.414, 0.793, 2.426), (0.5, 20, 0.3, 1.5), (3, 60, 2.2, 4.7), (1.3, 7, 1.6, 0.4)) m(r, alpha, a, b),
    (VALUES (0, 0, 30), (0, 0, 0), (1, 3, 40), (2, 30, 39), (9, 50, 80), (40, 100, 101)) c(x, t_x, age), (VALUES (1), (39), (200)) h(t)
  WHERE abs(reco_expected_purchases(pg_temp.model(r, alpha, a, b), x, t_x, age, t) / pg_temp.paper(pg_temp.model(r, alpha, a, b), x, t_x, age, t) - 1) > 1e-9$$,
  'expected, as (10) of the paper has it');

-- The same by integrating over the chance to leave, p ~ Beta(a, b+x) of who is alive, by midpoints: E = mean of (1 - (1 + p s)^-k) / p.
CREATE FUNCTION pg_temp.integral(m reco_bgnbd, x float8, age float8, t float8) RETURNS float8 LANGUAGE sql AS $$
  SELECT sum(d * (1 - (1 + p * t / (alpha + age)) ^ (-r - x)) / p) / sum(d) FROM (SELECT (m).*) q,
    LATERAL (SELECT p, p ^ (a - 1) * (1 - p) ^ (b + x - 1) * w AS d FROM (
      SELECT s * s * (3 - 2 * s) AS p, 6 * s * (1 - s) AS w FROM (SELECT (n - 0.5::float8) / 100000 AS s FROM generate_series(1, 100000) n) s) p) d
$$;
SELECT pg_temp.is_near(reco_expected_purchases(m, x, age, age, t) / reco_p_alive(m, x, age, age), pg_temp.integral(m, x, age, t), format('expected, by integration: %s, x = %s', m, x), 1e-6)
FROM (VALUES (pg_temp.model(0.243, 4.414, 0.793, 2.426), 2, 38.86, 39), (pg_temp.model(2, 30, 1, 3), 5, 90, 365), (pg_temp.model(0.9, 5, 1.000001, 2), 12, 50, 400)) v(m, x, age, t);

-- Nothing cancels near a = 1, nothing overflows, and more time is never less.
SELECT pg_temp.is_near(reco_expected_purchases(pg_temp.model(1, 10, 1 + e, 2), 1, 10, 30, 40), 0.5, format('a = 1 + %s', e), 10 * abs(e) + 1e-12)
FROM unnest('{1e-4,-1e-4,1e-8,-1e-8,1e-12}'::float8[]) e;
SELECT is(reco_p_alive(pg_temp.model(1, 1e-3, 1, 1), 1e4, 1, 1e6), 0::float8, 'a chance too small for a double is 0');
SELECT ok(reco_expected_purchases(pg_temp.model(0.3, 5, 1e-3, 5000), x, 1000, 1000, 100) BETWEEN 0.99 * (0.3 + x) / 10.05 AND (0.3 + x) / 10.05, format('where nobody leaves, at their own rate: x = %s', x))
FROM unnest('{1,100,10000,1000000}'::float8[]) x;
SELECT is_empty($$SELECT t FROM (SELECT t, reco_expected_purchases(pg_temp.model(0.243, 4.414, 0.793, 2.426), 7, 30, 39, t) AS e, lag(t) OVER (ORDER BY t) AS before,
    lag(reco_expected_purchases(pg_temp.model(0.243, 4.414, 0.793, 2.426), 7, 30, 39, t)) OVER (ORDER BY t) AS less FROM (SELECT 1.5 ^ n AS t FROM generate_series(-20, 20) n) t) s WHERE NOT e > less$$, 'more time, more purchases');
SELECT pg_temp.is_near(reco_expected_purchases(pg_temp.model(0.3, 5, 3, 4), 2, 8, 10, 1e5), reco_p_alive(pg_temp.model(0.3, 5, 3, 4), 2, 8, 10) * (3 + 4 + 2 - 1) / (3 - 1.0), 'in the end, as often as they come before they leave', 0.001);

/*
 * The likelihood by hand.  Two customers with r = 1, alpha = 10, a = 1, b = 2:
 *   x = 0, T = 30:            ln L = ln(10 / 40)
 *   x = 1, t_x = 10, T = 30:  L = 1 * 10 * (B(1, 3) / B(1, 2) = 2/3) * (1/40^2 + 1/2 * 1/20^2) = 20/3 * (1 + 2) / 1600 = 1/80
 * and slowly, by sums of logarithms, for any.
 */
CREATE FUNCTION pg_temp.log_likelihood(m reco_bgnbd, x float8, t_x float8, age float8) RETURNS float8 LANGUAGE sql AS $$
  SELECT coalesce((SELECT sum(ln(r + j) + ln(b + j) - ln(a + b + j)) FROM generate_series(0, x::int - 1) j), 0) + r * ln(alpha)
    + ln((alpha + age) ^ (-r - x) + CASE WHEN x > 0 THEN a / (b + x - 1) * (alpha + t_x) ^ (-r - x) ELSE 0 END)
  FROM (SELECT (m).*) p
$$;
SELECT pg_temp.is_near(pg_temp.log_likelihood(pg_temp.model(1, 10, 1, 2), 0, 0, 30), ln(0.25), 'the slow likelihood is that by hand, x = 0');
SELECT pg_temp.is_near(pg_temp.log_likelihood(pg_temp.model(1, 10, 1, 2), 1, 10, 30), ln(1 / 80.0), 'the slow likelihood is that by hand, x = 1');

/*
 * Customers drawn from the model, r = 1, alpha = 12, a = 1, b = 3, whose distributions turn round: a rate is -ln(u) / alpha, a chance to leave
 * 1 - u^(1/b); each known for 60 to 120 days.  Uniform numbers by md5.
 */
CREATE FUNCTION pg_temp.u(seed text) RETURNS float8 LANGUAGE sql IMMUTABLE AS
  $$SELECT (('x' || substr(md5(seed), 1, 12))::bit(48)::bigint + 0.5) / 281474976710656.0$$;
CREATE FUNCTION pg_temp.draw(who int, OUT x float8, OUT t_x float8, OUT age float8, OUT later float8, OUT alive boolean) LANGUAGE plpgsql AS $$
DECLARE
  rate float8 := -ln(pg_temp.u('rate' || who)) / 12;
  leaves float8 := 1 - pg_temp.u('leaves' || who) ^ (1 / 3.0);
  at float8 := 0;
BEGIN
  x := 0; t_x := 0; later := 0; alive := true;
  age := 60 + 60 * pg_temp.u('age' || who);
  FOR n IN 1 .. 10000 LOOP
    at := at - ln(pg_temp.u(who || ' ' || n)) / rate;
    EXIT WHEN at > age + 100;
    IF at <= age THEN x := x + 1; t_x := at; ELSE later := later + 1; END IF;
    IF pg_temp.u(who || ' stays ' || n) < leaves THEN
      alive := at > age;
      EXIT;
    END IF;
  END LOOP;
END $$;
CREATE TEMP TABLE customer AS SELECT who, d.* FROM generate_series(1, 8000) who, pg_temp.draw(who) d;
CREATE TEMP TABLE fit AS SELECT (reco_fit_bgnbd(x, t_x, age)).* FROM customer;
SELECT ok(converged, 'the search ends at a maximum') FROM fit;
SELECT diag(format('drawn with 1, 12, 1, 3; found %s, %s, %s, %s', round(r::numeric, 3), round(alpha::numeric, 2), round(a::numeric, 3), round(b::numeric, 3))) FROM fit;
SELECT ok(abs(r - 1) < 0.1, 'r is found again') FROM fit;
SELECT ok(abs(alpha - 12) < 1.5, 'alpha is found again') FROM fit;
SELECT ok(abs(a - 1) < 0.2, 'a is found again') FROM fit;
SELECT ok(abs(b - 3) < 0.7, 'b is found again') FROM fit;
SELECT pg_temp.is_near(f.log_likelihood, sum(pg_temp.log_likelihood(pg_temp.model(f.r, f.alpha, f.a, f.b), x, t_x, age)), 'its likelihood is the slow one') FROM fit f, customer GROUP BY f.log_likelihood;
SELECT ok(log_likelihood >= (SELECT sum(pg_temp.log_likelihood(pg_temp.model(1, 12, 1, 3), x, t_x, age)) FROM customer), 'and no less than that of the truth') FROM fit;
SELECT ok(f.log_likelihood > sum(pg_temp.log_likelihood(pg_temp.model(f.r * m.r, f.alpha * m.alpha, f.a * m.a, f.b * m.b), x, t_x, age)), 'nor than those on either side')
FROM fit f, customer, (VALUES (1.02, 1, 1, 1), (0.98, 1, 1, 1), (1, 1.02, 1, 1), (1, 0.98, 1, 1), (1, 1, 1.02, 1), (1, 1, 0.98, 1), (1, 1, 1, 1.02), (1, 1, 1, 0.98)) m(r, alpha, a, b)
GROUP BY f.log_likelihood, m;
-- What is said of them comes true.
SELECT ok(abs(avg(reco_p_alive(pg_temp.model(f.r, f.alpha, f.a, f.b), x, t_x, age)) - avg(alive::int)) < 0.02, 'as many are alive as was said') FROM fit f, customer;
SELECT ok(abs(sum(reco_expected_purchases(pg_temp.model(f.r, f.alpha, f.a, f.b), x, t_x, age, 100)) / sum(later) - 1) < 0.05, 'and come as often') FROM fit f, customer;
SELECT ok(abs(avg(p) - avg(alive::int)) < 0.06, format('of those said to be alive by %s to %s of 5, so many are', fifth, fifth + 1))
FROM (SELECT reco_p_alive(pg_temp.model(f.r, f.alpha, f.a, f.b), x, t_x, age) AS p, alive, least(4, floor(5 * reco_p_alive(pg_temp.model(f.r, f.alpha, f.a, f.b), x, t_x, age))) AS fifth FROM fit f, customer) p GROUP BY fifth HAVING count(*) > 200 ORDER BY fifth;

-- The same to the last bit whatever the order, the parts and the unit, and in parallel.
SELECT ok(f = g, 'the other order') FROM (SELECT reco_fit_bgnbd(x, t_x, age) AS f FROM customer) f, (SELECT reco_fit_bgnbd(x, t_x, age ORDER BY who DESC) AS g FROM customer) g;
SELECT pg_temp.is_near((reco_fit_bgnbd(x, t_x / 7, age / 7)).alpha, f.alpha / 7, 'in weeks alpha is a seventh', 1e-4) FROM fit f, customer GROUP BY f.alpha;
CREATE TABLE customers AS TABLE customer;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
ANALYZE customers;
SELECT ok(f = g, 'several workers') FROM (SELECT reco_fit_bgnbd(x, t_x, age) AS f FROM customer) f, (SELECT reco_fit_bgnbd(x, t_x, age) AS g FROM customers) g;

-- Customers who are alike in all three numbers are looked at once, and count as often as they are.
SELECT pg_temp.is_near(f.log_likelihood, sum(pg_temp.log_likelihood(pg_temp.model(f.r, f.alpha, f.a, f.b), x, t_x, age)), 'rounded to days: the likelihood is the slow one')
FROM (SELECT (reco_fit_bgnbd(x, round(t_x), round(age))).* FROM customer) f, (SELECT x, round(t_x) AS t_x, round(age) AS age FROM customer) c GROUP BY f.log_likelihood;
CREATE TEMP TABLE thrice AS SELECT (reco_fit_bgnbd(x, t_x, age)).* FROM customer, generate_series(1, 3);
SELECT pg_temp.is_near(t.log_likelihood, 3 * f.log_likelihood, 'everybody thrice: thrice the likelihood') FROM thrice t, fit f;
SELECT pg_temp.is_near(two, one, '... and the same ' || name, 1e-6) FROM thrice t, fit f, LATERAL (VALUES ('r', f.r, t.r), ('alpha', f.alpha, t.alpha), ('a', f.a, t.a), ('b', f.b, t.b)) v(name, one, two);

-- Customers of r = 1, alpha = 1/2, a = 1, b = 30 with even gaps, who come up to hundreds of times: what goes by x alone is then summed by
-- series.  The slow likelihood is the same, and where the search ends it rises with no parameter.
CREATE FUNCTION pg_temp.slow(m reco_bgnbd, x float8, t_x float8, age float8) RETURNS float8 LANGUAGE sql AS $$
  SELECT p.sums + r * ln(alpha) + greatest(p.alive, p.gone) + ln(1 + exp(-least(abs(p.alive - p.gone), 700))) * (x > 0)::int
  FROM (SELECT (m).*) m, LATERAL (SELECT coalesce((SELECT sum(ln(r + j) + ln(b + j) - ln(a + b + j)) FROM generate_series(0, x::int - 1) j), 0) AS sums,
    -(r + x) * ln(alpha + age) AS alive, CASE WHEN x > 0 THEN ln(a / (b + x - 1)) - (r + x) * ln(alpha + t_x) ELSE -'infinity'::float8 END AS gone) p
$$;
SELECT pg_temp.is_near(pg_temp.slow(pg_temp.model(1, 10, 1, 2), 1, 10, 30), ln(1 / 80.0), 'the slow likelihood by logarithms is that by hand');
CREATE TEMP TABLE regular AS
  SELECT x, x / rate AS t_x, age FROM (SELECT who, -ln(pg_temp.u('pace' || who)) / 0.5 AS rate, ln(pg_temp.u('stop' || who)) / ln(pg_temp.u('goes' || who) ^ (1 / 30.0)) AS stays, 80 + who % 40 AS age FROM generate_series(1, 600) who) d,
    LATERAL (SELECT least(ceil(stays), floor(rate * age)) AS x) l;
CREATE TEMP TABLE found AS SELECT (reco_fit_bgnbd(x, t_x, age)).* FROM regular;
SELECT ok(converged AND (SELECT count(*) FROM regular WHERE x > 72) > 50, 'people who come often: a maximum') FROM found;
SELECT pg_temp.is_near(f.log_likelihood, sum(pg_temp.slow(pg_temp.model(f.r, f.alpha, f.a, f.b), x, t_x, age)), 'its likelihood is the slow one', 1e-12) FROM found f, regular GROUP BY f.log_likelihood;
SELECT ok(abs(slope) < 1e-7, format('%s: the slope of the mean is %s', name, slope)) FROM (
  SELECT v.name, avg(pg_temp.slow(pg_temp.model(f.r * r1, f.alpha * al1, f.a * a1, f.b * b1), x, t_x, age) - pg_temp.slow(pg_temp.model(f.r / r1, f.alpha / al1, f.a / a1, f.b / b1), x, t_x, age)) / 2e-4 AS slope
  FROM found f, regular, (VALUES ('r', exp(1e-4), 1, 1, 1), ('alpha', 1, exp(1e-4), 1, 1), ('a', 1, 1, exp(1e-4), 1), ('b', 1, 1, 1, exp(1e-4))) v(name, r1, al1, a1, b1) GROUP BY v.name) s;

-- Customers that do not tell: an answer, and that it is none to rely on.
SELECT ok(NOT (reco_fit_bgnbd(x, 100, 100)).converged, 'who all came just now do not say when they leave') FROM generate_series(1, 5) x;
SELECT ok((reco_fit_bgnbd(1, 0, 10)).r > 0, 'who all came again at once');
SELECT ok((reco_fit_bgnbd(1e7, 5, 10)).alpha > 0, 'who came ten million times');
SELECT ok((reco_fit_bgnbd(1, 1e-300, 1e300)).r > 0, 'whose times are far apart');

SELECT * FROM finish();
ROLLBACK;
