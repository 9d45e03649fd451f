-- Calls of every function and aggregate of the extension with odd arguments: 500 statements drawn by the seed, each in a
-- transaction of its own that is rolled back, all of which may fail, but not in every way: see script/fuzzing.sh.
SET client_min_messages = error;
SELECT setseed(:seed / 1000000.0) \g /dev/null

-- Odd values of each type, as expressions.
CREATE TEMP TABLE odd (type text, value text);
INSERT INTO odd SELECT type, unnest(values) FROM (VALUES
  ('integer', ARRAY['NULL', '0', '1', '-1', '2', '7', '100', '2147483647', '-2147483648']),
  ('bigint', ARRAY['NULL', '0', '1', '42', '-1', '2147483648', '9223372036854775807', '-9223372036854775808']),
  ('double precision', ARRAY['NULL', '0', '-0.0', '1', '0.5', '50', '-1', '1e308', '-1e308', '1e-320', '''NaN''', '''Infinity''', '''-Infinity''']),
  ('boolean', ARRAY['NULL', 'true', 'false']),
  ('text', ARRAY['NULL', '''''', '''shop''', '''taste''', '''nobody''', '''ridge''', '''jaccard''', '''auto''', '''next''', '''factors''', '''category''', '''tags''',
    '''title''', '''device''', '''buy''', '''target''', '''log''', '''a"b''''c''', 'repeat(''x'', 70)', 'repeat(''ab '', 30000)', 'E''\x01\n''', '''42''', '''SELECT 1''']),
  ('cstring', ARRAY['''''', '''{}''', '''[[[''', '''{"user": "bigint", "item": "bigint", "cells": [[1, 1, 1]]}''', '''{"user": "text", "item": "uuid", "cells": [[]]}''']),
  ('timestamp with time zone', ARRAY['NULL', 'now()', '''epoch''', '''infinity''', '''-infinity''', '''294276-12-31''', '''4713-01-01 BC''', '''2024-06-01''']),
  ('interval', ARRAY['NULL', '''1 day''', '''0''', '''-1 day''', '''178000000 years''', '''1 microsecond''', '''30 days''']),
  ('jsonb', ARRAY['NULL', '''{}''', '''[]''', '''null''', '''1''', '''"a"''', '''{"buy": "30 days", "view": false}''', '''{"buy": -1}''', '''{"device": "phone"}''', '''{"category": "Tea"}''', '''{"basket": ["view"], "bought": ["buy"]}''',
    '''{"a": {"b": [1, {"c": null}]}}''', '(repeat(''['', 500) || repeat('']'', 500))']),
  ('uuid', ARRAY['NULL', '''00000000-0000-0000-0000-000000000000''', 'gen_random_uuid()']),
  ('bytea', ARRAY['NULL', '''''', '''\x52''', '''\x5201000000''', '(SELECT neighbors FROM shop.learned_item LIMIT 1)', 'decode(repeat(''00'', 5000), ''hex'')']),
  ('regclass', ARRAY['NULL', '''shop.model''', '''taste.model''', '''pg_class''', '''shop.events''', '''orders''']),
  ('reco_matrix', ARRAY['NULL', '(SELECT m FROM stored)', '''{"user": "bigint", "item": "bigint", "cells": []}''',
    '(SELECT reco_matrix(n, n % 7, n) FROM generate_series(1, 50) n)', '(SELECT reco_matrix(n::text, gen_random_uuid(), -n) FROM generate_series(1, 9) n)']),
  ('any', ARRAY['NULL::bigint', '42', '42::bigint', '''42''::text', '7::smallint', '1.5', 'gen_random_uuid()', 'now()', 'NULL::text', '''a''::name', 'ARRAY[1, 2]', 'ROW(1, 2)']),
  ('ARRAY', ARRAY['NULL', '''{}''', '''{NULL}''', '''{1}''', '''{1,2,3,NULL,3}''', '''{{1,2},{3,4}}''', '''[5:6]={1,2}''', '''{-1,0,2147483647}''']),
  ('columns', ARRAY['item_id bigint, score float8, match float8, because bigint, source text', 'item_id bigint, similarity float8, support int', 'x int', 'score float8',
    'item_id text, score float8, match float8, because text, source text', 'user_id bigint, item_id bigint, score float8, match float8, because bigint, source text, rank int',
    'item_id bigint, rank int, because bigint, share float8', 'user_id text, factor real[]', 'item_id int, popularity float8, trend float8'])
) v(type, values);

CREATE FUNCTION pg_temp.odd(wanted text) RETURNS text LANGUAGE sql VOLATILE AS $$
  SELECT CASE WHEN wanted = 'columns' THEN value ELSE format('(%s)', value) END FROM odd WHERE type = wanted ORDER BY random() LIMIT 1
$$;

-- An expression for an argument of a type; those of the same polymorphic type must agree, so one type stands for all.
CREATE FUNCTION pg_temp.argument(wanted text, element text) RETURNS text LANGUAGE sql VOLATILE AS $$
  SELECT CASE
    WHEN wanted = 'anyelement' THEN format('%s::%s', pg_temp.odd(element), element)
    WHEN wanted = 'anyarray' THEN format('%s::%s[]', pg_temp.odd('ARRAY'), element)
    WHEN wanted = '"any"' THEN pg_temp.odd('any')
    WHEN wanted LIKE '%[]' THEN format('%s::%s', pg_temp.odd('ARRAY'), wanted)
    ELSE format('%s::%s', coalesce(pg_temp.odd(wanted), 'NULL'), wanted) END
$$;

-- A statement that calls a function, mostly of a model there is: as rows with a list of columns, over a few rows where it is an aggregate, or as a value.
CREATE FUNCTION pg_temp.call(routine oid) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  p pg_proc;
  element text := (ARRAY['bigint', 'text', 'uuid', 'integer', 'double precision', 'boolean'])[1 + floor(random() * 6)];
  arguments text[];
  given int;
  call text;
BEGIN
  SELECT * INTO p FROM pg_proc WHERE oid = routine;
  given := p.pronargs - CASE WHEN random() < 0.5 THEN floor(random() * (p.pronargdefaults + 1)) ELSE 0 END;
  SELECT array_agg(CASE WHEN p.proargnames[place] = 'model' AND random() < 0.8
        THEN quote_literal((ARRAY['shop', 'taste'])[1 + floor(random() * 2)] || CASE WHEN type = 'regclass'::regtype THEN '.model' ELSE '' END)
      ELSE pg_temp.argument(format_type(type, NULL), element) END ORDER BY place) INTO arguments
  FROM unnest(p.proargtypes) WITH ORDINALITY t(type, place)
  WHERE place <= given;
  call := format('%s(%s%s)', p.oid::regproc, CASE WHEN p.prokind = 'a' AND random() < 0.2 THEN 'DISTINCT ' ELSE '' END, array_to_string(arguments, ', '));
  IF p.prokind = 'a' THEN
    RETURN format('SELECT %s FROM generate_series(1, %s) n', call, floor(random() * 5));
  ELSIF p.prorettype = 'record'::regtype AND p.proallargtypes IS NULL THEN
    RETURN format('SELECT * FROM %s AS t(%s)', call, pg_temp.odd('columns'));
  ELSIF p.proretset AND random() < 0.5 THEN
    RETURN format('SELECT * FROM %s LIMIT %s', call, floor(random() * 20));
  END IF;
  RETURN 'SELECT ' || call;
END $$;

CREATE TEMP TABLE callable AS
  SELECT p.oid FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
  JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'reco'
  WHERE 'internal'::regtype <> ALL (p.proargtypes) AND p.prorettype <> 'internal'::regtype
  UNION ALL
  SELECT p.oid FROM pg_proc p WHERE p.pronamespace IN ('shop'::regnamespace, 'taste'::regnamespace);
SELECT format('ROLLBACK; BEGIN; %s', pg_temp.call(oid)) FROM (SELECT oid FROM callable, generate_series(1, 20) ORDER BY random() LIMIT 500) c \gexec
ROLLBACK;
