-- Prints what script/bench noted of one set as Markdown.  psql variables: set, runs, figures (a file of
-- who;processes;run;name;value).
SET client_min_messages = warning;
CREATE TEMP TABLE noted (place serial, who text, processes int, run int, name text, value float8);
COPY noted (who, processes, run, name, value) FROM :'figures' WITH (FORMAT csv, DELIMITER ';');

CREATE TEMP VIEW figure AS
  SELECT who, processes, regexp_replace(name, '^seconds_', '') AS name, name ~ '^seconds_' AS phase, min(place) AS place,
         percentile_cont(0.5) WITHIN GROUP (ORDER BY value) AS median, min(value) AS low, max(value) AS high
  FROM noted GROUP BY who, processes, 3, 4;

-- The median of a figure, NULL where there is none.
CREATE FUNCTION pg_temp.median_of(wanted text, count int, figure_name text) RETURNS float8 LANGUAGE sql STABLE AS $$
  SELECT median FROM pg_temp.figure WHERE (who, processes, name) = (wanted, count, figure_name)
$$;
CREATE FUNCTION pg_temp.fact(wanted text) RETURNS float8 LANGUAGE sql STABLE AS $$
  SELECT pg_temp.median_of('set', 1, wanted)
$$;
-- Seconds with their spread.
CREATE FUNCTION pg_temp.cell(median float8, low float8, high float8) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN low = high THEN to_char(median, 'FM99990.00')
              ELSE format('%s (%s to %s)', to_char(median, 'FM99990.00'), to_char(low, 'FM99990.00'), to_char(high, 'FM99990.00')) END
$$;
CREATE FUNCTION pg_temp.cell(wanted text, count int, figure_name text) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT coalesce((SELECT pg_temp.cell(median, low, high) FROM pg_temp.figure
                   WHERE (who, processes, name) = (wanted, count, figure_name)), '-')
$$;
CREATE FUNCTION pg_temp.amount(number float8) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(to_char(number, 'FM999,999,999,999,990'), '-')
$$;
CREATE FUNCTION pg_temp.megabytes(bytes float8) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(to_char(bytes / 1048576, 'FM999,990') || ' MB', '-')
$$;

-- The processor's share of learning; with several processes it cannot be told from the rest.
CREATE FUNCTION pg_temp.learn_cpu(wanted text, count int) RETURNS float8 LANGUAGE sql STABLE AS $$
  SELECT pg_temp.median_of(wanted, 1, 'cpu') * pg_temp.median_of(wanted, 1, 'learn') / pg_temp.median_of(wanted, 1, 'wall') WHERE count = 1
$$;
CREATE FUNCTION pg_temp.kernel_cpu(count int) RETURNS float8 LANGUAGE sql STABLE AS $$
  SELECT pg_temp.median_of('kernel.c', count, 'accumulate') + pg_temp.median_of('kernel.c', count, 'select')
$$;

\echo
SELECT format('**%s**: %s events of %s users, sum n_u^2%s. Seconds are medians of %s, with the least and the most.', :'set',
              pg_temp.amount(pg_temp.fact('events')), pg_temp.amount(pg_temp.fact('users')),
              to_char(pg_temp.fact('sum_users_squared'), '9.99EEEE'), :'runs');
\echo

-- The phases are whatever reco_refresh reports, in its order.
CREATE TEMP VIEW phase AS SELECT name, min(place) AS place FROM figure WHERE phase AND name <> 'total' GROUP BY name;

SELECT format(E'| refresh | processes | %s | scan to commit | processor | rows/s | pair operations/s | charged | held by all processes | pairs, sum of similarities |\n|%s',
              string_agg(name, ' | ' ORDER BY place), repeat('---|', 9 + count(*)::int))
FROM phase;
SELECT format('| %s | %s | %s | %s | %s | %s | %s | %s | %s | %s, %s |', who, processes,
              (SELECT string_agg(pg_temp.cell(f.who, f.processes, p.name), ' | ' ORDER BY p.place) FROM phase p),
              pg_temp.cell(who, processes, 'wall'), pg_temp.cell(who, processes, 'cpu'),
              pg_temp.amount(pg_temp.fact('events') / pg_temp.median_of(who, processes, 'wall')),
              pg_temp.amount(pg_temp.fact('sum_users_squared') / pg_temp.median_of(who, processes, 'learn')),
              pg_temp.megabytes(pg_temp.median_of(who, processes, 'peak_memory')),
              pg_temp.megabytes(pg_temp.median_of(who, processes, 'held')),
              pg_temp.amount(pg_temp.median_of(who, processes, 'neighbor_pairs')),
              to_char(pg_temp.median_of(who, processes, 'similarity'), 'FM999999990.0'))
