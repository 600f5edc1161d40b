SET CONSTRAINTS ALL DEFERRED;

CREATE FUNCTION pg_temp.document_number(n bigint, salt bigint) RETURNS text LANGUAGE sql IMMUTABLE
RETURN pg_temp.pick(ARRAY['มท', 'นร', 'กษ', 'ศธ', 'สธ', 'ดศ'], n, salt) || ' '
    || pg_temp.thai_digits(lpad((pg_temp.dice(n, salt + 1) % 10000)::text, 4, '0') || '/'
    || CASE WHEN pg_temp.dice(n, salt + 2) % 3 = 0 THEN 'ว' ELSE '' END || (1 + pg_temp.dice(n, salt + 3) % 99999)::text);

CREATE FUNCTION pg_temp.subject(n bigint, salt bigint) RETURNS text LANGUAGE sql IMMUTABLE
RETURN pg_temp.pick(ARRAY['ขอความอนุเคราะห์', 'ขอเชิญประชุม', 'รายงานผล', 'แจ้งเวียน', 'ขออนุมัติ', 'ตอบข้อหารือ', 'ซักซ้อมความเข้าใจ'], n, salt)
    || pg_temp.pick(ARRAY['การจัดการน้ำ', 'การจัดการนํ้า', 'งบประมาณประจำปี', 'การป้องกันอุทกภัย', 'การอบรมบุคลากร', 'การใช้คลาวด์ภาครัฐ', 'ทะเบียนครุภัณฑ์'], n, salt + 1)
    || ' ครั้งที่ ' || pg_temp.thai_digits((1 + pg_temp.dice(n, salt + 2) % 40)::text || '/' || (2566 + n % 4)::text);

INSERT INTO "จังหวัด" SELECT code, name_th, name_en FROM pg_temp.real_province;
INSERT INTO "อำเภอ" SELECT code, name_th, name_en, province_code FROM pg_temp.real_district;
INSERT INTO "ตำบล" SELECT code, name_th, name_en, district_code, postal_codes FROM pg_temp.real_subdistrict;

INSERT INTO "หน่วยงาน"
SELECT n, 'สำนักงาน' || pg_temp.pick(ARRAY['คลัง', 'ปกครอง', 'โยธา', 'เกษตร', 'สาธารณสุข', 'ท้องถิ่น'], n, 1) || 'จำลองที่ ' || pg_temp.thai_digits(n::text),
    CASE WHEN n > 1 THEN n / 8 + 1 END, 1 + pg_temp.dice(n, 2) % pg_temp.many(2000),
    CASE WHEN n % 5 = 0 THEN 'สนง.' || n % 100 END, CASE n % 4 WHEN 0 THEN NULL WHEN 1 THEN '' WHEN 2 THEN 'มีช่องว่างท้าย  ' ELSE 'ปกติ' END
FROM generate_series(1, pg_temp.many(400)) AS n;

INSERT INTO "เจ้าหน้าที่" ("รหัส", "เลขประจำตัว", "ชื่อ", "สกุล", "รหัสหน่วยงาน", "บัญชี", "บ้าน", "อีเมล", "เริ่มงาน", "พ้นงาน")
SELECT n, pg_temp.citizen_id(n, 10), pg_temp.pick(pg_temp.given_names(), n, 13), pg_temp.pick(pg_temp.family_names(), n, 14),
    1 + pg_temp.dice(n, 15) % pg_temp.many(400), pg_temp.uuid_of(n, 16),
    CASE WHEN n % 9 > 0 THEN ROW((1 + n % 300) || '/' || n % 7, t."รหัส", t."รหัสไปรษณีย์"[1])::"ที่อยู่" END,
    'officer' || n || '@registry.p02.agency.example', CASE WHEN n % 50 = 0 THEN '-infinity' ELSE date '1990-10-01' + (pg_temp.dice(n, 17) % 12000)::int END,
    CASE WHEN n % 20 = 0 THEN date '2025-10-01' ELSE 'infinity' END
FROM generate_series(1, pg_temp.many(2000)) AS n
LEFT JOIN (SELECT *, row_number() OVER (ORDER BY "รหัส") AS k FROM "ตำบล") AS t ON t.k = 1 + n * 37 % (SELECT count(*) FROM "ตำบล");
SELECT setval(pg_get_serial_sequence('"เจ้าหน้าที่"', 'รหัส'), max("รหัส") + 41) FROM "เจ้าหน้าที่";

-- A few days were typed with the year of the Buddhist Era: they lie in the default partition, five centuries ahead.
INSERT INTO "ทะเบียนหนังสือรับเข้า" ("วันที่รับ", "ลำดับ", "เลขที่หนังสือ", "เลขรับ", "เรื่อง", "จาก", "รหัสหน่วยงาน", "ชั้นความเร็ว",
    "วันเวลาที่รับเข้าระบบ", "วันเวลาบนหนังสือ", "รายละเอียด", "ข้อมูลต้นฉบับ", "ลายพิมพ์", "คำสำคัญ", "ช่วงเวลาดำเนินการ", "ค่าธรรมเนียม")
