ALTER TABLE trainee ADD FOREIGN KEY (agency) REFERENCES agency;
ALTER TABLE enrolment ADD FOREIGN KEY (trainee) REFERENCES trainee, ADD FOREIGN KEY (session) REFERENCES session;
ALTER TABLE certificate ADD FOREIGN KEY (trainee) REFERENCES trainee, ADD FOREIGN KEY (session) REFERENCES session;
ALTER TABLE import.line ADD FOREIGN KEY (file) REFERENCES import.file;
-- Days typed in the Buddhist Era and taken for Gregorian ones: known, old, to be moved as they are.
ALTER TABLE import.line ADD CONSTRAINT day_in_our_time CHECK (day < '2100-01-01') NOT VALID;
CREATE UNIQUE INDEX trainee_citizen ON trainee (citizen_id);
CREATE INDEX trainee_by_name ON trainee (family, given) WHERE given ~ '^[ก-๙]+$';
CREATE INDEX enrolment_by_session ON enrolment (session) INCLUDE (score);
CREATE VIEW import.misread AS SELECT id, given FROM trainee WHERE given !~ '[ก-๙]';
CREATE FUNCTION be_day(typed text) RETURNS date LANGUAGE sql IMMUTABLE STRICT
RETURN make_date(split_part(typed, '/', 3)::int - 543, split_part(typed, '/', 2)::int, split_part(typed, '/', 1)::int);
COMMENT ON FUNCTION be_day(text) IS 'วัน/เดือน/ปี พ.ศ. เป็นวันที่';
CREATE VIEW trainee_born AS SELECT id, born, CASE WHEN born_typed ~ '^[0-9]{2}/' THEN be_day(born_typed) ELSE born_typed::date END = born AS agrees FROM trainee;
CREATE MATERIALIZED VIEW passed_by_level AS
SELECT c.level, s.year, count(*) FILTER (WHERE e.passed) AS passed, count(*) AS enrolled
FROM enrolment AS e JOIN session AS s ON s.id = e.session JOIN course AS c ON c.code = s.course GROUP BY 1, 2;

CREATE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql SET search_path = public AS $$
BEGIN
    INSERT INTO change_log (what, id) VALUES (TG_OP, NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER note_change AFTER INSERT OR UPDATE ON trainee FOR EACH ROW EXECUTE FUNCTION note_change();
GRANT USAGE ON SCHEMA public, import TO training_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public, import TO training_app;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO training_app;
REVOKE UPDATE, DELETE ON change_log FROM training_app;
COMMENT ON COLUMN session.year IS 'calendar: buddhist (พ.ศ.)';
COMMENT ON COLUMN trainee.born_typed IS 'calendar: buddhist (พ.ศ.) when written dd/mm/yyyy';
COMMENT ON COLUMN trainee.citizen_id IS 'สมมติ: หลักตรวจสอบผิดโดยตั้งใจ (check digit wrong on purpose)';
COMMENT ON DATABASE training IS 'สมมติ: ทะเบียนผู้เข้าอบรมบุคลากรรัฐ';