FROM figure f WHERE name = 'learn' AND phase
ORDER BY processes, place;

-- Everything else that was timed.
\echo
\echo '| beside it | processes | seconds | processor | rows/s | pair operations/s | |'
\echo '|---|---|---|---|---|---|---|'
SELECT format('| %s | %s | %s | %s | %s | %s | %s |',
              CASE who WHEN 'scan' THEN 'scan of the events' WHEN 'sort' THEN 'SELECT ... ORDER BY user_id'
                       WHEN 'kernel.c' THEN 'kernel.c, rows' WHEN 'implicit' THEN 'implicit, fit' ELSE who END,
              processes, pg_temp.cell(median, low, high),
              CASE who WHEN 'kernel.c' THEN to_char(pg_temp.kernel_cpu(processes), 'FM99990.00')
                       ELSE pg_temp.cell(who, processes, 'cpu') END,
              pg_temp.amount(pg_temp.fact('events') / median),
              CASE WHEN name IN ('rows', 'fit') THEN pg_temp.amount(pg_temp.fact('sum_users_squared') / median) ELSE '-' END,
              CASE WHEN who = 'kernel.c' THEN
                     format('build %s; processor: accumulate %s, select %s; pairs %s, sum of similarities %s',
                            pg_temp.cell(who, processes, 'build'), pg_temp.cell(who, processes, 'accumulate'), pg_temp.cell(who, processes, 'select'),
                            pg_temp.amount(pg_temp.median_of(who, processes, 'pairs')),
                            to_char(pg_temp.median_of(who, processes, 'similarity'), 'FM999999990.0'))
                   WHEN who = 'implicit' THEN
                     format('matrix %s; recommends to %s users/s, by so many processes to %s; %s; pairs %s, sum of similarities %s',
                            pg_temp.cell(who, processes, 'build'), pg_temp.amount(pg_temp.median_of(who, processes, 'recommended_users')),
                            pg_temp.amount(pg_temp.median_of(who, processes, 'recommended_users_together')),
                            pg_temp.megabytes(pg_temp.median_of(who, processes, 'peak')),
                            pg_temp.amount(pg_temp.median_of(who, processes, 'pairs')),
                            to_char(pg_temp.median_of(who, processes, 'similarity'), 'FM999999990.0'))
                   WHEN who LIKE '%, top_n_all' THEN pg_temp.amount(pg_temp.fact('users') / median) || ' users/s' END)
FROM figure f
WHERE (who IN ('scan', 'sort') OR who LIKE '%, top_n_all') AND name = 'wall' OR who = 'kernel.c' AND name = 'rows' OR who = 'implicit' AND name = 'fit'
ORDER BY processes, place;

