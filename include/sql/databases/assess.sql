-- What stands in the way of copying this database: (id, severity, where, values). Asked by the migration's own login,
-- so that what it cannot see or read is found before the night of the move. The words are in locales/*/readiness.yaml.
WITH schemas AS (
    SELECT oid, nspname FROM pg_namespace
    WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'namrong')
), tables AS (
    SELECT c.*, format('%%s.%%s', s.nspname, c.relname) AS place, s.nspname
    FROM pg_class c JOIN schemas s ON s.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S')
      AND NOT EXISTS (SELECT FROM pg_depend d
                      WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
), large AS (
    SELECT m.oid,
           pg_has_role(current_user, m.lomowner, 'USAGE') OR current_setting('lo_compat_privileges')::boolean
           OR EXISTS (SELECT FROM aclexplode(m.lomacl) AS a
                      WHERE a.privilege_type = 'SELECT'
                        AND (a.grantee = 0 OR pg_has_role(current_user, a.grantee, 'USAGE'))) AS readable
    FROM pg_largeobject_metadata m
), service AS (
    SELECT oid FROM pg_roles WHERE rolname = %(role)s
), writers AS (
    SELECT r.rolname, array_agg(DISTINCT t.place ORDER BY t.place) AS places
    FROM tables t CROSS JOIN LATERAL aclexplode(t.relacl) AS a JOIN pg_roles r ON r.oid = a.grantee
    WHERE a.grantee <> t.relowner AND r.rolname <> %(role)s AND t.relkind <> 'S'
      AND a.privilege_type IN ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE')
    GROUP BY r.rolname
)
-- what the copy itself cannot carry
SELECT 'encoding_not_utf8' AS id, 'critical' AS severity, current_database()::text AS place,
       jsonb_build_object('encoding', current_setting('server_encoding')) AS said
WHERE current_setting('server_encoding') <> 'UTF8'
UNION ALL
SELECT 'target_too_old', 'critical', current_database(),
       jsonb_build_object('source', current_setting('server_version_num')::int / 10000, 'target', %(major)s::int)
WHERE current_setting('server_version_num')::int / 10000 > %(major)s::int
UNION ALL
SELECT 'extension_missing', 'critical', extname, jsonb_build_object('version', extversion)
FROM pg_extension WHERE extname <> ALL (%(extensions)s::text[])
UNION ALL
SELECT 'icu_missing', 'critical', current_database(), jsonb_build_object('locale', d.j ->> 'datlocale')
FROM (SELECT to_jsonb(x) AS j FROM pg_database x WHERE datname = current_database()) AS d
WHERE d.j ->> 'datlocprovider' = 'i' AND NOT %(icu)s
UNION ALL
SELECT 'icu_missing', 'critical', format('%%s.%%s', t.place, a.attname), jsonb_build_object('locale', k.collname)
FROM tables t JOIN pg_attribute a ON a.attrelid = t.oid JOIN pg_collation k ON k.oid = a.attcollation
WHERE k.collprovider = 'i' AND NOT a.attisdropped AND NOT %(icu)s
UNION ALL
SELECT 'order_of_the_system', 'warning', current_database(), jsonb_build_object('locale', datcollate)
FROM pg_database
WHERE datname = current_database() AND coalesce(to_jsonb(pg_database) ->> 'datlocprovider', 'c') = 'c'
  AND lower(replace(datcollate, '-', '')) NOT IN ('c', 'posix', 'c.utf8')
UNION ALL
SELECT 'event_trigger', 'critical', evtname, jsonb_build_object('event', evtevent)
FROM pg_event_trigger e
WHERE NOT EXISTS (SELECT FROM pg_depend d
                  WHERE d.classid = 'pg_event_trigger'::regclass AND d.objid = e.oid AND d.deptype = 'e')
UNION ALL
SELECT 'function_in_c', 'critical', p.oid::regprocedure::text, jsonb_build_object('written_in', l.lanname)
FROM pg_proc p JOIN schemas s ON s.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
WHERE NOT l.lanpltrusted AND l.lanname <> 'sql' AND p.prokind <> 'a'
  AND NOT EXISTS (SELECT FROM pg_depend d  -- an extension's, or made by PostgreSQL for a range type
                  WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype IN ('e', 'i'))
UNION ALL
SELECT 'rows_elsewhere', 'warning', place, '{}' FROM tables WHERE relkind = 'f'
UNION ALL
SELECT 'publication', 'info', pubname, '{}' FROM pg_publication
-- what the login cannot read or take
UNION ALL
SELECT 'table_unreadable', 'critical', place, jsonb_build_object('login', current_user)
FROM tables
WHERE relkind IN ('r', 'p', 'S')
  AND NOT (has_schema_privilege(relnamespace, 'USAGE') AND has_table_privilege(oid, 'SELECT'))
UNION ALL
SELECT 'rows_hidden_by_policy', 'critical', place, jsonb_build_object('login', current_user)
FROM tables WHERE relkind IN ('r', 'p') AND row_security_active(oid)
UNION ALL
SELECT 'not_owner', 'critical', place, jsonb_build_object('login', current_user, 'owner', pg_get_userbyid(relowner))
FROM tables WHERE %(role)s::text IS NOT NULL AND NOT pg_has_role(current_user, relowner, 'USAGE')
UNION ALL
SELECT 'cannot_keep_notes', 'critical', current_database(), jsonb_build_object('login', current_user)
WHERE %(role)s::text IS NOT NULL AND NOT has_database_privilege(current_database(), 'CREATE')
UNION ALL
SELECT 'large_object_unreadable', 'critical', 'large object ' || min(oid),
       jsonb_build_object('count', count(*), 'login', current_user)
FROM large WHERE NOT readable HAVING count(*) > 0
UNION ALL
SELECT 'prepared_transaction', 'critical', gid, jsonb_build_object('owner', owner, 'since', prepared::text)
FROM pg_prepared_xacts WHERE database = current_database()
UNION ALL
SELECT 'few_connections', 'warning', current_database(),
       jsonb_build_object('free', free.n, 'needed', %(connections)s::int)
FROM (SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
             - (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend')::int AS n) AS free
WHERE free.n < %(connections)s::int
UNION ALL
SELECT 'few_connections', 'warning', current_user::text,
       jsonb_build_object('free', rolconnlimit, 'needed', %(connections)s::int)
FROM pg_roles WHERE rolname = current_user AND rolconnlimit >= 0 AND rolconnlimit < %(connections)s::int
-- what a freeze could not hold
UNION ALL
SELECT 'service_role_absent', 'critical', %(role)s::text, '{}'
WHERE %(role)s::text IS NOT NULL AND NOT EXISTS (SELECT FROM service)
UNION ALL
SELECT 'other_writer', 'critical', rolname, jsonb_build_object('count', cardinality(places), 'first', places[1])
FROM writers
WHERE NOT EXISTS (SELECT FROM service WHERE pg_has_role(service.oid, writers.rolname, 'MEMBER'))
UNION ALL
SELECT DISTINCT 'other_reader', 'warning', r.rolname::text, '{}'::jsonb
FROM tables t CROSS JOIN LATERAL aclexplode(t.relacl) AS a JOIN pg_roles r ON r.oid = a.grantee
WHERE a.grantee <> t.relowner AND r.rolname <> %(role)s AND r.rolname NOT IN (SELECT rolname FROM writers)
-- what is good to know
UNION ALL
SELECT 'table_without_key', 'warning', place, jsonb_build_object('rows', greatest(reltuples, 0)::bigint)
FROM tables t
WHERE relkind IN ('r', 'p') AND NOT relispartition
  AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = t.oid AND k.contype = 'p')
UNION ALL
SELECT 'unlogged_table', 'warning', place, '{}' FROM tables WHERE relpersistence = 'u' AND relkind = 'r'
UNION ALL
SELECT 'numeric_without_precision', 'info', format('%%s.%%s', t.place, a.attname), '{}'
FROM tables t JOIN pg_attribute a ON a.attrelid = t.oid
WHERE t.relkind IN ('r', 'p') AND NOT t.relispartition AND a.attnum > 0 AND NOT a.attisdropped
  AND a.atttypid = 'numeric'::regtype AND a.atttypmod = -1
UNION ALL
SELECT 'large_objects', 'info', current_database(), jsonb_build_object('count', count(*))
FROM large HAVING count(*) > 0
ORDER BY 1, 3
