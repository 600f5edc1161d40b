-- What a role, and PUBLIC, may do with each of the agency's own objects, as GRANT would say it:
-- (object, column, privilege, grantee, grantable, writes). Defaults that were never written down are spelled out.
-- `writes` marks what lets a service change data: rows, sequences, large objects, new tables, and routines that run
-- with their owner's rights and may write (trigger functions are not called directly, and need no privilege).
WITH schemas AS (
    SELECT oid, nspname, nspowner, nspacl FROM pg_namespace
    WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'namrong')
), given (object, place, catalogue, oid, acl, definer) AS (
    SELECT 'DATABASE', '', 'pg_database'::regclass, oid, coalesce(datacl, acldefault('d', datdba)), false
    FROM pg_database WHERE datname = current_database()
    UNION ALL
    SELECT format('SCHEMA %%I', nspname), '', 'pg_namespace'::regclass, oid, coalesce(nspacl, acldefault('n', nspowner)), false
    FROM schemas
    UNION ALL
    SELECT format(CASE c.relkind WHEN 'S' THEN 'SEQUENCE %%I.%%I' ELSE 'TABLE %%I.%%I' END, s.nspname, c.relname), '',
           'pg_class'::regclass, c.oid,
           coalesce(c.relacl, acldefault(CASE c.relkind WHEN 'S' THEN 's'::"char" ELSE 'r' END, c.relowner)), false
    FROM pg_class c JOIN schemas s ON s.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
    UNION ALL
    SELECT format('TABLE %%I.%%I', s.nspname, c.relname), a.attname, 'pg_class'::regclass, c.oid, a.attacl, false
    FROM pg_attribute a
    JOIN pg_class c ON c.oid = a.attrelid
    JOIN schemas s ON s.oid = c.relnamespace
    WHERE a.attacl IS NOT NULL AND NOT a.attisdropped
    UNION ALL
    SELECT 'ROUTINE ' || p.oid::regprocedure, '', 'pg_proc'::regclass, p.oid,
           coalesce(p.proacl, acldefault('f', p.proowner)),
           p.prosecdef AND p.provolatile = 'v'
           AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)
    FROM pg_proc p JOIN schemas s ON s.oid = p.pronamespace
    UNION ALL
    SELECT 'TYPE ' || t.oid::regtype, '', 'pg_type'::regclass, t.oid, coalesce(t.typacl, acldefault('T', t.typowner)), false
    FROM pg_type t
    JOIN schemas s ON s.oid = t.typnamespace
    LEFT JOIN pg_class c ON c.oid = t.typrelid
    WHERE t.typelem = 0 AND t.typtype <> 'm' AND (t.typtype <> 'c' OR c.relkind = 'c')
    UNION ALL
    SELECT 'LARGE OBJECT ' || oid, '', 'pg_largeobject'::regclass, oid, coalesce(lomacl, acldefault('L', lomowner)), false
    FROM pg_largeobject_metadata
)
SELECT g.object, g.place::text, a.privilege_type,
       CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE r.rolname::text END,
       a.is_grantable,
       CASE split_part(g.object, ' ', 1)
           WHEN 'TABLE' THEN a.privilege_type IN ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER', 'MAINTAIN')
           WHEN 'SEQUENCE' THEN a.privilege_type IN ('USAGE', 'UPDATE')
           WHEN 'LARGE' THEN a.privilege_type = 'UPDATE'
           WHEN 'ROUTINE' THEN g.definer
           ELSE a.privilege_type = 'CREATE'
       END
FROM given g
CROSS JOIN LATERAL aclexplode(g.acl) AS a
LEFT JOIN pg_roles r ON r.oid = a.grantee
WHERE (a.grantee = 0 OR r.rolname = %(role)s)
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = g.catalogue AND d.objid = g.oid AND d.deptype = 'e')
ORDER BY 1, 2, 3, 4
