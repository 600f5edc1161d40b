-- Primary, unique and foreign keys, checks, exclusions, of tables and of domains. A NOT NULL is told by its column,
-- except one that was not validated (PostgreSQL 18). Foreign keys of partitions follow from their parent's, under
-- names that the server makes up.
SELECT coalesce(n.schema || '.' || c.relname, format_type(k.contypid, NULL)) || '.' || k.conname, jsonb_build_object(
           'kind', k.contype::text, 'definition', pg_get_constraintdef(k.oid), 'validated', k.convalidated,
           'deferrable', k.condeferrable, 'deferred', k.condeferred)
  FROM pg_constraint k
  JOIN own o ON o.schema_oid = k.connamespace
  LEFT JOIN pg_class c ON c.oid = k.conrelid
  LEFT JOIN own n ON n.schema_oid = c.relnamespace
 WHERE (k.contype <> 'n' OR NOT k.convalidated) AND k.contype <> 't' AND NOT (k.contype = 'f' AND k.conparentid <> 0)
   AND (k.tableoid, k.oid) NOT IN (SELECT classid, objid FROM member)
   AND ('pg_class'::regclass, k.conrelid) NOT IN (SELECT classid, objid FROM member)
