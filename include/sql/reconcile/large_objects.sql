-- A batch of large objects: size, and SHA-256 over the SHA-256 of each MiB, so that none has to fit into one value.
-- 262144 is INV_READ, 2 is SEEK_END (PostgreSQL, chapter 33.3).
WITH sized AS MATERIALIZED (
    SELECT oid, lomowner, lomacl, lo_lseek64(lo_open(oid, 262144), 0, 2) AS size
      FROM (SELECT oid, lomowner, lomacl FROM pg_largeobject_metadata
             WHERE oid > %(after)s::bigint::oid ORDER BY oid LIMIT %(limit)s) AS batch
)
SELECT oid::bigint, size,
       (SELECT encode(sha256(string_agg(sha256(lo_get(oid, part * 1048576, 1048576)), ''::bytea ORDER BY part)), 'hex')
          FROM generate_series(0, greatest(size - 1, 0) / 1048576) AS part),
       obj_description(oid, 'pg_largeobject'),
       (SELECT json_agg(json_build_array(CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(x.grantee) END,
                                         x.privilege_type))
          FROM aclexplode(lomacl) AS x WHERE x.grantee <> lomowner)
  FROM sized
 ORDER BY oid
