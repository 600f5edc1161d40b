INSERT INTO province SELECT code, name_th, name_en FROM pg_temp.real_province;
INSERT INTO district SELECT code, name_th, name_en, province_code FROM pg_temp.real_district;
INSERT INTO subdistrict SELECT code, name_th, name_en, district_code, postal_codes FROM pg_temp.real_subdistrict;

INSERT INTO licence VALUES
    ('dga-open', '{"th": "สัญญาอนุญาตข้อมูลเปิดภาครัฐ (สมมติ)", "en": "Open Government Licence (fictional)"}', NULL),
    ('cc-by', '{"th": "แสดงที่มา", "en": "Attribution", "n": 1.00}', 'https://licence.example/by'), ('', '{}', '');
INSERT INTO stats.licence_period VALUES
    ('dga-open', '[2020-01-01,2024-01-01)'), ('dga-open', '[2024-01-01,)'), ('cc-by', '(,)'), ('', 'empty'), ('', 'empty');

INSERT INTO dataset (id, slug, title_th, title_en, current_version, licence, maintainer, coverage, metadata, dcat, keywords, created, updated)
OVERRIDING SYSTEM VALUE
SELECT n, 'dataset-' || n, 'สถิติ' || pg_temp.pick(ARRAY['ข้าว', 'ยางพารา', 'ปศุสัตว์', 'น้ำฝน', 'นํ้าฝน', 'ประมง'], n, 1) || ' ชุดที่ ' || pg_temp.thai_digits(n::text),
    CASE n % 5 WHEN 0 THEN NULL WHEN 1 THEN '' ELSE 'Statistics no. ' || n || repeat(' ', (n % 3)::int) END, CASE WHEN n % 10 > 0 THEN 1 + n % 3 END,
    CASE WHEN n % 4 > 0 THEN 'dga-open' WHEN n % 8 = 0 THEN '' END,
    CASE WHEN n % 6 > 0 THEN ROW(pg_temp.pick(pg_temp.given_names(), n, 2), NULL, ARRAY['02-000-' || lpad((n % 10000)::text, 4, '0')])::contact END,
    daterange(pg_temp.day_of(n, 3), CASE WHEN n % 3 > 0 THEN pg_temp.day_of(n, 3) + 365 END),
    jsonb_build_object('rows', pg_temp.dice(n, 4) % 1000000, 'ratio', (n % 7) / 7.0, 'nested', jsonb_build_array(NULL, true, '"', 'ก')),
    ('{"@type":"dcat:Dataset",' || repeat(' ', (n % 4)::int) || '"@id":' || n || ',"x":1e' || n % 9 || '}')::json,
    CASE WHEN n % 3 > 0 THEN ARRAY['เกษตร', pg_temp.pick(ARRAY['เปิด', 'รายปี', 'a,b', '{}', 'NULL'], n, 5)] ELSE '{}' END,
    (pg_temp.day_of(n, 6) + pg_temp.office_time(n, 7)) AT TIME ZONE 'Asia/Bangkok', CASE n % 100 WHEN 0 THEN '-infinity' WHEN 1 THEN NULL ELSE pg_temp.day_of(n, 8) + pg_temp.office_time(n, 9) END
FROM generate_series(1, pg_temp.many(1500)) AS n;
SELECT setval(pg_get_serial_sequence('dataset', 'id'), max(id)) FROM dataset;
INSERT INTO dataset_version
SELECT n, v, CASE WHEN v = 3 AND n % 20 = 0 THEN 'infinity' ELSE (pg_temp.day_of(n * 3 + v, 10) + pg_temp.office_time(n, 11)) AT TIME ZONE 'UTC' END,
    CASE WHEN v = 1 THEN NULL ELSE 'แก้ไขครั้งที่ ' || v END, sha256(convert_to(n || '/' || v, 'UTF8'))
FROM generate_series(1, pg_temp.many(1500)) AS n CROSS JOIN generate_series(1, 3) AS v;
INSERT INTO resource
SELECT pg_temp.uuid_of(n, 20), 1 + pg_temp.dice(n, 21) % pg_temp.many(1500), 1 + n % 3, 'แฟ้ม ' || n || '.csv', (enum_range(NULL::file_format))[1 + pg_temp.dice(n, 22) % 5],
    CASE WHEN n % 9 > 0 THEN pg_temp.dice(n, 23) % 10000000000 END, CASE WHEN n % 4 = 0 THEN decode(repeat(md5(n::text), 1 + (n % 200)::int), 'hex') END,
    box(point(97.3 + n % 8, 5.6 + n % 15), point(98 + n % 8, 6 + n % 15)), CASE WHEN n % 2 = 0 THEN point(n / 3.0, 'Infinity') END,
    CASE n % 3 WHEN 0 THEN NULL WHEN 1 THEN float_range(0.1, n * 0.3) ELSE float_range(NULL, 'Infinity', '()') END,
    tstzmultirange(tstzrange(pg_temp.day_of(n, 24), pg_temp.day_of(n, 24) + 10), tstzrange(pg_temp.day_of(n, 24) + 20, NULL))
