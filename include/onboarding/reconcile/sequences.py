"""Where every sequence stands: a target that lags would give out numbers that are taken."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from psycopg import sql

from onboarding.reconcile.relations import Name, query
from onboarding.reconcile.sides import Side

SEQUENCES_PER_QUERY = 100

Problem = Literal["missing", "extra", "different", "behind", "ahead", "below_column"]


@dataclass(frozen=True)
class Position:
    """A sequence: how it counts (`shape`), the number it gives next, the column it feeds and that one's extreme."""

    shape: tuple[Any, ...]
    increment: int
    next: int
    column: tuple[str, str, str] | None
    extreme: int | None = None

    @property
    def below_column(self) -> bool:
        """The next number is taken already."""
        return self.extreme is not None and (self.extreme - self.next) * self.increment >= 0


@dataclass(frozen=True)
class SequenceDifference:
    """One sequence that is missing, counts otherwise, or stands where it must not."""

    sequence: str
    problem: Problem
    source_next: int | None = None
    target_next: int | None = None


@dataclass(frozen=True)
class Sequences:
    """How many sequences the source has, and those that differ."""

    count: int = 0
    differences: tuple[SequenceDifference, ...] = ()


def compare_sequences(source: Side, target: Side, exclude_schemas: Sequence[str], *, frozen: bool) -> Sequences:
    """Every sequence of both sides.

    The target must stand where the source stands or further on; exactly there when the source is `frozen`. A sequence
    is not part of any snapshot: it is read as it stands now (PostgreSQL, chapter 9.17).
    """
    ours, theirs = positions(source, exclude_schemas), positions(target, exclude_schemas)
    found = [
        SequenceDifference(".".join(name), problem, before.next if before else None, after.next if after else None)
        for name in sorted(ours.keys() | theirs.keys())
        for before, after in [(ours.get(name), theirs.get(name))]
        for problem in _problems(before, after, frozen)
    ]
    return Sequences(len(ours), tuple(found))


def positions(side: Side, exclude_schemas: Sequence[str]) -> dict[Name, Position]:
    """Every sequence of the side by name. Raises Unreadable."""
    rows = side.ask(query("sequences"), [[*exclude_schemas]])
    found: dict[Name, Position] = {}
    for start in range(0, len(rows), SEQUENCES_PER_QUERY):
        batch = rows[start : start + SEQUENCES_PER_QUERY]
        for row, (last, called, extreme) in zip(batch, side.ask(_standing(batch)), strict=True):
            schema, name, *shape, table, column, table_schema = row
            feeds = (table_schema, table, column) if column else None
            increment = int(shape[2])
            found[schema, name] = Position(tuple(shape), increment, last + increment * called, feeds, extreme)
    return found


def _standing(batch: list[tuple[Any, ...]]) -> sql.Composed:
    """A line per sequence, in order: last_value, is_called, and the extreme of the column it feeds."""
    lines = []
    for place, row in enumerate(batch):
        extreme: sql.Composable = sql.SQL("NULL::bigint")
        if row[11]:
            extreme = sql.SQL("(SELECT {}({})::bigint FROM {})").format(
                sql.SQL("max" if row[4] > 0 else "min"), sql.Identifier(row[11]), sql.Identifier(row[12], row[10])
            )
        lines.append(
            sql.SQL("SELECT {}, last_value, is_called::int, {} FROM {}").format(
                sql.Literal(place), extreme, sql.Identifier(row[0], row[1])
            )
        )
    return sql.SQL(
        "SELECT last_value, is_called, extreme FROM ({}) AS s (place, last_value, is_called, extreme) ORDER BY place"
    ).format(sql.SQL(" UNION ALL ").join(lines))


def _problems(before: Position | None, after: Position | None, frozen: bool) -> Iterator[Problem]:
    if before is None or after is None:
        yield "missing" if after is None else "extra"
        return
    if before.shape != after.shape or before.column != after.column:
        yield "different"
    ahead = (after.next - before.next) * before.increment
    if ahead < 0:
        yield "behind"
    if ahead > 0 and frozen:
        yield "ahead"
    if after.below_column and not before.below_column:
        yield "below_column"
