"""Two streams of rows in key order, merged into what is missing, extra, duplicated or changed."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Literal

Kind = Literal["missing", "extra", "duplicated", "changed"]


@dataclass(frozen=True)
class RowSeen:
    """A row as a server described it: its key for ordering and in clear, its hash, its fields' hashes.

    A row without a key has its place instead, as PostgreSQL's `ctid`.
    """

    key: str
    clear: tuple[str | None, ...]
    hash: tuple[int, int]
    fields: tuple[int | None, ...]
    place: str = ""


@dataclass(frozen=True)
class RowDifference:
    """One row that differs. `key` is the primary key in clear, for the operator alone, `digest` the SHA-256 of it.

    Neither is ever stored: a digest of few digits is guessed. Reports name the row by `pseudonyms.Pseudonyms`.

    A row without a key is found at `place` (its `ctid`): on the source if it is missing, else on the target.
    """

    kind: Kind
    key: tuple[str | None, ...] = field(repr=False)
    digest: str = field(repr=False)
    columns: tuple[str, ...] = ()
    place: str = ""


@dataclass(frozen=True)
class Differences:
    """Exact counts of differing rows, how often each column differed, and the first of them by name."""

    missing: int = 0
    extra: int = 0
    duplicated: int = 0
    changed: int = 0
    columns: tuple[tuple[str, int], ...] = ()
    named: tuple[RowDifference, ...] = ()

    @property
    def rows(self) -> int:
        return self.missing + self.extra + self.duplicated + self.changed


def merge(
    source: Iterable[RowSeen], target: Iterable[RowSeen], *, columns: Sequence[str], named: int, keyed: bool
) -> Differences:
    """Differences between two streams sorted by key in byte order."""
    counts: Counter[str] = Counter()
    touched: Counter[str] = Counter()
    names: list[RowDifference] = []
    for ours, theirs in _paired(source, target):
        for difference in _differ(ours, theirs, columns, keyed):
            counts[difference.kind] += 1
            touched.update(difference.columns)
            if len(names) < named:
                names.append(difference)
    return Differences(
        counts["missing"],
        counts["extra"],
        counts["duplicated"],
        counts["changed"],
        tuple(sorted(touched.items())),
        tuple(names),
    )


def _paired(source: Iterable[RowSeen], target: Iterable[RowSeen]) -> Iterator[tuple[list[RowSeen], list[RowSeen]]]:
    """The rows of one key on either side, key after key."""
    streams = [((key, list(rows)) for key, rows in groupby(side, lambda row: row.key)) for side in (source, target)]
    ours, theirs = next(streams[0], None), next(streams[1], None)
    while ours is not None or theirs is not None:
        # str order equals byte order in UTF-8, which is how the servers sorted
        if theirs is None or (ours is not None and ours[0] < theirs[0]):
            yield (ours[1] if ours else []), []
            ours = next(streams[0], None)
        elif ours is None or theirs[0] < ours[0]:
            yield [], theirs[1]
            theirs = next(streams[1], None)
        else:
            yield ours[1], theirs[1]
            ours, theirs = next(streams[0], None), next(streams[1], None)


def _differ(ours: list[RowSeen], theirs: list[RowSeen], columns: Sequence[str], keyed: bool) -> Iterator[RowDifference]:
    """What is left of one key's rows when equal ones are taken away in pairs."""
    in_target, in_source = Counter(row.hash for row in theirs), Counter(row.hash for row in ours)
    gone, come = _beyond(ours, in_target), _beyond(theirs, in_source)
    while keyed and gone and come:
        before, after = gone.pop(), come.pop()
        differing = tuple(
            name for name, was, now in zip(columns, before.fields, after.fields, strict=True) if was != now
        )
        yield RowDifference("changed", before.clear, _digest(before), differing)
    for row in gone:
        yield RowDifference("missing", row.clear, _digest(row), place=row.place)
    for row in come:
        yield RowDifference("duplicated" if ours else "extra", row.clear, _digest(row), place=row.place)


def _digest(row: RowSeen) -> str:
    return hashlib.sha256(row.key.encode()).hexdigest()


def _beyond(rows: list[RowSeen], other: Counter[tuple[int, int]]) -> list[RowSeen]:
    """The rows for which the other side has no equal left."""
    left = Counter(other)
    beyond = []
    for row in rows:
        if left[row.hash] > 0:
            left[row.hash] -= 1
        else:
            beyond.append(row)
    return beyond
