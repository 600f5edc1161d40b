ALTER TABLE post ADD FOREIGN KEY (author_id) REFERENCES site_user;
ALTER TABLE post_category ADD FOREIGN KEY (post_id) REFERENCES post ON DELETE CASCADE, ADD FOREIGN KEY (category_id) REFERENCES category;
ALTER TABLE post_meta ADD FOREIGN KEY (post_id) REFERENCES post ON DELETE CASCADE;
ALTER TABLE media ADD FOREIGN KEY (post_id) REFERENCES post ON DELETE SET NULL;
ALTER TABLE post ADD CONSTRAINT dated CHECK (published_raw <> '0000-00-00 00:00:00') NOT VALID;
CREATE INDEX post_by_day ON post (published DESC NULLS LAST) WHERE status = 'publish';
CREATE INDEX post_by_slug ON post (lower(slug));
CREATE INDEX media_by_look ON media (lower(normalize(path, NFKC)));
CREATE VIEW front_page AS SELECT id, title, published FROM post WHERE status = 'publish' AND published IS NOT NULL;
CREATE VIEW path_that_looks_alike AS
SELECT lower(normalize(path, NFKC)) AS look, count(*) AS files, array_agg(path ORDER BY path) AS paths FROM media GROUP BY 1 HAVING count(*) > 1;
CREATE MATERIALIZED VIEW most_read AS SELECT post_id, sum(hits) AS hits FROM visit GROUP BY post_id;

CREATE FUNCTION log_post() RETURNS trigger LANGUAGE plpgsql SET search_path = public AS $$
BEGIN
    INSERT INTO change_log (what, post_id) VALUES (TG_OP, NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER log_post AFTER INSERT OR UPDATE ON post FOR EACH ROW EXECUTE FUNCTION log_post();
GRANT USAGE ON SCHEMA public TO website_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO website_app;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO website_app;
COMMENT ON TABLE media IS 'สมมติ: ชื่อแฟ้มต่างกันเพียงตัวพิมพ์หรือรหัสอักขระ';
COMMENT ON DATABASE website IS 'สมมติ: เว็บไซต์ข่าวสารหน่วยงาน ก';
