SELECT schema, jsonb_build_object('owner', pg_get_userbyid(n.nspowner))
  FROM own JOIN pg_namespace n ON n.oid = schema_oid
 WHERE (n.tableoid, n.oid) NOT IN (SELECT classid, objid FROM member)
