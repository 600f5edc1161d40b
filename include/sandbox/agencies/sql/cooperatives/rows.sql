INSERT INTO region SELECT n, (ARRAY['เหนือ', 'ตะวันออกเฉียงเหนือ', 'กลาง', 'ตะวันออก', 'ตะวันตก', 'ใต้'])[n] FROM generate_series(1, 6) AS n;
INSERT INTO province SELECT code, name_th, CASE left(code, 1) WHEN '5' THEN 1 WHEN '6' THEN 1 WHEN '3' THEN 2 WHEN '4' THEN 2 WHEN '2' THEN 4 WHEN '7' THEN 5 WHEN '1' THEN 3 ELSE 6 END FROM pg_temp.real_province;
INSERT INTO district SELECT code, name_th, province_code FROM pg_temp.real_district;
INSERT INTO subdistrict SELECT code, name_th, district_code FROM pg_temp.real_subdistrict;
-- Federations of federations: each belongs to one founded before it, twelve above one another at the most.
INSERT INTO cooperative
SELECT n, CASE WHEN n % 50 = 0 THEN 'รอเลข ' || n ELSE 'ร.' || pg_temp.thai_digits(lpad(n::text, 5, '0')) END, 'ร้านสหกรณ์' || t.name_th || ' ' || n || ' (สมมติ)',
    (enum_range(NULL::coop_kind))[1 + n % 5], CASE WHEN n > 1 THEN n / 2 END, t.code, date '1957-01-01' + (n * 7 % 20000)::int,
    CASE WHEN n % 6 > 0 THEN n % 900 / 4.0 END, CASE WHEN n % 25 = 0 THEN date '2025-09-30' END
FROM generate_series(1, pg_temp.many(6000)) AS n JOIN (SELECT code, name_th, row_number() OVER (ORDER BY code) AS k FROM subdistrict) AS t ON t.k = 1 + n * 13 % (SELECT count(*) FROM subdistrict);
SELECT setval(pg_get_serial_sequence('cooperative', 'id'), max(id) + 3) FROM cooperative;
INSERT INTO store SELECT n, k, CASE WHEN k = 2 THEN 'สาขา ' || n END, date '2000-01-01' + (n % 9000)::int FROM generate_series(1, pg_temp.many(6000)) AS n CROSS JOIN generate_series(1, 2) AS k;
INSERT INTO aisle SELECT n, k, letter FROM generate_series(1, pg_temp.many(6000)) AS n CROSS JOIN generate_series(1, 2) AS k CROSS JOIN unnest(ARRAY['ก', 'ข']) AS letter;
INSERT INTO product
SELECT n, CASE WHEN n % 20 > 0 THEN 1 + n % pg_temp.many(6000) END, CASE WHEN n % 20 > 0 THEN 1 + n % 2 END, CASE WHEN n % 20 > 0 THEN CASE n % 3 WHEN 0 THEN 'ก' ELSE 'ข' END END,
    pg_temp.pick(ARRAY['ข้าวสาร', 'น้ำปลา', 'นํ้าปลา', 'ผ้าทอ', 'กะปิ'], n, 10) || ' ' || n, CASE n % 4 WHEN 0 THEN NULL ELSE lpad(n::text, 13, '0') END, n % 700 - 3
FROM generate_series(1, pg_temp.many(30000)) AS n;
INSERT INTO price SELECT n, date '2026-01-01' + k * 90, CASE n % 60 WHEN 0 THEN 10.50 WHEN 1 THEN 10.5 ELSE pg_temp.dice(n, 20 + k) % 100000 / 100.0 END
FROM generate_series(1, pg_temp.many(30000)) AS n CROSS JOIN generate_series(0, 1) AS k;
INSERT INTO promotion SELECT n, date '2026-01-01', CASE WHEN n % 3 > 0 THEN 'ลดพิเศษ' END, n % 900 / 1000.0 FROM generate_series(1, pg_temp.many(15000)) AS n;
INSERT INTO ledger.entry (cooperative, day, amount, entered) SELECT 1 + n % pg_temp.many(6000), pg_temp.day_of(n, 30), pg_temp.dice(n, 31) % 10000000 / 100.0 - 20000, pg_temp.moment(n, 30)
FROM generate_series(1, pg_temp.many(46000)) AS n;
INSERT INTO inspector_note SELECT n, 1 + n % pg_temp.many(6000), CASE WHEN n % 2 = 0 THEN 'cooperatives_app' ELSE 'somebody_else' END, 'ตรวจครั้งที่ ' || n FROM generate_series(1, pg_temp.many(2000)) AS n;
INSERT INTO rule_log (what, id, at) SELECT 'closed', n, pg_temp.moment(n, 40) FROM generate_series(1, pg_temp.many(1000)) AS n;
