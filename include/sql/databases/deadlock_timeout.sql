-- After how many milliseconds a waiting session looks whether it is in a deadlock: the least that anybody here goes by.
SELECT least(
    (SELECT setting::float8 FROM pg_settings WHERE name = 'deadlock_timeout'),
    (SELECT min(extract(epoch FROM (value || CASE WHEN value ~ '^[0-9]+$' THEN 'ms' ELSE '' END)::interval) * 1000)
     FROM pg_db_role_setting AS kept
     CROSS JOIN LATERAL unnest(kept.setconfig) AS said
     CROSS JOIN LATERAL split_part(said, '=', 2) AS value
     WHERE split_part(said, '=', 1) = 'deadlock_timeout'))
