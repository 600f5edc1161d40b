-- Every object of the agency's own by its portable identity, with the state that a copy can get wrong.
-- Left out: the catalogue, our own schema, what belongs to an extension, what a managed server cannot hold
-- (event triggers, publications, subscriptions), and owners and privileges, which are mapped elsewhere.
WITH schemas AS (
    SELECT oid FROM pg_namespace
    WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'namrong')
), objects (catalogue, object, part, state) AS (
    SELECT 'pg_namespace'::regclass, oid, 0, '' FROM schemas
    UNION ALL
    SELECT 'pg_class'::regclass, c.oid, 0,
           concat_ws(' ', c.relkind, c.relpersistence, CASE WHEN c.relrowsecurity THEN 'row security' END,
                     CASE WHEN c.relforcerowsecurity THEN 'forced' END, 'identity ' || c.relreplident::text,
                     CASE WHEN c.relkind = 'm' AND NOT c.relispopulated THEN 'not populated' END,
                     CASE WHEN NOT i.indisvalid THEN 'invalid' END, CASE WHEN i.indisclustered THEN 'clustered' END,
                     pg_get_indexdef(i.indexrelid), c.reloptions::text)
    FROM pg_class c LEFT JOIN pg_index i ON i.indexrelid = c.oid
    WHERE c.relnamespace IN (SELECT oid FROM schemas) AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f', 'i', 'I', 'c')
    UNION ALL
    SELECT 'pg_class'::regclass, a.attrelid, a.attnum,
           concat_ws(' ', format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN 'not null' END,
                     'identity ' || nullif(a.attidentity::text, ''), 'generated ' || nullif(a.attgenerated::text, ''),
                     pg_get_expr(d.adbin, d.adrelid), 'statistics ' || nullif(a.attstattarget, -1)::text,
                     (SELECT collname FROM pg_collation k
                      WHERE k.oid = a.attcollation AND k.collname <> 'default'), 'storage ' || a.attstorage::text)
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE c.relnamespace IN (SELECT oid FROM schemas) AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c')
      AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT 'pg_constraint'::regclass, oid, 0, concat_ws(' ', pg_get_constraintdef(oid), convalidated)
    FROM pg_constraint WHERE connamespace IN (SELECT oid FROM schemas)
    UNION ALL
    SELECT 'pg_trigger'::regclass, t.oid, 0, concat_ws(' ', pg_get_triggerdef(t.oid), t.tgenabled)
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
    WHERE c.relnamespace IN (SELECT oid FROM schemas) AND NOT t.tgisinternal
    UNION ALL
    SELECT 'pg_rewrite'::regclass, r.oid, 0, concat_ws(' ', pg_get_ruledef(r.oid), r.ev_enabled)
    FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
    WHERE c.relnamespace IN (SELECT oid FROM schemas)
    UNION ALL
    SELECT 'pg_policy'::regclass, p.oid, 0,
           concat_ws(' ', p.polcmd, p.polpermissive,
                     (SELECT string_agg(rolname, ',' ORDER BY rolname) FROM pg_roles WHERE oid = ANY (p.polroles)), pg_get_expr(p.polqual, p.polrelid),
                     pg_get_expr(p.polwithcheck, p.polrelid))
    FROM pg_policy p
    UNION ALL
    SELECT 'pg_proc'::regclass, p.oid, 0,
           CASE WHEN p.prokind IN ('f', 'p', 'w') THEN md5(pg_get_functiondef(p.oid)) ELSE p.prokind::text END
    FROM pg_proc p WHERE p.pronamespace IN (SELECT oid FROM schemas)
    UNION ALL
    SELECT 'pg_type'::regclass, t.oid, 0,
           concat_ws(' ', t.typtype, t.typnotnull, t.typdefault, format_type(nullif(t.typbasetype, 0), t.typtypmod),
                     (SELECT string_agg(quote_literal(enumlabel), ',' ORDER BY enumsortorder)
                      FROM pg_enum WHERE enumtypid = t.oid))
    FROM pg_type t WHERE t.typnamespace IN (SELECT oid FROM schemas) AND t.typelem = 0
    UNION ALL
    SELECT 'pg_statistic_ext'::regclass, oid, 0, pg_get_statisticsobjdef(oid)
    FROM pg_statistic_ext WHERE stxnamespace IN (SELECT oid FROM schemas)
    UNION ALL
    SELECT 'pg_collation'::regclass, oid, 0, collprovider::text FROM pg_collation
    WHERE collnamespace IN (SELECT oid FROM schemas)
    UNION ALL
    SELECT 'pg_operator'::regclass, oid, 0, '' FROM pg_operator WHERE oprnamespace IN (SELECT oid FROM schemas)
    UNION ALL
    SELECT 'pg_opclass'::regclass, oid, 0, '' FROM pg_opclass WHERE opcnamespace IN (SELECT oid FROM schemas)
    UNION ALL
    SELECT 'pg_opfamily'::regclass, oid, 0, '' FROM pg_opfamily WHERE opfnamespace IN (SELECT oid FROM schemas)
    UNION ALL
    SELECT 'pg_ts_config'::regclass, oid, 0, '' FROM pg_ts_config WHERE cfgnamespace IN (SELECT oid FROM schemas)
    UNION ALL
    SELECT 'pg_ts_dict'::regclass, oid, 0, coalesce(dictinitoption, '') FROM pg_ts_dict
    WHERE dictnamespace IN (SELECT oid FROM schemas)
    UNION ALL
    SELECT 'pg_cast'::regclass, oid, 0, castcontext::text FROM pg_cast WHERE oid >= 16384
    UNION ALL
    SELECT 'pg_extension'::regclass, oid, 0, '' FROM pg_extension
), own AS (
    SELECT * FROM objects o
    WHERE NOT EXISTS (SELECT FROM pg_depend d
                      WHERE d.classid = o.catalogue AND d.objid = o.object AND d.deptype = 'e')
)
SELECT i.type || ' ' || i.identity,
       concat_ws(' ', own.state, 'comment ' || md5(CASE WHEN own.part = 0 THEN obj_description(own.object, own.catalogue::text)
                                                        ELSE col_description(own.object, own.part) END))
FROM own CROSS JOIN LATERAL pg_identify_object(own.catalogue, own.object, own.part) AS i
WHERE i.identity IS NOT NULL
