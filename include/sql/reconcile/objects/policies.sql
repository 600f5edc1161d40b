SELECT format('%%s.%%s.%%s', schema, c.relname, p.polname), jsonb_build_object(
           'command', p.polcmd::text, 'permissive', p.polpermissive,
           'roles', (SELECT jsonb_agg(CASE r WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(r) END ORDER BY r)
                       FROM unnest(p.polroles) AS r),
           'using', pg_get_expr(p.polqual, p.polrelid), 'check', pg_get_expr(p.polwithcheck, p.polrelid))
  FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN own ON schema_oid = c.relnamespace
