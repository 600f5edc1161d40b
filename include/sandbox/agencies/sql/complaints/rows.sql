-- Bytes that no compressor shrinks: a chain of hashes, of any length.
CREATE FUNCTION pg_temp.noise(n bigint, bytes int) RETURNS bytea LANGUAGE sql IMMUTABLE
RETURN (SELECT substring(string_agg(sha512(convert_to(n || '/' || @seed@ || '/' || k, 'UTF8')), NULL ORDER BY k) FOR bytes)
        FROM generate_series(1, bytes / 64 + 1) AS k);

INSERT INTO province SELECT code, name_th FROM pg_temp.real_province;
INSERT INTO topic SELECT n, 'เรื่องร้องเรียนประเภทที่ ' || pg_temp.thai_digits(n::text), 7 + n FROM generate_series(1, 24) AS n;
INSERT INTO person (citizen_id, full_name, address, born, anonymous)
SELECT pg_temp.citizen_id(n, 10), pg_temp.pick(pg_temp.given_names(), n, 13) || ' ' || pg_temp.pick(pg_temp.family_names(), n, 14),
    CASE n % 4 WHEN 0 THEN NULL WHEN 1 THEN '{}' ELSE jsonb_build_object('เลขที่', n % 400 || '/' || n % 9, 'หมู่', n % 12) END,
    CASE WHEN n % 90 = 0 THEN '-infinity' ELSE date '1950-01-01' + (n * 37 % 20000)::int END, n % 11 = 0
FROM generate_series(1, pg_temp.many(15000)) AS n;

INSERT INTO complaint (id, person, topic, province, subject, body, state, received, answered, place, tags)
SELECT 256900000 + n, CASE WHEN n % 13 > 0 THEN 1 + n * 7919 % pg_temp.many(15000) END, 1 + n % 24, p.codes[1 + n % 77],
    pg_temp.pick(ARRAY['ไฟฟ้าดับ', 'ถนนชำรุด', 'น้ำท่วมขัง', 'นํ้าท่วมขัง', 'เสียงดังรบกวน', 'ขยะตกค้าง'], n, 20) || ' ครั้งที่ ' || n,
    CASE n % 8 WHEN 0 THEN NULL WHEN 1 THEN '' ELSE E'เรียน เจ้าหน้าที่\r\n\tขอแจ้งว่า "' || n || E'" \\N' END,
    (enum_range(NULL::complaint_state))[1 + n % 5], pg_temp.moment(n, 21),
    CASE n % 5 WHEN 0 THEN NULL WHEN 1 THEN 'infinity' ELSE pg_temp.moment(n, 21) + n % 30 * interval '1 day' END,
    CASE WHEN n % 3 > 0 THEN point(97.5 + n % 80 / 10.0, 6.1 + n % 140 / 10.0) END, CASE n % 4 WHEN 0 THEN NULL WHEN 1 THEN '{}' ELSE ARRAY['ด่วน', NULL, ''] END
FROM generate_series(1, pg_temp.many(42000)) AS n CROSS JOIN (SELECT array_agg(code ORDER BY code) AS codes FROM province) AS p;
SELECT setval(pg_get_serial_sequence('complaint', 'id'), max(id)) FROM complaint;
INSERT INTO step SELECT 256900000 + n, k, 'หน่วยที่ ' || n % 60, CASE WHEN n % 10 > 0 THEN 'ดำเนินการ' END, pg_temp.moment(n * 3 + k, 30)
FROM generate_series(1, pg_temp.many(32000)) AS n CROSS JOIN generate_series(1, 3) AS k;
INSERT INTO rating SELECT 256900000 + n, 1 + n % 5, CASE WHEN n % 3 = 0 THEN 'ขอบคุณ' END FROM generate_series(1, pg_temp.many(24000)) AS n;
INSERT INTO letter_out SELECT n, 256900000 + n, pg_temp.thai_digits(n::text) || '/๒๕๖๙', pg_temp.day_of(n, 40) FROM generate_series(1, pg_temp.many(14000)) AS n;

-- Up to 5,000 bytes in the row; the first three of each kind are above a megabyte, whatever the scale.
INSERT INTO evidence.attachment
SELECT n, 256900000 + 1 + n * 11 % pg_temp.many(42000), 'ภาพ ' || n || '.jpg', 'image/jpeg', body, NULL, length(body), sha256(body)
FROM generate_series(1, 2 + pg_temp.many(4000)) AS n
CROSS JOIN LATERAL (SELECT CASE n WHEN 1 THEN pg_temp.noise(1, 1048577) WHEN 2 THEN pg_temp.noise(2, 2500000) WHEN 3 THEN '\x'::bytea
                                ELSE decode(repeat(md5(n::text), 1 + (n % 40 * 8)::int), 'hex') END AS body) AS bytes;
INSERT INTO evidence.attachment
SELECT 1000000 + n, 256900000 + 1 + n * 11 % pg_temp.many(42000), 'เสียง ' || n || '.mp3', 'audio/mpeg', NULL, lo_from_bytea((5000000 + n)::oid, body), length(body), sha256(body)
FROM generate_series(1, 3 + pg_temp.many(120)) AS n
CROSS JOIN LATERAL (SELECT CASE n WHEN 1 THEN pg_temp.noise(11, 1048576 + 1) WHEN 2 THEN pg_temp.noise(12, 3000000) WHEN 3 THEN '\x'::bytea
                                ELSE decode(repeat(md5('lo' || n), 200 + n::int), 'hex') END AS body) AS bytes;
INSERT INTO evidence.transcript SELECT 1, repeat('ผู้ร้องแจ้งว่า น้ำไม่ไหลมาสามวันแล้ว ', 30000);
INSERT INTO evidence.transcript SELECT n, 'ถอดเสียงที่ ' || n FROM generate_series(2, 1 + pg_temp.many(3000)) AS n;
INSERT INTO evidence.thumbnail SELECT n, decode(md5(n::text) || md5('t' || n), 'hex') FROM generate_series(1, pg_temp.many(4000)) AS n;
INSERT INTO access_log (at, who, what) SELECT pg_temp.moment(n, 50), 'complaints_app', 'อ่านเรื่อง ' || n FROM generate_series(1, pg_temp.many(4000)) AS n;
SELECT setval('access_log_seq_seq', 700000);
