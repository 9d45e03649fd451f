-- A generated set of events for benchmarks: Zipf items, users of very different zeal, latent tastes.
-- Deterministic: every draw is a hash of its row number.  psql variables: rows, users, items.
--
-- Of a user's draws, three in four come from the user's own tenth of the catalogue, the rest from all of it; within
-- either, the item of rank r is drawn with a chance of about 1 / r (a uniform draw raised to a power of the size).

-- A number in [0, 1) that depends on a row and on what it is drawn for, and on nothing else.
CREATE FUNCTION draw(row_no bigint, what int) RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT (hashint8extended(row_no, what) & 9007199254740991) / 9007199254740992.0
$$;

CREATE TABLE events AS
  SELECT user_id,
         (CASE WHEN draw(n, 2) < 0.75
               THEN (hashint4extended(user_id, 7) & 1023) % 10 + 10 * floor(power(:items / 10, draw(n, 3)) - 1)
               ELSE floor(power(:items, draw(n, 3)) - 1) END)::int AS item_id,
         '2026-01-01'::timestamptz - draw(n, 4) * interval '730 days' AS occurred_at,
         (CASE WHEN draw(n, 5) < 0.2 THEN 3.0 ELSE 0.5 END)::real AS weight
  FROM (SELECT n, floor(:users * power(draw(n, 1), 2.5))::int AS user_id FROM generate_series(1, :rows) n) drawn;
ANALYZE events;
