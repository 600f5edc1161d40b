CREATE FUNCTION pg_temp.asset_no(n bigint) RETURNS text LANGUAGE sql IMMUTABLE
RETURN lpad((7000 + n % 60)::text, 4, '0') || '-' || lpad((n % 1000)::text, 3, '0') || '-' || lpad(n::text, 6, '0') || CASE WHEN n % 13 = 0 THEN '' ELSE 'ก' END;

INSERT INTO "Legacy"."AREA" SELECT s.code, p.name_th, d.name_th, s.name_th, s.postal_codes[1]
FROM pg_temp.real_subdistrict AS s JOIN pg_temp.real_district AS d ON d.code = s.district_code JOIN pg_temp.real_province AS p ON p.code = d.province_code ORDER BY s.code;

-- Every 250th asset was entered twice, to the byte.
INSERT INTO "Legacy"."ASSET_MASTER"
SELECT pg_temp.asset_no(n), pg_temp.pick(ARRAY['โต๊ะทำงาน', 'เก้าอี้', 'เครื่องคอมพิวเตอร์', 'รถยนต์ราชการ', 'เครื่องทำน้ำเย็น', 'เครื่องทำนํ้าเย็น', 'ตู้เอกสาร  '], n, 1) || ' ' || n,
    CASE n % 5 WHEN 0 THEN NULL WHEN 1 THEN '' ELSE 'Item ' || n END, CASE n % 700 WHEN 0 THEN NULL WHEN 1 THEN 'infinity' WHEN 2 THEN day + 198328 ELSE day END,
    to_char(day, 'DD/MM/') || (extract(year FROM day)::int + 543),
    CASE n % 30 WHEN 0 THEN 'NaN' WHEN 1 THEN NULL WHEN 2 THEN 100 WHEN 3 THEN 100.0 WHEN 4 THEN 100.00 WHEN 5 THEN 'Infinity' ELSE (pg_temp.dice(n, 2) % 100000000) / 64.0 END,
    CASE WHEN n % 3 > 0 THEN ROW((pg_temp.dice(n, 3) % 1000000) / 100.0, CASE WHEN n % 50 = 0 THEN 'US' ELSE 'THB' END)::"Legacy"."Money" END,
    (enum_range(NULL::"Legacy"."Condition"))[1 + pg_temp.dice(n, 4) % 5], lpad((100101 + pg_temp.dice(n, 5) % 860000)::text, 6, '0'), n % 9, (pg_temp.dice(n, 6) % 100000) / 3.0::real,
    CASE n % 4 WHEN 0 THEN NULL WHEN 1 THEN '{}' ELSE ARRAY['SN' || n, NULL, ''] END,
    CASE n % 7 WHEN 0 THEN NULL WHEN 1 THEN '' WHEN 2 THEN ' ' WHEN 3 THEN 'หมายเหตุ' || repeat(' ', (n % 4)::int) WHEN 4 THEN E'บรรทัด\r\nใหม่' ELSE 'ปกติ' END,
    day + pg_temp.office_time(n, 7), CASE n % 3 WHEN 0 THEN 'Y' WHEN 1 THEN 'N' ELSE '' END::"char", n
FROM (SELECT n, date '2000-01-01' + (pg_temp.dice(n, 8) % 9000)::int AS day FROM generate_series(1, pg_temp.many(48000)) AS n) AS days
CROSS JOIN LATERAL generate_series(1, CASE WHEN n % 250 = 0 THEN 2 ELSE 1 END) AS twice;
INSERT INTO "Legacy"."DEPRECIATION"
SELECT pg_temp.asset_no(n), 2560 + y, CASE WHEN n % 100 = 0 THEN 'NaN' ELSE (pg_temp.dice(n * 10 + y, 10) % 10000000) / 300.0 END,
    CASE n % 200 WHEN 0 THEN 'NaN' WHEN 1 THEN '-Infinity' WHEN 2 THEN 1e-310 ELSE (pg_temp.dice(n * 10 + y, 11) % 10000000) / 3.0 END, make_date(2017 + y, 9, 30) + time '23:59:59.999999'
FROM generate_series(1, pg_temp.many(40000)) AS n CROSS JOIN generate_series(1, 2) AS y;
INSERT INTO "Legacy"."DEPRECIATION" SELECT * FROM "Legacy"."DEPRECIATION" WHERE "ASSET_NO" LIKE '70__-0__%' AND "YEAR" = 2561;
INSERT INTO "Legacy"."MOVEMENT"
SELECT 100000 + 10 * (n / 3), CASE WHEN n % 500 = 0 THEN NULL ELSE n % 3 END, lpad((100101 + n % 860000)::text, 6, '0'), CASE WHEN n % 6 > 0 THEN lpad((100101 + n * 7 % 860000)::text, 6, '0') END,
    (pg_temp.day_of(n, 20) + pg_temp.office_time(n, 21)) AT TIME ZONE 'Asia/Bangkok', pg_temp.pick(pg_temp.given_names(), n, 22),
    make_interval(months => (n % 14)::int, days => (n % 31)::int - 15, secs => n % 86400), ((time '08:00' + (n % 400) * interval '1 minute')::text || CASE WHEN n % 2 = 0 THEN '+07' ELSE '+06:42:04' END)::timetz
FROM (SELECT n FROM generate_series(1, pg_temp.many(30000)) AS n) AS numbers;
SELECT setval('"Legacy"."DOC_NO_SEQ"', 100000 + 10 * pg_temp.many(30000) + 50000), setval('"Legacy"."Countdown"', 12), setval('"Legacy"."SMALL"', 32767);

