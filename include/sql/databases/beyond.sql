-- Ways in which a role could write that revoking its own grants does not close: (way, object, through).
WITH me AS (
    SELECT oid, rolname, rolsuper FROM pg_roles WHERE rolname = %(role)s
), schemas AS (
    SELECT oid, nspname FROM pg_namespace
    WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'namrong')
), things AS (
    SELECT format('%%I.%%I', s.nspname, c.relname) AS object, c.relowner AS owner, c.relacl AS acl,
           CASE c.relkind WHEN 'S' THEN ARRAY['USAGE', 'UPDATE']
                ELSE ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER', 'MAINTAIN'] END AS writing
    FROM pg_class c JOIN schemas s ON s.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'f', 'S')
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
    UNION ALL
    SELECT format('%%I.%%I.%%I', s.nspname, c.relname, a.attname), NULL, a.attacl, ARRAY['INSERT', 'UPDATE']
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN schemas s ON s.oid = c.relnamespace
    WHERE a.attacl IS NOT NULL AND NOT a.attisdropped
    UNION ALL
    SELECT nspname, nspowner, nspacl, ARRAY['CREATE'] FROM pg_namespace WHERE oid IN (SELECT oid FROM schemas)
    UNION ALL
    SELECT datname, datdba, datacl, ARRAY['CREATE'] FROM pg_database WHERE datname = current_database()
    UNION ALL
    SELECT 'large object ' || oid, lomowner, lomacl, ARRAY['UPDATE'] FROM pg_largeobject_metadata
)
SELECT 'superuser', '', me.rolname::text FROM me WHERE me.rolsuper
UNION ALL
SELECT 'writes_all', '', 'pg_write_all_data'
FROM me JOIN pg_roles r ON r.rolname = 'pg_write_all_data' AND pg_has_role(me.oid, r.oid, 'MEMBER')
WHERE NOT me.rolsuper
UNION ALL
SELECT 'owns', t.object, o.rolname::text
FROM me CROSS JOIN things t JOIN pg_roles o ON o.oid = t.owner
WHERE NOT me.rolsuper AND pg_has_role(me.oid, t.owner, 'MEMBER')
UNION ALL
SELECT DISTINCT 'member', t.object, g.rolname::text
FROM me CROSS JOIN things t CROSS JOIN LATERAL aclexplode(t.acl) AS a JOIN pg_roles g ON g.oid = a.grantee
WHERE NOT me.rolsuper AND a.grantee <> me.oid AND a.grantee IS DISTINCT FROM t.owner
  AND a.privilege_type = ANY (t.writing) AND pg_has_role(me.oid, a.grantee, 'MEMBER')
ORDER BY 1, 2, 3
