INSERT INTO office SELECT row_number() OVER (ORDER BY code), code, 'ที่ว่าการอำเภอ' || name_th || ' (สมมติ)' FROM pg_temp.real_district;
INSERT INTO counter SELECT id, k, (ARRAY['ทะเบียนราษฎร', 'บัตรประชาชน', 'ทะเบียนทั่วไป'])[k] FROM office CROSS JOIN generate_series(1, 3) AS k;
INSERT INTO citizen SELECT n, pg_temp.citizen_id(n, 10), pg_temp.pick(pg_temp.given_names(), n, 13) || ' ' || pg_temp.pick(pg_temp.family_names(), n, 14),
    CASE n % 3 WHEN 0 THEN NULL WHEN 1 THEN '' ELSE '02 000 ' || n END
FROM generate_series(1, pg_temp.many(20000)) AS n;
SELECT setval(pg_get_serial_sequence('citizen', 'id'), max(id) + 17) FROM citizen;

-- Ten minutes at one of three counters; every seventh was called off and its place given to somebody else (n + 1).
INSERT INTO booking (id, office_id, counter, citizen, during, state, ticket, token, created, updated)
SELECT n, 1 + slot % 900, 1 + slot / 900 % 3, 1 + n * 7919 % pg_temp.many(20000),
    tstzrange(opens, opens + interval '10 minutes'),
    (CASE WHEN n % 7 = 6 THEN 'cancelled' WHEN n % 5 = 0 THEN 'missed' ELSE 'booked' END)::booking_state,
    1 + slot / 2700 % 999, pg_temp.uuid_of(n, 20), opens - interval '9 days', opens - interval '9 days'
FROM (
    SELECT n, slot, timestamptz '2026-07-01 08:30+07' + slot / 2700 % 40 * interval '10 minutes' + slot / 108000 * interval '1 day' AS opens
    FROM (SELECT n, n - (n + 1) / 7 AS slot FROM generate_series(1, pg_temp.many(60000)) AS n) AS numbered
) AS slots
-- eight sessions that take turns, each with twenty numbers of its own (CACHE 20)
ORDER BY n / 160, n % 20, n;
-- As the day goes: transactions of several counters, none in the order of the bookings. Rows leave their places.
UPDATE booking SET state = 'called', version = 2, updated = updated + interval '9 days' WHERE id % 3 = 1 AND state = 'booked';
UPDATE booking SET state = 'served', version = version + 1, updated = updated + interval '10 minutes' WHERE id % 6 = 1 AND state = 'called';
DELETE FROM booking WHERE id % 211 = 5;
SELECT setval(pg_get_serial_sequence('booking', 'id'), max(id) + 400) FROM booking;

-- Of each five, the transaction begun first is committed last.
INSERT INTO booking_event
SELECT n, 1 + n * 31 % pg_temp.many(60000), n, n - n % 5 + (5 - n % 5) % 5, (enum_range(NULL::booking_state))[1 + n % 5],
    timestamptz '2026-07-01 08:30+07' + (n - n % 5 + (5 - n % 5) % 5) * interval '0.7 seconds'
FROM generate_series(1, pg_temp.many(80000)) AS n;
INSERT INTO waiting_list SELECT 1 + n % 900, date '2026-08-01' + (n / 4500)::int, 1 + n / 900 % 5, 1 + n % pg_temp.many(20000), pg_temp.moment(n, 30)
FROM generate_series(0, pg_temp.many(18000) - 1) AS n;
-- Two who changed places: possible within one transaction only, because the key is checked at its end.
UPDATE waiting_list SET place = 3 - place WHERE place < 3 AND office_id % 2 = 0 AND EXISTS
    (SELECT FROM waiting_list AS other WHERE (other.office_id, other.day, other.place) = (waiting_list.office_id, waiting_list.day, 3 - waiting_list.place));
INSERT INTO sms_outbox (booking, body, sent) SELECT n * 2, 'คิวของท่านคือหมายเลข ' || n % 999, CASE WHEN n % 9 > 0 THEN pg_temp.moment(n, 40) END
FROM generate_series(1, pg_temp.many(18000)) AS n;
INSERT INTO closed_day SELECT 1 + n % 900, daterange(date '2026-12-31' + n / 900 * 7, date '2027-01-02' + n / 900 * 7), 'วันหยุด' FROM generate_series(1, 1800) AS n;
INSERT INTO audit (booking, from_state, to_state, at) SELECT n, 'booked', 'called', pg_temp.moment(n, 50) FROM generate_series(1, pg_temp.many(2500)) AS n;
SELECT setval('call_number', 998);
