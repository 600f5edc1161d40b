-- What a login's right to write is tried on: (kind, schema, name, a column to set, may it read the table).
-- The column is one that the login may set, if there is any: a privilege on one column only must be found too.
SELECT c.relkind::text, n.nspname, c.relname,
       (SELECT a.attname FROM pg_attribute a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        ORDER BY has_column_privilege(c.oid, a.attnum, 'UPDATE') DESC, a.attnum LIMIT 1),
       c.relkind <> 'S' AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'S') AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'namrong')
  AND NOT EXISTS (SELECT FROM pg_depend d
                  WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY 1, 2, 3
