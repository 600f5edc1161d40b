"""Rows by their keys, from both sides, and where they differ: as strict as the comparison of whole tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from psycopg import sql

from onboarding.reconcile.changes.pending import Key
from onboarding.reconcile.changes.sessions import statement
from onboarding.reconcile.merging import Differences, RowSeen, merge
from onboarding.reconcile.relations import Relation
from onboarding.reconcile.rows import Reading
from onboarding.reconcile.sides import Side
from onboarding.reconcile.tables import Comparing

# A key is looked up in its index, however few rows a table without statistics seems to have.
BY_INDEX = "SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off"


@dataclass(frozen=True)
class Asked:
    """One table on one side: how its rows are read, and what its key's columns are compared by."""

    side: Side
    reading: Reading
    types: tuple[tuple[str, str, str, str], ...]

    def rows(self, keys: Sequence[Key]) -> list[RowSeen]:
        """The rows with these keys, in the order of their keys' texts."""
        with self.side.lease() as connection:
            connection.execute(BY_INDEX)
            found = connection.execute(self.reading.rows_where(self._among(keys))).fetchall()
        clear = self.reading.encoding.clear
        return [
            RowSeen(key, tuple(clear(part) for part in parts), (first, second), tuple(fields), place)
            for key, parts, first, second, fields, place in found
        ]

    def _among(self, keys: Sequence[Key]) -> sql.Composable:
        """Each text is read by the type's own input function, as an unknown literal is: never by a cast."""
        lines = sql.SQL(", ").join(
            sql.SQL("({})").format(
                sql.SQL(", ").join(
                    sql.SQL("CAST({} AS {})").format(_text(part), sql.SQL(kind))
                    for part, (_, kind, _, _) in zip(key, self.types, strict=True)
                )
            )
            for key in keys
        )
        names = [sql.Identifier(f"namrong key {place}") for place in range(len(self.types))]
        alike = sql.SQL(" AND ").join(
            sql.SQL("{} OPERATOR({}.{}) {}").format(
                sql.Identifier(column),
                sql.Identifier(schema),
                sql.SQL(operator),
                name,
            )
            for name, (column, _, schema, operator) in zip(names, self.types, strict=True)
        )
        return sql.SQL(" WHERE EXISTS (SELECT FROM (VALUES {}) AS v ({}) WHERE {})").format(
            lines, sql.SQL(", ").join(names), alike
        )


def _text(part: str) -> sql.Composable:
    return sql.Literal(part)


def asked(comparing: Comparing, ours: Relation, theirs: Relation, key: Sequence[str]) -> tuple[Asked, Asked]:
    """The same table on both sides, by that key."""
    columns = tuple(name for name in ours.outputs if name in theirs.outputs)
    pair = ((comparing.source, ours), (comparing.target, theirs))
    source, target = (
        Asked(side, Reading(relation, columns, tuple(key), comparing.encoding), _types(side, relation, key))
        for side, relation in pair
    )
    return source, target


def _types(side: Side, relation: Relation, key: Sequence[str]) -> tuple[tuple[str, str, str, str], ...]:
    where = sql.Identifier(relation.schema, relation.name).as_string()
    known = {row[0]: row for row in side.ask(statement("keys"), [where])}
    return tuple(known[name] for name in key)


@dataclass(frozen=True)
class Looked:
    """What a look at some keys showed: how many rows each side had, and how they differ."""

    source_rows: int
    target_rows: int
    differences: Differences


def look(comparing: Comparing, pair: tuple[Asked, Asked], keys: Sequence[Key]) -> Looked:
    """Both sides' rows with these keys, read at once and merged."""
    ours, theirs = (found.result() for found in [comparing.pool.submit(side.rows, keys) for side in pair])
    differences = merge(ours, theirs, columns=pair[0].reading.columns, named=2 * len(keys) + 1, keyed=True)
    return Looked(len(ours), len(theirs), differences)


def added(parts: Iterable[Looked], named: int) -> Looked:
    """Several looks at one table as one; of the rows that differ the first `named` by name."""
    source = target = 0
    counts: Counter[str] = Counter()
    columns: Counter[str] = Counter()
    names: list[object] = []
    for part in parts:
        found = part.differences
        source, target = source + part.source_rows, target + part.target_rows
        counts.update({kind: getattr(found, kind) for kind in ("missing", "extra", "duplicated", "changed")})
        columns.update(dict(found.columns))
        names += found.named[: named - len(names)]
    return Looked(
        source, target,
        Differences(**counts, columns=tuple(sorted(columns.items())), named=tuple(names)),  # type: ignore[arg-type]
    )  # fmt: skip
