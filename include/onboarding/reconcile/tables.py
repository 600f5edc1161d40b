"""What became of every table: found on both sides, read on both sides, and equal, or not."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from onboarding.reconcile.canonical import Encoding
from onboarding.reconcile.merging import Differences
from onboarding.reconcile.pseudonyms import Pseudonyms
from onboarding.reconcile.relations import Name, Relation, refreshed
from onboarding.reconcile.rows import Reading, Total, locate, start_total
from onboarding.reconcile.sides import Side, Unreadable


@dataclass(frozen=True)
class SetAside:
    """Rows of a table that did not move and are accounted for: quarantined with a reason, or excluded by a rule."""

    rows: int
    kind: Literal["quarantined", "excluded"]
    reason: str


@dataclass(frozen=True)
class TableComparison:
    """One table on both sides. Its law: source = target + quarantined + excluded, residual 0, and no row differs."""

    table: str
    source_rows: int | None
    target_rows: int | None
    quarantined: int = 0
    excluded: int = 0
    differences: Differences = field(default_factory=Differences)
    key: tuple[str, ...] = ()
    missing_columns: tuple[str, ...] = ()
    extra_columns: tuple[str, ...] = ()
    unknown: str = ""
    note: str = ""
    compared: Literal["whole", "changed"] = "whole"
    """Every row, or those that changed since all of them were proven: then the rows counted here are these alone."""

    @property
    def residual(self) -> int | None:
        """Source rows that neither arrived nor were set aside; negative when there are too many. None: not known."""
        if self.source_rows is None or self.target_rows is None:
            return None
        return self.source_rows - self.target_rows - self.quarantined - self.excluded

    @property
    def unaccounted(self) -> int:
        """Rows missing, extra, duplicated or changed and not set aside. An unread table has at least one."""
        if self.unknown:
            return max(1, self.source_rows or 0)
        if self.missing_columns or self.extra_columns:
            return max(1, self.source_rows or 0, self.target_rows or 0)
        lost = max(0, self.differences.missing - self.quarantined - self.excluded)
        beside = self.differences.rows - self.differences.missing
        return max(lost + beside, abs(self.residual or 0))

    @property
    def equal(self) -> bool:
        return not self.unaccounted

    def as_json(self, names: Pseudonyms) -> dict[str, Any]:
        """Counts, names of columns and pseudonyms of rows; no row data."""
        found = self.differences
        return {
            "table": self.table,
            "equal": self.equal,
            "source_rows": self.source_rows,
            "target_rows": self.target_rows,
            "quarantined": self.quarantined,
            "excluded": self.excluded,
            "residual": self.residual,
            "unaccounted": self.unaccounted,
            "missing": found.missing,
            "extra": found.extra,
            "duplicated": found.duplicated,
            "changed": found.changed,
            "changed_columns": dict(found.columns),
            "missing_columns": list(self.missing_columns),
            "extra_columns": list(self.extra_columns),
            "keyless": not self.key,
            "differing_keys": [
                {"kind": row.kind, "pseudonym": names.of(row.digest), "columns": list(row.columns)}
                | ({"place": row.place} if row.place else {})
                for row in found.named
            ],
            "unknown": self.unknown,
            "note": self.note,
            "compared": self.compared,
        }


@dataclass(frozen=True)
class Comparing:
    """What `compare_tables` works with: both sides, their common encoding, the pool, what was set aside."""

    source: Side
    target: Side
    encoding: Encoding
    pool: ThreadPoolExecutor
    set_aside: Mapping[str, tuple[SetAside, ...]]
    named: int


def compare_tables(
    comparing: Comparing, ours: Mapping[Name, Relation], theirs: Mapping[Name, Relation]
) -> list[TableComparison]:
    """Every table of either side, the largest read first."""
    names = sorted(ours.keys() | theirs.keys(), key=lambda name: -_blocks(ours.get(name), theirs.get(name)))
    started = [(name, _start(comparing, ours.get(name), theirs.get(name))) for name in names]
    found = [_finish(comparing, name, *begun) for name, begun in started]
    return sorted(found, key=lambda table: table.table)


def _blocks(*relations: Relation | None) -> int:
    return sum(relation.blocks for relation in relations if relation)


Begun = tuple[Reading | None, Reading | None, list[Future[Total]], list[Future[Total]]]


def _start(comparing: Comparing, ours: Relation | None, theirs: Relation | None) -> Begun:
    """Both totals under way, over the columns and the key that both sides have."""
    sides = [relation for relation in (ours, theirs) if relation]
    common = [name for name in sides[0].outputs if all(name in relation.outputs for relation in sides)]
    keys = [relation.key for relation in sides if relation.key and set(relation.key) <= set(common)]
    key = keys[0] if keys else ()
    readings = [
        Reading(relation, tuple(common), key, comparing.encoding) if relation and relation.populated else None
        for relation in (ours, theirs)
    ]
    totals = [
        start_total(side, reading, comparing.pool) if reading else []
        for side, reading in zip((comparing.source, comparing.target), readings, strict=True)
    ]
    return readings[0], readings[1], totals[0], totals[1]


def _finish(
    comparing: Comparing,
    name: Name,
    ours: Reading | None,
    theirs: Reading | None,
    our_total: list[Future[Total]],
    their_total: list[Future[Total]],
) -> TableComparison:
    title = ".".join(name)
    aside = comparing.set_aside.get(title, ())
    quarantined = sum(part.rows for part in aside if part.kind == "quarantined")
    excluded = sum(part.rows for part in aside if part.kind == "excluded")
    try:
        before, after = (sum((part.result() for part in total), Total()) for total in (our_total, their_total))
        differences = Differences()
        if ours is None or theirs is None or _one_is_empty(before, after, comparing.named):
            differences = Differences(missing=before.rows, extra=after.rows)
        elif before != after and _refreshed(comparing, ours, after):
            return TableComparison(title, before.rows, before.rows, quarantined, excluded, note="source_stale")
        elif before != after:
            rows = max(before.rows, after.rows)
            pair = (comparing.source, ours), (comparing.target, theirs)
            differences = locate(*pair, comparing.pool, rows=rows, named=comparing.named)
    except Unreadable as failure:
        return TableComparison(title, None, None, quarantined, excluded, unknown=str(failure))
    return TableComparison(
        title,
        before.rows,
        after.rows,
        quarantined,
        excluded,
        differences,
        key=ours.key if ours else (),
        missing_columns=_only(ours, theirs),
        extra_columns=_only(theirs, ours),
    )


def _one_is_empty(before: Total, after: Total, named: int) -> bool:
    """Whether one side has no row at all and the other more than would be named: counts say it without another look."""
    return not (before.rows and after.rows) and max(before.rows, after.rows) > named


def _refreshed(comparing: Comparing, ours: Reading, after: Total) -> bool:
    """Whether the target's materialized view is what the source's own would be if refreshed: derived, so no loss."""
    if ours.relation.kind != "m":
        return False
    query = replace(ours, relation=refreshed(ours.relation))
    return sum((part.result() for part in start_total(comparing.source, query, comparing.pool)), Total()) == after


def _only(one: Reading | None, other: Reading | None) -> tuple[str, ...]:
    """Columns of `one` that `other` lacks; none if either table is absent, which says more."""
    if one is None or other is None:
        return ()
    return tuple(name for name in one.relation.outputs if name not in other.relation.outputs)
