SELECT i.type || ' ' || i.identity, jsonb_build_object('comment', d.description)
  FROM pg_description d
 CROSS JOIN LATERAL pg_identify_object(d.classoid, d.objoid, d.objsubid) AS i
 WHERE d.objoid >= 16384 -- FirstNormalObjectId: what initdb made carries comments of its own
   AND d.classoid NOT IN ('pg_largeobject'::regclass, 'pg_extension'::regclass)
   AND (i.schema IS NULL OR i.schema IN (SELECT schema FROM own))
   AND NOT (d.classoid = 'pg_namespace'::regclass AND i.name = ANY(%(excluded)s))
   AND (d.classoid, d.objoid) NOT IN (SELECT classid, objid FROM member)
