-- Beside the tables that are watched: what the watch found there when it began.
CREATE SCHEMA IF NOT EXISTS namrong;
CREATE TABLE IF NOT EXISTS namrong.watched (
    watch    text   NOT NULL,
    oid      bigint NOT NULL,
    schema   text   NOT NULL,
    name     text   NOT NULL,
    as_schema text  NOT NULL,     -- under which name its rows are compared
    as_name  text   NOT NULL,
    identity text   NOT NULL,
    filenode bigint,
    shape    text   NOT NULL,
    key      text[],              -- names in order; NULL where its rows have none
    entry    bigint NOT NULL,     -- its entry in the publication
    entered  text   NOT NULL,
    PRIMARY KEY (watch, oid)
);
CREATE TABLE IF NOT EXISTS namrong.watches (name text PRIMARY KEY, began pg_lsn NOT NULL, publication text NOT NULL)
