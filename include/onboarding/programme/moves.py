"""What is on its way just now, folded record by record: per workload, how much of what was planned has arrived.

| record                                               | what it says                                                |
|------------------------------------------------------|-------------------------------------------------------------|
| `load_plan`, `files_plan`                            | the units and how many bytes each was planned with          |
| `moving`                                             | how many of a unit's bytes are there, while it is at work   |
| `moved_rows`, `moved_files`                          | the unit is there                                           |
| `load_finished`, `load_given_up`, `load_restarted`   | of rows: nothing is on its way any more                     |
| `run`, `refused`                                     | nor is anything of an earlier run                           |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from onboarding.records import Record

What = Literal["rows", "files"]

KINDS = (
    "load_plan", "files_plan", "moving", "moved_rows", "moved_files", "load_finished", "load_given_up",
    "load_restarted",
)  # fmt: skip
LEAST_SHARE, LEAST_TIME = 0.02, timedelta(seconds=5)
"""Sooner nothing is said of the time that is left."""


@dataclass
class Move:
    """One workload on its way. `planned` and `there` are bytes by unit, as they were planned."""

    workload: str
    what: What
    load: str
    since: datetime
    planned: Mapping[str, int]
    there: dict[str, int] = field(default_factory=dict)

    @property
    def bytes(self) -> int:
        """Planned in all."""
        return sum(self.planned.values())

    @property
    def share(self) -> float:
        """How much of it is there, 0 to 1. Units without weight count alike."""
        if not self.planned:
            return 1.0
        weights = {unit: max(weight, 1) for unit, weight in self.planned.items()}
        arrived = sum(min(self.there.get(unit, 0), weight) for unit, weight in weights.items())
        return arrived / sum(weights.values())

    def left(self, now: datetime) -> timedelta | None:
        """About how long it takes still, at the pace so far; None while that is a guess."""
        share, passed = self.share, now - self.since
        if share < LEAST_SHARE or passed < LEAST_TIME or share >= 1:
            return None
        return passed * ((1 - share) / share)


@dataclass
class Moves:
    """The open ones, by workload and what of it is on its way."""

    open: dict[tuple[str, What], Move] = field(default_factory=dict)

    def take(self, record: Record) -> None:
        """One more record of the pilot, in the ledger's order."""
        kind = record.kind
        if kind in ("load_plan", "files_plan"):
            self._planned(record)
        elif kind in ("moving", "moved_rows", "moved_files"):
            self._arrived(record)
        elif kind in ("load_finished", "load_given_up", "load_restarted"):
            self.open.pop((record.subject.partition("/")[0], "rows"), None)
        elif kind in ("run", "refused"):
            self.open.clear()

    def _planned(self, record: Record) -> None:
        weights = record.body.get("weights")
        workload, _, load = record.subject.partition("/")
        what: What = "rows" if record.kind == "load_plan" else "files"
        known = self.open.get((workload, what))
        if weights and (known is None or known.load != load):  # planned again for the same load, it goes on
            self.open[workload, what] = Move(workload, what, load, record.at, weights)

    def _arrived(self, record: Record) -> None:
        body = record.body
        what: What = body["what"] if record.kind == "moving" else "rows" if record.kind == "moved_rows" else "files"
        move = self.open.get((record.subject, what))
        unit = str(body["unit"])
        if move is None or unit not in move.planned or (what == "rows" and body["load"] != move.load):
            return
        done = int(body["bytes"]) if record.kind == "moving" else max(move.planned[unit], 1)
        move.there[unit] = max(done, move.there.get(unit, 0))
        if what == "files" and move.share >= 1:
            del self.open[record.subject, what]
