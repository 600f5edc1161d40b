-- What of this database cannot be followed, or only at a price: (id, severity, where, values).
-- `full` says that tables without a key may be told row by whole row (REPLICA IDENTITY FULL).
WITH schemas AS (
    SELECT oid, nspname FROM pg_namespace
    WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'namrong')
), tables AS (
    SELECT c.*, s.nspname, format('%%s.%%s', s.nspname, c.relname) AS place
    FROM pg_class c JOIN schemas s ON s.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'm')
      AND NOT EXISTS (SELECT FROM pg_depend d
                      WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
), own AS (
    -- How an update or a delete names its row. A deferrable key or an invalid index names none. `by` is the index.
    SELECT t.*, t.relreplident = 'f' AS in_full,
           (SELECT i.indexrelid FROM pg_index i WHERE i.indrelid = t.oid AND i.indisvalid AND i.indimmediate
            AND CASE t.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident END) AS by
    FROM tables t
    WHERE t.relpersistence = 'p' AND (t.relkind = 'r' OR t.relkind = 'p' AND NOT t.relispartition)
), told AS (
    -- A partition's changes are told of as its root's. One that logs another key than the root's (without the column
    -- that it is partitioned by, say) leaves the subscriber with a delete that it cannot route: there it stops.
    SELECT o.*, CASE WHEN o.in_full THEN true
                     WHEN o.relispartition THEN coalesce(pg_partition_root(o.by) = r.by, false)
                     ELSE o.by IS NOT NULL END AS named
    FROM own o LEFT JOIN own r ON o.relispartition AND r.oid = pg_partition_root(o.oid)
), columns AS (
    -- The type that is compared: a domain's own, an array's element's.
    SELECT t.place, a.attname, coalesce(nullif(b.typelem, 0), b.oid) AS compared
    FROM told t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_type y ON y.oid = a.atttypid JOIN pg_type b ON b.oid = coalesce(nullif(y.typbasetype, 0), y.oid)
    WHERE t.relkind = 'r' AND (t.in_full OR NOT t.named AND %(full)s::boolean)
)
SELECT 'follow_no_identity' AS id, 'critical' AS severity, place,
       jsonb_build_object('rows', greatest(reltuples, 0)::bigint, 'schema', nspname, 'table', relname)
FROM told WHERE NOT named AND NOT %(full)s::boolean
UNION ALL
SELECT 'follow_identity_full', 'warning', place, jsonb_build_object('rows', greatest(reltuples, 0)::bigint)
FROM told WHERE relkind = 'r' AND (in_full OR NOT named AND %(full)s::boolean)
UNION ALL
SELECT 'follow_not_comparable', 'critical', c.place, jsonb_build_object('column', c.attname, 'type', format_type(c.compared, NULL))
FROM columns c JOIN pg_type y ON y.oid = c.compared
WHERE y.typtype NOT IN ('c', 'd', 'e', 'm', 'r') AND NOT EXISTS (
    SELECT FROM pg_opclass o JOIN pg_am m ON m.oid = o.opcmethod AND m.amname IN ('btree', 'hash')
    WHERE o.opcdefault AND (o.opcintype = c.compared OR EXISTS (
        SELECT FROM pg_cast k WHERE k.castsource = c.compared AND k.casttarget = o.opcintype AND k.castmethod = 'b')))
UNION ALL
SELECT 'follow_unlogged', 'critical', place, '{}' FROM tables WHERE relkind = 'r' AND relpersistence = 'u'
UNION ALL
SELECT 'follow_large_objects', 'critical', current_database()::text, jsonb_build_object('count', count(*))
FROM pg_largeobject_metadata HAVING count(*) > 0
UNION ALL
SELECT 'follow_materialized_view', 'warning', place, '{}' FROM tables WHERE relkind = 'm'
UNION ALL
SELECT 'follow_trigger_always', 'critical', t.place, jsonb_build_object('trigger', g.tgname)
FROM tables t JOIN pg_trigger g ON g.tgrelid = t.oid WHERE NOT g.tgisinternal AND g.tgenabled IN ('A', 'R')
UNION ALL
SELECT 'follow_policy_forced', 'critical', place, '{}' FROM tables WHERE relrowsecurity AND relforcerowsecurity
ORDER BY 1, 3
