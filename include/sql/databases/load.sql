-- What the target of a load keeps about it, in the very database the rows go to: so that rows, checkpoint and the
-- refusal of a worker thought dead are one transaction. The schema is ours; nobody else gets a right on it.

CREATE SCHEMA namrong;

-- The load this database was made for. `token` is the fence of the whole: nobody with a lower one commits here.
CREATE TABLE namrong.load (
    one         boolean     PRIMARY KEY DEFAULT true CHECK (one),
    load        text        NOT NULL,
    token       bigint      NOT NULL,
    snapshot    text,        -- the transactions it sees: schema and rows are of that one moment
    schema_at   timestamptz,
    archive     bytea,       -- pg_dump's archive of the schema (no rows): indexes and constraints come from it later
    planned_at  timestamptz,
    finished_at timestamptz
);

-- The fence of each unit: an attempt raises it to its own token, and an older attempt is refused from then on.
CREATE TABLE namrong.units (
    unit  text   PRIMARY KEY,
    token bigint NOT NULL
);

-- The plan: what has to arrive. A part belongs to one unit and is moved in one transaction.
CREATE TABLE namrong.parts (
    part  text   PRIMARY KEY,
    unit  text   NOT NULL,
    bytes bigint NOT NULL,
    piece jsonb  NOT NULL,
    place int    NOT NULL  -- within its unit
);

-- What has arrived, written in the part's own transaction.
CREATE TABLE namrong.checkpoints (
    part     text        PRIMARY KEY REFERENCES namrong.parts,
    load     text        NOT NULL,
    unit     text        NOT NULL,
    snapshot text        NOT NULL,  -- the transactions it sees
    rows     bigint      NOT NULL CHECK (rows >= 0),
    bytes    bigint      NOT NULL CHECK (bytes >= 0),
    fence    bigint      NOT NULL,
    at       timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- The refusals. NR001: a lower fence, or another load. NR002: a second snapshot in one load.
-- The rows of load and units stay locked to the end of the transaction, which is the mover's commit.
CREATE FUNCTION namrong.guard_checkpoint() RETURNS trigger LANGUAGE plpgsql AS $guard$
DECLARE
    whole namrong.load;
    mine  bigint;
BEGIN
    SELECT * INTO whole FROM namrong.load FOR UPDATE;
    SELECT token INTO mine FROM namrong.units WHERE unit = NEW.unit FOR UPDATE;
    IF whole.load IS DISTINCT FROM NEW.load OR NEW.fence < whole.token OR mine IS NULL OR NEW.fence < mine THEN
        RAISE EXCEPTION 'fence % of load % is refused: load % stands at %, unit % at %',
            NEW.fence, NEW.load, whole.load, whole.token, NEW.unit, mine USING ERRCODE = 'NR001';
    END IF;
    IF whole.snapshot IS DISTINCT FROM NEW.snapshot THEN
        RAISE EXCEPTION 'a second snapshot in load %', NEW.load USING ERRCODE = 'NR002';
    END IF;
    RETURN NEW;
END
$guard$;

CREATE TRIGGER guard BEFORE INSERT OR UPDATE ON namrong.checkpoints
    FOR EACH ROW EXECUTE FUNCTION namrong.guard_checkpoint();
