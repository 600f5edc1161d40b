"""Where a pilot stands, since when, and what it waits for: computed from its records, nothing stored beside them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, get_args

from onboarding.cutover.state import CutoverState
from onboarding.evidence_kinds import Stage, StageEvent
from onboarding.gates import observation_from, reasons
from onboarding.ledger import Ledger
from onboarding.messages import Language, text
from onboarding.observations import Answer
from onboarding.records import Record

STAGES: tuple[Stage, ...] = get_args(Stage)

State = Literal["entered", "passed", "failed"]

LIVE = StageEvent("live", "passed")
BEYOND = frozenset({CutoverState.COMMITTED, CutoverState.CLOSED})


@dataclass(frozen=True)
class Wait:
    """One thing that a pilot waits for: a gate's check, a person's answer, or somebody to mend something."""

    what: Literal["check", "approval", "trouble"]
    name: str
    content: Any

    def render(self, language: Language) -> str:
        """One sentence for people."""
        if self.what == "check":
            observation = observation_from(self.content)
            why = (reasons(observation, language) or [text("programme.waits.check", language)])[0]
            return f"{self.name}: {why}"
        if self.what == "trouble":
            return str(self.content[language])
        people = ", ".join(self.content["people"])
        return text("programme.waits.approval", language, ordinal=self.content["ordinal"], people=people)


@dataclass(frozen=True)
class Where:
    """A pilot's place. `stage` and `since` are None before the journey begins."""

    stage: Stage | None
    state: State | None
    since: datetime | None
    waits_for: tuple[Wait, ...]


def tell(ledger: Ledger, pilot: str, stage: Stage, state: State, *, run: str = "") -> None:
    """Leaves a stage event, unless the same one of the same run is the pilot's last already.

    A pilot that is live stays live, whichever of its tasks is cleared, until the way back.
    """
    last = ledger.latest(pilot, StageEvent.KIND)
    event = StageEvent(stage, state)
    if last is not None and StageEvent.of(last) == LIVE and ledger.cutover_state(pilot) in BEYOND:
        return
    if last is None or last.run != run or StageEvent.of(last) != event:
        ledger.record(pilot, *event.as_record(), run=run)


def enter(ledger: Ledger, pilot: str, stage: Stage, *, run: str = "") -> None:
    """The pilot is in `stage` now."""
    tell(ledger, pilot, stage, "entered", run=run)


def passed(ledger: Ledger, pilot: str, stage: Stage, *, run: str = "") -> None:
    """The gate after `stage` opened."""
    tell(ledger, pilot, stage, "passed", run=run)


def failed(ledger: Ledger, pilot: str, stage: Stage, *, run: str = "") -> None:
    """The gate after `stage` failed, or the stage ended otherwise than well."""
    tell(ledger, pilot, stage, "failed", run=run)


def where(ledger: Ledger, pilot: str) -> Where:
    """Where the pilot stands."""
    kinds = ("stage", "observation", "approval_asked", "approval", "trouble")
    return where_of(ledger.records(pilot=pilot, kind=kinds))


def where_of(records: Sequence[Record]) -> Where:
    """Where a pilot stands by its own records, oldest first."""
    events = [record for record in records if record.kind == "stage"]
    if not events:
        return Where(None, None, None, tuple(_waits(records)))
    now = StageEvent.of(events[-1])
    begun = events[-1]
    for event in reversed(events):  # entered again after a retry, it has still been here since the first time
        if StageEvent.of(event) != now:
            break
        begun = event
    after = [record for record in records if record.seq > begun.seq]
    waits = () if (now.stage, now.state) == ("live", "passed") else tuple(_waits(after))
    return Where(now.stage, now.state, begun.at, waits)


def _waits(records: Sequence[Record]) -> Iterable[Wait]:
    looks = {record.subject: record for record in records if record.kind == "observation"}
    for look in looks.values():
        if look.body["answer"] != Answer.PASS:
            open_ones = [one for one in look.body["observations"] if is_open(one)]
            yield from (Wait("check", f"{look.subject}/{one['check']}", one) for one in open_ones)
    asked = {record.subject: record for record in records if record.kind == "approval_asked"}
    answered = {record.subject: record.seq for record in records if record.kind == "approval"}
    for question in asked.values():
        if question.seq > answered.get(question.subject, 0):
            yield Wait("approval", question.subject, question.body)
    troubles = [record for record in records if record.kind == "trouble"]
    if troubles and troubles[-1] is records[-1]:
        yield Wait("trouble", troubles[-1].subject, troubles[-1].body)


def is_open(seen: Mapping[str, Any]) -> bool:
    """Whether a check of a gate is waited for. That people have yet to decide, the question put to them tells."""
    return bool(seen["answer"] != Answer.PASS and seen["check"] != "decided")


def state_after(state: str, record: Record) -> str:
    """What becomes of a pilot's state by one more of its records; before the first it is "not_begun"."""
    if record.kind == "refused":
        return "refused"
    if record.kind == "cutover" and record.body["to"] == CutoverState.ROLLED_BACK:
        return "rolled_back"
    if record.kind != StageEvent.KIND:
        return state
    event = StageEvent.of(record)
    if event.state == "failed":
        return state if state == "refused" else "failed"  # a no is why it ended, not a fault
    # live is what passed the last gate, not what waits before it
    return STAGES[-2] if event == StageEvent("live", "entered") else event.stage


def lead_times(records: Iterable[Record]) -> dict[Stage, timedelta]:
    """How long each passed stage took: from the first time it was entered to the first time it was passed."""
    entered: dict[Stage, datetime] = {}
    took: dict[Stage, timedelta] = {}
    for record in records:
        if record.kind != StageEvent.KIND:
            continue
        event = StageEvent.of(record)
        if event.state == "entered":
            entered.setdefault(event.stage, record.at)
        elif event.state == "passed" and event.stage in entered:
            took.setdefault(event.stage, record.at - entered[event.stage])
    return took
