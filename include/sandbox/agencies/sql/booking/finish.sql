ALTER TABLE booking
    ADD FOREIGN KEY (office_id, counter) REFERENCES counter, ADD FOREIGN KEY (citizen) REFERENCES citizen,
    -- two citizens never stand at one counter at a time: of open bookings only
    ADD CONSTRAINT one_at_a_counter EXCLUDE USING gist (office_id WITH =, counter WITH =, during WITH &&) WHERE (state IN ('booked', 'called'));
ALTER TABLE booking_event ADD UNIQUE (committed) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE waiting_list ADD FOREIGN KEY (citizen) REFERENCES citizen DEFERRABLE INITIALLY DEFERRED;
CREATE UNIQUE INDEX one_open_ticket ON booking (office_id, counter, day, ticket) WHERE state IN ('booked', 'called');
CREATE INDEX open_bookings ON booking (day, office_id) INCLUDE (ticket) WHERE open;
CREATE UNIQUE INDEX booking_token ON booking (token);
CREATE INDEX unsent ON sms_outbox (id) WHERE sent IS NULL;
CREATE UNIQUE INDEX citizen_number_once ON citizen (citizen_id);
ALTER TABLE booking SET (fillfactor = 80);
ALTER TABLE booking_event REPLICA IDENTITY FULL;

CREATE VIEW queue_today AS SELECT office_id, day, count(*) FILTER (WHERE open) AS waiting, max(updated) AS last_change FROM booking GROUP BY 1, 2;
CREATE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql SET search_path = public AS $$
BEGIN
    INSERT INTO audit (booking, from_state, to_state) VALUES (NEW.id, CASE WHEN TG_OP = 'UPDATE' THEN OLD.state END, NEW.state);
    RETURN NULL;
END $$;
CREATE TRIGGER note_change AFTER INSERT OR UPDATE OF state ON booking FOR EACH ROW EXECUTE FUNCTION note_change();
CREATE FUNCTION count_version() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.version := OLD.version + 1; NEW.updated := now(); RETURN NEW; END $$;
CREATE TRIGGER count_version BEFORE UPDATE ON booking FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION count_version();

GRANT USAGE ON SCHEMA public TO booking_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO booking_app;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO booking_app;
REVOKE UPDATE, DELETE ON audit FROM booking_app;
COMMENT ON CONSTRAINT one_at_a_counter ON booking IS 'จองซ้อนไม่ได้ (สมมติ)';
COMMENT ON COLUMN citizen.citizen_id IS 'สมมติ: หลักตรวจสอบผิดโดยตั้งใจ (check digit wrong on purpose)';
COMMENT ON DATABASE booking IS 'สมมติ: ระบบจองคิวบริการประชาชน';
ALTER DATABASE booking SET timezone TO 'Asia/Bangkok';
