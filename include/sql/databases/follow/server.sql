-- What a server and a login lack for publishing this database and for subscribing to another: (id, severity, where,
-- values). Both sides do both, one after the other. Settings that this version does not know count as harmless.
WITH setting AS (
    SELECT name, current_setting(name) AS said FROM pg_settings
), number AS (
    SELECT name, setting::bigint AS n FROM pg_settings WHERE vartype = 'integer'
), me AS (
    SELECT r.*, current_setting('server_version_num')::int / 10000 AS major,
           current_setting('server_version_num')::int AS version,
           EXISTS (SELECT FROM pg_roles g WHERE g.rolname = 'rds_replication' AND pg_has_role(r.oid, g.oid, 'USAGE')) AS rds,
           EXISTS (SELECT FROM pg_roles g WHERE g.rolname IN ('pg_create_subscription', 'rds_superuser')
                   AND pg_has_role(r.oid, g.oid, 'USAGE')) AS subscriber
    FROM pg_roles r WHERE r.rolname = current_user
), free (id, n, needed) AS (
    -- one for the feed that begins here, one through which the verifier reads what changed; those are ours already
    SELECT 'follow_no_slot_free', (SELECT n FROM number WHERE name = 'max_replication_slots')
                                  - (SELECT count(*) FROM pg_replication_slots
                                     WHERE NOT (coalesce(database, '') = current_database()
                                                AND starts_with(slot_name::text, 'namrong_'))), 2
    UNION ALL
    SELECT 'follow_no_sender_free', (SELECT n FROM number WHERE name = 'max_wal_senders')
                                    - (SELECT count(*) FROM pg_stat_replication), 1
    UNION ALL
    SELECT 'follow_no_worker_free', (SELECT n FROM number WHERE name = 'max_logical_replication_workers')
                                    - (SELECT count(pid) FROM pg_stat_subscription), 1
    UNION ALL  -- until version 17 the slots' number bounds the origins too
    SELECT 'follow_no_origin_free', coalesce((SELECT n FROM number WHERE name = 'max_active_replication_origins'),
                                             (SELECT n FROM number WHERE name = 'max_replication_slots'))
                                    - (SELECT count(*) FROM pg_replication_origin), 1
)
SELECT 'follow_wal_level' AS id, 'critical' AS severity, current_database()::text AS place, jsonb_build_object('level', said) AS values
FROM setting WHERE name = 'wal_level' AND said <> 'logical'
UNION ALL
SELECT id, 'critical', current_database(), jsonb_build_object('free', n, 'needed', needed) FROM free WHERE n < needed
UNION ALL
SELECT 'follow_keeps_little', 'warning', current_database(), jsonb_build_object('megabytes', n)
FROM number WHERE name = 'max_slot_wal_keep_size' AND n >= 0
UNION ALL
SELECT 'follow_idle_slot_ends', 'critical', current_database(), jsonb_build_object('limit', said)
FROM setting s WHERE name = 'idle_replication_slot_timeout' AND said !~ '^0'
UNION ALL
SELECT 'follow_may_not_replicate', 'critical', current_database(), jsonb_build_object('login', rolname)
FROM me WHERE NOT (rolreplication OR rolsuper OR rds)
UNION ALL
SELECT 'follow_may_not_publish', 'critical', current_database(), jsonb_build_object('login', rolname)
FROM me WHERE NOT has_database_privilege(current_database(), 'CREATE')
UNION ALL
SELECT 'follow_may_not_subscribe', 'critical', current_database(), jsonb_build_object('login', rolname, 'version', major)
FROM me WHERE NOT (rolsuper OR subscriber)
UNION ALL
SELECT 'follow_no_origins', 'warning', current_database(), jsonb_build_object('version', major) FROM me WHERE major < 16
UNION ALL
SELECT 'follow_cannot_act_as_owner', 'critical', pg_get_userbyid(c.relowner)::text,
       jsonb_build_object('login', min(me.rolname), 'first', min(c.oid::regclass::text))
FROM me, pg_class c JOIN pg_namespace s ON s.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND s.nspname !~ '^pg_' AND s.nspname NOT IN ('information_schema', 'namrong')
  AND NOT CASE WHEN me.version >= 160000 THEN pg_has_role(me.oid, c.relowner, 'SET')
               ELSE pg_has_role(me.oid, c.relowner, 'MEMBER') END
GROUP BY c.relowner
UNION ALL
SELECT 'follow_long_writer', 'warning', current_database(),
       jsonb_build_object('who', format('pid %s (%s, %s)', pid, coalesce(usename, backend_type), xact_start))
FROM pg_stat_activity WHERE backend_xid IS NOT NULL AND xact_start < clock_timestamp() - interval '1 minute'
UNION ALL
SELECT 'follow_prepared', 'critical', gid, jsonb_build_object('database', database, 'since', prepared::text)
FROM pg_prepared_xacts
ORDER BY 1, 3