-- What the project wants, as ratios of this run; where the times of processors are known apart, by them too, since other
-- work on the machine does not change those.
CREATE TEMP VIEW bar AS
  SELECT p.processes, b.*
  FROM (SELECT DISTINCT processes FROM figure WHERE name = 'learn') p, LATERAL (VALUES
    (1, 'refresh, cosine of counts / implicit''s fit', 'at most 0.33',
     pg_temp.median_of('cosine of counts', p.processes, 'wall') / pg_temp.median_of('implicit', p.processes, 'fit'),
     pg_temp.median_of('cosine of counts', p.processes, 'cpu') / pg_temp.median_of('implicit', p.processes, 'cpu')),
    (2, 'learn, cosine of counts / kernel.c', 'at most 1.3',
     pg_temp.median_of('cosine of counts', p.processes, 'learn') / pg_temp.median_of('kernel.c', p.processes, 'rows'),
     pg_temp.learn_cpu('cosine of counts', p.processes) / pg_temp.kernel_cpu(p.processes)),
    (3, 'implicit''s fit / learn, cosine of counts', 'at least 5',
     pg_temp.median_of('implicit', p.processes, 'fit') / pg_temp.median_of('cosine of counts', p.processes, 'learn'),
     pg_temp.median_of('implicit', p.processes, 'cpu') / pg_temp.learn_cpu('cosine of counts', p.processes)),
    (4, 'rows counted, cosine of counts, one process / so many', 'at least 1.8 with two',
     CASE WHEN p.processes > 1 THEN
       pg_temp.median_of('cosine of counts', 1, 'rows') / pg_temp.median_of('cosine of counts', p.processes, 'rows') END, NULL),
    (4, 'learn, cosine of counts, one process / so many', '1.8 with two would be good',
     CASE WHEN p.processes > 1 THEN
       pg_temp.median_of('cosine of counts', 1, 'learn') / pg_temp.median_of('cosine of counts', p.processes, 'learn') END, NULL),
    (5, 'learn, weighted / cosine of counts', 'at most 2',
     pg_temp.median_of('weighted', p.processes, 'learn') / pg_temp.median_of('cosine of counts', p.processes, 'learn'),
     pg_temp.learn_cpu('weighted', p.processes) / pg_temp.learn_cpu('cosine of counts', p.processes)),
    (6, 'learn, weighted with decay / cosine of counts', 'at most 2',
     pg_temp.median_of('weighted, decayed', p.processes, 'learn') / pg_temp.median_of('cosine of counts', p.processes, 'learn'),
     pg_temp.learn_cpu('weighted, decayed', p.processes) / pg_temp.learn_cpu('cosine of counts', p.processes)),
    (7, 'read, encode and sort / SELECT ... ORDER BY user_id', 'less than 2',
     (pg_temp.median_of('cosine of counts', p.processes, 'read') + pg_temp.median_of('cosine of counts', p.processes, 'encode') +
      coalesce(pg_temp.median_of('cosine of counts', p.processes, 'sort'), 0)) / pg_temp.median_of('sort', p.processes, 'wall'), NULL),
    (8, 'users/s of reco_top_n_all / of implicit''s recommend, in one call with so many threads', 'at least 3',
     pg_temp.fact('users') / pg_temp.median_of('cosine of counts, top_n_all', p.processes, 'wall') /
     pg_temp.median_of('implicit', p.processes, 'recommended_users'), NULL),
    (8, 'users/s of reco_top_n_all / of so many processes of implicit''s recommend', '3 would be good',
     pg_temp.fact('users') / pg_temp.median_of('cosine of counts, top_n_all', p.processes, 'wall') /
     pg_temp.median_of('implicit', p.processes, 'recommended_users_together'), NULL),
    (9, 'seconds from scan to commit, a million events, cosine of counts', 'less than 1',
     CASE WHEN pg_temp.fact('events') = 1000000 THEN pg_temp.median_of('cosine of counts', p.processes, 'wall') END, NULL),
    (10, 'the same, weighted', 'less than 1',
     CASE WHEN pg_temp.fact('events') = 1000000 THEN pg_temp.median_of('weighted', p.processes, 'wall') END, NULL),
    (11, 'the same, no settings', 'less than 1',
     CASE WHEN pg_temp.fact('events') = 1000000 THEN pg_temp.median_of('no settings', p.processes, 'wall') END, NULL),
    (12, 'sum of similarities, cosine of counts / kernel.c', '0.99 to 1.01',
     pg_temp.median_of('cosine of counts', p.processes, 'similarity') / pg_temp.median_of('kernel.c', p.processes, 'similarity'), NULL)
  ) b(place, bar, wanted, measured, by_processor)
  UNION ALL
  -- what each kind of refresh was expected to take, before it
  SELECT f.processes, b.*
  FROM figure f, LATERAL (VALUES
    (13, 'estimated / measured seconds, ' || f.who, '0.5 to 2',
     pg_temp.median_of(f.who, f.processes, 'expected_seconds') / pg_temp.median_of(f.who, f.processes, 'total'),
     CASE WHEN f.processes = 1 THEN pg_temp.median_of(f.who, 1, 'expected_seconds') / pg_temp.median_of(f.who, 1, 'cpu') END),
    (14, 'estimated / measured memory, ' || f.who, '0.5 to 2',
     pg_temp.median_of(f.who, f.processes, 'expected_memory') / pg_temp.median_of(f.who, f.processes, 'peak_memory'), NULL)
  ) b(place, bar, wanted, measured, by_processor)
  WHERE f.name = 'expected_seconds';

\echo
\echo '| bar | processes | wanted | measured | by processor time |'
\echo '|---|---|---|---|---|'
SELECT format('| %s | %s | %s | %s | %s |', bar, processes, wanted, to_char(measured, 'FM99990.00'), coalesce(to_char(by_processor, 'FM99990.00'), ''))
FROM bar WHERE measured IS NOT NULL ORDER BY place, bar, processes;
