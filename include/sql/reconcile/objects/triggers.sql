-- Row and statement triggers by name, and per table how many hidden ones enforce its foreign keys, by their state: a
-- mover that disabled those and forgot leaves a database that looks whole and enforces nothing.
-- Triggers that call a function of an excluded schema are not the agency's.
SELECT format('%%s.%%s.%%s', schema, c.relname, g.tgname),
       jsonb_build_object('definition', pg_get_triggerdef(g.oid), 'enabled', g.tgenabled::text)
  FROM pg_trigger g
  JOIN pg_class c ON c.oid = g.tgrelid
  JOIN own ON schema_oid = c.relnamespace
  JOIN pg_proc p ON p.oid = g.tgfoid
  JOIN pg_namespace f ON f.oid = p.pronamespace
 WHERE NOT g.tgisinternal AND NOT f.nspname = ANY(%(excluded)s)
   AND (c.tableoid, c.oid) NOT IN (SELECT classid, objid FROM member)
UNION ALL
SELECT title, jsonb_object_agg(enabled, many)
  FROM (SELECT format('%%s.%%s (enforcement)', schema, c.relname) AS title, g.tgenabled::text AS enabled, count(*) AS many
          FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid JOIN own ON schema_oid = c.relnamespace
         WHERE g.tgisinternal
         GROUP BY 1, 2) AS enforcing
 GROUP BY title
