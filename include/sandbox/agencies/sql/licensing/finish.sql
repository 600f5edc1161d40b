ALTER TABLE application ADD FOREIGN KEY (applicant) REFERENCES applicant, ADD FOREIGN KEY (type) REFERENCES licence_type, ADD FOREIGN KEY (province) REFERENCES province;
ALTER TABLE payment ADD FOREIGN KEY (application) REFERENCES application;
ALTER TABLE licence ADD FOREIGN KEY (application) REFERENCES application, ADD FOREIGN KEY (holder) REFERENCES applicant;
ALTER TABLE history ADD FOREIGN KEY (application) REFERENCES application, ADD FOREIGN KEY (application, undoes) REFERENCES history (application, ordinal);
ALTER TABLE revocation ADD FOREIGN KEY (number) REFERENCES licence;
CREATE UNIQUE INDEX applicant_citizen ON applicant (citizen_id);
CREATE INDEX licence_by_holder ON licence (holder);
CREATE INDEX application_form ON application USING gin (form jsonb_path_ops);
CREATE INDEX application_waiting ON application (submitted) WHERE decided IS NULL;
CREATE UNIQUE INDEX payment_receipt ON payment (receipt);

CREATE VIEW licence_in_force AS
SELECT l.number, l.holder, l.valid FROM licence AS l LEFT JOIN revocation AS r ON r.number = l.number AND r.withdrawn IS NULL WHERE l.final AND r.number IS NULL;
CREATE MATERIALIZED VIEW fees_by_month AS SELECT date_trunc('month', at AT TIME ZONE 'Asia/Bangkok')::date AS month, count(*) AS payments, sum(total) AS thb FROM payment GROUP BY 1;

-- The finalize gate: no final licence comes in but through grant_licence(), none changes. ENABLE ALWAYS: for replicas too.
CREATE FUNCTION final_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' AND NEW.final AND current_setting('licensing.granting', true) IS DISTINCT FROM 'yes' THEN
        RAISE EXCEPTION 'a final licence is granted, not inserted: %', NEW.number;
    ELSIF TG_OP <> 'INSERT' AND OLD.final THEN
        RAISE EXCEPTION 'licence % is final', OLD.number;
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER final_is_final BEFORE INSERT OR UPDATE OR DELETE ON licence FOR EACH ROW EXECUTE FUNCTION final_is_final();
ALTER TABLE licence ENABLE ALWAYS TRIGGER final_is_final;
CREATE FUNCTION grant_licence(given licence_number, upon bigint, to_holder uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('licensing.granting', 'yes', true);
    INSERT INTO licence VALUES (given, upon, to_holder, daterange(current_date, current_date + 365), true, sha256(convert_to('final/' || upon, 'UTF8')));
    PERFORM set_config('licensing.granting', '', true);
END $$;
CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql SET search_path = public AS $$
BEGIN
    INSERT INTO outbox (topic, body) VALUES (TG_TABLE_NAME, jsonb_build_object('op', TG_OP, 'id', NEW.id));
    RETURN NULL;
END $$;
CREATE TRIGGER tell AFTER INSERT OR UPDATE ON application FOR EACH ROW EXECUTE FUNCTION tell();

GRANT USAGE ON SCHEMA public, archive TO licensing_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO licensing_app;
GRANT SELECT ON ALL TABLES IN SCHEMA archive TO licensing_app;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO licensing_app;
REVOKE DELETE ON payment, licence, history, outbox FROM licensing_app;
COMMENT ON TABLE licence IS 'ใบอนุญาตที่ออกแล้วแก้ไม่ได้ (สมมติ)';
COMMENT ON TRIGGER final_is_final ON licence IS 'ห้ามปิด';
COMMENT ON COLUMN applicant.citizen_id IS 'สมมติ: หลักตรวจสอบผิดโดยตั้งใจ (check digit wrong on purpose)';
COMMENT ON DATABASE licensing IS 'สมมติ: ระบบใบอนุญาตออนไลน์';
