-- Where a database remembers which writing privileges were taken from a service, so that they come back exactly.
CREATE SCHEMA IF NOT EXISTS namrong;
CREATE TABLE IF NOT EXISTS namrong.writes (
    role      text        PRIMARY KEY,
    withheld  jsonb       NOT NULL,  -- a list of [object, column, privilege, grantee, grantable, writes]
    closed_at timestamptz,           -- NULL while open
    opened_at timestamptz
);
-- Asked first: ALTER TABLE waits for everybody who reads the row, whether there is something to add or not.
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_attribute
                   WHERE attrelid = 'namrong.writes'::regclass AND attname = 'unsettled') THEN
        ALTER TABLE namrong.writes
            ADD COLUMN IF NOT EXISTS giving       jsonb NOT NULL DEFAULT '[]',  -- the statements that give it back
            ADD COLUMN IF NOT EXISTS attempt      text  NOT NULL DEFAULT '',    -- whose freeze this is
            ADD COLUMN IF NOT EXISTS deadline     timestamptz,                  -- when it ends by itself; NULL: never
            ADD COLUMN IF NOT EXISTS keeper       text  NOT NULL DEFAULT '',    -- application_name of who sees to that
            ADD COLUMN IF NOT EXISTS permanent_at timestamptz,                  -- since when it does so no more
            ADD COLUMN IF NOT EXISTS expired_at   timestamptz,                  -- when it last did
            ADD COLUMN IF NOT EXISTS not_given    jsonb,                        -- what was refused then, with SQLSTATE
            ADD COLUMN IF NOT EXISTS unsettled    boolean NOT NULL DEFAULT false;  -- a write may still be to commit
    END IF;
END $$;