FROM generate_series(1, pg_temp.many(5000)) AS n;
INSERT INTO tag SELECT n, 'ป้าย ' || pg_temp.thai_digits(n::text) FROM generate_series(1, 60) AS n;
SELECT setval(pg_get_serial_sequence('tag', 'id'), 1000);
INSERT INTO dataset_tag SELECT n, 1 + (n * 7 + k * 11) % 60 FROM generate_series(1, pg_temp.many(1500)) AS n CROSS JOIN generate_series(1, 3) AS k;

-- 1 in 3 places reports a year; the area is exact, its scale whatever the officer typed.
INSERT INTO stats.harvest (year, subdistrict_code, crop, area_rai, yield_kg, price_baht, share, surveyed, note)
SELECT year, s.code, (enum_range(NULL::crop))[1 + (k + c * 3) % 8],
    CASE k % 50 WHEN 0 THEN NULL WHEN 1 THEN 'NaN' WHEN 2 THEN 0 WHEN 3 THEN 1.500 WHEN 4 THEN 1.5 ELSE (pg_temp.dice(k, 30 + c) % 1000000) / 400.0 END,
    CASE k % 60 WHEN 0 THEN NULL WHEN 1 THEN 'NaN' WHEN 2 THEN 'Infinity' WHEN 3 THEN '-0' ELSE (pg_temp.dice(k, 33 + c) % 1000000000) / 7.0 END,
    (pg_temp.dice(k, 36) % 5000000) / 100.0, (k % 1000) / 3.0::real, CASE k % 40 WHEN 0 THEN 'infinity' WHEN 1 THEN NULL ELSE make_date(year - 543, 1 + k::int % 12, 1 + k::int % 28) END,
    CASE k % 90 WHEN 0 THEN '' WHEN 1 THEN 'น้ำท่วม' WHEN 2 THEN E'ภัยแล้ง\n(ประมาณ)' END
FROM (SELECT code, year, row_number() OVER (ORDER BY year, code) AS k FROM subdistrict CROSS JOIN generate_series(2565, 2569) AS year) AS s
CROSS JOIN generate_series(0, 2) AS c
WHERE s.k <= pg_temp.many(37180);
INSERT INTO stats.daily_price
SELECT 'ตลาด' || pg_temp.pick(ARRAY['ไท', 'สี่มุมเมือง', 'ศรีเมือง', 'ท่าข้าวกำนันทรง'], m, 40) || ' ' || m, (enum_range(NULL::crop))[c], date '2024-10-01' + d::int,
    CASE WHEN (m + c + d) % 300 = 0 THEN 'NaN' ELSE 10 + (pg_temp.dice(m * 100000 + c * 10000 + d, 41) % 5000) / 100.0 END, 60 + (pg_temp.dice(m * 100000 + c * 10000 + d, 42) % 10000) / 1000.0,
    time '06:00' + (d % 240) * interval '1 minute', CASE WHEN d % 5 > 0 THEN timestamptz '2024-10-01 06:30:00.123456+07' + d * interval '1 day' END
FROM generate_series(1, 8) AS m CROSS JOIN generate_series(1, 8) AS c CROSS JOIN generate_series(0, pg_temp.many(450) - 1) AS d;
INSERT INTO stats.rainfall
SELECT n % 40, timestamptz '2025-01-01 00:00+07' + n * interval '15 minutes', CASE WHEN n % 33 = 0 THEN 'NaN' ELSE (pg_temp.dice(n, 50) % 900) / 7.0 END::real,
    (n % 256)::int::bit(8), make_interval(mins => (n % 90)::int, months => (n % 2)::int, days => -(n % 3)::int)
FROM generate_series(1, pg_temp.many(28000)) AS n;

INSERT INTO report SELECT n, 'รายงานฉบับย่อ ' || n, pg_temp.day_of(n, 60) FROM generate_series(1, 40) AS n;
INSERT INTO annual_report SELECT n, 'รายงานประจำปี ' || n, NULL, 2500 + n, 100 FROM generate_series(1, 60) AS n;
INSERT INTO change_log (table_name, op, at, row_data) SELECT 'dataset', 'INSERT', (pg_temp.day_of(n, 61) + pg_temp.office_time(n, 62)) AT TIME ZONE 'UTC', jsonb_build_object('id', n) FROM generate_series(1, pg_temp.many(900)) AS n;
INSERT INTO search_cache SELECT 'คำค้น ' || n, n FROM generate_series(1, 25) AS n;
SELECT setval('order_number', 9990);
