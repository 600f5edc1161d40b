CREATE INDEX place_at ON place USING gist (at);
CREATE INDEX place_name ON place (lower(name) text_pattern_ops) WHERE name <> '';
CREATE INDEX place_json ON place ((geojson -> 'coordinates' ->> 0));
CREATE INDEX parcel_shape ON parcel USING gist (shape);
CREATE INDEX parcel_place ON parcel (subdistrict_code) INCLUDE (area_rai);
CREATE INDEX parcel_west ON parcel ((((box).southwest).longitude));
CREATE INDEX reading_by_time ON reading USING brin (at);
ALTER TABLE reading ADD CONSTRAINT level_known CHECK (level <> 'NaN') NOT VALID;

-- Views that take composites apart, one upon the other, and one that hands whole rows on.
CREATE VIEW geo.parcel_bounds AS SELECT id, ((box).southwest).longitude AS west, ((box).southwest).latitude AS south, (box).northeast AS northeast FROM parcel WHERE box IS NOT NULL;
CREATE VIEW geo.parcel_corner AS SELECT id, west, (northeast).longitude AS east FROM geo.parcel_bounds;
CREATE VIEW geo.feature AS
SELECT jsonb_build_object('type', 'Feature', 'geometry', p.geojson, 'properties', jsonb_build_object('name', p.name, 'layer', l.name_th)) AS feature, l AS layer
FROM place AS p JOIN layer AS l ON l.id = p.layer;
CREATE MATERIALIZED VIEW geo.parcels_by_subdistrict AS
SELECT subdistrict_code, count(*) AS parcels, sum(area_rai) FILTER (WHERE area_rai <> 'NaN') AS area_rai FROM parcel GROUP BY 1;
CREATE FUNCTION geo.wkb_type(shape geo.wkb) RETURNS integer LANGUAGE sql IMMUTABLE STRICT
RETURN CASE get_byte(shape, 0) WHEN 0 THEN get_byte(shape, 4) ELSE get_byte(shape, 1) END;
CREATE FUNCTION geo.middle(b geo.bounds) RETURNS geo.position LANGUAGE sql IMMUTABLE STRICT
RETURN ROW((((b).southwest).longitude + ((b).northeast).longitude) / 2, (((b).southwest).latitude + ((b).northeast).latitude) / 2)::geo.position;

CREATE FUNCTION note_edit() RETURNS trigger LANGUAGE plpgsql SET search_path = public AS $$
BEGIN
    INSERT INTO edit_log (what, id) VALUES (TG_OP, NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER note_edit AFTER INSERT OR UPDATE ON place FOR EACH ROW EXECUTE FUNCTION note_edit();
GRANT USAGE ON SCHEMA public, geo TO maps_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO maps_app;
GRANT SELECT ON ALL TABLES IN SCHEMA geo TO maps_app;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO maps_app;
REVOKE UPDATE, DELETE ON edit_log FROM maps_app;
COMMENT ON COLUMN place.wkb IS 'WKB, big-endian; some EWKB with SRID 4326, little-endian';
COMMENT ON TYPE geo.bounds IS 'ตะวันตกเฉียงใต้ และ ตะวันออกเฉียงเหนือ';
COMMENT ON DATABASE maps IS 'สมมติ: ระบบแผนที่ภูมิสารสนเทศ';
