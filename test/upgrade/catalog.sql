-- All that the catalogs know of what belongs to the extension, one line a fact: equal for an upgraded and a fresh one.
WITH member AS (
  SELECT d.classid, d.objid, i.type || ' ' || i.identity AS name
  FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'reco', pg_identify_object(d.classid, d.objid, 0) i
  WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
), fact AS (
  SELECT format('extension reco %s in %s: %s', extversion, extnamespace::regnamespace, obj_description(oid, 'pg_extension')) AS line FROM pg_extension WHERE extname = 'reco'
  UNION ALL
  SELECT format('%s: %s', name, coalesce(obj_description(objid, classid::regclass::name), 'no comment')) FROM member
  UNION ALL
  SELECT format('%s: %s', name, pg_get_functiondef(objid)) FROM member JOIN pg_proc p ON p.oid = objid WHERE classid = 'pg_proc'::regclass AND prokind <> 'a'
  UNION ALL
  SELECT format('%s: %s, %s(%s) with %s of %s, owned by %s: %s', name, prokind, proretset, pg_get_function_arguments(p.oid), prosupport, prolang, proowner::regrole, proacl)
  FROM member JOIN pg_proc p ON p.oid = objid WHERE classid = 'pg_proc'::regclass
  UNION ALL
  SELECT format('%s: %s %s', name, a.aggfnoid::regprocedure, to_jsonb(a) - 'aggfnoid' - 'aggtranstype' - 'aggmtranstype') || format_type(aggtranstype, NULL)
  FROM member JOIN pg_aggregate a ON a.aggfnoid = objid WHERE classid = 'pg_proc'::regclass
  UNION ALL
  SELECT format('%s: %s', name, to_jsonb(t) - 'oid' - 'typnamespace' - 'typrelid' - 'typarray' - 'typelem' - 'typowner')
  FROM member JOIN pg_type t ON t.oid = objid WHERE classid = 'pg_type'::regclass
  UNION ALL
  SELECT format('%s: column %s %s %s %s', name, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull)
  FROM member JOIN pg_type t ON t.oid = objid JOIN pg_attribute a ON a.attrelid = t.typrelid AND a.attnum > 0
  WHERE classid = 'pg_type'::regclass
  UNION ALL
  SELECT format('%s: %s owned by %s: %s %s %s', name, relkind, relowner::regrole, relacl, reloptions, CASE WHEN relkind = 'v' THEN pg_get_viewdef(c.oid) END)
  FROM member JOIN pg_class c ON c.oid = objid WHERE classid = 'pg_class'::regclass
  UNION ALL
  SELECT format('%s: column %s %s %s: %s', name, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), coalesce(col_description(c.oid, a.attnum), 'no comment'))
  FROM member JOIN pg_class c ON c.oid = objid JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 WHERE classid = 'pg_class'::regclass
)
SELECT line FROM fact ORDER BY line COLLATE "C";
