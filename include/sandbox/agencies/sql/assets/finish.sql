ALTER TABLE unit ADD FOREIGN KEY (chief) REFERENCES custodian DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE custodian ADD FOREIGN KEY (unit_id) REFERENCES unit DEFERRABLE INITIALLY DEFERRED;
-- Inspectors who are in no register: the reference was never checked for the old rows.
ALTER TABLE inspection_1_3 ADD CONSTRAINT inspector_known FOREIGN KEY (inspector) REFERENCES custodian NOT VALID;
ALTER TABLE "Legacy"."ASSET_MASTER" ADD CONSTRAINT "PRICE_SANE" CHECK ("PRICE" >= 0 AND "PRICE" < 1e9) NOT VALID;

CREATE INDEX "IX_ASSET" ON "Legacy"."ASSET_MASTER" ("ASSET_NO");
CREATE INDEX "IX_NAME" ON "Legacy"."ASSET_MASTER" (upper("Name TH"::text), "PRICE" DESC) WHERE "CONDITION" <> 'สูญหาย';
CREATE INDEX "IX_DEP" ON "Legacy"."DEPRECIATION" ("ASSET_NO", "YEAR") WITH (fillfactor = 70);
CREATE UNIQUE INDEX scan_page ON scan (scan_id, page);
CREATE UNIQUE INDEX custodian_citizen ON custodian (citizen_id);
CREATE INDEX note_by_time ON calendar_note (tz NULLS FIRST);
ALTER TABLE scan REPLICA IDENTITY USING INDEX scan_page;
ALTER TABLE "Legacy"."ASSET_MASTER" CLUSTER ON "IX_ASSET";
CREATE STATISTICS "Legacy"."ASSET_STATS" ON "CONDITION", "QTY" FROM "Legacy"."ASSET_MASTER";

CREATE VIEW "Legacy"."V_LOST" AS SELECT "ASSET_NO", "Name TH", ("VALUE")."amount" FROM "Legacy"."ASSET_MASTER" WHERE "CONDITION" = 'สูญหาย';
CREATE VIEW asset_with_place AS
SELECT a."ASSET_NO" AS asset_no, a."Name TH" AS name, r."PROVINCE" AS province FROM "Legacy"."ASSET_MASTER" AS a LEFT JOIN "Legacy"."AREA" AS r ON r."CODE" = a."LOCATION";
CREATE MATERIALIZED VIEW value_by_year AS SELECT "YEAR", count(*) AS entries, sum("AMOUNT") FILTER (WHERE "AMOUNT" <> 'NaN') AS amount FROM "Legacy"."DEPRECIATION" GROUP BY "YEAR";

CREATE FUNCTION "Legacy"."Audit"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
    INSERT INTO audit_trail (what) VALUES (TG_OP || ' ' || TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME);
    RETURN NULL;
END $$;
-- ENABLE ALWAYS: fires even for a session that calls itself a replica. The second was switched off and forgotten.
CREATE TRIGGER "TR_ASSET" AFTER INSERT OR UPDATE OR DELETE ON "Legacy"."ASSET_MASTER" FOR EACH ROW EXECUTE FUNCTION "Legacy"."Audit"();
ALTER TABLE "Legacy"."ASSET_MASTER" ENABLE ALWAYS TRIGGER "TR_ASSET";
CREATE TRIGGER "TR_OLD" BEFORE INSERT ON "Legacy"."MOVEMENT" FOR EACH STATEMENT EXECUTE FUNCTION "Legacy"."Audit"();
ALTER TABLE "Legacy"."MOVEMENT" DISABLE TRIGGER "TR_OLD";
CREATE TRIGGER "TR_DEP" AFTER INSERT OR TRUNCATE ON "Legacy"."DEPRECIATION" FOR EACH STATEMENT EXECUTE FUNCTION "Legacy"."Audit"();
CREATE FUNCTION "Legacy"."NEXT_DOC"() RETURNS bigint LANGUAGE sql AS $$ SELECT nextval('"Legacy"."DOC_NO_SEQ"') $$;
ALTER TABLE "Legacy"."MOVEMENT" ALTER "DOC" SET DEFAULT "Legacy"."NEXT_DOC"();

ALTER TABLE loan ENABLE ROW LEVEL SECURITY;
CREATE POLICY not_yet_over ON loan AS RESTRICTIVE FOR UPDATE TO assets_app USING (upper(during) > '2025-06-01');
CREATE POLICY read_all ON loan FOR SELECT TO assets_app USING (true);
GRANT USAGE ON SCHEMA public, "Legacy" TO assets_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public, "Legacy" TO assets_app;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public, "Legacy" TO assets_app;
REVOKE DELETE ON "Legacy"."DEPRECIATION" FROM assets_app;
REVOKE EXECUTE ON FUNCTION "Legacy"."Audit"() FROM PUBLIC;
GRANT SELECT, UPDATE ON LARGE OBJECT 4000011 TO assets_app;
COMMENT ON LARGE OBJECT 4000011 IS 'โฉนดที่ดิน (สมมติ)';
COMMENT ON TABLE "Legacy"."ASSET_MASTER" IS 'ไม่มีคีย์หลัก; มีแถวซ้ำโดยตั้งใจ (สมมติ)';
COMMENT ON SEQUENCE "Legacy"."DOC_NO_SEQ" IS 'นำหน้าเลขจริงอยู่ 5,000 ใบ';
COMMENT ON TRIGGER "TR_ASSET" ON "Legacy"."ASSET_MASTER" IS 'ห้ามปิด';
COMMENT ON DATABASE assets IS 'สมมติ: ระบบบัญชีทรัพย์สินเดิม';
ALTER DATABASE assets SET datestyle TO 'SQL, DMY';
