-- Who holds a lock for writing on the agency's own tables now: (pid, role, since). A prepared transaction has no
-- process (pid 0) and stays until somebody commits or rolls it back.
SELECT DISTINCT l.pid, a.usename::text, a.xact_start
FROM pg_locks l
JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'relation' AND l.granted AND l.pid <> pg_backend_pid()
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND l.relation >= 16384
  AND l.mode IN ('RowExclusiveLock', 'ShareUpdateExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock',
                 'AccessExclusiveLock')
UNION ALL
SELECT 0, owner::text, prepared FROM pg_prepared_xacts WHERE database = current_database()
ORDER BY 1, 2
