-- Where a database remembers which writing privileges were taken from a service, so that they come back exactly.
CREATE SCHEMA IF NOT EXISTS namrong;
CREATE TABLE IF NOT EXISTS namrong.writes (
    role      text        PRIMARY KEY,
    withheld  jsonb       NOT NULL,  -- a list of [object, column, privilege, grantee, grantable, writes]
    closed_at timestamptz,           -- NULL while open
    opened_at timestamptz
);
