-- สมมติ (fictional): licences applied for, paid, granted and revoked online. What is final stays final: the database sees to it.
CREATE SCHEMA archive;
CREATE TYPE application_state AS ENUM ('draft', 'submitted', 'paid', 'inspected', 'granted', 'refused');
CREATE TYPE money_thb AS (amount numeric(14, 2), vat numeric(14, 2));
CREATE DOMAIN citizen_number AS char(13) CHECK (VALUE ~ '^[0-9]{13}$');
CREATE DOMAIN licence_number AS text CHECK (VALUE ~ '^L-[0-9]{4}-[0-9]{7}$');

CREATE TABLE province (code char(2) PRIMARY KEY, name_th text NOT NULL);
CREATE TABLE licence_type (code char(3) PRIMARY KEY, name text NOT NULL UNIQUE, fee money_thb NOT NULL, valid interval NOT NULL);
CREATE TABLE applicant (
    id uuid PRIMARY KEY, citizen_id citizen_number NOT NULL, full_name text NOT NULL, kind "char" NOT NULL, contact jsonb NOT NULL, since date NOT NULL
);
CREATE TABLE application (
    id bigint GENERATED ALWAYS AS IDENTITY (START 1) PRIMARY KEY, applicant uuid NOT NULL, type char(3) NOT NULL, province char(2) NOT NULL,
    state application_state NOT NULL, submitted timestamptz, decided timestamptz, form jsonb NOT NULL,
    CHECK ((state IN ('granted', 'refused')) = (decided IS NOT NULL))
) WITH (fillfactor = 90);
CREATE TABLE payment (
    id bigint PRIMARY KEY, application bigint NOT NULL, paid numeric(14, 2) NOT NULL, vat numeric(14, 2) NOT NULL, at timestamptz NOT NULL, receipt text NOT NULL,
    total numeric(15, 2) GENERATED ALWAYS AS (paid + vat) STORED
);
-- By hash of the number: the root's rows lie in four tables, and no name says which.
CREATE TABLE licence (
    number licence_number NOT NULL, application bigint NOT NULL, holder uuid NOT NULL, valid daterange NOT NULL, final boolean NOT NULL, signature bytea NOT NULL,
    PRIMARY KEY (number)
) PARTITION BY HASH (number);
CREATE TABLE licence_0 PARTITION OF licence FOR VALUES WITH (MODULUS 4, REMAINDER 0);
CREATE TABLE licence_1 PARTITION OF licence FOR VALUES WITH (MODULUS 4, REMAINDER 1);
CREATE TABLE licence_2 PARTITION OF licence FOR VALUES WITH (MODULUS 4, REMAINDER 2);
CREATE TABLE licence_3 PARTITION OF licence FOR VALUES WITH (MODULUS 4, REMAINDER 3);
CREATE TABLE history (application bigint NOT NULL, ordinal smallint NOT NULL, state application_state NOT NULL, at timestamptz NOT NULL, undoes smallint, PRIMARY KEY (application, ordinal));
CREATE TABLE revocation (number licence_number PRIMARY KEY, at timestamptz NOT NULL, why text NOT NULL, withdrawn timestamptz);
CREATE TABLE archive.licence_2565 (number licence_number PRIMARY KEY, holder_name text, valid daterange);
CREATE TABLE outbox (seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, topic text NOT NULL, body jsonb NOT NULL, at timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE TABLE hold (application bigint PRIMARY KEY, until timestamptz NOT NULL);
CREATE SEQUENCE receipt_number START 1000000;
