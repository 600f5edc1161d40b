CREATE FUNCTION pg_temp.licence_number(n bigint) RETURNS text LANGUAGE sql IMMUTABLE
RETURN 'L-' || 2566 + n % 4 || '-' || lpad(n::text, 7, '0');

INSERT INTO province SELECT code, name_th FROM pg_temp.real_province;
INSERT INTO licence_type SELECT 'T' || lpad(n::text, 2, '0'), 'ใบอนุญาตประเภทที่ ' || pg_temp.thai_digits(n::text), ROW(n * 100, n * 7)::money_thb, make_interval(years => 1 + n % 5, days => n % 3)
FROM generate_series(1, 40) AS n;
INSERT INTO applicant
SELECT pg_temp.uuid_of(n, 10), pg_temp.citizen_id(n, 11), pg_temp.pick(pg_temp.given_names(), n, 14) || ' ' || pg_temp.pick(pg_temp.family_names(), n, 15),
    CASE WHEN n % 4 = 0 THEN 'J' ELSE 'N' END::"char", jsonb_build_object('โทร', NULL, 'อีเมล', 'a' || n || '@licensing.p07.agency.example'), pg_temp.day_of(n, 16)
FROM generate_series(1, pg_temp.many(18000)) AS n;
INSERT INTO application (id, applicant, type, province, state, submitted, decided, form) OVERRIDING SYSTEM VALUE
SELECT n, pg_temp.uuid_of(1 + n * 7919 % pg_temp.many(18000), 10), 'T' || lpad((1 + n % 40)::text, 2, '0'), p.codes[1 + n % 77], state,
    CASE WHEN state > 'draft' THEN pg_temp.moment(n, 20) END, CASE WHEN state IN ('granted', 'refused') THEN pg_temp.moment(n, 20) + n % 60 * interval '1 day' END,
    jsonb_build_object('พื้นที่', n % 900 / 4.0, 'แบบ', n % 7)
FROM (SELECT n, (ARRAY['granted', 'granted', 'granted', 'refused', 'paid', 'inspected', 'submitted', 'draft']::application_state[])[1 + n % 8] AS state
      FROM generate_series(1, pg_temp.many(36000)) AS n) AS numbered
CROSS JOIN (SELECT array_agg(code ORDER BY code) AS codes FROM province) AS p;
SELECT setval(pg_get_serial_sequence('application', 'id'), max(id) + 250) FROM application;
INSERT INTO payment SELECT n, n, n % 40 * 100, n % 40 * 7, pg_temp.moment(n, 30), 'R' || 1000000 + n FROM generate_series(1, pg_temp.many(30000)) AS n;
SELECT setval('receipt_number', 1000000 + pg_temp.many(30000) + 77);
-- Whoever was granted one: final, and signed. Nothing may bring such a row in again, or change it.
INSERT INTO licence SELECT pg_temp.licence_number(id), id, applicant, daterange(decided::date, decided::date + 365), id % 16 <> 1, sha256(convert_to('final/' || id, 'UTF8'))
FROM application WHERE state = 'granted';
-- Granted, taken back, granted again: a step that undoes another one.
INSERT INTO history SELECT n, k, (CASE k WHEN 1 THEN 'submitted' WHEN 2 THEN 'granted' ELSE 'refused' END)::application_state, pg_temp.moment(n, 40) + k * interval '1 day', CASE k WHEN 3 THEN 2 END
FROM generate_series(1, pg_temp.many(30000)) AS n CROSS JOIN generate_series(1, 3) AS k WHERE k < 3 OR n % 4 = 0;
INSERT INTO revocation SELECT number, timestamptz '2026-03-01 10:00+07' + application * interval '1 minute', 'ผิดเงื่อนไข', CASE WHEN application % 3 = 0 THEN timestamptz '2026-06-01 10:00+07' END
FROM licence WHERE application % 10 < 2;
INSERT INTO archive.licence_2565 SELECT 'L-2565-' || lpad(n::text, 7, '0'), pg_temp.pick(pg_temp.given_names(), n, 50), CASE n % 3 WHEN 0 THEN 'empty' ELSE daterange('2021-10-01', NULL) END::daterange
FROM generate_series(1, pg_temp.many(18000)) AS n;
INSERT INTO outbox (topic, body, at) SELECT 'licence', jsonb_build_object('n', n), pg_temp.moment(n, 60) FROM generate_series(1, pg_temp.many(6000)) AS n;
