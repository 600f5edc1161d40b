-- What of following still stands in this database whose name begins so.
SELECT 'slot ' || slot_name FROM pg_replication_slots
WHERE database = current_database() AND strpos(slot_name, %(beginning)s) = 1
UNION ALL
SELECT 'publication ' || pubname FROM pg_publication WHERE strpos(pubname, %(beginning)s) = 1
UNION ALL
SELECT 'subscription ' || subname FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid
WHERE d.datname = current_database() AND strpos(subname, %(beginning)s) = 1
ORDER BY 1
