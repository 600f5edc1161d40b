-- By name and place; versions may differ where the target's server offers another one.
SELECT e.extname, jsonb_build_object('schema', n.nspname)
  FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
