-- The ledger: append-only evidence of the whole programme, chained by SHA-256.
--
-- One table holds everything, so that one chain covers everything: evidence, intents and their results, fences and
-- cutover transitions. What may happen only once is a partial unique index; who may write what is decided by grants
-- (ledger_schema.py): the writing role has INSERT and SELECT, nobody has more in daily use.
--
-- Safe to run again. Needs PostgreSQL 14 or newer, encoding UTF8. Runs as the owner of the database.

CREATE SCHEMA IF NOT EXISTS ledger;

CREATE TABLE IF NOT EXISTS ledger.records (
    seq       bigint      NOT NULL PRIMARY KEY CHECK (seq > 0),
    at        timestamptz NOT NULL CHECK (isfinite(at)),
    pilot     text        NOT NULL CHECK (pilot <> ''),
    kind      text        NOT NULL CHECK (kind <> ''),
    subject   text        NOT NULL,
    run       text        NOT NULL DEFAULT '',
    body      text        NOT NULL CHECK (jsonb_typeof(body::jsonb) = 'object'),
    prev_hash text        NOT NULL UNIQUE CHECK (prev_hash ~ '^[0-9a-f]{64}$'),
    hash      text        NOT NULL UNIQUE CHECK (hash ~ '^[0-9a-f]{64}$'),
    -- An intent's key is the natural name of one effect: AWS names are ASCII and short; an index row holds 2,704 bytes.
    CHECK (kind NOT IN ('intent', 'intent_result') OR octet_length(subject) BETWEEN 1 AND 1024),
    CHECK (kind <> 'fence' OR jsonb_typeof(body::jsonb -> 'token') = 'number'),
    CHECK (kind <> 'cutover' OR jsonb_typeof(body::jsonb -> 'step') = 'number')
);

COMMENT ON TABLE ledger.records IS 'Append-only. Order is seq, never a clock. body is the exact text that was hashed.';

CREATE INDEX IF NOT EXISTS records_by_pilot ON ledger.records (pilot, kind, subject, seq);
CREATE INDEX IF NOT EXISTS records_by_kind ON ledger.records (kind, seq);

-- One effect, one intent, one result: across the programme, because two pilots may need the same unit or policy.
CREATE UNIQUE INDEX IF NOT EXISTS one_intent ON ledger.records (subject) WHERE kind = 'intent';
CREATE UNIQUE INDEX IF NOT EXISTS one_result ON ledger.records (subject) WHERE kind = 'intent_result';
-- A fencing token is handed out once.
CREATE UNIQUE INDEX IF NOT EXISTS one_fence
    ON ledger.records (pilot, subject, ((body::jsonb ->> 'token')::bigint)) WHERE kind = 'fence';
-- Two that move a cutover on from the same step write the same next step: one of them is refused.
CREATE UNIQUE INDEX IF NOT EXISTS one_cutover_step
    ON ledger.records (pilot, ((body::jsonb ->> 'step')::bigint)) WHERE kind = 'cutover';

