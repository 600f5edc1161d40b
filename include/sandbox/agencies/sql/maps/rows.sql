-- Well-known binary (OGC 06-103r4, 8.2): byte order, type, then the coordinates. 00: as float8send gives them, big-endian.
CREATE FUNCTION pg_temp.wkb_point(x double precision, y double precision) RETURNS bytea LANGUAGE sql IMMUTABLE
RETURN '\x0000000001'::bytea || float8send(x) || float8send(y);
CREATE FUNCTION pg_temp.wkb_square(x double precision, y double precision, s double precision) RETURNS bytea LANGUAGE sql IMMUTABLE
RETURN '\x00000000030000000100000005'::bytea || float8send(x) || float8send(y) || float8send(x + s) || float8send(y)
    || float8send(x + s) || float8send(y + s) || float8send(x) || float8send(y + s) || float8send(x) || float8send(y);
CREATE FUNCTION pg_temp.longitude(n bigint, salt bigint) RETURNS double precision LANGUAGE sql IMMUTABLE
RETURN 97.4 + (pg_temp.dice(n, salt) % 80000000) / 1e7;
CREATE FUNCTION pg_temp.latitude(n bigint, salt bigint) RETURNS double precision LANGUAGE sql IMMUTABLE
RETURN 5.7 + (pg_temp.dice(n, salt) % 147000000) / 1e7;

INSERT INTO geo.reference VALUES (4326, 'WGS 84', '+proj=longlat'), (32647, 'WGS 84 / UTM zone 47N', '+proj=utm +zone=47'), (24047, 'Indian 1975 / UTM zone 47N', '+proj=utm +zone=47 +ellps=evrst30');
INSERT INTO layer SELECT n, 'ชั้นข้อมูลที่ ' || pg_temp.thai_digits(n::text), (ARRAY[4326, 32647, 24047])[1 + n % 3], ('{"fill" : "#0' || n % 10 || '0",  "fill":"dup"}')::json,
    CASE WHEN n % 5 > 0 THEN ROW(ROW(97.4, 5.7)::geo.position, ROW(105.4, 20.4 + n)::geo.position)::geo.bounds END FROM generate_series(1, 40) AS n;
INSERT INTO province SELECT code, name_th, ROW(pg_temp.longitude(code::int, 1), pg_temp.latitude(code::int, 2))::geo.position FROM pg_temp.real_province;
INSERT INTO place
SELECT n, 1 + n % 40, CASE n % 6 WHEN 0 THEN NULL WHEN 1 THEN '' ELSE pg_temp.pick(ARRAY['วัด', 'โรงเรียน', 'ตลาด', 'บ่อน้ำ', 'บ่อนํ้า'], n, 10) || ' ' || n END,
    -- the point (1, -0) as EWKB, little-endian, with SRID 4326; an empty point (NaN NaN)
    CASE n % 500 WHEN 0 THEN '\x0101000020e6100000000000000000f03f0000000000000080'::bytea WHEN 1 THEN pg_temp.wkb_point('NaN', 'NaN') ELSE pg_temp.wkb_point(x, y) END,
    jsonb_build_object('type', 'Point', 'coordinates', jsonb_build_array(x, y)), point(x, CASE WHEN n % 700 = 0 THEN 'Infinity' ELSE y END),
    x, CASE WHEN n % 900 = 0 THEN '-0' ELSE y END, (enum_range(NULL::geo.quality))[1 + n % 3], CASE WHEN n % 4 > 0 THEN pg_temp.moment(n, 13) END
FROM (SELECT n, pg_temp.longitude(n, 11) AS x, pg_temp.latitude(n, 12) AS y FROM generate_series(1, pg_temp.many(48000)) AS n OFFSET 0) AS somewhere;
SELECT setval(pg_get_serial_sequence('place', 'id'), max(id) + 60) FROM place;
INSERT INTO parcel
SELECT n, t.code, pg_temp.wkb_square(x, y, 0.001), polygon(box(point(x, y), point(x + 0.001, y + 0.001))),
    CASE WHEN n % 3 > 0 THEN ROW(ROW(x, y)::geo.position, ROW(x + 0.001, CASE WHEN n % 30 = 1 THEN NULL ELSE y + 0.001 END)::geo.position)::geo.bounds END,
    CASE n % 40 WHEN 0 THEN 'NaN' WHEN 1 THEN NULL WHEN 2 THEN 4.50 ELSE n % 9000 / 4.0 END,
    ARRAY[[x, y], [x + 0.001, y], [x + 0.001, y + 0.001], [x, y + 0.001]]::numeric(12, 7)[],
    CASE n % 3 WHEN 0 THEN NULL WHEN 1 THEN 'empty' ELSE daterange('2020-01-01', NULL) END::daterange
FROM (SELECT n, pg_temp.longitude(n, 21) AS x, pg_temp.latitude(n, 22) AS y FROM generate_series(1, pg_temp.many(36000)) AS n OFFSET 0) AS somewhere
JOIN (SELECT code, row_number() OVER (ORDER BY code) AS k FROM pg_temp.real_subdistrict) AS t ON t.k = 1 + n * 13 % (SELECT count(*) FROM pg_temp.real_subdistrict);
INSERT INTO road
SELECT n, CASE WHEN n % 5 > 0 THEN 'ทางหลวงสมมติ ' || n END, path(polygon(6, circle(point(x, y), 0.02))), ARRAY[x, y, x + 0.01, y / 3, '-0', 'NaN'],
    CASE n % 3 WHEN 0 THEN NULL WHEN 1 THEN '{}' ELSE ARRAY[ROW(x, y)::geo.position, NULL, ROW(NULL, y)::geo.position] END,
    CASE n % 4 WHEN 0 THEN NULL WHEN 1 THEN geo.height(1.10, n + 2, '[]') ELSE geo.height(NULL, 1.1) END, (n % 16)::int::bit(4)::bit varying(8)
FROM (SELECT n, pg_temp.longitude(n, 31) AS x, pg_temp.latitude(n, 32) AS y FROM generate_series(1, pg_temp.many(16000)) AS n OFFSET 0) AS somewhere;
INSERT INTO reading
SELECT n % 50, timestamptz '2026-01-01 00:00+07' + n * interval '1 minute', CASE WHEN n % 77 = 0 THEN 'NaN' ELSE n % 900 / 7.0 END::real, CASE WHEN n % 99 = 0 THEN '-Infinity' ELSE n / 3.0 END,
    CASE WHEN n % 5 = 0 THEN circle(point(100 + n % 5, 13), 0.5) END
FROM generate_series(1, pg_temp.many(90000)) AS n;
INSERT INTO tile SELECT 10, n % 32, n / 32, decode(repeat(md5(n::text), 60 + (n % 50)::int), 'hex') FROM generate_series(1, pg_temp.many(1500)) AS n;
INSERT INTO border SELECT a.code, b.code, lseg(point(a.code::int, 6), point(b.code::int, 20)), line(point(a.code::int, 0), point(0, b.code::int))
FROM (SELECT code, row_number() OVER (ORDER BY code) AS k FROM province) AS a JOIN (SELECT code, row_number() OVER (ORDER BY code) AS k FROM province) AS b ON b.k = a.k + 1;
INSERT INTO edit_log (what, id, at) SELECT 'UPDATE', n, pg_temp.moment(n, 40) FROM generate_series(1, pg_temp.many(9000)) AS n;
