SELECT format('%%s.%%s', schema, c.relname), jsonb_build_object(
           'kind', c.relkind::text, 'definition', pg_get_viewdef(c.oid), 'owner', pg_get_userbyid(c.relowner),
           'options', to_jsonb(c.reloptions), 'populated', c.relispopulated)
  FROM pg_class c JOIN own ON schema_oid = c.relnamespace
 WHERE c.relkind IN ('v', 'm') AND c.relpersistence <> 't'
   AND (c.tableoid, c.oid) NOT IN (SELECT classid, objid FROM member)