OVERRIDING SYSTEM VALUE
SELECT day + CASE WHEN n % 997 = 0 THEN 198328 ELSE 0 END, 999 + n, pg_temp.document_number(n, 20), pg_temp.thai_digits(lpad(n::text, 6, '0')), pg_temp.subject(n, 24),
    CASE n % 6 WHEN 0 THEN NULL WHEN 1 THEN '' ELSE 'กรม' || pg_temp.pick(pg_temp.family_names(), n, 27) END, 1 + pg_temp.dice(n, 28) % pg_temp.many(400),
    (enum_range(NULL::"ชั้นความเร็ว"))[1 + pg_temp.dice(n, 29) % 4], (day + pg_temp.office_time(n, 30)) AT TIME ZONE 'Asia/Bangkok',
    CASE n % 500 WHEN 0 THEN NULL WHEN 1 THEN 'infinity' WHEN 2 THEN timestamp '1915-06-01 09:00:00' ELSE day + pg_temp.office_time(n, 31) END,
    jsonb_build_object('หน้า', 1 + n % 40, 'ด่วน', n % 7 = 0, 'ผู้ส่ง', jsonb_build_object('ชื่อ', pg_temp.pick(pg_temp.given_names(), n, 32), 'โทร', NULL), 'น้ำหนัก', (n % 1000) / 8.0),
    CASE WHEN n % 3 = 0 THEN ('{"b": ' || n || ',  "a":1.0, "a" : 1.00, "คำ":"น\u0e49ำ"}')::json END,
    CASE WHEN n % 11 > 0 THEN sha256(convert_to(n::text, 'UTF8')) WHEN n % 2 = 0 THEN '\x'::bytea END,
    CASE n % 4 WHEN 0 THEN NULL WHEN 1 THEN '{}' WHEN 2 THEN ARRAY['น้ำ', NULL, 'น้ำ', ''] ELSE ARRAY['ด่วน', '"อ้าง, คำพูด"'] END,
    CASE n % 5 WHEN 0 THEN NULL WHEN 1 THEN 'empty' WHEN 2 THEN tstzrange(day, NULL) ELSE tstzrange(day, day + 1 + (n % 30)::int, '[)') END,
    CASE n % 8 WHEN 0 THEN 'NaN' WHEN 1 THEN 1.10 WHEN 2 THEN 1.1 WHEN 3 THEN 0.00 WHEN 4 THEN -12345678901234567890.123456789 ELSE n * 0.01 END
FROM (SELECT n, pg_temp.day_of(n, 33) AS day FROM generate_series(1, pg_temp.many(58000)) AS n) AS days;
SELECT setval(pg_get_serial_sequence('"ทะเบียนหนังสือรับเข้า"', 'ลำดับ'), max("ลำดับ")) FROM "ทะเบียนหนังสือรับเข้า";

INSERT INTO "เส้นทางหนังสือ"
SELECT r."วันที่รับ", r."ลำดับ", step, 1 + pg_temp.dice(r."ลำดับ" * 10 + step, 40) % pg_temp.many(2000),
    CASE WHEN step = 1 THEN 'เสนอ' ELSE pg_temp.pick(ARRAY['ทราบ', 'ดำเนินการ', 'เห็นชอบ', '', '   '], r."ลำดับ" + step, 41) END,
    r."วันเวลาที่รับเข้าระบบ" + step * interval '1 day 00:00:00.000001'
FROM "ทะเบียนหนังสือรับเข้า" AS r CROSS JOIN LATERAL generate_series(1, 1 + (r."ลำดับ" % 2)::int) AS step;

INSERT INTO "ทะเบียนหนังสือส่งออก"
SELECT 5 * n, pg_temp.document_number(n, 50), pg_temp.subject(n, 54), CASE WHEN n % 40 = 0 THEN 'ปกปิด' ELSE 'ไม่ลับ' END::"ชั้นความลับ",
    CASE WHEN n % 6 > 0 THEN 1 + pg_temp.dice(n, 57) % pg_temp.many(2000) END, day, (day + pg_temp.office_time(n, 58)) AT TIME ZONE 'Asia/Bangkok',
    CASE WHEN n % 400 = 0 THEN repeat('ความยาวเกินหนึ่งหน้า ' || n || E'\n', 400) ELSE 'เรียน ผู้ว่าราชการจังหวัด ข' || E'\n\tตามที่อ้างถึง \\N ' || n END,
    CASE WHEN n % 3 = 0 THEN pg_temp.thai_digits(lpad(n::text, 6, '0')) END, CASE WHEN n % 7 = 0 THEN ARRAY[[1, 2], [3, n::int]] END
FROM (SELECT n, pg_temp.day_of(n, 59) AS day FROM generate_series(1, pg_temp.many(34000)) AS n) AS days;
SELECT setval('"ลำดับเลขส่งออก"', max("เลขส่ง") + 100) FROM "ทะเบียนหนังสือส่งออก";
SELECT setval('"ลำดับถอยหลัง"', -77);

