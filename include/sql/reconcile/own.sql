-- Goes before each file of objects/: the schemas that are the agency's own, and what belongs to an extension.
WITH own AS (
    SELECT oid AS schema_oid, nspname AS schema
      FROM pg_namespace
     WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' AND NOT nspname = ANY(%(excluded)s)
), member AS (
    SELECT classid, objid FROM pg_depend WHERE deptype = 'e'
)
