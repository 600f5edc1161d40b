-- Who may do what, the owner's own rights aside (they go with ownership). A missing list counts as its default.
SELECT i.type || ' ' || i.identity, jsonb_build_object(
           'grantee', CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(x.grantee) END,
           -- false for a routine that cannot write with its owner's rights; a trigger function is never called directly
           'writes', bool_and(granted.class <> 'pg_proc'::regclass OR granted.object IN (
               SELECT oid FROM pg_proc WHERE prosecdef AND provolatile = 'v'
                  AND prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype))),
           'privileges', jsonb_agg(x.privilege_type || CASE WHEN x.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END
                                   ORDER BY x.privilege_type, x.is_grantable))
  FROM (
        SELECT c.tableoid AS class, c.oid AS object, 0 AS part, c.relowner AS owner,
               coalesce(c.relacl, acldefault(CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", c.relowner)) AS acl
          FROM pg_class c JOIN own ON schema_oid = c.relnamespace
         WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S') AND c.relpersistence <> 't'
        UNION ALL
        SELECT c.tableoid, c.oid, a.attnum, c.relowner, a.attacl
          FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN own ON schema_oid = c.relnamespace
         WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relpersistence <> 't'
        UNION ALL
        SELECT n.tableoid, n.oid, 0, n.nspowner, coalesce(n.nspacl, acldefault('n', n.nspowner))
          FROM pg_namespace n JOIN own ON schema_oid = n.oid
        UNION ALL
        SELECT p.tableoid, p.oid, 0, p.proowner, coalesce(p.proacl, acldefault('f', p.proowner))
          FROM pg_proc p JOIN own ON schema_oid = p.pronamespace
        UNION ALL
        SELECT t.tableoid, t.oid, 0, t.typowner, coalesce(t.typacl, acldefault('T', t.typowner))
          FROM pg_type t JOIN own ON schema_oid = t.typnamespace
          LEFT JOIN pg_class c ON c.oid = t.typrelid
         WHERE t.typtype IN ('d', 'e', 'r', 'b') AND t.typcategory <> 'A' OR c.relkind = 'c'
       ) AS granted
 CROSS JOIN LATERAL aclexplode(granted.acl) AS x
 CROSS JOIN LATERAL pg_identify_object(granted.class, granted.object, granted.part) AS i
 WHERE x.grantee <> granted.owner
   AND (granted.class, granted.object) NOT IN (SELECT classid, objid FROM member)
 GROUP BY i.type, i.identity, x.grantee
