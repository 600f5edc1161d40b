"""Where one pilot stands, folded from its records one after the other: after each it is what all so far come to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from onboarding.evidence_kinds import Reconciled, Rehearsal, RunBegan, Stage, StageEvent
from onboarding.programme import moves
from onboarding.programme.moves import Moves
from onboarding.programme.progress import LIVE, state_after
from onboarding.programme.waits import Waits
from onboarding.records import Record

KINDS = (
    *moves.KINDS, "run", "stage", "manifest", "request", "reconciled", "rehearsal", "refused",
    "cutover", "observation", "approval_asked", "approval", "trouble", "mended", "expectations",
)  # fmt: skip
"""The kinds that a standing is folded from."""


@dataclass
class Reached:
    """When a milestone was reached, and for how long something had been waited for by then."""

    at: datetime
    waited: timedelta


@dataclass
class Standing:
    """One pilot. Times are None, mappings empty, until the ledger tells."""

    pilot: str
    seq: int = 0
    at: datetime | None = None
    run: str = ""
    state: str = "not_begun"
    """As in the report: a stage, "live", "refused", "rolled_back", "failed" or "not_begun"."""
    event: StageEvent | None = None
    since: datetime | None = None
    """Since when the pilot is in its stage (entered again after a retry, since the first time)."""
    reached: dict[str, Reached] = field(default_factory=dict)
    """By milestone: `begun`, `first_data`, and each stage by its first pass."""
    went_live: list[tuple[datetime, int]] = field(default_factory=list)
    """+1 each time the pilot went live, -1 when it came back."""
    waits: Waits = field(default_factory=Waits)
    moves: Moves = field(default_factory=Moves)
    request: Mapping[str, Any] = field(default_factory=dict)
    manifest: Mapping[str, Any] = field(default_factory=dict)
    sandbox: bool = False
    rejected: bool = False
    """Whether the newest answer of a person was a no."""
    rehearsal_fits: bool | None = None
    compared: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    """(workload, rows or files) -> how many the verifier compared last, how many of them are unaccounted for."""
    gates: dict[str, str] = field(default_factory=dict)
    """Gate -> its last answer."""
    reports: tuple[str, ...] = ()
    """Workloads that have Data Docs."""
    refusal: Mapping[str, Any] = field(default_factory=dict)

    def take(self, record: Record) -> None:
        """One more record of this pilot, in the ledger's order."""
        self.state = state_after(self.state, record)
        if record.kind == StageEvent.KIND:
            self._stage(record)
        else:
            self.waits.take(record)
            self.moves.take(record)
            TAKERS.get(record.kind, _nothing)(self, record)
        self.seq, self.at = record.seq, record.at

    def _stage(self, record: Record) -> None:
        event = StageEvent.of(record)
        if event != self.event:
            self.event, self.since = event, record.at
            if self.state != "refused":  # what fails after a no waits for nobody
                self.waits.enter(record)
        self.reach("begun", record.at)
        if event.state == "passed":
            self.reach(event.stage, record.at)
        if event == LIVE and not self.is_live:
            self.went_live.append((record.at, 1))

    def reach(self, milestone: str, at: datetime) -> None:
        """The first time counts."""
        if milestone not in self.reached:
            self.reached[milestone] = Reached(at, self.waits.waited_by(at))

    @property
    def is_live(self) -> bool:
        """By the events that the burn-up counts."""
        return sum(change for _, change in self.went_live) > 0

    @property
    def stage(self) -> Stage | None:
        """The stage of the last event."""
        return self.event.stage if self.event else None


def _run(standing: Standing, record: Record) -> None:
    standing.run = record.run
    standing.rejected = False
    standing.sandbox = standing.sandbox or RunBegan.of(record).sandbox


def _manifest(standing: Standing, record: Record) -> None:
    standing.manifest = record.body["manifest"]


def _request(standing: Standing, record: Record) -> None:
    standing.request = record.body["request"] or {}


def _moved(standing: Standing, record: Record) -> None:
    standing.reach("first_data", record.at)


def _reconciled(standing: Standing, record: Record) -> None:
    proof = Reconciled.of(record)
    standing.compared[(proof.workload, proof.what)] = (proof.source, proof.unaccounted)


def _rehearsed(standing: Standing, record: Record) -> None:
    standing.rehearsal_fits = Rehearsal.of(record).fits


def _refused(standing: Standing, record: Record) -> None:
    standing.refusal = record.body


def _moved_on(standing: Standing, record: Record) -> None:
    if record.body["to"] == "ROLLED_BACK" and standing.is_live:
        standing.went_live.append((record.at, -1))


def _observed(standing: Standing, record: Record) -> None:
    standing.gates[record.subject] = str(record.body["answer"])


def _answered(standing: Standing, record: Record) -> None:
    standing.rejected = record.body["decision"] == "reject"


def _expected(standing: Standing, record: Record) -> None:
    standing.reports = tuple(sorted({*standing.reports, record.subject}))


def _nothing(standing: Standing, record: Record) -> None:
    """What only the waits heed."""


TAKERS: Mapping[str, Callable[[Standing, Record], None]] = {
    "run": _run, "manifest": _manifest, "request": _request, "moved_rows": _moved, "moved_files": _moved,
    "reconciled": _reconciled, "rehearsal": _rehearsed, "refused": _refused, "cutover": _moved_on,
    "observation": _observed, "approval": _answered, "expectations": _expected,
}  # fmt: skip
