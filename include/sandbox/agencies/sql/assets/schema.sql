-- สมมติ (fictional): a legacy ledger of government property. Grown, not designed: few keys, many habits.
CREATE EXTENSION btree_gist;
CREATE SCHEMA "Legacy";
CREATE TYPE "Legacy"."Condition" AS ENUM ('ดี', 'พอใช้', 'ชำรุด', 'สูญหาย', '');
CREATE TYPE "Legacy"."Money" AS (amount numeric, currency char(3));
CREATE DOMAIN "Legacy"."AssetNo" AS char(16);

CREATE TABLE "Legacy"."AREA" ("CODE" char(6), "PROVINCE" varchar(60), "DISTRICT" varchar(60), "SUBDISTRICT" varchar(60), "ZIP" char(5));

-- No primary key, and rows that are there twice on purpose.
CREATE TABLE "Legacy"."ASSET_MASTER" (
    "ASSET_NO" "Legacy"."AssetNo", "Name TH" varchar(200), "NAME_EN" char(40), "Acquired" date, "ACQUIRED_BE" char(10), "PRICE" numeric,
    "VALUE" "Legacy"."Money", "CONDITION" "Legacy"."Condition", "LOCATION" char(6), "QTY" smallint, "WEIGHT" real, "SERIALS" varchar(20)[],
    "REMARK" text, "UPDATED" timestamp, "FLAG" "char", "order" integer
);
CREATE TABLE "Legacy"."DEPRECIATION" ("ASSET_NO" "Legacy"."AssetNo", "YEAR" smallint, "AMOUNT" numeric, "BOOK_VALUE" double precision, "POSTED" timestamp without time zone);
CREATE TABLE "Legacy"."MOVEMENT" (
    "DOC" bigint, "LINE" integer, "FROM_LOC" char(6), "TO_LOC" char(6), "AT" timestamptz, "BY" text, "ELAPSED" interval, "T" time with time zone,
    UNIQUE ("DOC", "LINE")
);
CREATE SEQUENCE "Legacy"."DOC_NO_SEQ" START 100000 INCREMENT 10;
CREATE SEQUENCE "Legacy"."Countdown" INCREMENT -3 MINVALUE -30000 MAXVALUE 30000 START 30000;
CREATE SEQUENCE "Legacy"."SMALL" AS smallint MAXVALUE 32767;
CREATE SEQUENCE "Legacy"."UNUSED" START 7;

CREATE TABLE custodian (
    id serial PRIMARY KEY, citizen_id char(13) NOT NULL, full_name text NOT NULL, unit_id integer, phone varchar(20), joined date,
    left_on date DEFAULT 'infinity', CHECK (citizen_id ~ '^[0-9]{13}$')
);
CREATE TABLE unit (id smallint PRIMARY KEY, name text NOT NULL, chief integer, address inet, net cidr, mac macaddr);
CREATE TABLE inspection (
    id bigserial, round smallint NOT NULL, asset_no "Legacy"."AssetNo", inspector integer, found boolean, at timestamptz NOT NULL,
    detail jsonb, form json, signature bytea, PRIMARY KEY (round, id)
) PARTITION BY RANGE (round);
CREATE TABLE inspection_1_3 PARTITION OF inspection FOR VALUES FROM (1) TO (4);
CREATE TABLE inspection_4_6 PARTITION OF inspection FOR VALUES FROM (4) TO (7);
CREATE TABLE inspection_rest PARTITION OF inspection DEFAULT;
CREATE TABLE scan (scan_id integer NOT NULL, asset_no "Legacy"."AssetNo", page integer NOT NULL, body oid, sha256 bytea, bytes integer);
CREATE TABLE loan (
    id integer GENERATED ALWAYS AS IDENTITY (START 500 INCREMENT 2), asset_no text NOT NULL, during tstzrange NOT NULL, token uuid,
    days integer GENERATED ALWAYS AS (extract(epoch FROM upper(during) - lower(during))::integer / 86400) STORED,
    EXCLUDE USING gist (asset_no WITH =, during WITH &&)
);
CREATE TABLE calendar_note (day date, be_text text, at timestamp, tz timestamptz, comment text);
CREATE TABLE audit_trail (seq bigserial, at timestamptz DEFAULT now(), what text, who name DEFAULT current_user);
CREATE TABLE "TEMP_IMPORT" ("C1" text, "C2" text, "C3" text);
CREATE TABLE "Empty, with ""quotes"" & spaces" (" leading" integer, "trailing " text, "SELECT" boolean, "a.b" date);
CREATE TABLE no_columns ();
