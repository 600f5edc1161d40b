SELECT format('%%s.%%s', schema, x.relname), jsonb_build_object(
           'definition', pg_get_indexdef(i.indexrelid), 'valid', i.indisvalid, 'ready', i.indisready,
           'clustered', i.indisclustered, 'replica_identity', i.indisreplident)
  FROM pg_index i
  JOIN pg_class x ON x.oid = i.indexrelid
  JOIN pg_class c ON c.oid = i.indrelid
  JOIN own ON schema_oid = c.relnamespace
 WHERE c.relpersistence <> 't' AND (c.tableoid, c.oid) NOT IN (SELECT classid, objid FROM member)
