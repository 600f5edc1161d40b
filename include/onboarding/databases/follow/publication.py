"""The publication: every table of the agency's own, and the feed's markers."""

from __future__ import annotations

from psycopg import sql

from onboarding.addresses import Database
from onboarding.databases.follow.feeds import Feed
from onboarding.databases.follow.notes import ensure_notes, markers
from onboarding.databases.sessions import Connection, session, statement
from onboarding.errors import Stop

SHOWN = 10


def ensure_publication(publisher: Database, name: str) -> int:
    """Every table as it is now is published under that name; how many tables. Safe to call again.

    Table by table, because `FOR ALL TABLES` is a superuser's; a table that is made later is therefore not in it, and
    `unpublished` names it. Call it before the slot begins: changes are decoded with the catalogue as it was then.
    Raises Stop for tables without a key: published, they would refuse the agency's own updates and deletes.
    """
    ensure_notes(publisher, name)
    with session(publisher) as connection:
        _demand_identities(connection)
        tables = connection.execute(statement("follow/published")).fetchall()
        named = [*(sql.Identifier(*table) for table in tables), markers(name)]
        published = sql.SQL(", ").join(sql.SQL("TABLE ONLY {}").format(table) for table in named)
        there = connection.execute("SELECT 1 FROM pg_publication WHERE pubname = %s", [name]).fetchone()
        # each table's own row identity speaks for it; partitions are told of as their root, so that each side routes
        words = "ALTER PUBLICATION {} SET {}" if there else (
            "CREATE PUBLICATION {} FOR {} WITH (publish = 'insert, update, delete, truncate',"
            " publish_via_partition_root = true)"
        )  # fmt: skip
        connection.execute(sql.SQL(words).format(sql.Identifier(name), published))
    return len(tables)


def _demand_identities(connection: Connection) -> None:
    rows = connection.execute(statement("follow/tables"), {"full": False}).fetchall()
    nameless = [where for kind, _, where, _ in rows if kind == "follow_no_identity"]
    if nameless:
        raise Stop("follow.keyless", where=connection.info.dbname, tables=", ".join(nameless[:SHOWN]))


def unpublished(connection: Connection, name: str) -> list[str]:
    """Tables whose changes nobody is told of under that name, as `schema.table`."""
    wanted = {(schema, table) for schema, table in connection.execute(statement("follow/published"))}
    published = {
        (schema, table)
        for schema, table in connection.execute(
            "SELECT n.nspname::text, c.relname::text FROM pg_publication p"
            " JOIN pg_publication_rel r ON r.prpubid = p.oid JOIN pg_class c ON c.oid = r.prrelid"
            " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE p.pubname = %s",
            [name],
        )
    }
    return sorted(f"{schema}.{table}" for schema, table in wanted - published)


def is_published(feed: Feed) -> bool:
    """Whether the feed's publication is there."""
    with session(feed.publisher) as connection:
        return connection.execute("SELECT 1 FROM pg_publication WHERE pubname = %s", [feed.name]).fetchone() is not None


def drop_publication(connection: Connection, name: str) -> None:
    """No such publication. Safe to call again."""
    connection.execute(sql.SQL("DROP PUBLICATION IF EXISTS {}").format(sql.Identifier(name)))
