-- Tables with no part left to come, of those that one unit moved rows into: (schema, table, is it a partition).
-- Rows of hash partitions go in through their root: any partition is complete when all of the root's parts are there.
WITH pieces AS (
    SELECT part, unit, piece ->> 'schema' AS schema, piece ->> 'table' AS name, piece -> 'into' AS goes_into
    FROM namrong.parts
    WHERE piece ->> 'kind' = 'rows'
)
SELECT DISTINCT p.schema, p.name, c.relispartition
FROM pieces p
JOIN pg_namespace n ON n.nspname = p.schema
JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = p.name
WHERE p.goes_into IN (SELECT goes_into FROM pieces WHERE unit = %s)
  AND NOT EXISTS (SELECT FROM pieces o LEFT JOIN namrong.checkpoints k USING (part)
                  WHERE o.goes_into = p.goes_into AND k.part IS NULL)
ORDER BY 1, 2
