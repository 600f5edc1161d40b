-- A range type's constructors come with the type.
SELECT format('%%s.%%s(%%s)', schema, p.proname, pg_get_function_identity_arguments(p.oid)), jsonb_build_object(
           'kind', p.prokind::text, 'owner', pg_get_userbyid(p.proowner),
           'definition', CASE WHEN p.prokind <> 'a' THEN pg_get_functiondef(p.oid) END,
           'aggregate', (SELECT jsonb_build_array(a.aggkind, a.aggtransfn::text, a.aggfinalfn::text, a.aggcombinefn::text,
                                                  format_type(a.aggtranstype, NULL), a.agginitval, a.aggsortop::regoperator)
                           FROM pg_aggregate a WHERE a.aggfnoid = p.oid))
  FROM pg_proc p JOIN own ON schema_oid = p.pronamespace
 WHERE (p.tableoid, p.oid) NOT IN (SELECT classid, objid FROM member)
   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'i')
