SELECT format('for %%s in %%s', d.defaclobjtype, coalesce(schema::text, 'all')), jsonb_build_object(
           'grantee', CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(x.grantee) END,
           'privileges', jsonb_agg(x.privilege_type ORDER BY x.privilege_type))
  FROM pg_default_acl d
  LEFT JOIN own ON schema_oid = d.defaclnamespace
 CROSS JOIN LATERAL aclexplode(d.defaclacl) AS x
 WHERE x.grantee <> d.defaclrole AND (d.defaclnamespace = 0 OR schema IS NOT NULL)
 GROUP BY d.defaclobjtype, schema, x.grantee
