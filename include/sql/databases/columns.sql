-- How one table travels: its columns (generated ones left out, identity ones included), and whether the binary form
-- means the same on both sides. It does not where object ids travel in it: arrays and composites of the agency's own
-- types, reg* names, types that extensions bring; nor where a type has none.
WITH RECURSIVE mine AS (
    SELECT a.attname, a.attnum, a.atttypid
    FROM pg_attribute a
    WHERE a.attrelid = format('%%I.%%I', %(schema)s::text, %(table)s::text)::regclass
      AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
), types AS (
    SELECT atttypid AS oid FROM mine
    UNION
    SELECT inner_type.oid
    FROM types
    JOIN pg_type t ON t.oid = types.oid
    LEFT JOIN pg_range r ON r.rngtypid = t.oid OR r.rngmultitypid = t.oid
    CROSS JOIN LATERAL (VALUES (nullif(t.typbasetype, 0)), (nullif(t.typelem, 0)), (r.rngsubtype)) AS inner_type (oid)
    WHERE inner_type.oid IS NOT NULL
)
SELECT (SELECT array_agg(attname::text ORDER BY attnum) FROM mine),
       NOT EXISTS (
           SELECT FROM types
           JOIN pg_type t ON t.oid = types.oid
           WHERE t.typsend = 0::regproc
              OR t.typtype = 'c'
              OR t.typname LIKE 'reg%%' AND t.typnamespace = 'pg_catalog'::regnamespace
              OR t.oid >= 16384 AND (t.typtype NOT IN ('e', 'd', 'r', 'm') OR t.typelem <> 0)
       )