INSERT INTO unit SELECT n, 'กองพัสดุที่ ' || pg_temp.thai_digits(n::text), 1 + pg_temp.dice(n, 30) % pg_temp.many(1200),
    ('10.109.' || n || '.7/20')::inet, ('10.109.' || n || '.0/24')::cidr, ('02:00:00:00:00:' || lpad(to_hex(n), 2, '0'))::macaddr FROM generate_series(1, 40) AS n;
INSERT INTO custodian SELECT n, pg_temp.citizen_id(n, 31), pg_temp.pick(pg_temp.given_names(), n, 34) || '  ' || pg_temp.pick(pg_temp.family_names(), n, 35), 1 + n % 40,
    CASE n % 3 WHEN 0 THEN NULL WHEN 1 THEN '' ELSE '02 000 ' || n END, CASE WHEN n % 80 = 0 THEN '-infinity' ELSE date '1980-01-01' + (n % 15000)::int END, CASE WHEN n % 4 = 0 THEN date '2025-09-30' ELSE 'infinity' END
FROM generate_series(1, pg_temp.many(1200)) AS n;
SELECT setval('custodian_id_seq', 900000);
INSERT INTO inspection SELECT n, 1 + n % 8, pg_temp.asset_no(1 + pg_temp.dice(n, 40) % pg_temp.many(48000)), CASE WHEN n % 60 > 0 THEN 1 + pg_temp.dice(n, 41) % pg_temp.many(1200) ELSE -n END,
    CASE n % 3 WHEN 0 THEN NULL ELSE n % 3 = 1 END, (pg_temp.day_of(n, 42) + pg_temp.office_time(n, 43)) AT TIME ZONE 'Asia/Bangkok',
    CASE n % 4 WHEN 0 THEN NULL WHEN 1 THEN 'null' WHEN 2 THEN '""' ELSE jsonb_build_object('สภาพ', n % 5, 'big', 12345678901234567890123, 'e', 1e-7) END,
    CASE WHEN n % 5 = 0 THEN ('[' || n || ' , 1.0,  "\u0e01", {"k":1,"k":2}]')::json END, CASE n % 10 WHEN 0 THEN '\x' WHEN 1 THEN NULL ELSE decode(repeat(md5(n::text), 1 + (n % 4)::int), 'hex') END
FROM generate_series(1, pg_temp.many(16000)) AS n;
SELECT setval('inspection_id_seq', max(id) + 1) FROM inspection;
-- Scanned title deeds as large objects; every 7th is empty, one is a megabyte and more.
INSERT INTO scan SELECT n, pg_temp.asset_no(n), page, lo_from_bytea((4000000 + n * 10 + page)::oid, body), sha256(body), length(body)
FROM generate_series(1, pg_temp.many(60)) AS n CROSS JOIN generate_series(1, 2) AS page
CROSS JOIN LATERAL (SELECT CASE WHEN n % 7 = 0 THEN '\x'::bytea ELSE decode(repeat(md5(n || '/' || page), CASE WHEN n = 1 THEN 80001 ELSE 100 + n::int * 3 END), 'hex') END AS body) AS bytes;
INSERT INTO loan (id, asset_no, during, token) OVERRIDING SYSTEM VALUE
SELECT 500 + 2 * n, pg_temp.asset_no(1 + n % 100), tstzrange(timestamptz '2025-01-01 00:00+07' + (n / 100) * interval '9 days', timestamptz '2025-01-06 00:00+07' + (n / 100) * interval '9 days'), CASE WHEN n % 4 > 0 THEN pg_temp.uuid_of(n, 50) END
FROM generate_series(1, pg_temp.many(1500)) AS n;
SELECT setval(pg_get_serial_sequence('loan', 'id'), max(id) + 20) FROM loan;

INSERT INTO calendar_note VALUES
    ('2024-02-29', '29 ก.พ. 2567', '2024-02-29 00:00', '2024-02-29 00:00+07', 'leap day in both calendars'),
    ('2568-02-29', '29 ก.พ. 2568', NULL, NULL, 'typed in the Buddhist Era: a leap day in year 2568 C.E., none in B.E. 2568'),
    ('1919-12-31', NULL, '1919-12-31 23:59', '1919-12-31 23:59 Asia/Bangkok', 'before 1920 Bangkok is +06:42:04'),
    ('0001-01-01', NULL, '0001-01-01 00:00', '0001-01-01 00:00+00', 'first day'), ('0044-03-15 BC', NULL, '0044-03-15 12:00 BC', NULL, 'before Christ'),
    ('9999-12-31', '31 ธ.ค. 10542', '9999-12-31 23:59:59.999999', '9999-12-31 23:59:59.999999+00', 'for ever, says the old program'),
    ('infinity', NULL, 'infinity', 'infinity', 'for ever'), ('-infinity', NULL, '-infinity', '-infinity', 'always'), (NULL, '', NULL, NULL, NULL);
INSERT INTO audit_trail (seq, at, what, who) SELECT n, (pg_temp.day_of(n, 60) + pg_temp.office_time(n, 61)) AT TIME ZONE 'Asia/Bangkok', 'แก้ไข ' || n, 'assets_app' FROM generate_series(1, pg_temp.many(700)) AS n;
SELECT setval('audit_trail_seq_seq', 5000000);
INSERT INTO "TEMP_IMPORT" SELECT 'แถว ' || n % 20, CASE WHEN n % 2 = 0 THEN NULL ELSE '' END, repeat(' ', (n % 5)::int) FROM generate_series(1, pg_temp.many(3000)) AS n;
INSERT INTO no_columns SELECT FROM generate_series(1, 3);
