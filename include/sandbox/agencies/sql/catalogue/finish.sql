ALTER TABLE dataset_version ADD FOREIGN KEY (dataset_id) REFERENCES dataset DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE dataset ADD CONSTRAINT current_version_exists FOREIGN KEY (id, current_version)
    REFERENCES dataset_version (dataset_id, version) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE resource ADD FOREIGN KEY (dataset_id, version) REFERENCES dataset_version ON DELETE CASCADE;
ALTER TABLE dataset_tag ADD FOREIGN KEY (dataset_id) REFERENCES dataset, ADD FOREIGN KEY (tag_id) REFERENCES tag ON DELETE RESTRICT;
ALTER TABLE stats.harvest ADD FOREIGN KEY (subdistrict_code) REFERENCES subdistrict;
ALTER TABLE dataset ADD CONSTRAINT titled CHECK (title_en <> '') NOT VALID;

CREATE INDEX dataset_search ON dataset USING gin (search);
CREATE INDEX dataset_title_trigrams ON dataset USING gin (title_th gin_trgm_ops);
CREATE INDEX dataset_metadata ON dataset USING gin (metadata);
CREATE INDEX dataset_lower_title ON dataset (lower(title_en)) WHERE title_en IS NOT NULL;
CREATE INDEX resource_bounds ON resource USING gist (bounds);
CREATE INDEX resource_by_hash ON resource USING hash (name);
CREATE INDEX rainfall_by_time ON stats.rainfall USING brin (at) WITH (pages_per_range = 32);
CREATE INDEX harvest_by_place ON stats.harvest (subdistrict_code, crop) INCLUDE (area_rai);
CREATE STATISTICS stats.harvest_crop_price (mcv, dependencies) ON crop, price_baht FROM stats.harvest;
CREATE STATISTICS stats.harvest_hundred_rai ON (area_rai / 100) FROM stats.harvest_2567;
ALTER TABLE dataset ALTER COLUMN title_th SET STATISTICS 500;
ALTER TABLE resource ALTER COLUMN preview SET STORAGE EXTERNAL;
ALTER TABLE stats.daily_price SET (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE stats.rainfall REPLICA IDENTITY FULL;

CREATE VIEW published_dataset AS
SELECT d.id, d.slug, d.title_th, v.version, v.published FROM dataset AS d
JOIN dataset_version AS v ON (v.dataset_id, v.version) = (d.id, d.current_version) WHERE v.published < 'infinity';
CREATE VIEW rice_only AS SELECT * FROM stats.harvest WHERE crop = 'rice' WITH LOCAL CHECK OPTION;
-- A view on a view's row type, and a materialized view on that: order matters when they are made again.
CREATE MATERIALIZED VIEW stats.rice_by_province AS
SELECT left(subdistrict_code, 2) AS province_code, year::integer, count(*) AS reports, sum(area_rai) FILTER (WHERE area_rai <> 'NaN') AS area_rai
FROM rice_only GROUP BY 1, 2;
CREATE MATERIALIZED VIEW stats.not_filled_yet AS SELECT 1 AS one WITH NO DATA;
COMMENT ON MATERIALIZED VIEW stats.rice_by_province IS 'ปรับทุกคืน';

CREATE FUNCTION log_change() RETURNS trigger LANGUAGE plpgsql SET search_path = public AS $$
BEGIN
    INSERT INTO change_log (table_name, op, at, row_data) VALUES (TG_TABLE_NAME, TG_OP, clock_timestamp(), to_jsonb(NEW));
    RETURN NEW;
END $$;
CREATE TRIGGER log_dataset AFTER INSERT OR UPDATE ON dataset FOR EACH ROW EXECUTE FUNCTION log_change();
CREATE TRIGGER log_price AFTER INSERT ON stats.daily_price FOR EACH ROW WHEN (NEW.low = 'NaN') EXECUTE FUNCTION log_change();
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.updated := now()::timestamp; RETURN NEW; END $$;
CREATE TRIGGER touch_dataset BEFORE INSERT OR UPDATE ON dataset FOR EACH ROW EXECUTE FUNCTION touch();
CREATE FUNCTION to_be(day date) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN extract(year FROM day)::integer + 543;
CREATE AGGREGATE longest(text) (SFUNC = textcat, STYPE = text, INITCOND = '');
CREATE OPERATOR ||| (LEFTARG = text, RIGHTARG = text, FUNCTION = textcat);

ALTER TABLE api_key ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_keys ON api_key FOR SELECT TO catalogue_app USING (holder = current_user);
GRANT USAGE ON SCHEMA public, stats TO catalogue_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public, stats TO catalogue_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO catalogue_app;
GRANT SELECT ON province, district, subdistrict TO PUBLIC;
REVOKE INSERT, DELETE ON licence FROM catalogue_app;
GRANT REFERENCES (code), UPDATE (url) ON licence TO catalogue_app WITH GRANT OPTION;
COMMENT ON TABLE dataset IS 'สมมติ: ชุดข้อมูลเปิด; it''s fictional';
COMMENT ON COLUMN dataset.coverage IS 'ช่วงวันที่ (ค.ศ.)';
COMMENT ON INDEX dataset_search IS 'ค้นคำ';
COMMENT ON CONSTRAINT titled ON dataset IS 'ชุดเก่ายังไม่มีชื่ออังกฤษ';
COMMENT ON DATABASE catalogue IS 'สมมติ: คลังข้อมูลเปิดสถิติเกษตร';
