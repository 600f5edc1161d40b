"""Where every sequence stands: a target that lags would give out numbers that are taken."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from psycopg import sql

from onboarding.reconcile.relations import Name, query
from onboarding.reconcile.sides import Side

SEQUENCES_PER_QUERY = 100

# What a primary writes ahead for a sequence, so that not every number costs a record: its replicas show the far end
# (SEQ_LOG_VALS in PostgreSQL's sequence.c).
LOGGED_AHEAD = 32

Problem = Literal["missing", "extra", "different", "behind", "ahead", "below_column"]

Rule = Literal["exactly", "at_least", "past_column"]
"""Where the target's sequence must stand: with the source's, there or further on, or past the numbers in use."""


@dataclass(frozen=True)
class Position:
    """A sequence: how it counts (`shape`), the number it gives next, the column it feeds and that one's extreme.

    On a replica the next number is known only as `next` or up to `doubt` numbers before it.
    """

    shape: tuple[Any, ...]
    increment: int
    next: int
    column: tuple[str, str, str] | None
    extreme: int | None = None
    doubt: int = 0

    @property
    def surely(self) -> int:
        """The nearest that the next number may be."""
        return self.next - self.doubt * self.increment

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
    """How many sequences the source has, those that differ, and those of which a replica cannot tell."""

    count: int = 0
    differences: tuple[SequenceDifference, ...] = ()
    unknown: tuple[str, ...] = ()


def compare_sequences(source: Side, target: Side, exclude_schemas: Sequence[str], *, rule: Rule) -> Sequences:
    """Every sequence of both sides.

    A sequence is not part of any snapshot: it is read as it stands now (PostgreSQL, chapter 9.17). So where it stood in
    the past of a source that writes on, nobody knows, and the rule is `past_column`. A replica shows a number that
    may not have been reached yet: where that leaves two answers, the sequence is unknown.
    """
    ours, theirs = positions(source, exclude_schemas), positions(target, exclude_schemas)
    found = [
        SequenceDifference(".".join(name), problem, before.next if before else None, after.next if after else None)
        for name in sorted(ours.keys() | theirs.keys())
        for before, after in [(ours.get(name), theirs.get(name))]
        for problem in problems(before, after, rule)
    ]
    pairs = ((name, ours[name], theirs[name]) for name in sorted(ours.keys() & theirs.keys()))
    unknown = tuple(".".join(name) for name, before, after in pairs if undecided(before, after, rule))
    return Sequences(len(ours), tuple(found), unknown)


def positions(side: Side, exclude_schemas: Sequence[str]) -> dict[Name, Position]:
    """Every sequence of the side by name. Raises Unreadable."""
    rows = side.ask(query("sequences"), [[*exclude_schemas]])
    replica = bool(side.ask("SELECT pg_is_in_recovery()")[0][0])
    found: dict[Name, Position] = {}
    for start in range(0, len(rows), SEQUENCES_PER_QUERY):
        batch = rows[start : start + SEQUENCES_PER_QUERY]
        for row, (last, called, extreme) in zip(batch, side.ask(_standing(batch)), strict=True):
            schema, name, *shape, table, column, table_schema = row
            feeds = (table_schema, table, column) if column else None
            increment = int(shape[2])
            doubt = LOGGED_AHEAD if replica and called else 0  # one that was just set is shown as it is
            found[schema, name] = Position(tuple(shape), increment, last + increment * called, feeds, extreme, doubt)
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


def problems(before: Position | None, after: Position | None, rule: Rule) -> Iterator[Problem]:
    """What is certainly wrong with the target's sequence."""
    if before is None or after is None:
        yield "missing" if after is None else "extra"
        return
    if before.shape != after.shape or before.column != after.column:
        yield "different"
    least, most = _lead(before, after)
    if most < 0 and rule != "past_column":
        yield "behind"
    if least > 0 and rule == "exactly":
        yield "ahead"
    if after.below_column and not before.below_column:
        yield "below_column"


def _lead(before: Position, after: Position) -> tuple[int, int]:
    """By how much the target is ahead at least and at most; only the signs count."""
    least, most = after.surely - before.next, after.next - before.surely
    return least * before.increment, most * before.increment


def undecided(before: Position, after: Position, rule: Rule) -> bool:
    """Whether the target may be behind, or where it must not be ahead, and may as well not be."""
    least, most = _lead(before, after)
    if rule == "past_column":
        return False
    return least < 0 <= most or (rule == "exactly" and least <= 0 < most)
