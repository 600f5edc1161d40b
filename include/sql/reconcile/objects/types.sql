-- Enums (labels in order), domains, composites, ranges and base types; tables' row types and arrays come by themselves.
SELECT format('%%s.%%s', schema, t.typname), jsonb_build_object(
           'kind', t.typtype::text, 'owner', pg_get_userbyid(t.typowner),
           'labels', (SELECT jsonb_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid),
           'domain', CASE WHEN t.typtype = 'd' THEN jsonb_build_array(
                         format_type(t.typbasetype, t.typtypmod), t.typnotnull, t.typdefault,
                         nullif(t.typcollation, 0)::regcollation) END,
           'attributes', (SELECT jsonb_agg(jsonb_build_array(a.attname, format_type(a.atttypid, a.atttypmod),
                                                             nullif(a.attcollation, 0)::regcollation) ORDER BY a.attnum)
                            FROM pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped),
           'range', (SELECT jsonb_build_array(format_type(r.rngsubtype, NULL), format_type(r.rngmultitypid, NULL),
                                              o.opcname, nullif(r.rngcollation, 0)::regcollation,
                                              r.rngcanonical::text, r.rngsubdiff::text)
                       FROM pg_range r JOIN pg_opclass o ON o.oid = r.rngsubopc WHERE r.rngtypid = t.oid),
           'input', CASE WHEN t.typtype = 'b' THEN t.typinput::text END)
  FROM pg_type t
  JOIN own ON schema_oid = t.typnamespace
  LEFT JOIN pg_class c ON c.oid = t.typrelid
 WHERE (c.oid IS NULL OR c.relkind = 'c') AND t.typcategory <> 'A' AND t.typtype <> 'm'
   AND (t.tableoid, t.oid) NOT IN (SELECT classid, objid FROM member)
