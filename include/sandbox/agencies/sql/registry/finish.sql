ALTER TABLE "หน่วยงาน"
    ADD CONSTRAINT "หน่วยงานแม่" FOREIGN KEY ("หน่วยงานแม่") REFERENCES "หน่วยงาน" DEFERRABLE INITIALLY DEFERRED,
    ADD CONSTRAINT "หัวหน้าหน่วยงาน" FOREIGN KEY ("หัวหน้า") REFERENCES "เจ้าหน้าที่" DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "เจ้าหน้าที่"
    ADD CONSTRAINT "สังกัด" FOREIGN KEY ("รหัสหน่วยงาน") REFERENCES "หน่วยงาน" DEFERRABLE INITIALLY IMMEDIATE,
    ADD CONSTRAINT "อีเมลมีรูป" CHECK ("อีเมล" LIKE '%@%');
ALTER TABLE "เส้นทางหนังสือ"
    ADD FOREIGN KEY ("วันที่รับ", "ลำดับ") REFERENCES "ทะเบียนหนังสือรับเข้า" ON DELETE CASCADE,
    ADD FOREIGN KEY ("ผู้รับผิดชอบ") REFERENCES "เจ้าหน้าที่";
ALTER TABLE "สิ่งที่ส่งมาด้วย" ADD FOREIGN KEY ("เลขส่ง") REFERENCES "ทะเบียนหนังสือส่งออก" ON UPDATE CASCADE;
-- Old rows break it, and are to stay: whoever makes it before the rows, or validates it, cannot load them.
ALTER TABLE "เส้นทางหนังสือ" ADD CONSTRAINT "คำสั่งต้องไม่ว่าง" CHECK (btrim("คำสั่ง") <> '') NOT VALID;

CREATE INDEX "ค้นเลขที่หนังสือ" ON "ทะเบียนหนังสือรับเข้า" ("เลขที่หนังสือ");
CREATE INDEX "ค้นตามหน่วยงาน" ON "ทะเบียนหนังสือรับเข้า" ("รหัสหน่วยงาน", "วันที่รับ" DESC NULLS LAST);
CREATE INDEX "หนังสือด่วนที่สุด" ON "ทะเบียนหนังสือส่งออก" ("ลงวันที่") WHERE "ชั้นความลับ" = 'ปกปิด';
CREATE INDEX "ค้นเรื่องไม่สนช่องว่าง" ON "ทะเบียนหนังสือส่งออก" (btrim(lower("เรื่อง")) text_pattern_ops);
CREATE INDEX "ค้นรายละเอียด" ON "ทะเบียนรับ_๒๕๖๙" USING gin ("รายละเอียด" jsonb_path_ops);
CREATE UNIQUE INDEX "ชื่อย่อไม่ซ้ำ" ON "หน่วยงาน" ("ชื่อย่อ") INCLUDE ("ชื่อ") NULLS NOT DISTINCT WHERE "รหัส" < 100 AND "ชื่อย่อ" IS NOT NULL;
CREATE STATISTICS "สถิติหน่วยงานกับเรื่อง" (dependencies, ndistinct) ON "รหัสหน่วยงาน", "ปีงบประมาณ" FROM "ทะเบียนหนังสือรับเข้า";

CREATE VIEW "หนังสือค้างดำเนินการ" WITH (security_barrier) AS
SELECT r."เลขรับ", r."เรื่อง", h."ชื่อ" AS "หน่วยงาน"
FROM "ทะเบียนหนังสือรับเข้า" AS r JOIN "หน่วยงาน" AS h ON h."รหัส" = r."รหัสหน่วยงาน"
WHERE upper_inf(r."ช่วงเวลาดำเนินการ");
CREATE MATERIALIZED VIEW "สรุปหนังสือรายเดือน" AS
SELECT date_trunc('month', "วันที่รับ"::timestamp)::date AS "เดือน", "ชั้นความเร็ว", count(*) AS "จำนวน"
FROM "ทะเบียนหนังสือรับเข้า" GROUP BY 1, 2;
CREATE UNIQUE INDEX ON "สรุปหนังสือรายเดือน" ("เดือน", "ชั้นความเร็ว");

-- Fired while rows are loaded, these would add a row to the log per row.
CREATE FUNCTION "จดการแก้ไข"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public."บันทึกการแก้ไข" ("ตาราง", "การกระทำ", "ใหม่")
    VALUES (TG_TABLE_NAME, TG_OP, CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END);
    RETURN NULL;
END $$;
CREATE TRIGGER "จดหนังสือรับ" AFTER INSERT OR UPDATE OR DELETE ON "ทะเบียนหนังสือรับเข้า" FOR EACH ROW EXECUTE FUNCTION "จดการแก้ไข"();
CREATE TRIGGER "จดหนังสือส่ง" AFTER INSERT OR UPDATE OR DELETE ON "ทะเบียนหนังสือส่งออก" FOR EACH ROW EXECUTE FUNCTION "จดการแก้ไข"();
CREATE FUNCTION "เลขไทย"(digits text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN translate(digits, '0123456789', '๐๑๒๓๔๕๖๗๘๙');
COMMENT ON FUNCTION "เลขไทย"(text) IS 'เลขอารบิกเป็นเลขไทย';
CREATE PROCEDURE "ปรับปรุงสรุป"() LANGUAGE sql AS $$ REFRESH MATERIALIZED VIEW public."สรุปหนังสือรายเดือน" $$;

ALTER TABLE "ทะเบียนหนังสือส่งออก" ENABLE ROW LEVEL SECURITY;
CREATE POLICY "โปรแกรมเห็นเฉพาะไม่ลับ" ON "ทะเบียนหนังสือส่งออก" TO registry_app USING ("ชั้นความลับ" = 'ไม่ลับ');

GRANT USAGE ON SCHEMA public, "จดหมายเหตุ" TO registry_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO registry_app;
GRANT SELECT ON ALL TABLES IN SCHEMA "จดหมายเหตุ" TO registry_app;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO registry_app;
REVOKE UPDATE, DELETE ON "บันทึกการแก้ไข" FROM registry_app;
REVOKE SELECT ON "เจ้าหน้าที่" FROM registry_app;
GRANT SELECT ("รหัส", "ชื่อเต็ม", "รหัสหน่วยงาน") ON "เจ้าหน้าที่" TO registry_app;
REVOKE EXECUTE ON PROCEDURE "ปรับปรุงสรุป"() FROM PUBLIC;
GRANT EXECUTE ON PROCEDURE "ปรับปรุงสรุป"() TO registry_app;
COMMENT ON LARGE OBJECT 2999999 IS 'วัตถุใหญ่ว่าง ไม่มีตารางใดอ้างถึง';
GRANT SELECT ON LARGE OBJECT 2999999 TO registry_app;
ALTER DATABASE registry SET timezone TO 'Asia/Bangkok';
COMMENT ON DATABASE registry IS 'สมมติ: ระบบสารบรรณอิเล็กทรอนิกส์ จังหวัด ข';
