-- Tables and materialized views without statistics for the planner, largest first: (schema, name). Partitions are not
-- among them (ANALYZE of the whole looks at each), nor are tables whose statistics were made as they were complete.
SELECT n.nspname, c.relname
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm', 'p') AND NOT c.relispartition
  AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'namrong')
  AND (NOT EXISTS (SELECT FROM pg_stats s WHERE s.schemaname = n.nspname AND s.tablename = c.relname)
       OR EXISTS (SELECT FROM pg_statistic_ext e WHERE e.stxrelid = c.oid))
ORDER BY pg_table_size(c.oid) DESC, 1, 2
