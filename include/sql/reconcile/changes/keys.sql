-- How the columns of a relation are asked for by their text: type, and the operator by which a unique index knows them.
SELECT a.attname::text, format_type(a.atttypid, a.atttypmod), coalesce(o.schema, 'pg_catalog'), coalesce(o.name, '=')
  FROM pg_attribute a
  LEFT JOIN LATERAL (
      SELECT n.nspname::text AS schema, p.oprname::text AS name
        FROM pg_index i
       CROSS JOIN unnest(i.indkey::int2[], i.indclass::oid[]) AS k(attnum, class)
        JOIN pg_opclass c ON c.oid = k.class
        JOIN pg_amop m ON m.amopfamily = c.opcfamily AND m.amoplefttype = c.opcintype
                      AND m.amoprighttype = c.opcintype AND m.amopstrategy = 3
        JOIN pg_operator p ON p.oid = m.amopopr
        JOIN pg_namespace n ON n.oid = p.oprnamespace
       WHERE i.indrelid = a.attrelid AND i.indisunique AND k.attnum = a.attnum
       ORDER BY i.indisprimary DESC LIMIT 1) AS o ON true
 WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped
