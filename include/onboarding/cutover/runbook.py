"""The runbook: what is done in the night and on the way back, by whom, planned by the rehearsal against what it took.

What a step really took is told by nobody: it is read from the records that the steps themselves leave.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from onboarding.evidence_kinds import Freeze, Reconciled, Release, Runbook
from onboarding.records import Record

Owner = Literal["namrong", "agency", "approver", "operator"]
Phase = Literal["before", "frozen", "back"]
PHASES: tuple[Phase, ...] = ("before", "frozen", "back")


@dataclass(frozen=True)
class Step:
    """One line of the runbook, for those who move by one of `engines`.

    Not `rehearsed` is what people do, and what a rehearsal would do to the real target.
    """

    name: str
    phase: Phase
    owner: Owner = "namrong"
    engines: tuple[str, ...] = ("copy", "follow")
    rehearsed: bool = True


FOLLOW = ("follow",)

STEPS: tuple[Step, ...] = (
    Step("begin_following", "before", engines=FOLLOW),
    Step("approve", "before", "approver", rehearsed=False),
    Step("near", "before", engines=FOLLOW),
    Step("ramp_reads", "before", engines=FOLLOW),
    Step("freeze", "frozen"),
    Step("load", "frozen", engines=("copy",)),
    Step("drain", "frozen", engines=FOLLOW),
    Step("files", "frozen"),
    Step("sequences", "frozen"),
    Step("prove", "frozen"),
    Step("arm", "frozen", engines=FOLLOW),
    Step("traffic", "frozen"),
    Step("release", "frozen"),
    Step("call_back", "back", "operator", rehearsed=False),
    Step("close_target", "back"),
    Step("drain_home", "back", engines=FOLLOW),
    Step("measure_loss", "back"),
    Step("approve_back", "back", "approver", rehearsed=False),
    Step("turn_back", "back"),
)
BY_NAME: Mapping[str, Step] = {step.name: step for step in STEPS}
IN_WINDOW = ("near", "ramp_reads")
"""Steps before the freeze that the window has to hold too."""

KINDS = (
    Runbook.KIND, Freeze.KIND, Release.KIND, Reconciled.KIND, "rehearsal", "cutover", "approval_asked", "approval",
    "fence", "name_asked", "name_led", "name_prepared", "observation", "traffic", "load_started", "load_finished",
    "drained", "files_sent", "sequences_set", "armed", "target_closed", "drained_home", "loss",
)  # fmt: skip
"""What the table is computed from."""


@dataclass(frozen=True)
class Row:
    """One step, planned against actual (seconds); None where nobody rehearsed it, or it has not happened (yet)."""

    step: Step
    rehearsed_s: float | None
    planned_s: float | None
    actual_s: float | None
    seen: Mapping[str, Any]

    @property
    def late(self) -> bool:
        """Whether it took longer than planned."""
        return self.planned_s is not None and self.actual_s is not None and self.actual_s > self.planned_s


@dataclass(frozen=True)
class Total:
    """A phase as a whole; `handed_over_s` of the actual time went by between its steps."""

    planned_s: float
    actual_s: float | None
    handed_over_s: float | None


@dataclass(frozen=True)
class Table:
    """Planned against actual; `at` is when it was rehearsed."""

    engine: str
    at: datetime
    rows: tuple[Row, ...]
    totals: Mapping[Phase, Total]


def table(records: Sequence[Record], *, record_name: str, reads: str | None, by_hand: bool = False) -> Table | None:
    """The runbook of the latest rehearsal and of the night since; None before any rehearsal.

    `records` are one pilot's of KINDS, in their order; `record_name` and `reads` are the names that are led over, the
    first by a person of the agency if `by_hand`.
    """
    told = next((record for record in reversed(records) if record.kind == Runbook.KIND), None)
    if told is None:
        return None
    book = Runbook.of(told)
    took = _taken([one for one in records if one.seq > told.seq], record_name, reads)
    by_name = {str(step["step"]): step for step in book.steps}
    rows = tuple(
        _row(step, by_name.get(step.name, {}), took.get(step.name))
        for step in (replace(one, owner="agency") if by_hand and one.name == "traffic" else one for one in STEPS)
        if book.engine in step.engines and (step.name != "ramp_reads" or reads)
    )
    return Table(book.engine, told.at, rows, {phase: _total(phase, rows, took) for phase in PHASES})


def _row(step: Step, planned: Mapping[str, Any], took: Span | None) -> Row:
    return Row(
        step, planned.get("rehearsed_s"), planned.get("planned_s"), _seconds(took), dict(planned.get("seen", {}))
    )


def _total(phase: Phase, rows: Iterable[Row], took: Mapping[str, Span]) -> Total:
    mine = [row for row in rows if row.step.phase == phase and row.step.owner in ("namrong", "agency")]
    planned = round(sum(row.planned_s or 0.0 for row in mine), 3)
    done = [took[row.step.name] for row in mine if row.step.name in took]
    if phase == "before" or not done or mine[-1].step.name not in took:  # people's time lies in between, or not over
        return Total(planned, None, None)
    whole = _seconds((min(span[0] for span in done), max(span[1] for span in done))) or 0.0
    if phase == "back" and "approve_back" in took:
        whole = max(0.0, round(whole - (_seconds(took["approve_back"]) or 0.0), 3))
    return Total(planned, whole, max(0.0, round(whole - sum(_seconds(span) or 0.0 for span in done), 3)))


Span = tuple[datetime, datetime]


def _seconds(span: Span | None) -> float | None:
    return None if span is None else round(max(0.0, (span[1] - span[0]).total_seconds()), 3)


def _taken(records: Sequence[Record], name: str, reads: str | None) -> dict[str, Span]:
    """From when to when each step went, for those that are over."""
    began = _last(records, _moved_to("FROZEN"))
    since = began.seq if began else 0
    night = [one for one in records if began and one.seq >= since]
    found = {
        "begin_following": _span(_first(records, _feed_fenced), _first(records, _of("name_prepared", name))),
        "approve": _span(_first(records, _of("approval_asked", "cutover")), _last(records, _of("approval", "cutover"))),
        "near": _span(_first(records, _of("observation", "near")), _last(records, _near_opened)),
        "ramp_reads": _led(records, reads) if reads else None,
        "freeze": _span(began, _first(night, _of(Freeze.KIND))),
        "load": _span(_first(night, _of("load_started")), _last(night, _of("load_finished"))),
        "drain": _span(_first(night, _of(Freeze.KIND)), _last(night, _of("drained"))),
        "files": _timed(_last(night, _of("files_sent"))),
        "sequences": _timed(_last(night, _of("sequences_set"))),
        "prove": _span(_last(night, _of("sequences_set")), _last(night, _proven)),
        "arm": _span(_last(night, _proven), _last(night, _of("armed"))),
        "traffic": _led(night, name) or _turned(night, name),
        "release": _span(_first(night, _moved_to("SWITCHED")), _first(night, _released("target"))),
        "close_target": _timed(_first(night, _of("target_closed"))),
        "drain_home": _span(_first(night, _of("target_closed")), _last(night, _of("drained_home"))),
        "measure_loss": _timed(_first(night, _of("loss"))),
        "approve_back": _span(
            _first(night, _of("approval_asked", "way_back")), _last(night, _of("approval", "way_back"))
        ),
        "turn_back": _span(_first(night, _moved_to("ROLLED_BACK")), _last(night, _released("source"))),
    }  # fmt: skip
    return {step: span for step, span in found.items() if span is not None}


Question = Callable[[Record], bool]


def _of(kind: str, subject: str | None = None) -> Question:
    return lambda record: record.kind == kind and subject in (None, record.subject)


def _moved_to(state: str) -> Question:
    return lambda record: record.kind == "cutover" and record.body["to"] == state


def _released(side: str) -> Question:
    return lambda record: record.kind == Release.KIND and record.body["side"] == side


def _feed_fenced(record: Record) -> bool:
    return record.kind == "fence" and record.subject.startswith("feed:")


def _near_opened(record: Record) -> bool:
    return record.kind == "observation" and record.subject == "near" and bool(record.body["final"])


def _proven(record: Record) -> bool:
    return record.kind == Reconciled.KIND and record.body["moment"] == "cutover"


def _first(records: Iterable[Record], asked: Question) -> Record | None:
    return next((record for record in records if asked(record)), None)


def _last(records: Sequence[Record], asked: Question) -> Record | None:
    return next((record for record in reversed(records) if asked(record)), None)


def _span(begin: Record | None, end: Record | None) -> Span | None:
    return None if begin is None or end is None or end.seq < begin.seq else (begin.at, end.at)


def _timed(record: Record | None) -> Span | None:
    """Of a record that says itself for how long its step was at work."""
    if record is None:
        return None
    return record.at - timedelta(seconds=float(record.body.get("seconds", 0.0))), record.at


def _led(records: Sequence[Record], name: str) -> Span | None:
    """From the moment somebody took the lead of a name to the last step of its ramp."""
    last = _last(records, lambda record: record.kind == "traffic" and record.subject == name)
    if last is None or last.body["percent"] != 100:
        return None
    before = [record for record in records if record.seq < last.seq]
    return _span(_last(before, _of("fence", f"traffic:{name}")), last)


def _turned(records: Sequence[Record], name: str) -> Span | None:
    """From the moment the agency was asked to lead its name to the target to the first look that found it there."""
    for record in reversed(records):
        if record.kind == "name_led" and record.subject == name and record.body["side"] == "target":
            before = [one for one in records if one.seq < record.seq]
            return _span(_last(before, _of("name_asked", name)), record)
    return None
