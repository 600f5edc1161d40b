"""The tables of one side, as they stand now and as they stood when its watch began."""

from __future__ import annotations

from dataclasses import dataclass

from onboarding.reconcile.changes.sessions import Connection, statement
from onboarding.reconcile.relations import Name


@dataclass(frozen=True)
class Watched:
    """One table as it stands: `reads_as` is what its rows are compared as; `key` is None where rows have none.

    `entry` and `entered` are its place in the publication: taken out and put in again, it has another.
    """

    oid: int
    id: Name
    reads_as: Name
    identity: str
    filenode: int | None
    shape: str
    key: tuple[str, ...] | None
    entry: int | None
    entered: str | None

    @property
    def can_tell(self) -> bool:
        return self.key is not None or self.identity == "f"


def note_tables(connection: Connection, name: str) -> None:
    """The tables that are published under that name, as they stand now, are written down."""
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO namrong.watched VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                [name, t.oid, *t.id, *t.reads_as, t.identity, t.filenode, t.shape, _list(t.key), t.entry, t.entered]
                for t in standing_tables(connection, name)
                if t.entry is not None
            ],
        )


def standing_tables(connection: Connection, name: str) -> list[Watched]:
    """Every table as it stands now."""
    rows = connection.execute(statement("watched"), [name]).fetchall()
    return [
        Watched(oid, (schema, table), (as_schema, as_name), identity, filenode, shape, _tuple(key), entry, entered)
        for oid, schema, table, as_schema, as_name, identity, filenode, shape, key, entry, entered in rows
    ]


def tables_then(connection: Connection, name: str) -> dict[int, Watched]:
    """The tables that the watch told of from its beginning, as they were then, by number."""
    rows = connection.execute(
        "SELECT oid, schema, name, as_schema, as_name, identity, filenode, shape, key, entry, entered"
        " FROM namrong.watched WHERE watch = %s",
        [name],
    ).fetchall()
    return {
        oid: Watched(oid, (schema, table), (as_schema, as_name), identity, node, shape, _tuple(key), entry, entered)
        for oid, schema, table, as_schema, as_name, identity, node, shape, key, entry, entered in rows
    }


def _list(key: tuple[str, ...] | None) -> list[str] | None:
    return None if key is None else [*key]


def _tuple(key: list[str] | None) -> tuple[str, ...] | None:
    return None if key is None else tuple(key)
