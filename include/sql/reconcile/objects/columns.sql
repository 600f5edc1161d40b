SELECT format('%%s.%%s.%%s', schema, c.relname, a.attname), jsonb_build_object(
           'type', format_type(a.atttypid, a.atttypmod), 'not_null', a.attnotnull,
           'place', (SELECT count(*) FROM pg_attribute b
                      WHERE b.attrelid = a.attrelid AND b.attnum > 0 AND b.attnum <= a.attnum AND NOT b.attisdropped),
           'default', CASE WHEN a.attgenerated = '' THEN pg_get_expr(d.adbin, d.adrelid) END,
           'generated', CASE WHEN a.attgenerated <> '' THEN pg_get_expr(d.adbin, d.adrelid) END,
           'generated_kind', a.attgenerated::text, 'identity', a.attidentity::text,
           'collation', CASE WHEN a.attcollation <> t.typcollation THEN a.attcollation::regcollation::text END,
           'storage', a.attstorage::text, 'compression', coalesce(to_jsonb(a) ->> 'attcompression', ''),
           'statistics', nullif(a.attstattarget, -1), 'options', to_jsonb(a.attoptions))
  FROM pg_attribute a
  JOIN pg_class c ON c.oid = a.attrelid
  JOIN own ON schema_oid = c.relnamespace
  JOIN pg_type t ON t.oid = a.atttypid
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
 WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'f', 'v', 'm') AND c.relpersistence <> 't'
   AND (c.tableoid, c.oid) NOT IN (SELECT classid, objid FROM member)
