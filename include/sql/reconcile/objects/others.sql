-- Rarer kinds, by name only: collations, conversions, casts, operators and their classes and families, text search,
-- transforms, languages, foreign-data wrappers and servers.
SELECT i.type || ' ' || i.identity, '{}'::jsonb
  FROM (SELECT tableoid AS class, oid AS object FROM pg_collation
        UNION ALL SELECT tableoid, oid FROM pg_conversion
        UNION ALL SELECT tableoid, oid FROM pg_cast
        UNION ALL SELECT tableoid, oid FROM pg_operator
        UNION ALL SELECT tableoid, oid FROM pg_opclass
        UNION ALL SELECT tableoid, oid FROM pg_opfamily
        UNION ALL SELECT tableoid, oid FROM pg_ts_config
        UNION ALL SELECT tableoid, oid FROM pg_ts_dict
        UNION ALL SELECT tableoid, oid FROM pg_ts_parser
        UNION ALL SELECT tableoid, oid FROM pg_ts_template
        UNION ALL SELECT tableoid, oid FROM pg_transform
        UNION ALL SELECT tableoid, oid FROM pg_language
        UNION ALL SELECT tableoid, oid FROM pg_foreign_data_wrapper
        UNION ALL SELECT tableoid, oid FROM pg_foreign_server) AS every
 CROSS JOIN LATERAL pg_identify_object(class, object, 0) AS i
 WHERE object >= 16384 -- FirstNormalObjectId: not made by initdb
   AND (i.schema IS NULL OR i.schema IN (SELECT schema FROM own))
   AND (class, object) NOT IN (SELECT classid, objid FROM member)
