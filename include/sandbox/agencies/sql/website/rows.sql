INSERT INTO site_user SELECT n, 'editor' || n, 'ผู้ดูแล ' || pg_temp.pick(pg_temp.given_names(), n, 1), pg_temp.day_of(n, 2) + time '09:00', n % 2
FROM generate_series(1, 120) AS n;
SELECT setval(pg_get_serial_sequence('site_user', 'id'), 900);
INSERT INTO category VALUES
    (1, NULL, 'News', 'ข่าว'), (2, 1, 'news', 'ข่าวเดิม'), (3, 1, 'NEWS', 'ข่าวด่วน'), (4, NULL, 'ประกาศ', 'ประกาศ'),
    (5, 4, U&'\0E19\0E49\0E33', 'น้ำ (sara am)'), (6, 4, U&'\0E19\0E4D\0E49\0E32', 'น้ำ (nikhahit)'),
    (7, 4, U&'caf\00E9', 'NFC'), (8, 4, U&'cafe\0301', 'NFD');
INSERT INTO category SELECT n, 1 + n % 8, 'cat-' || n, 'หมวด ' || pg_temp.thai_digits(n::text) FROM generate_series(9, 80) AS n;
SELECT setval(pg_get_serial_sequence('category', 'id'), max(id)) FROM category;

INSERT INTO post (id, author_id, title, slug, body, excerpt, status, published, published_raw, comment_open, updated)
SELECT n, 1 + n % 120, pg_temp.pick(ARRAY['ประชาสัมพันธ์', 'ประกาศ', 'ขอเชิญร่วม', 'ผลการ', 'กำหนดการ'], n, 10)
        || pg_temp.pick(ARRAY['จัดซื้อจัดจ้าง', 'อบรม', 'รับสมัคร', 'จัดการน้ำ', 'จัดการนํ้า'], n, 11) || ' ' || n,
    CASE n % 7 WHEN 0 THEN 'Post-' ELSE 'post-' END || n / 2,
    '<p>เรียน ประชาชนทุกท่าน &amp; ผู้สนใจ</p>' || CASE WHEN n % 300 = 0 THEN repeat('<p>เนื้อหา ' || n || '</p>', 300) ELSE '<p>เรื่องที่ ' || n || E'</p>\r\n' END,
    CASE n % 4 WHEN 0 THEN NULL WHEN 1 THEN '' ELSE 'ย่อ ' || n END, (enum_range(NULL::post_status))[1 + n % 5],
    CASE WHEN n % 5 > 0 THEN pg_temp.moment(n, 12) END,
    CASE WHEN n % 5 > 0 THEN to_char(pg_temp.moment(n, 12) AT TIME ZONE 'Asia/Bangkok', 'YYYY-MM-DD HH24:MI:SS') ELSE '0000-00-00 00:00:00' END,
    n % 2, pg_temp.day_of(n, 13) + time '17:00'
FROM generate_series(1, pg_temp.many(40000)) AS n;
SELECT setval(pg_get_serial_sequence('post', 'id'), max(id) + 4) FROM post;
INSERT INTO post_category SELECT n, 1 + (n * 7 + k * 13) % 80 FROM generate_series(1, pg_temp.many(25000)) AS n CROSS JOIN generate_series(1, 2) AS k;
INSERT INTO post_meta
SELECT n, 1 + n % pg_temp.many(40000), CASE n % 3 WHEN 0 THEN '_thumbnail_id' WHEN 1 THEN 'Views' ELSE 'views' END,
    CASE n % 3 WHEN 0 THEN n::text ELSE 'a:1:{s:4:"ชื่อ";i:' || n || ';}' END
FROM generate_series(1, pg_temp.many(45000)) AS n;

-- Six spellings a machine keeps apart and people, browsers and MySQL do not.
INSERT INTO media
SELECT k * 10 + v, 1 + (k % pg_temp.many(40000)),
    'ข่าว/' || 2566 + k % 4 || '/' || (ARRAY['ประกาศ', 'ประกาศ', U&'\0E19\0E49\0E33', U&'\0E19\0E49\0E4D\0E32', U&'caf\00E9', U&'cafe\0301'])[v]
        || '_' || k || CASE WHEN v = 1 THEN '.PDF' ELSE '.pdf' END,
    'application/pdf', 1000 + pg_temp.dice(k * 10 + v, 20) % 900000, CASE v WHEN 1 THEN NULL WHEN 2 THEN '' ELSE 'ภาพประกอบ  ' END
FROM generate_series(1, pg_temp.many(2000)) AS k CROSS JOIN generate_series(1, 6) AS v;
INSERT INTO redirect SELECT CASE v WHEN 1 THEN '/Download/' WHEN 2 THEN '/download/' ELSE '/%E0%B8%82%E0%B9%88%E0%B8%B2%E0%B8%A7/' END || n, '/p/' || n, n % 900
FROM generate_series(1, pg_temp.many(2500)) AS n CROSS JOIN generate_series(1, 3) AS v;
INSERT INTO visit SELECT date '2025-10-01' + (n % 365)::int, 1 + n / 365, pg_temp.dice(n, 30) % 5000 FROM generate_series(0, pg_temp.many(42000) - 1) AS n;
INSERT INTO option SELECT 'option_' || n, CASE n % 3 WHEN 0 THEN '' WHEN 1 THEN 'a:0:{}' ELSE '<b>{{ x }}</b>' END, n % 4 > 0 FROM generate_series(1, 300) AS n;
INSERT INTO change_log (what, post_id, at) SELECT 'UPDATE', n, pg_temp.moment(n, 40) FROM generate_series(1, pg_temp.many(5000)) AS n;
