-- Every table that could tell of its changes, as it stands: what a watch can vouch for, now or when it began.
-- `reads_as`: partitions by hash are compared as the one table they make up (see tables.sql). `shape` changes when a
-- column is added, even without rewriting; `filenode` when the rows are written anew, which no log of changes tells.
-- `key` is NULL where an update or a delete could not name its row.
WITH hashed AS (SELECT partrelid AS oid FROM pg_partitioned_table WHERE partstrat = 'h')
SELECT c.oid::bigint, n.nspname::text, c.relname::text, top.schema, top.name, c.relreplident::text,
       pg_relation_filenode(c.oid)::bigint,
       (SELECT md5(string_agg(concat_ws(':', a.attnum, a.attname, a.atttypid, a.atttypmod, a.attisdropped,
                                        a.attgenerated, a.attmissingval), ',' ORDER BY a.attnum))
          FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0),
       (SELECT array_agg(a.attname::text ORDER BY a.attname::text COLLATE "C")
          FROM pg_index i
         CROSS JOIN unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, place)
          JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
         WHERE i.indrelid = c.oid AND i.indisvalid AND i.indimmediate AND k.place <= i.indnkeyatts
           AND CASE c.relreplident WHEN 'i' THEN i.indisreplident WHEN 'n' THEN false ELSE i.indisprimary END
        HAVING bool_and(a.attgenerated = '')),
       r.oid::bigint, r.xmin::text
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN LATERAL (
      SELECT a.relid FROM pg_partition_ancestors(c.oid) WITH ORDINALITY AS a(relid, place)
        JOIN hashed h ON h.oid = a.relid ORDER BY a.place DESC LIMIT 1) AS root ON true
 CROSS JOIN LATERAL (
      SELECT tn.nspname::text AS schema, t.relname::text AS name FROM pg_class t
        JOIN pg_namespace tn ON tn.oid = t.relnamespace WHERE t.oid = coalesce(root.relid, c.oid)) AS top
  LEFT JOIN pg_publication_rel r
    ON r.prrelid = c.oid AND r.prpubid = (SELECT oid FROM pg_publication WHERE pubname = %s)
 WHERE c.relkind = 'r' AND c.relpersistence = 'p'
   AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'namrong')
   AND NOT EXISTS (SELECT FROM pg_depend d
                    WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
 ORDER BY n.nspname, c.relname
