SELECT format('%%s.%%s.%%s', schema, c.relname, r.rulename),
       jsonb_build_object('definition', pg_get_ruledef(r.oid), 'enabled', r.ev_enabled::text)
  FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class JOIN own ON schema_oid = c.relnamespace
 WHERE r.rulename <> '_RETURN' AND (c.tableoid, c.oid) NOT IN (SELECT classid, objid FROM member)
