CREATE FUNCTION pg_temp.typed_be(day date) RETURNS text LANGUAGE sql IMMUTABLE
RETURN to_char(day, 'DD/MM/') || (extract(year FROM day)::int + 543);

INSERT INTO province SELECT code, name_th FROM pg_temp.real_province;
INSERT INTO agency SELECT n, 'หน่วยงานสมมติที่ ' || pg_temp.thai_digits(n::text), p.codes[1 + n % 77]
FROM generate_series(1, 400) AS n CROSS JOIN (SELECT array_agg(code ORDER BY code) AS codes FROM province) AS p;
INSERT INTO course SELECT 'CLD-' || lpad(n::text, 3, '0'), 'หลักสูตร ' || pg_temp.thai_digits(n::text), n % 40 * 1.5, (ARRAY['Essential', 'Advanced', 'Expert'])[1 + n % 3] FROM generate_series(1, 240) AS n;
-- One in forty was read as LATIN1 once: the letters are wrong and no error was ever raised.
INSERT INTO trainee
SELECT n, pg_temp.citizen_id(n, 10), CASE n % 4 WHEN 0 THEN NULL WHEN 1 THEN '' ELSE 'นาง' END,
    CASE WHEN n % 40 = 0 THEN convert_from(convert_to(pg_temp.pick(pg_temp.given_names(), n, 13), 'WIN874'), 'LATIN1') ELSE pg_temp.pick(pg_temp.given_names(), n, 13) END,
    pg_temp.pick(pg_temp.family_names(), n, 14), born, CASE WHEN n % 3 > 0 THEN pg_temp.typed_be(born) ELSE to_char(born, 'YYYY-MM-DD') END, 1 + n % 400
FROM (SELECT n, date '1965-01-01' + (n * 37 % 14000)::int AS born FROM generate_series(1, pg_temp.many(24000)) AS n) AS people;
SELECT setval(pg_get_serial_sequence('trainee', 'id'), max(id) + 1000) FROM trainee;
INSERT INTO session SELECT n, 'CLD-' || lpad((1 + n % 240)::text, 3, '0'), day, extract(year FROM day)::int + 543, daterange(day, day + 1 + n % 5)
FROM (SELECT n, date '2022-10-01' + n * 7 % 1461 AS day FROM generate_series(1, pg_temp.many(3000)::int) AS n) AS days;
INSERT INTO enrolment
SELECT n, 1 + (n * 5 + k * 131) % pg_temp.many(3000), pg_temp.day_of(n, 30), CASE n % 9 WHEN 0 THEN NULL WHEN 1 THEN 'NaN' ELSE n % 10000 / 100.0 END, CASE WHEN n % 9 > 0 THEN n % 4 > 0 END
FROM generate_series(1, pg_temp.many(24000)) AS n CROSS JOIN generate_series(0, 3) AS k
ON CONFLICT DO NOTHING;
INSERT INTO certificate SELECT 'ป.' || pg_temp.thai_digits(lpad(n::text, 6, '0')), n, 1 + (n * 5) % pg_temp.many(3000), pg_temp.day_of(n, 40) FROM generate_series(1, pg_temp.many(22000)) AS n;

INSERT INTO import.column_calendar VALUES
    ('trainee', 'born', 'gregorian'), ('trainee', 'born_typed', 'buddhist'), ('session', 'year', 'buddhist'), ('import.line', 'day_typed', 'buddhist'),
    ('import.line', 'day', 'gregorian'), ('certificate', 'issued_be', 'buddhist');
INSERT INTO import.file SELECT n, 'ทะเบียน_' || lpad(n::text, 3, '0') || '.csv', (enum_range(NULL::import.encoding))[1 + n % 5], 'buddhist', greatest(6, pg_temp.many(50000) / 100) FROM generate_series(1, 100) AS n;
-- The same line in whatever its file is encoded in; twice: UTF-8 taken for LATIN1 and made UTF-8 once more.
INSERT INTO import.line
SELECT f.id, k, CASE f.encoding
        WHEN 'TIS-620' THEN convert_to(said, 'WIN874') WHEN 'WIN874' THEN convert_to(said || ' …', 'WIN874') WHEN 'UTF-8' THEN convert_to(said, 'UTF8')
        WHEN 'UTF-8 with BOM' THEN CASE WHEN k = 1 THEN '\xefbbbf'::bytea ELSE '\x' END || convert_to(said, 'UTF8')
        ELSE convert_to(convert_from(convert_to(said, 'UTF8'), 'LATIN1'), 'UTF8') END,
    said, pg_temp.typed_be(day), day
FROM import.file AS f CROSS JOIN LATERAL generate_series(1, f.lines) AS k
CROSS JOIN LATERAL (SELECT pg_temp.day_of(f.id * 1000 + k, 50) AS day, k || ',' || pg_temp.pick(pg_temp.given_names(), f.id * 1000 + k, 51) AS said) AS line;
-- Leap days: 2567 is one in both calendars, 2568-02-29 exists as a Gregorian day only, 29/02/2568 in neither reading a trainee meant.
UPDATE import.line SET day_typed = '29/02/2567', day = '2024-02-29' WHERE line_no = 2;
UPDATE import.line SET day_typed = '2568-02-29', day = '2568-02-29' WHERE line_no = 3;
UPDATE import.line SET day_typed = '29/02/2568', day = NULL WHERE line_no = 4;
UPDATE import.line SET day_typed = '๑๕/๐๑/๒๕๖๙', day = '2026-01-15' WHERE line_no = 5;
INSERT INTO import.rejected SELECT id, 4, 'ไม่มีวันนี้ในปฏิทิน' FROM import.file;
INSERT INTO change_log (what, id, at) SELECT 'INSERT', n, pg_temp.moment(n, 60) FROM generate_series(1, pg_temp.many(4000)) AS n;
