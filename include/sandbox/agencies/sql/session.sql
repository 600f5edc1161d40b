-- Chance by hashing: row n of a table is the same whenever, wherever and in whatever order it is made.
-- @seed@ and @scale@ are numbers put in by database.py. Everything here lives in the session (pg_temp) only.

CREATE FUNCTION pg_temp.dice(n bigint, salt bigint) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN hashint8extended(n, @seed@::bigint * 1000003 + salt) & 9223372036854775807;

CREATE FUNCTION pg_temp.many(n bigint) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN greatest(1, (n * @scale@)::bigint);

CREATE FUNCTION pg_temp.pick(words text[], n bigint, salt bigint) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN words[1 + pg_temp.dice(n, salt) % cardinality(words)];

CREATE FUNCTION pg_temp.thai_digits(digits text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN translate(digits, '0123456789', '๐๑๒๓๔๕๖๗๘๙');

CREATE FUNCTION pg_temp.uuid_of(n bigint, salt bigint) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN md5(@seed@::text || '/' || salt::text || '/' || n::text)::uuid;

-- Between 1 October 2022 and 30 September 2026: fiscal years 2566 to 2569.
CREATE FUNCTION pg_temp.day_of(n bigint, salt bigint) RETURNS date LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN date '2022-10-01' + (pg_temp.dice(n, salt) % 1461)::int;

-- In office hours, to the microsecond.
CREATE FUNCTION pg_temp.office_time(n bigint, salt bigint) RETURNS interval LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN make_interval(secs => 30600 + (pg_temp.dice(n, salt) % 28800000000) / 1e6);

-- A moment in Thailand's office hours, between 1 October 2022 and 30 September 2026.
CREATE FUNCTION pg_temp.moment(n bigint, salt bigint) RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE
RETURN timestamptz '2022-10-01 08:30:00+07' + pg_temp.dice(n, salt) % 1461 * interval '1 day'
    + pg_temp.dice(n, salt + 1) % 28800000000 * interval '1 microsecond';

-- A citizen's number of 13 digits whose last one is never the right check digit: no such person can exist.
-- (Right: (11 - sum of digit_i * (14 - i), i = 1..12, mod 11) mod 10.)
-- PL/pgSQL: a SQL function that cannot be inlined costs many times as much a call.
CREATE FUNCTION pg_temp.citizen_id(n bigint, salt bigint) RETURNS text LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    digits bigint := (1 + pg_temp.dice(n, salt) % 8) * 100000000000 + pg_temp.dice(n, salt + 1) % 100000000000;
    weighed bigint := 13 * (digits / 100000000000) + 12 * (digits / 10000000000 % 10) + 11 * (digits / 1000000000 % 10) + 10 * (digits / 100000000 % 10)
        + 9 * (digits / 10000000 % 10) + 8 * (digits / 1000000 % 10) + 7 * (digits / 100000 % 10) + 6 * (digits / 10000 % 10)
        + 5 * (digits / 1000 % 10) + 4 * (digits / 100 % 10) + 3 * (digits / 10 % 10) + 2 * (digits % 10);
BEGIN
    RETURN digits::text || ((11 - weighed % 11) % 10 + 1 + pg_temp.dice(n, salt + 2) % 9) % 10;
END $$;

CREATE FUNCTION pg_temp.given_names() RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ARRAY['กมลชนก', 'กิตติพงษ์', 'ขวัญใจ', 'จิราภรณ์', 'ชัยวัฒน์', 'ณัฐธิดา', 'ธนพล', 'นงลักษณ์', 'บุญส่ง', 'ปิยะดา',
             'พรทิพย์', 'ภูมิพัฒน์', 'มาลี', 'รัตนา', 'วรรณวิภา', 'วีระศักดิ์', 'ศิริพร', 'สมชาย', 'สุภาพร', 'อนันต์', 'อำไพ',
             'น้ำฝน', 'นํ้าทิพย์', 'เก่งกาจ', 'แก้วตา', 'โกวิท', 'ไกรสร', 'ใจดี'];

CREATE FUNCTION pg_temp.family_names() RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ARRAY['สมมติวงศ์', 'ตัวอย่างดี', 'ทดสอบกุล', 'แสงสมมุติ', 'ศรีจำลอง', 'พงษ์นิยาย', 'รุ่งเรื่องแต่ง', 'ใจสมมติ',
             'ทองจำลอง', 'บุญแต่งขึ้น', 'สุขสมมติ', 'คำนิทาน'];

-- Every province, district and subdistrict of Thailand (geothai), for each agency to take over in its own shape.
CREATE TEMPORARY TABLE real_province (code text, name_th text, name_en text);
CREATE TEMPORARY TABLE real_district (code text, name_th text, name_en text, province_code text);
CREATE TEMPORARY TABLE real_subdistrict (code text, name_th text, name_en text, district_code text, postal_codes text[]);
