-- What ALTER DATABASE … SET and ALTER ROLE … IN DATABASE … SET left behind, and how text is stored and sorted.
-- A database made read-only for a freeze is the freeze's business.
SELECT 'database', jsonb_build_object(
           'encoding', pg_encoding_to_char(d.encoding), 'collate', d.datcollate, 'ctype', d.datctype,
           'locale', to_jsonb(d) -> 'datlocale', 'provider', d.datlocprovider::text, 'icu_rules', to_jsonb(d) -> 'daticurules')
  FROM pg_database d WHERE d.datname = current_database()
UNION ALL
SELECT format('%%s for %%s', split_part(setting, '=', 1),
              CASE s.setrole WHEN 0 THEN 'everybody' ELSE pg_get_userbyid(s.setrole)::text END),
       jsonb_build_object('value', substr(setting, strpos(setting, '=') + 1))
  FROM pg_db_role_setting s
  JOIN pg_database d ON d.oid = s.setdatabase AND d.datname = current_database()
 CROSS JOIN LATERAL unnest(s.setconfig) AS setting
 WHERE split_part(setting, '=', 1) <> 'default_transaction_read_only'
