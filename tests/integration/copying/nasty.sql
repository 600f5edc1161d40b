-- An agency's database with everything that makes copying hard. Fictional.
-- (No xml values: the embedded server is built without libxml.)
CREATE SCHEMA "ทะเบียน";
CREATE EXTENSION citext;
CREATE EXTENSION hstore;

CREATE TYPE "สถานะ" AS ENUM ('ร่าง', 'เสนอ', 'อนุมัติ', 'ยกเลิก');
CREATE TYPE address AS (house text, moo int, "ตำบล" text);
CREATE TYPE money_range AS RANGE (subtype = numeric);
CREATE DOMAIN citizen_id AS text CHECK (VALUE ~ '^[0-9]{13}$');
CREATE COLLATION code_point (provider = builtin, locale = 'C.UTF-8');
CREATE SEQUENCE downwards INCREMENT -3 MINVALUE -1000000 MAXVALUE 50 START 50 CACHE 5;
CREATE SEQUENCE never_called START 17;

CREATE FUNCTION shout(t text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT upper($1)';
COMMENT ON FUNCTION shout(text) IS 'ตะโกน; it''s loud';
CREATE AGGREGATE joined(text) (SFUNC = textcat, STYPE = text, INITCOND = '');

-- 63 bytes each: 21 Thai letters, and two names that differ in the last letter only
CREATE TABLE "ทะเบียน"."กขฃคฅฆงจฉชซฌญฎฏฐฑฒณดต" (
    "กขฃคฅฆงจฉชซฌญฎฏฐฑฒณดต" bigint GENERATED ALWAYS AS IDENTITY (START 1000 INCREMENT 7) PRIMARY KEY,
    "เลขที่หนังสือ" text COLLATE code_point NOT NULL UNIQUE,
    "ชื่อ" text,
    doubled text GENERATED ALWAYS AS (shout("ชื่อ")) STORED,
    counted int GENERATED ALWAYS AS (length("ชื่อ")) VIRTUAL
);
CREATE TABLE "ทะเบียน"."กขฃคฅฆงจฉชซฌญฎฏฐฑฒณดถ" (id int);
COMMENT ON COLUMN "ทะเบียน"."กขฃคฅฆงจฉชซฌญฎฏฐฑฒณดต"."ชื่อ" IS 'ชื่อเรื่อง "quoted" ''too''';

CREATE TABLE kinds (
    id uuid PRIMARY KEY, small smallint, whole int, big bigint, exact numeric(12, 4), loose numeric, real4 real,
    real8 double precision, cash money, flag boolean, letter "char", padded char(8), limited varchar(20), words text,
    raw bytea, day date, clock time, clock_zone timetz, stamp timestamp, stamp_zone timestamptz, span interval,
    bits bit(5), bits_var bit varying, doc json, docb jsonb, path jsonpath, markup xml, vector tsvector, query tsquery,
    ip inet, net cidr, mac macaddr, mac8 macaddr8, spot point, area box, shape polygon, ring circle,
    ints int[], grid text[][], nested jsonb[], mood "สถานะ", moods "สถานะ"[], home address, homes address[],
    citizen citizen_id, citizens citizen_id[], span_money money_range, spans_money money_multirange,
    when_range tstzrange, ids oid, rel regclass, kind regtype, quiet citext, pairs hstore, pairs_list hstore[],
    lsn pg_lsn, xid8s xid8
);

CREATE TABLE nothing ();
CREATE TABLE only_generated (a int GENERATED ALWAYS AS (7) STORED);
CREATE TABLE keyless (a int, b text, c timestamptz DEFAULT now());
CREATE UNLOGGED TABLE unlogged_one (a int PRIMARY KEY, b text);
CREATE TABLE parent (id int PRIMARY KEY, note text);
CREATE TABLE child (extra text) INHERITS (parent);
CREATE TABLE composite_key (a int, b text, c numeric, PRIMARY KEY (b, a)) WITH (fillfactor = 70);
ALTER TABLE composite_key DROP COLUMN c;
ALTER TABLE composite_key ADD COLUMN d int NOT NULL DEFAULT 4;
ALTER TABLE composite_key REPLICA IDENTITY FULL;

CREATE TABLE chicken (id int PRIMARY KEY, egg int NOT NULL);
CREATE TABLE egg (id int PRIMARY KEY, chicken int NOT NULL REFERENCES chicken DEFERRABLE INITIALLY DEFERRED);
ALTER TABLE chicken ADD CONSTRAINT lays FOREIGN KEY (egg) REFERENCES egg DEFERRABLE INITIALLY DEFERRED;
CREATE TABLE tree (id int PRIMARY KEY, above int REFERENCES tree);

CREATE TABLE events (at date NOT NULL, n int NOT NULL, body text, PRIMARY KEY (at, n)) PARTITION BY RANGE (at);
CREATE TABLE events_2566 PARTITION OF events FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
CREATE TABLE events_2567 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01') PARTITION BY LIST (n);
CREATE TABLE events_2567_odd PARTITION OF events_2567 FOR VALUES IN (1, 3, 5);
CREATE TABLE events_rest PARTITION OF events_2567 DEFAULT;
CREATE INDEX events_body ON events (body);
CREATE TABLE by_mood (mood "สถานะ", n int) PARTITION BY HASH (mood);
CREATE TABLE by_mood_0 PARTITION OF by_mood FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE by_mood_1 PARTITION OF by_mood FOR VALUES WITH (MODULUS 2, REMAINDER 1);

CREATE TABLE booking (room int, during tstzrange, EXCLUDE USING gist (during WITH &&));
CREATE TABLE half_checked (n int, "ว่าง" int);
CREATE TABLE attachments (id int PRIMARY KEY, content oid);

CREATE TABLE audit (seq bigserial PRIMARY KEY, what text, at timestamptz DEFAULT clock_timestamp());
CREATE FUNCTION note_it() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN INSERT INTO public.audit (what) VALUES (TG_TABLE_NAME || ':' || TG_OP); RETURN NULL; END $$;
CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON keyless FOR EACH ROW EXECUTE FUNCTION note_it();
CREATE TRIGGER asleep AFTER INSERT ON parent FOR EACH ROW EXECUTE FUNCTION note_it();
ALTER TABLE parent DISABLE TRIGGER asleep;
CREATE TRIGGER always_on AFTER INSERT ON tree FOR EACH ROW EXECUTE FUNCTION note_it();
ALTER TABLE tree ENABLE ALWAYS TRIGGER always_on;

CREATE TABLE ruled (a int);
CREATE RULE no_delete AS ON DELETE TO ruled DO INSTEAD NOTHING;
CREATE TABLE guarded (owner_name text, secret text);
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON guarded USING (owner_name = current_user);

CREATE VIEW loud AS SELECT shout(words) AS w, count(*) AS n FROM kinds GROUP BY 1;
CREATE VIEW by_key AS SELECT p.id, p.note, count(*) AS n FROM parent p GROUP BY p.id; -- needs the key: post-data
CREATE STATISTICS together (dependencies) ON a, b FROM keyless;
ALTER TABLE keyless ALTER COLUMN a SET STATISTICS 321;
CREATE INDEX keyless_expr ON keyless (lower(b)) WHERE a > 3;
CREATE INDEX kinds_gin ON kinds USING gin (docb jsonb_path_ops);
CLUSTER kinds USING kinds_pkey;

-- ---- rows, seeded -------------------------------------------------------------------------------------------
SELECT setseed(0.42);
INSERT INTO "ทะเบียน"."กขฃคฅฆงจฉชซฌญฎฏฐฑฒณดต" ("เลขที่หนังสือ", "ชื่อ")
SELECT 'ที่ ' || translate(n::text, '0123456789', '๐๑๒๓๔๕๖๗๘๙') || '/๒๕๖๗',
       CASE WHEN n % 11 = 0 THEN NULL WHEN n % 7 = 0 THEN '' WHEN n % 5 = 0 THEN 'น้ำ' WHEN n % 3 = 0 THEN 'น้ํา' ELSE 'a ' || n || '  ' END
FROM generate_series(1, 5000) n;
INSERT INTO "ทะเบียน"."กขฃคฅฆงจฉชซฌญฎฏฐฑฒณดถ" VALUES (1), (NULL);
INSERT INTO kinds
SELECT md5(n::text)::uuid, n - 500, n * 1000, n::bigint * 10000000000, n / 7.0, CASE n % 5 WHEN 0 THEN 'NaN' WHEN 1 THEN 'Infinity'
           WHEN 2 THEN 1.10 WHEN 3 THEN 1.1 ELSE 1e-200 END,
       CASE n % 4 WHEN 0 THEN 'NaN' WHEN 1 THEN '-Infinity' WHEN 2 THEN '-0' ELSE 0.1 END, sqrt(n), n::money, n % 2 = 0,
       chr(65 + n % 26)::"char", 'ab' || n % 10, 'ขวด' || n, repeat('ก' || n, n % 900),
       decode(repeat(md5(n::text), n % 200), 'hex'), date '2567-02-28' + n, time '23:59:59.999999', '12:00:00+07',
       '-infinity', timestamptz '1919-12-31 17:17:56+00' + n * interval '1 day 1 microsecond', make_interval(months => n, secs => n * 1.5),
       B'10101', n::bit(12)::varbit, format('{"b": %s,  "a": 1, "a": 2}', n)::json, jsonb_build_object('n', n, 'ชื่อ', NULL),
       '$.a[*] ? (@ > 1)', NULL, to_tsvector('simple', 'แมว วิ่ง ' || n), 'a & b',
       ('10.0.0.' || n % 255)::inet, '2001:db8::/32', '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05', point(n, -n), box(point(0, 0), point(n, n)),
       '((0,0),(1,1),(2,0))', '<(1,2),3>', ARRAY[n, NULL, -n], ARRAY[['a', 'NULL'], [NULL, '"x"']], ARRAY['{"a":1}'::jsonb],
       (enum_range(NULL::"สถานะ"))[1 + n % 4], ARRAY['ร่าง', NULL, 'ยกเลิก']::"สถานะ"[], ROW('๑๒/' || n, n % 9, NULL)::address,
       ARRAY[ROW('a,"b"', 1, 'ต')::address], lpad(n::text, 13, '0'), ARRAY[lpad(n::text, 13, '0')]::citizen_id[], money_range(n, n + 1),
       money_multirange(money_range(1, 2), money_range(5, NULL)), tstzrange(now(), 'infinity'), n, 'parent', 'address'::regtype,
       'CiText' || n, hstore('k"' || n, 'v'), ARRAY[hstore('a', NULL)], '16/B374D848', '12345'
FROM generate_series(1, 3000) n;
INSERT INTO nothing SELECT FROM generate_series(1, 12);
INSERT INTO only_generated SELECT FROM generate_series(1, 5);
INSERT INTO keyless SELECT n % 100, CASE WHEN n % 2 = 0 THEN 'x' END, '2024-01-01' FROM generate_series(1, 2000) n;
INSERT INTO unlogged_one SELECT n, 'u' FROM generate_series(1, 100) n;
INSERT INTO parent SELECT n, 'p' FROM generate_series(1, 50) n;
INSERT INTO child SELECT n, 'c', 'extra' FROM generate_series(100, 150) n;
INSERT INTO composite_key SELECT n, 'b' || n FROM generate_series(1, 1000) n;
BEGIN;
INSERT INTO chicken SELECT n, n FROM generate_series(1, 30) n;
INSERT INTO egg SELECT n, n FROM generate_series(1, 30) n;
COMMIT;
INSERT INTO tree SELECT n, nullif(n / 2, 0) FROM generate_series(1, 200) n;
INSERT INTO events SELECT date '2023-01-01' + n % 730, n, 'เหตุการณ์ ' || n FROM generate_series(1, 3000) n;
INSERT INTO by_mood SELECT (enum_range(NULL::"สถานะ"))[1 + n % 4], n FROM generate_series(1, 400) n;
INSERT INTO booking SELECT 1, tstzrange(timestamptz '2024-01-01' + n * interval '1 hour', timestamptz '2024-01-01' + (n + 1) * interval '1 hour')
FROM generate_series(1, 50) n;
INSERT INTO half_checked VALUES (-1, NULL), (5, NULL);
ALTER TABLE half_checked ADD CONSTRAINT positive CHECK (n > 0) NOT VALID;
INSERT INTO guarded SELECT 'somebody', 's' || n FROM generate_series(1, 20) n;
INSERT INTO ruled SELECT generate_series(1, 9);
CREATE MATERIALIZED VIEW summary AS SELECT a, count(*) AS n FROM keyless GROUP BY a WITH DATA;
CREATE UNIQUE INDEX summary_key ON summary (a);
CREATE MATERIALIZED VIEW summary_twice AS SELECT sum(n) AS total FROM summary WITH DATA;
CREATE MATERIALIZED VIEW stale AS SELECT 1 AS one WITH NO DATA;
SELECT nextval('downwards'), nextval('downwards');
-- large objects: empty, small, with a hole, larger than a chunk
INSERT INTO attachments VALUES (1, lo_create(770001)), (2, lo_from_bytea(770002, '\x00ff5c0a')),
    (3, lo_from_bytea(770003, '\x01')), (4, lo_from_bytea(770004, decode(repeat('c3a9', 1600000), 'hex')));
SELECT lo_put(770003, 5000000, '\x02');
COMMENT ON LARGE OBJECT 770002 IS 'ภาพสแกน';
