"""Which tables there are on a server, and how each is read."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import LiteralString

from psycopg import sql

from onboarding.reconcile.canonical import Column
from onboarding.reconcile.sides import Side

QUERIES = Path(__file__).resolve().parents[2] / "sql" / "reconcile"

Name = tuple[str, str]


@cache
def query(name: str) -> LiteralString:
    """The text of `include/sql/reconcile/<name>.sql`."""
    # as literal as any query in this file: it ships with it and takes its values as parameters
    return (QUERIES / f"{name}.sql").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Relation:
    """A table, a leaf partition, partitions by hash as the one table they make up, or a materialized view.

    With its columns by name and its unique key, if it has one.
    """

    schema: str
    name: str
    kind: str
    blocks: int
    columns: tuple[Column, ...] = ()
    key: tuple[str, ...] = ()
    populated: bool = True
    definition: LiteralString = ""
    outputs: Mapping[str, Column] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "outputs", {column.name: column for column in self.columns})

    @property
    def title(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def id(self) -> Name:
        return self.schema, self.name

    def rows(self) -> sql.Composable:
        """What stands after FROM: this relation's own rows, not those of tables that inherit from it.

        A partitioned table (kind `p`) has no rows of its own; it is here for those of its partitions.
        """
        if self.kind == "query":
            # the server's own text of one of its views
            return sql.SQL("({}) AS fresh").format(sql.SQL(self.definition))
        only = sql.SQL("") if self.kind in ("m", "p") else sql.SQL("ONLY ")
        return sql.SQL("{}{}").format(only, sql.Identifier(self.schema, self.name))


def refreshed(view: Relation) -> Relation:
    """What the materialized view would hold if it were refreshed now."""
    return replace(view, kind="query", blocks=0)


def relations(side: Side, exclude_schemas: Collection[str]) -> dict[Name, Relation]:
    """Every relation that holds rows, by name; extensions' own tables and temporary ones are not among them."""
    found: dict[Name, Relation] = {}
    for schema, name, kind, populated, blocks, columns, key, definition in side.ask(
        query("tables"), [list(exclude_schemas)]
    ):
        parsed = tuple(
            Column(column["name"], None if column["plain"] else (column["output"][0], column["output"][1]))
            for column in sorted(columns or [], key=lambda column: column["name"].encode())
        )
        found[schema, name] = Relation(
            schema, name, kind, blocks, parsed, tuple(key or ()), populated, definition or ""
        )
    return found


def foreign_tables(side: Side, exclude_schemas: Collection[str]) -> list[str]:
    """Tables whose rows live elsewhere: they are excluded, with that reason."""
    rows = side.ask(
        """SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
           WHERE c.relkind = 'f' AND NOT n.nspname = ANY(%s) ORDER BY 1""",
        [list(exclude_schemas)],
    )
    return [str(row[0]) for row in rows]
