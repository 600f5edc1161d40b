-- Settings made for the service's role (everywhere or in this database) and for this database as a whole:
-- (of the role?, name, value as SET wants it). A list of names, such as search_path, stays one; anything else is
-- quoted (DateStyle too: unquoted it would come out in lower case).
SELECT s.setrole <> 0, split_part(c.entry, '=', 1),
       CASE WHEN split_part(c.entry, '=', 1) IN ('search_path', 'temp_tablespaces', 'session_preload_libraries',
                                                 'local_preload_libraries')
            THEN nullif(substr(c.entry, strpos(c.entry, '=') + 1), '')
            ELSE quote_literal(substr(c.entry, strpos(c.entry, '=') + 1)) END
FROM pg_db_role_setting s
CROSS JOIN LATERAL unnest(s.setconfig) AS c (entry)
LEFT JOIN pg_roles r ON r.oid = s.setrole
WHERE (s.setrole = 0 OR r.rolname = %(role)s)
  AND s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
  AND NOT (s.setrole = 0 AND s.setdatabase = 0)
  AND split_part(c.entry, '=', 1) NOT IN ('default_transaction_read_only', 'session_preload_libraries')
ORDER BY s.setrole <> 0, s.setdatabase, 2
