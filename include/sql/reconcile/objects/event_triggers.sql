SELECT e.evtname, jsonb_build_object(
           'event', e.evtevent, 'enabled', e.evtenabled::text, 'tags', to_jsonb(e.evttags), 'function', e.evtfoid::regproc::text)
  FROM pg_event_trigger e
  JOIN pg_proc p ON p.oid = e.evtfoid
  JOIN own ON schema_oid = p.pronamespace
 WHERE (e.tableoid, e.oid) NOT IN (SELECT classid, objid FROM member)
