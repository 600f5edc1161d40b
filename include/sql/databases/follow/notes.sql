-- What a database that is followed, or follows, keeps about it. Asked again it changes nothing.
CREATE SCHEMA IF NOT EXISTS namrong;

-- The publisher's side: where a slot began, and which transactions the copy beside it sees.
CREATE TABLE IF NOT EXISTS namrong.outlets (
    name     text        PRIMARY KEY,
    began    pg_lsn      NOT NULL,
    snapshot text        NOT NULL,
    taken_at timestamptz           -- since a subscription depends on this very slot
);

-- The subscriber's side. `token` is the fence: whoever has a lower one neither starts nor stops anything.
CREATE TABLE IF NOT EXISTS namrong.feeds (
    name       text        PRIMARY KEY,
    token      bigint      NOT NULL,
    enabled_at timestamptz,          -- the first time that it was let run
    marked_at  timestamptz,          -- when the last marker was written, by the publisher's clock
    drained_at timestamptz,          -- everything up to that marker is applied, and the worker has ended
    drained_to pg_lsn,               -- this server's own position then, on its disk
    turned_at  timestamptz           -- since the other direction is armed: this one is started no more
);
