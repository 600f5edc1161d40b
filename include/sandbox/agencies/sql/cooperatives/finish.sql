ALTER TABLE province ADD FOREIGN KEY (region) REFERENCES region;
ALTER TABLE district ADD FOREIGN KEY (province) REFERENCES province ON UPDATE CASCADE;
ALTER TABLE subdistrict ADD FOREIGN KEY (district) REFERENCES district ON UPDATE CASCADE;
ALTER TABLE cooperative ADD FOREIGN KEY (subdistrict) REFERENCES subdistrict ON UPDATE CASCADE,
    ADD CONSTRAINT belongs_to FOREIGN KEY (federation) REFERENCES cooperative DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE store ADD FOREIGN KEY (cooperative) REFERENCES cooperative ON DELETE CASCADE;
ALTER TABLE aisle ADD FOREIGN KEY (cooperative, store) REFERENCES store ON DELETE CASCADE;
-- All three or none; when its aisle goes, a product forgets the aisle and the store but not whose it is.
ALTER TABLE product ADD CONSTRAINT stands_in FOREIGN KEY (cooperative, store, aisle) REFERENCES aisle MATCH FULL ON DELETE SET NULL;
ALTER TABLE price ADD FOREIGN KEY (product) REFERENCES product ON DELETE CASCADE;
ALTER TABLE promotion ADD FOREIGN KEY (product, since) REFERENCES price ON DELETE CASCADE;
ALTER TABLE ledger.entry ADD FOREIGN KEY (cooperative) REFERENCES cooperative;
ALTER TABLE product ADD CONSTRAINT in_stock CHECK (stock >= 0) NOT VALID;
CREATE UNIQUE INDEX product_barcode ON product (barcode) WHERE barcode IS NOT NULL;
CREATE INDEX cooperative_name ON cooperative (name text_pattern_ops);
CREATE INDEX entry_by_day ON ledger.entry (cooperative, day) INCLUDE (amount);

CREATE VIEW open_cooperative AS SELECT id, registered_no, name, kind, subdistrict, founded FROM cooperative WHERE closed IS NULL WITH CASCADED CHECK OPTION;
CREATE RECURSIVE VIEW federation_tree (id, top, depth) AS
SELECT id, id, 1 FROM cooperative WHERE federation IS NULL
UNION ALL
SELECT c.id, t.top, t.depth + 1 FROM cooperative AS c JOIN federation_tree AS t ON c.federation = t.id;
CREATE MATERIALIZED VIEW ledger.by_cooperative AS SELECT cooperative, count(*) AS entries, sum(amount) AS balance FROM ledger.entry GROUP BY cooperative;
CREATE UNIQUE INDEX ON ledger.by_cooperative (cooperative);
CREATE MATERIALIZED VIEW ledger.by_province AS
SELECT left(c.subdistrict, 2) AS province, sum(b.entries) AS entries, sum(b.balance) AS balance
FROM ledger.by_cooperative AS b JOIN cooperative AS c ON c.id = b.cooperative GROUP BY 1;

-- Rules rewrite the question itself: a mover that inserts through views, or by INSERT, adds rows here and loses them there.
CREATE RULE close_not_delete AS ON DELETE TO open_cooperative DO INSTEAD UPDATE cooperative SET closed = current_date WHERE id = OLD.id;
CREATE RULE note_closing AS ON UPDATE TO cooperative WHERE OLD.closed IS DISTINCT FROM NEW.closed
    DO ALSO INSERT INTO rule_log (what, id) VALUES ('closed', NEW.id);
CREATE RULE entries_stay AS ON DELETE TO ledger.entry DO INSTEAD INSERT INTO ledger.entry_void VALUES (OLD.*);
CREATE RULE free_is_no_price AS ON INSERT TO price WHERE NEW.price = 0 DO INSTEAD NOTHING;

ALTER TABLE inspector_note ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_notes ON inspector_note TO cooperatives_app USING (inspector = current_user) WITH CHECK (inspector = current_user);
ALTER TABLE ledger.entry ENABLE ROW LEVEL SECURITY;
CREATE POLICY read_entries ON ledger.entry FOR SELECT TO cooperatives_app USING (true);
CREATE POLICY this_year_only ON ledger.entry AS RESTRICTIVE FOR ALL TO cooperatives_app USING (day >= '2022-10-01') WITH CHECK (day >= '2025-10-01');
GRANT USAGE ON SCHEMA public, ledger TO cooperatives_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public, ledger TO cooperatives_app;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public, ledger TO cooperatives_app;
REVOKE INSERT, UPDATE, DELETE ON region, province, district, subdistrict FROM cooperatives_app;
COMMENT ON RULE entries_stay ON ledger.entry IS 'รายการบัญชีลบไม่ได้';
COMMENT ON DOMAIN share_value IS 'มูลค่าหุ้น (บาท)';
COMMENT ON DATABASE cooperatives IS 'สมมติ: ทะเบียนร้านค้าสหกรณ์ชุมชน';