-- A field of the hashed text: its length in bytes, so that ('ab', 'c') and ('a', 'bc') differ.
CREATE OR REPLACE FUNCTION ledger.field(value text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN octet_length(value)::text || ':' || value || ',';

-- The database itself numbers and chains every record, whatever the writer claimed for these three columns.
CREATE OR REPLACE FUNCTION ledger.chain() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    tail record;
BEGIN
    -- One writer at a time until its transaction ends: no gap and no fork. 0x6E616D726F6E67 is "namrong".
    PERFORM pg_advisory_xact_lock(31069370137407079);
    SELECT r.seq, r.hash INTO tail FROM ledger.records r ORDER BY r.seq DESC LIMIT 1;
    NEW.seq := coalesce(tail.seq, 0) + 1;
    NEW.prev_hash := coalesce(tail.hash, repeat('0', 64));
    NEW.hash := encode(sha256(convert_to(
        ledger.field(NEW.prev_hash) || ledger.field(NEW.seq::text)
        || ledger.field(to_char(NEW.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
        || ledger.field(NEW.pilot) || ledger.field(NEW.kind) || ledger.field(NEW.subject)
        || ledger.field(NEW.run) || ledger.field(NEW.body), 'UTF8')), 'hex');
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION ledger.refuse() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'the ledger is append-only: % on %.% is refused', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE OR REPLACE TRIGGER chain BEFORE INSERT ON ledger.records
    FOR EACH ROW EXECUTE FUNCTION ledger.chain();
CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE ON ledger.records
    FOR EACH ROW EXECUTE FUNCTION ledger.refuse();
CREATE OR REPLACE TRIGGER never_empty BEFORE TRUNCATE ON ledger.records
    FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse();
-- ALWAYS: also when a session calls itself a replica.
ALTER TABLE ledger.records ENABLE ALWAYS TRIGGER chain;
ALTER TABLE ledger.records ENABLE ALWAYS TRIGGER append_only;
ALTER TABLE ledger.records ENABLE ALWAYS TRIGGER never_empty;

-- For people who read SQL ---------------------------------------------------------------------------------------

CREATE OR REPLACE VIEW ledger.evidence AS
    SELECT seq, at, pilot, kind, subject, run, body::jsonb AS body, hash FROM ledger.records;

CREATE OR REPLACE VIEW ledger.stage_events AS
    SELECT seq, at, pilot, body ->> 'stage' AS stage, body ->> 'state' AS state, run
    FROM ledger.evidence WHERE kind = 'stage';

CREATE OR REPLACE VIEW ledger.intents AS
    SELECT i.seq, i.at, i.pilot, i.subject AS key, i.body ->> 'action' AS action, i.body -> 'request' AS request,
           r.at AS fulfilled_at, r.body -> 'result' AS result, (r.body ->> 'adopted')::boolean AS adopted
    FROM ledger.evidence i LEFT JOIN ledger.evidence r ON r.kind = 'intent_result' AND r.subject = i.subject
    WHERE i.kind = 'intent';

CREATE OR REPLACE VIEW ledger.fences AS
    SELECT seq, at, pilot, subject, (body ->> 'token')::bigint AS token, run
    FROM ledger.evidence WHERE kind = 'fence';

CREATE OR REPLACE VIEW ledger.cutover_transitions AS
    SELECT seq, at, pilot, (body ->> 'step')::bigint AS step, (body ->> 'epoch')::bigint AS epoch,
           body ->> 'from' AS moved_from, body ->> 'to' AS moved_to, body -> 'why' AS why, run
    FROM ledger.evidence WHERE kind = 'cutover';

CREATE OR REPLACE VIEW ledger.approvals AS
    SELECT seq, at, pilot, (body ->> 'ordinal')::int AS ordinal, body ->> 'approver' AS approver,
           body ->> 'decision' AS decision, (body ->> 'automated')::boolean AS automated,
           body ->> 'requester' AS requester, body ->> 'digest' AS digest, run
    FROM ledger.evidence WHERE kind = 'approval';

-- Where each pilot stands and how long each stage took (its first entry to its last pass).
CREATE OR REPLACE VIEW ledger.stage_times AS
    SELECT pilot, stage, min(at) FILTER (WHERE state = 'entered') AS entered,
           max(at) FILTER (WHERE state = 'passed') AS passed,
           max(at) FILTER (WHERE state = 'passed') - min(at) FILTER (WHERE state = 'entered') AS lead_time
    FROM ledger.stage_events GROUP BY pilot, stage;

CREATE OR REPLACE VIEW ledger.programme AS
    SELECT DISTINCT ON (e.pilot) e.pilot, e.stage, e.state, e.at AS since,
           (SELECT min(l.at) FROM ledger.stage_events l
             WHERE l.pilot = e.pilot AND l.stage = 'live' AND l.state = 'passed')
           - (SELECT min(f.at) FROM ledger.stage_events f WHERE f.pilot = e.pilot) AS lead_time,
           (SELECT sum(o.rows) FROM (
               SELECT DISTINCT ON (m.body ->> 'workload') (m.body ->> 'source')::bigint AS rows
               FROM ledger.evidence m
               WHERE m.pilot = e.pilot AND m.kind = 'reconciled' AND m.body ->> 'what' = 'rows'
               ORDER BY m.body ->> 'workload', m.seq DESC) o) AS rows_reconciled,
           (SELECT count(*) FROM ledger.evidence i WHERE i.pilot = e.pilot AND i.kind = 'intent') AS intents
    FROM ledger.stage_events e ORDER BY e.pilot, e.seq DESC;
