ALTER TABLE complaint ADD FOREIGN KEY (person) REFERENCES person;
ALTER TABLE step ADD FOREIGN KEY (complaint) REFERENCES complaint ON DELETE CASCADE;
ALTER TABLE rating ADD FOREIGN KEY (complaint) REFERENCES complaint;
ALTER TABLE letter_out ADD FOREIGN KEY (complaint) REFERENCES complaint;
ALTER TABLE evidence.attachment ADD FOREIGN KEY (complaint) REFERENCES complaint;
ALTER TABLE evidence.transcript ADD FOREIGN KEY (attachment) REFERENCES evidence.attachment;
ALTER TABLE person ADD CONSTRAINT known_birth CHECK (born > '1900-01-01') NOT VALID;
CREATE INDEX complaint_search ON complaint USING gin (search);
CREATE INDEX complaint_place ON complaint USING gist (place) WHERE place IS NOT NULL;
CREATE INDEX complaint_open ON complaint (topic, received) WHERE answered IS NULL;
CREATE UNIQUE INDEX person_citizen ON person (citizen_id);
CREATE VIEW evidence.heavy AS SELECT id, complaint, name, bytes FROM evidence.attachment WHERE bytes > 1048576;
CREATE MATERIALIZED VIEW answered_by_topic AS SELECT topic, count(*) AS complaints, count(answered) AS answered FROM complaint GROUP BY topic;

CREATE FUNCTION note_access() RETURNS trigger LANGUAGE plpgsql SET search_path = public AS $$
BEGIN
    INSERT INTO access_log (what) VALUES (TG_OP || ' ' || NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER note_access AFTER INSERT OR UPDATE ON complaint FOR EACH ROW EXECUTE FUNCTION note_access();
-- A row deleted takes its large object with it.
CREATE FUNCTION evidence.drop_large() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.large IS NOT NULL THEN PERFORM lo_unlink(OLD.large); END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER drop_large AFTER DELETE ON evidence.attachment FOR EACH ROW EXECUTE FUNCTION evidence.drop_large();

GRANT USAGE ON SCHEMA public, evidence TO complaints_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public, evidence TO complaints_app;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO complaints_app;
REVOKE UPDATE, DELETE ON access_log FROM complaints_app;
GRANT SELECT, UPDATE ON LARGE OBJECT 5000001, 5000002 TO complaints_app;
COMMENT ON LARGE OBJECT 5000002 IS 'เสียงบันทึก 3,000,000 ไบต์ (สมมติ)';
COMMENT ON COLUMN person.citizen_id IS 'สมมติ: หลักตรวจสอบผิดโดยตั้งใจ (check digit wrong on purpose)';
COMMENT ON DATABASE complaints IS 'สมมติ: ระบบรับเรื่องร้องเรียน';
