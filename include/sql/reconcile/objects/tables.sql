-- Tables, partitioned tables, foreign tables: everything about them but their columns, constraints and rows.
SELECT format('%%s.%%s', schema, c.relname), jsonb_build_object(
           'kind', c.relkind::text, 'persistence', c.relpersistence::text, 'owner', pg_get_userbyid(c.relowner),
           'row_security', c.relrowsecurity, 'forced_row_security', c.relforcerowsecurity,
           'replica_identity', c.relreplident::text, 'options', to_jsonb(c.reloptions),
           'access_method', (SELECT amname FROM pg_am WHERE oid = c.relam),
           'of_type', CASE WHEN c.reloftype <> 0 THEN format_type(c.reloftype, NULL) END,
           'partitioned_by', CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END,
           'bound', pg_get_expr(c.relpartbound, c.oid),
           'parents', (SELECT jsonb_agg(i.inhparent::regclass::text ORDER BY i.inhseqno)
                         FROM pg_inherits i WHERE i.inhrelid = c.oid),
           'server', (SELECT s.srvname || coalesce(f.ftoptions::text, '')
                        FROM pg_foreign_table f JOIN pg_foreign_server s ON s.oid = f.ftserver WHERE f.ftrelid = c.oid))
  FROM pg_class c JOIN own ON schema_oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'f') AND c.relpersistence <> 't'
   AND (c.tableoid, c.oid) NOT IN (SELECT classid, objid FROM member)
