-- Every name of the agency's own, with the space in which it must be alone: (space, name).
WITH schemas AS (
    SELECT oid, nspname FROM pg_namespace
    WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'namrong')
)
SELECT 'schema'::text, nspname::text FROM schemas
UNION ALL
SELECT s.nspname, c.relname FROM pg_class c JOIN schemas s ON s.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f', 'i', 'I')
UNION ALL
SELECT format('%s.%s', s.nspname, c.relname), a.attname
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN schemas s ON s.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND a.attnum > 0 AND NOT a.attisdropped
UNION ALL
SELECT format('type in %s', s.nspname), t.typname FROM pg_type t JOIN schemas s ON s.oid = t.typnamespace
WHERE t.typtype IN ('e', 'd', 'r')
ORDER BY 1, 2
