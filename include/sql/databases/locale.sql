-- Encoding and collation of this database. Column names changed over the versions (daticulocale, datlocale), so the
-- row is read as JSON and the name picked there.
SELECT pg_encoding_to_char((d ->> 'encoding')::int),
       CASE coalesce(d ->> 'datlocprovider', 'c') WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' ELSE 'libc' END,
       d ->> 'datcollate',
       d ->> 'datctype',
       coalesce(d ->> 'datlocale', d ->> 'daticulocale'),
       d ->> 'daticurules'
FROM (SELECT to_jsonb(x) AS d FROM pg_database x WHERE datname = current_database()) AS one
