"""A table as Great Expectations can read it: every column, types it does not know as text."""

from __future__ import annotations

from dataclasses import dataclass

from psycopg import sql

from onboarding.addresses import Database

# Types that SQLAlchemy compares as what they are; enums, ranges, composites and the like would be unknown to it,
# and a table with one such column unreadable.
KNOWN = frozenset(
    ("bool", "bpchar", "bytea", "date", "float4", "float8", "int2", "int4", "int8", "interval", "numeric", "text",
     "time", "timestamp", "timestamptz", "uuid", "varchar")
)  # fmt: skip

COLUMNS = """
SELECT a.attname, base.typname, base.typnamespace = 'pg_catalog'::regnamespace
  FROM pg_attribute a
  JOIN pg_class c ON c.oid = a.attrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_type t ON t.oid = a.atttypid
  JOIN pg_type base ON base.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
 WHERE n.nspname = %s AND c.relname = %s AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
   AND a.attnum > 0 AND NOT a.attisdropped
   AND strpos(a.attname, '%%') = 0 -- Great Expectations doubles the sign and then asks for another column
 ORDER BY a.attnum
"""


@dataclass(frozen=True)
class Table:
    """Schema and name."""

    schema: str
    name: str

    @property
    def title(self) -> str:
        return f"{self.schema}.{self.name}"


def readable(database: Database, table: Table) -> str | None:
    """A query for all its columns; None where there is no such table."""
    with database.connect(autocommit=True) as connection:
        columns = connection.execute(COLUMNS, [table.schema, table.name]).fetchall()
        if not columns:
            return None
        chosen = sql.SQL(", ").join(
            sql.SQL("CAST({0} AS {1}) AS {0}").format(
                sql.Identifier(str(name)),
                # by its name in the catalogue: `character` would mean character(1), `bpchar` is one of any length
                sql.Identifier("pg_catalog", str(typname) if built_in and typname in KNOWN else "text"),
            )
            for name, typname, built_in in columns
        )
        query = sql.SQL("SELECT {} FROM {}").format(chosen, sql.Identifier(table.schema, table.name))
        # SQLAlchemy would take :name inside a quoted identifier for a parameter
        return query.as_string(connection).replace(":", "\\:")
