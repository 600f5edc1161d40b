-- What objects made later will be granted. A list for the whole database stands in place of PostgreSQL's own, so that
-- PUBLIC without a privilege in it is a statement too: it may not execute new functions, say.
SELECT format('for %%s in %%s', d.defaclobjtype, coalesce(schema::text, 'all')), jsonb_build_object(
           'grantee', CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(x.grantee) END,
           'privileges', jsonb_agg(x.privilege_type ORDER BY x.privilege_type))
  FROM pg_default_acl d
  LEFT JOIN own ON schema_oid = d.defaclnamespace
 CROSS JOIN LATERAL (
           SELECT grantee, privilege_type FROM aclexplode(d.defaclacl)
            UNION ALL
           SELECT 0, NULL
            WHERE d.defaclnamespace = 0
              AND NOT EXISTS (SELECT FROM aclexplode(d.defaclacl) WHERE grantee = 0)
              AND EXISTS (SELECT FROM aclexplode(acldefault(
                          CASE d.defaclobjtype WHEN 'S' THEN 's' ELSE d.defaclobjtype END::"char", d.defaclrole))
                           WHERE grantee = 0)) AS x
 WHERE x.grantee <> d.defaclrole AND (d.defaclnamespace = 0 OR schema IS NOT NULL)
 GROUP BY d.defaclobjtype, schema, x.grantee
