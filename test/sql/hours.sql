-- Hours of the week: the surface, clocks that change, and every message.
SET timezone = 'UTC';
CREATE FUNCTION shown(hours float8[]) RETURNS text LANGUAGE sql IMMUTABLE AS
  $$SELECT string_agg(format('%s %s: %s', (ARRAY['Mon','Tue','Wed','Thu','Fri','Sat','Sun'])[1 + (n - 1) / 24], (n - 1) % 24, c), ', ' ORDER BY n) FROM unnest(hours) WITH ORDINALITY h(c, n) WHERE c > 0$$;
SELECT cardinality(reco_hours(at, 'UTC')), shown(reco_hours(at, 'UTC')) FROM (VALUES (timestamptz '2024-01-01'), ('2024-01-01 00:59:59.999999'), ('2024-01-07 23:30'), ('2024-01-02 01:00'), (NULL), ('infinity'), ('-infinity')) v(at);
-- London springs forward on 2024-03-31 and back on 2024-10-27; of that night one hour never comes, the other comes twice. Kolkata is half an hour off.
SELECT shown(reco_hours(at, 'Europe/London')) FROM (VALUES (timestamptz '2024-03-31 00:30+00'), ('2024-03-31 01:30+00')) v(at);
SELECT shown(reco_hours(at, 'Europe/London')) FROM (VALUES (timestamptz '2024-10-27 00:30+00'), ('2024-10-27 01:30+00')) v(at);
SELECT shown(reco_hours('2024-01-01 00:30+00', 'Asia/Kolkata')), shown(reco_hours('2024-01-01 00:29+00', 'Asia/Kolkata'));
-- The zone may differ from row to row.
SELECT shown(reco_hours('2024-01-01 12:00+00', zone)) FROM (VALUES ('Asia/Tokyo'), ('America/New_York'), ('Asia/Tokyo')) v(zone);
SELECT shown(reco_hours(h)) FROM (SELECT reco_hours('2024-01-01 12:00+00', zone) AS h FROM (VALUES ('Asia/Tokyo'), ('America/New_York'), ('Asia/Tokyo')) v(zone) GROUP BY zone) v;
-- Nothing.
SELECT cardinality(reco_hours(NULL, 'UTC')), shown(reco_hours(NULL, 'UTC')), cardinality(reco_hours(NULL::float8[]));
SELECT round(sum(s)::numeric, 12), round((max(s) * 168)::numeric, 6) FROM unnest(reco_smooth_hours(NULL)) s;
-- What cannot be.
SELECT reco_hours(now(), 'Mars/Olympus');
SELECT reco_hours(now(), '');
SELECT reco_hours(now(), NULL);
SELECT reco_hours('{1,2}'::float8[]);
SELECT reco_hours(h) FROM (VALUES (array_fill(1.0::float8, '{168}')), (array_fill('NaN'::float8, '{168}'))) v(h);
SELECT reco_hours(array_fill(-1.0::float8, '{168}'));
SELECT reco_smooth_hours(array_fill('infinity'::float8, '{168}'));
SELECT reco_smooth_hours(NULL, '{}');
SELECT reco_smooth_hours(NULL, NULL, 0);
SELECT reco_smooth_hours(NULL, NULL, 'NaN');
DROP FUNCTION shown;
