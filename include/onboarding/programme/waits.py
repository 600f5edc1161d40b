"""What a pilot waits for, folded record by record: questions to people, checks not passed, troubles not mended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from onboarding.observations import Answer
from onboarding.programme.progress import is_open
from onboarding.programme.rules import PEOPLE, Owner, Rules
from onboarding.records import Record

What = Literal["check", "approval", "trouble", "failed"]
PASSING = ("retry", "adopt")
"""What a task's trouble is called that is tried again by itself."""


@dataclass(frozen=True)
class Open:
    """One thing waited for, since when. `content` is the record's own: see `wait_of`."""

    what: What
    name: str
    since: datetime
    content: Mapping[str, Any]


@dataclass
class Waits:
    """The open ones by kind and name, and for how long there was at least one."""

    open: dict[tuple[What, str], Open] = field(default_factory=dict)
    waited: timedelta = timedelta()
    begun: datetime | None = None

    def take(self, record: Record) -> None:
        """One more record of the pilot, in the ledger's order."""
        self._heed(record)
        self._measure(record.at)

    def waited_by(self, now: datetime) -> timedelta:
        """All the time in which something was waited for, until `now`."""
        return self.waited + (max(now - self.begun, timedelta()) if self.begun else timedelta())

    def _heed(self, record: Record) -> None:
        kind, name = record.kind, record.subject
        if kind == "observation":
            self._put("check", name, record, {} if record.body["answer"] == Answer.PASS else record.body)
        elif kind == "approval_asked":
            self._put("approval", name, record, record.body)
        elif kind == "approval":
            self._put("approval", name, record, {})
        elif kind == "trouble":
            before = self.open.get(("trouble", unit := unit_of(record)))
            self._put("trouble", unit, record, {**record.body, "times": times(before) + 1})
        elif kind == "mended":
            self._put("trouble", unit_of(record), record, {})
        elif kind in ("run", "refused") or (kind == "cutover" and record.body["to"] == "ROLLED_BACK"):
            self.open.clear()

    def enter(self, record: Record) -> None:
        """Another stage was entered or passed: what was open belongs to the past. A failed one keeps its reasons."""
        if record.body["state"] == "failed":
            self._put("failed", record.subject, record, record.body)
        else:
            self.open.clear()
        self._measure(record.at)

    def _put(self, what: What, name: str, record: Record, content: Mapping[str, Any]) -> None:
        before = self.open.pop((what, name), None)
        if content:
            since = before.since if before is not None and what == "check" else record.at
            self.open[(what, name)] = Open(what, name, since, content)

    def _measure(self, at: datetime) -> None:
        if self.open and self.begun is None:
            self.begun = at
        elif not self.open and self.begun is not None:
            self.waited += max(at - self.begun, timedelta())
            self.begun = None


def unit_of(record: Record) -> str:
    """A task and, when it is mapped, which of its units: `migration.copy.copy_rows[3]`."""
    unit = record.body.get("unit", -1)
    return record.subject if unit < 0 else f"{record.subject}[{unit}]"


def times(one: Open | None) -> int:
    """How often this trouble came, 0 when it is none."""
    return int(one.content.get("times", 1)) if one else 0


@dataclass(frozen=True)
class Wait:
    """One thing a pilot waits for, and whose move it is. `people` are logins; `content` is what it is told from."""

    what: What
    name: str
    since: datetime
    owner: Owner
    people: tuple[str, ...]
    failed: bool
    content: Mapping[str, Any]

    @property
    def needs_somebody(self) -> bool:
        """Whether it goes on only when a person does something."""
        return self.owner in PEOPLE


def waits_of(waits: Waits, rules: Rules) -> tuple[Wait, ...]:
    """What is waited for, each with its owner: what needs a person first, then the oldest."""
    told = [wait for one in waits.open.values() for wait in _waits(one, rules)]
    if len(told) > 1:  # that a stage failed is told by the reason, where there is one
        told = [wait for wait in told if wait.what != "failed"] or told
    return tuple(sorted(told, key=lambda wait: (not wait.needs_somebody, not wait.failed, wait.since, wait.name)))


def _waits(one: Open, rules: Rules) -> list[Wait]:
    if one.what == "check":
        return [_check(one, seen, rules) for seen in one.content["observations"] if is_open(seen)]
    if one.what == "approval":
        return [Wait("approval", one.name, one.since, "approver", tuple(one.content["people"]), False, one.content)]
    if one.what == "trouble":
        by_itself = one.content["action"] in PASSING and times(one) <= rules.retries
        owner: Owner = "programme" if by_itself else "operator"
        return [Wait("trouble", one.name, one.since, owner, (), not by_itself, one.content)]
    return [Wait("failed", one.name, one.since, "operator", (), True, one.content)]


def _check(one: Open, seen: Mapping[str, Any], rules: Rules) -> Wait:
    # A gate that ran into its deadline is shut for good, whatever it did not learn.
    failed = seen["answer"] == Answer.FAIL or bool(one.content["final"])
    owner = rules.turn(one.name, seen["check"], failed=failed)
    return Wait("check", f"{one.name}/{seen['check']}", one.since, owner, (), failed, seen)