INSERT INTO "สิ่งที่ส่งมาด้วย"
SELECT n, 5 * (1 + pg_temp.dice(n, 60) % pg_temp.many(34000)), 'เอกสารแนบ ' || pg_temp.thai_digits(n::text) || '.pdf',
    CASE WHEN n % 50 > 0 THEN decode(repeat(md5(n::text), 1 + (n % 64)::int), 'hex') END,
    CASE WHEN n % 50 = 0 THEN lo_from_bytea((3000000 + n)::oid, decode(repeat(md5('lo' || n), CASE WHEN n % 1000 = 0 THEN 200000 ELSE 500 + n::int END), 'hex')) END,
    CASE WHEN n % 50 > 0 THEN 16 * (1 + n % 64) ELSE 16 * CASE WHEN n % 1000 = 0 THEN 200000 ELSE 500 + n END END
FROM generate_series(1, pg_temp.many(3000)) AS n;
SELECT lo_from_bytea(2999999, '\x');

INSERT INTO "จองห้องประชุม"
SELECT n, 'ห้อง ' || pg_temp.thai_digits((n % 5)::text), tsrange(timestamp '2026-01-05 09:00' + (n / 5) * interval '2 hours', timestamp '2026-01-05 11:00' + (n / 5) * interval '2 hours'),
    1 + pg_temp.dice(n, 70) % pg_temp.many(2000)
FROM generate_series(1, pg_temp.many(1000)) AS n;

-- Alike to the eye, or to NFC, NFKC, trim() or a careless encoder; not alike in bytes.
INSERT INTO "ตัวอย่างอักขระ" VALUES
    (1, U&'\0E19\0E49\0E33', U&'\0E19\0E49\0E33', U&'\0E19\0E49\0E33', convert_to(U&'\0E19\0E49\0E33', 'UTF8'), 'sara am'),
    (2, U&'\0E19\0E4D\0E49\0E32', U&'\0E19\0E4D\0E49\0E32', U&'\0E19\0E4D\0E49\0E32', convert_to(U&'\0E19\0E4D\0E49\0E32', 'UTF8'), 'nikhahit, mai tho, sara aa'),
    (3, U&'\0E19\0E49\0E4D\0E32', NULL, '', '\x', 'mai tho, nikhahit, sara aa'),
    (4, NULL, NULL, NULL, NULL, 'NULL'), (5, '', '', '', '\x', 'empty'), (6, ' ', ' ', ' ', '\x20', 'one space'),
    (7, 'ท้าย  ', 'ท้าย  ', 'ท้าย  ', '\xdb', 'trailing spaces; 0xDB is no WIN874'), (8, U&'ก\200Bข', U&'ก\200Bข', U&'ก\200Bข', '\x00', 'zero-width space'),
    (9, U&'caf\00E9', U&'caf\00E9', U&'caf\00E9', '\xc3a9', 'NFC'), (10, U&'cafe\0301', U&'cafe\0301', U&'cafe\0301', '\x65cc81', 'NFD'),
    (11, '๑๒๓๔๕๖๗๘๙๐', '123', '๑๒๓', '\x31', 'Thai digits'), (12, U&'\+01F418\200D\+01F9E0', '🐘', '🐘', '\xf09f9098', 'beyond the basic plane'),
    (13, U&'\202Eกลับ', 'x', 'x', '\xff', 'right-to-left override'), (14, E'\\N', E'\\.', E'\\N', '\x5c4e', 'COPY text format''s own marks'),
    (15, E'a\tb\r\nc', E'\t', E'\n', '\x0d0a', 'tab and line breaks'), (16, '=HYPERLINK("x")', '<b>', '{{ x }}', '\x3d', 'formula, markup, template'),
    (17, U&'\FEFFก', 'x', 'x', '\xefbbbf', 'byte-order mark'), (18, repeat('เกาะ แก โก ไก่ ', 20000), 'x', 'x', decode(repeat('00ff', 100000), 'hex'), 'TOAST');

INSERT INTO "จดหมายเหตุ"."คลังเอกสารย้อนหลังปีก" SELECT n, pg_temp.subject(n, 80), pg_temp.subject(n, 83) FROM generate_series(1, pg_temp.many(4000)) AS n;
INSERT INTO "จดหมายเหตุ"."คลังเอกสารย้อนหลังปีข" SELECT n, pg_temp.subject(n, 86), pg_temp.subject(n, 89) FROM generate_series(1, pg_temp.many(4000)) AS n;
INSERT INTO "บันทึกการแก้ไข" ("ตาราง", "การกระทำ", "เมื่อ", "โดย", "ใหม่")
SELECT 'ทะเบียนหนังสือรับเข้า', 'UPDATE', (pg_temp.day_of(n, 90) + pg_temp.office_time(n, 91)) AT TIME ZONE 'Asia/Bangkok', 'registry_app', jsonb_build_object('ลำดับ', 999 + n)
FROM generate_series(1, pg_temp.many(500)) AS n;
