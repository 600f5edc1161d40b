-- Privileges that objects made later will have (ALTER DEFAULT PRIVILEGES): (for_role, is_owner, schema, kind, verb,
-- grantee, privilege, grantable). Those of a schema only ever add; those of the whole database stand in place of
-- PostgreSQL's own, so that what PUBLIC lacks there was taken from it. `is_owner`: the role that owns this database.
WITH lists AS (
    SELECT d.defaclrole AS owner, n.nspname AS schema, d.defaclobjtype AS kind, d.defaclacl AS acl,
           CASE WHEN d.defaclnamespace = 0 THEN acldefault(
               CASE d.defaclobjtype WHEN 'S' THEN 's' ELSE d.defaclobjtype END::"char", d.defaclrole) END AS usual
    FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace
    WHERE d.defaclnamespace = 0 OR n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'namrong')
), said AS (
    SELECT l.owner, l.schema, l.kind, 'GRANT' AS verb, a.grantee, a.privilege_type, a.is_grantable
    FROM lists l CROSS JOIN LATERAL aclexplode(l.acl) AS a
    WHERE a.grantee <> l.owner
    UNION ALL
    SELECT l.owner, l.schema, l.kind, 'REVOKE', u.grantee, u.privilege_type, false
    FROM lists l CROSS JOIN LATERAL aclexplode(l.usual) AS u
    WHERE u.grantee = 0
      AND NOT EXISTS (SELECT FROM aclexplode(l.acl) AS a WHERE a.grantee = 0 AND a.privilege_type = u.privilege_type)
)
SELECT o.rolname::text, s.owner = here.datdba OR o.rolname = current_user, s.schema::text,
       CASE s.kind WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'ROUTINES' WHEN 'T' THEN 'TYPES'
                   WHEN 'n' THEN 'SCHEMAS' ELSE 'LARGE OBJECTS' END,
       s.verb, coalesce(g.rolname::text, 'PUBLIC'), s.privilege_type, s.is_grantable
FROM said s
JOIN pg_roles o ON o.oid = s.owner
JOIN pg_database here ON here.datname = current_database()
LEFT JOIN pg_roles g ON g.oid = s.grantee
ORDER BY 1, 3, 4, 5, 6, 7
