-- On the target, for both watches: keys of rows that changed and were not seen equal since. They may be citizens' data,
-- and go with the watch.
CREATE SCHEMA IF NOT EXISTS namrong;
CREATE TABLE IF NOT EXISTS namrong.watch_read (
    watch   text, side text, read_to pg_lsn NOT NULL, PRIMARY KEY (watch, side)
);
CREATE TABLE IF NOT EXISTS namrong.pending (
    watch  text  NOT NULL,
    schema text  NOT NULL,
    name   text  NOT NULL,
    digest bytea NOT NULL,        -- SHA-256 of the key: a long one would not fit an index
    key    text  NOT NULL,        -- JSON, the columns in the order of their names
    source_xid bigint, source_at pg_lsn,  -- the latest change on that side
    target_xid bigint, target_at pg_lsn,
    looks  int   NOT NULL DEFAULT 0,      -- how often it was seen to differ since
    PRIMARY KEY (watch, schema, name, digest)
);
CREATE TABLE IF NOT EXISTS namrong.doubtful (  -- to be compared wholly, and why
    watch text, schema text, name text, reason text NOT NULL, PRIMARY KEY (watch, schema, name)
)
