-- Every relation that holds rows of its own: plain tables, leaf partitions, unlogged ones, materialized views.
-- Partitions by hash are read together, as the table they make up: into which of them an enum's rows fall depends on
-- object ids, which differ on every server (pg_dump loads them through the root for that reason).
-- The key is the primary key, or else the narrowest unique index whose columns may not be null.
WITH hashed AS (SELECT partrelid AS oid FROM pg_partitioned_table WHERE partstrat = 'h')
SELECT n.nspname, c.relname, c.relkind::text, c.relispopulated,
       (SELECT sum(pg_relation_size(part.oid)) FROM (
           SELECT c.oid UNION SELECT relid FROM pg_partition_tree(c.oid)) AS part (oid)
       )::bigint / current_setting('block_size')::bigint,
       (SELECT json_agg(json_build_object(
                   'name', a.attname,
                   'output', json_build_array(o.nspname, p.proname),
                   'plain', o.nspname = 'pg_catalog' AND p.proname IN ('textout', 'varcharout')))
          FROM pg_attribute a
          JOIN pg_type t ON t.oid = a.atttypid
          JOIN pg_proc p ON p.oid = t.typoutput
          JOIN pg_namespace o ON o.oid = p.pronamespace
         WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
       (SELECT keys.names
          FROM (SELECT i.indisprimary, i.indnkeyatts, x.relname,
                       array_agg(a.attname::text ORDER BY k.place) AS names, bool_and(a.attnotnull) AS never_null
                  FROM pg_index i
                  JOIN pg_class x ON x.oid = i.indexrelid
                 CROSS JOIN unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, place)
                  JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
                 WHERE i.indrelid = c.oid AND i.indisunique AND i.indimmediate AND i.indisvalid
                   AND i.indpred IS NULL AND i.indexprs IS NULL AND k.place <= i.indnkeyatts
                 GROUP BY i.indexrelid, i.indisprimary, i.indnkeyatts, x.relname) AS keys
         WHERE keys.never_null
         ORDER BY keys.indisprimary DESC, keys.indnkeyatts, keys.relname
         LIMIT 1),
       CASE c.relkind WHEN 'm' THEN rtrim(pg_get_viewdef(c.oid), ';') END
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE (c.relkind IN ('r', 'm') OR c.oid IN (SELECT oid FROM hashed))
   AND NOT EXISTS (SELECT FROM pg_partition_ancestors(c.oid) AS above JOIN hashed ON hashed.oid = above.relid
                    WHERE above.relid <> c.oid)
   AND c.relpersistence <> 't'
   AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   AND NOT n.nspname = ANY(%s)
   AND NOT EXISTS (SELECT FROM pg_depend d
                    WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
 ORDER BY n.nspname, c.relname
