"""What a comparison found, as figures, as JSON without row data, and as observations for a gate."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from onboarding.observations import Answer, Observation
from onboarding.reconcile.large_objects import LargeObjects
from onboarding.reconcile.merging import RowDifference
from onboarding.reconcile.objects import Objects
from onboarding.reconcile.pseudonyms import Pseudonyms
from onboarding.reconcile.sequences import Sequences
from onboarding.reconcile.tables import TableComparison

# So many names go into an observation; the report has them all.
NAMED_IN_OBSERVATION = 10


@dataclass(frozen=True)
class Excluded:
    """Something that was not compared, and the rule that says so."""

    what: str
    rule: str


@dataclass(frozen=True)
class Unread:
    """A part that a server would not let us read, and the error's name: unknown, never equal."""

    what: str
    reason: str


@dataclass(frozen=True)
class Comparison:
    """A database and its copy, compared."""

    tables: tuple[TableComparison, ...]
    objects: Objects = field(default_factory=Objects)
    sequences: Sequences = field(default_factory=Sequences)
    large_objects: LargeObjects = field(default_factory=LargeObjects)
    excluded: tuple[Excluded, ...] = ()
    unread: tuple[Unread, ...] = ()
    proven_by: int | None = None
    """The ledger's record of the full proof, where only what changed since was compared."""

    @property
    def source_rows(self) -> int:
        """Rows of the source that were compared, over all tables that could be read."""
        return sum(table.source_rows or 0 for table in self.tables)

    @property
    def unaccounted_rows(self) -> int:
        """Rows missing, extra, duplicated or changed, over all tables; a table not read counts too."""
        return sum(table.unaccounted for table in self.tables)

    @property
    def unknown(self) -> tuple[str, ...]:
        """What could not be read, with the error's name."""
        tables = tuple(f"{table.table}: {table.unknown}" for table in self.tables if table.unknown)
        return tables + tuple(f"{part.what}: {part.reason}" for part in self.unread)

    @property
    def object_differences(self) -> int:
        """Objects, sequences and large objects that differ."""
        return len(self.objects.differences) + len(self.sequences.differences) + len(self.large_objects.differences)

    @property
    def equal(self) -> bool:
        """Everything was read, and nothing differs."""
        return not (self.unknown or self.unaccounted_rows or self.object_differences)

    def as_json(self, names: Pseudonyms | None = None) -> dict[str, Any]:
        """JSON types; counts, names of objects and pseudonyms of rows, no row data."""
        names = names or Pseudonyms.forgotten()
        return {
            "equal": self.equal,
            "source_rows": self.source_rows,
            "unaccounted_rows": self.unaccounted_rows,
            "proven_by": self.proven_by,
            "unknown": list(self.unknown),
            "tables": [table.as_json(names) for table in self.tables],
            "objects": {
                "counts": dict(self.objects.counts),
                "differences": [difference.as_json() for difference in self.objects.differences],
            },
            "sequences": {
                "count": self.sequences.count,
                "differences": [asdict(found) for found in self.sequences.differences],
            },
            "large_objects": {
                "count": self.large_objects.count,
                "differences": [asdict(found) for found in self.large_objects.differences],
            },
            "excluded": [asdict(excluded) for excluded in self.excluded],
        }

    def observations(self, at: datetime) -> list[Observation]:
        """What a gate asks, one answer each: rows, objects, sequences, large objects."""
        differing = [table.table for table in self.tables if not table.equal]
        return [
            self._observed("rows_match", self.unaccounted_rows, differing, at, tables=len(self.tables)),
            self._part("objects", [f"{one.kind} {one.name}: {one.problem}" for one in self.objects.differences], at),
            self._part("sequences", [f"{one.sequence}: {one.problem}" for one in self.sequences.differences], at),
            self._part("large_objects", [f"{one.number}: {one.problem}" for one in self.large_objects.differences], at),
        ]

    def _part(self, part: str, differing: list[str], at: datetime) -> Observation:
        return self._observed(f"{part}_match", len(differing), differing, at)

    def _observed(self, check: str, count: int, differing: list[str], at: datetime, **more: Any) -> Observation:
        part = check.removesuffix("_match")
        of_tables = [f"{table.table}: {table.unknown}" for table in self.tables if table.unknown]
        unknown = (
            of_tables if part == "rows" else [f"{one.what}: {one.reason}" for one in self.unread if one.what == part]
        )
        answer = Answer.UNKNOWN if unknown else Answer.FAIL if count else Answer.PASS
        why = {Answer.UNKNOWN: "reconcile.unknown", Answer.FAIL: f"reconcile.{part}_differ"}.get(answer, "")
        named = ", ".join((unknown or differing)[:NAMED_IN_OBSERVATION])
        return Observation(check, answer, count, 0, at, why, {"count": count, "named": named, **more})


def named_rows(comparison: Comparison) -> Iterator[tuple[str, RowDifference]]:
    """Table and row for the operator, primary keys in clear: to be shown, never to be stored."""
    for table in comparison.tables:
        for row in table.differences.named:
            yield table.table, row
