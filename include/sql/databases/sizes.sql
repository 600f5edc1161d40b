-- What there is to move: (schema, table, blocks, bytes with TOAST, estimated rows, into_schema, into_table).
-- Leaves of partitioned tables stand for themselves. Below hash partitioning rows go in through the root, because
-- an enum's hash depends on object ids, which differ on the target (PostgreSQL's pg_dump does the same).
WITH RECURSIVE mine AS (
    SELECT c.oid, n.nspname, c.relname, c.reltuples
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'namrong')
      AND NOT EXISTS (SELECT FROM pg_depend d
                      WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
), up AS (
    SELECT oid AS leaf, oid AS at, false AS hashed, 0 AS height FROM mine
    UNION ALL
    SELECT up.leaf, i.inhparent, up.hashed OR p.partstrat = 'h', up.height + 1
    FROM up
    JOIN pg_inherits i ON i.inhrelid = up.at
    JOIN pg_partitioned_table p ON p.partrelid = i.inhparent
), root AS (
    SELECT DISTINCT ON (leaf) leaf, CASE WHEN bool_or(hashed) OVER (PARTITION BY leaf) THEN at ELSE leaf END AS into
    FROM up
    ORDER BY leaf, height DESC
)
SELECT mine.nspname, mine.relname,
       pg_relation_size(mine.oid) / current_setting('block_size')::bigint,
       pg_table_size(mine.oid),
       greatest(mine.reltuples, 0)::bigint,
       n.nspname, c.relname
FROM mine
JOIN root ON root.leaf = mine.oid
JOIN pg_class c ON c.oid = root.into
JOIN pg_namespace n ON n.oid = c.relnamespace
ORDER BY 1, 2
