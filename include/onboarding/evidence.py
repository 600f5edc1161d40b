"""Proof that the ledger is what it was: the chain from inside, anchors under Object Lock from outside.

The chain alone shows a changed, removed or moved record. Who can rewrite the whole database can also recompute the
chain or cut its end off: only the anchors, which nobody can delete before their time, show that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import psycopg

from onboarding.anchors import Anchor, anchor, ensure_anchor_bucket, read_anchors
from onboarding.ledger import Ledger
from onboarding.messages import Language, text
from onboarding.records import GENESIS, Head, Record, canonical, link

__all__ = ["Anchor", "Verification", "anchor", "canonical", "ensure_anchor_bucket", "link", "read_anchors", "verify"]

PAGE = 10_000
BEFORE_EVERYTHING = -(2**63)
MOST_MOVED = 100
"""Places that are tried to tell a moved record from a changed one; beyond, it is called changed."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with the ledger; `what` is a catalogue entry of `ledger.problem`."""

    what: str
    seq: int
    values: Mapping[str, Any] = field(default_factory=dict)

    def render(self, language: Language) -> str:
        """The sentence for people."""
        return text(f"ledger.problem.{self.what}", language, seq=self.seq, **self.values)


@dataclass(frozen=True)
class Verification:
    """What the proof found. `anchored` is the last record that an anchor vouches for, 0 without anchors."""

    ok: bool
    records: int
    head: Head
    problems: tuple[Problem, ...]
    anchored: int


def verify(ledger: Ledger, anchors: Iterable[Anchor]) -> Verification:
    """Reads the whole ledger and says whether it is the one that was written (and anchored)."""
    chain = _Chain(sorted(anchors, key=lambda vouching: vouching.seq))
    try:
        for record in _all(ledger):
            chain.follow(record)
    except (psycopg.DataError, ValueError, OverflowError) as failure:
        chain.problems.append(Problem("unreadable", chain.head.seq + 1, {"reason": str(failure).strip()}))
    found = tuple(sorted([*chain.problems, *chain.altered(), *chain.truncated()], key=lambda problem: problem.seq))
    return Verification(not found, chain.records, chain.head, found, chain.anchored)


class _Chain:
    """What has been read so far."""

    def __init__(self, anchors: Iterable[Anchor]) -> None:
        self.head = Head(0, GENESIS)
        self.records = 0
        self.anchored = 0
        self.problems: list[Problem] = []
        self._suspects: list[Record] = []
        self._unmet: dict[int, list[Anchor]] = {}
        for vouching in anchors:
            self._unmet.setdefault(vouching.seq, []).append(vouching)

    def follow(self, record: Record) -> None:
        """One record further: its number, its link, its content, its anchors."""
        before, self.head = self.head, Head(record.seq, record.hash)
        self.records += 1
        if record.seq > before.seq + 1:
            gap = {"first": before.seq + 1, "last": record.seq - 1}
            self.problems.append(Problem("missing", before.seq + 1, gap))
        elif record.seq <= before.seq or record.prev_hash != before.hash:
            self.problems.append(Problem("broken_link", record.seq))
        if link(record.prev_hash, record) != record.hash:
            self._suspects.append(record)
        for vouching in self._unmet.pop(record.seq, ()):
            if vouching.hash == record.hash:
                self.anchored = max(self.anchored, record.seq)
            else:
                self.problems.append(Problem("rewritten", record.seq, {"at": _time(vouching.at)}))

    def altered(self) -> Iterator[Problem]:
        """The records that do not give their hash: moved, when they do so at another suspect's place."""
        places = [suspect.seq for suspect in self._suspects[:MOST_MOVED]]
        for suspect in self._suspects:
            moved = any(link(suspect.prev_hash, replace(suspect, seq=seq)) == suspect.hash for seq in places)
            yield Problem("reordered" if moved else "altered", suspect.seq)

    def truncated(self) -> Iterator[Problem]:
        """The anchors whose record is not there."""
        for seq, anchors in self._unmet.items():
            for vouching in anchors:
                yield Problem("truncated", seq, {"found": self.head.seq, "at": _time(vouching.at)})


def _all(ledger: Ledger) -> Iterator[Record]:
    after = BEFORE_EVERYTHING
    while page := ledger.records(after=after, limit=PAGE):
        yield from page
        after = page[-1].seq


def _time(at: datetime) -> str:
    return at.isoformat(timespec="seconds")
