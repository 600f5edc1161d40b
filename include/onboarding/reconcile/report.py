"""What a comparison found, as figures, as JSON without row data, and as observations for a gate."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from onboarding.observations import Answer, Observation
from onboarding.reconcile.merging import RowDifference
from onboarding.reconcile.tables import TableComparison


@dataclass(frozen=True)
class Excluded:
    """Something that was not compared, and the rule that says so."""

    what: str
    rule: str


@dataclass(frozen=True)
class Comparison:
    """A database and its copy, compared."""

    tables: tuple[TableComparison, ...]
    excluded: tuple[Excluded, ...] = ()

    @property
    def source_rows(self) -> int:
        return sum(table.source_rows or 0 for table in self.tables)

    @property
    def unaccounted_rows(self) -> int:
        """Rows missing, extra, duplicated or changed, over all tables; a table not read counts too."""
        return sum(table.unaccounted for table in self.tables)

    @property
    def unknown(self) -> tuple[str, ...]:
        """Tables that could not be read, with the reason's name."""
        return tuple(f"{table.table}: {table.unknown}" for table in self.tables if table.unknown)

    @property
    def equal(self) -> bool:
        return all(table.equal for table in self.tables)

    def as_json(self) -> dict[str, Any]:
        """JSON types, no row data."""
        return {
            "equal": self.equal,
            "source_rows": self.source_rows,
            "unaccounted_rows": self.unaccounted_rows,
            "unknown": list(self.unknown),
            "tables": [table.as_json() for table in self.tables],
            "excluded": [asdict(excluded) for excluded in self.excluded],
        }

    def observations(self, at: datetime) -> list[Observation]:
        """What a gate asks: did every row arrive."""
        answer = Answer.UNKNOWN if self.unknown else Answer.FAIL if self.unaccounted_rows else Answer.PASS
        values = {
            "observed": self.unaccounted_rows,
            "tables": len(self.tables),
            "tables_differing": sum(not table.equal for table in self.tables),
            "unknown": ", ".join(self.unknown),
        }
        why = {Answer.UNKNOWN: "reconcile.rows_unknown", Answer.FAIL: "reconcile.rows_differ"}.get(answer, "")
        return [Observation("rows_match", answer, self.unaccounted_rows, 0, at, why, values)]


def named_rows(comparison: Comparison) -> Iterator[tuple[str, RowDifference]]:
    """Table and row for the operator, primary keys in clear: to be shown, never to be stored."""
    for table in comparison.tables:
        for row in table.differences.named:
            yield table.table, row
