"""People's go and no-go: asked of the right ones, bound to what they saw, counted in the ledger only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Literal

from onboarding.approval_digest import digest, evidence_digest
from onboarding.errors import Stop
from onboarding.gates import CLOCK_SKEW
from onboarding.ledger import Ledger
from onboarding.observations import Answer, Observation
from onboarding.records import Record

__all__ = [
    "Approval", "Person", "ask", "candidates", "digest", "evidence_digest", "given", "may_cut_over",
    "record", "standing",
]  # fmt: skip

Decision = Literal["approve", "reject"]

CUTOVER = "cutover"
NEEDED = 2
APPROVER = "approver"
"""The role without which nobody is asked."""


@dataclass(frozen=True)
class Person:
    """A login with its id in the auth manager, a name for people, and roles."""

    id: str
    login: str
    name: str
    roles: tuple[str, ...] = ()


@dataclass(frozen=True)
class Approval:
    """One answer. `automated` when a program gave it in a person's name; it is said wherever approvals are shown."""

    digest: str
    approver: str
    decision: Decision
    automated: bool
    ordinal: int
    requester: str
    comment: str = ""
    at: datetime | None = None


def candidates(
    people: Mapping[str, Person], allowed: Iterable[str], requester: str | None, earlier: Iterable[str]
) -> list[Person]:
    """Who may answer: `allowed` logins with the approver's role, minus the requester and who approved before.

    Raises Stop when the requester is not known, and when nobody is left: to Airflow an empty list means anyone.
    """
    asker = people.get(requester or "")
    if asker is None:
        raise Stop("approvals.requester_unknown", requester=requester or "-")
    out = {asker.login.casefold(), *(login.casefold() for login in earlier)}
    ids = {asker.id, *(people[login].id for login in earlier if login in people)}
    left = [
        person
        for login in dict.fromkeys(allowed)
        if (person := people.get(login)) is not None
        and APPROVER in person.roles
        and person.login.casefold() not in out
        and person.id not in ids
    ]
    if not left:
        raise Stop("approvals.nobody_left", requester=asker.login, earlier=", ".join(earlier) or "-")
    return left


def ask(
    ledger: Ledger,
    pilot: str,
    of: str,
    ordinal: int,
    people: Iterable[Person],
    *,
    purpose: str = CUTOVER,
    run: str = "",
) -> None:
    """Leaves in the ledger that these people are asked about digest `of`, once per run."""
    body = {"digest": of, "ordinal": ordinal, "people": [person.login for person in people]}
    last = ledger.latest(pilot, "approval_asked", purpose)
    if last is None or last.run != run or dict(last.body) != body:
        ledger.record(pilot, "approval_asked", purpose, body, run=run)


def record(
    ledger: Ledger,
    pilot: str,
    of: str,
    approver: str,
    decision: Decision,
    *,
    automated: bool,
    ordinal: int,
    requester: str,
    comment: str = "",
    purpose: str = CUTOVER,
    run: str = "",
) -> Record:
    """The answer in the ledger; the same answer of the same run again is not written twice.

    Raises Stop when it is nobody's, the requester's own, or a second yes of the same person.
    """
    if not approver or not requester or approver.casefold() == requester.casefold():
        raise Stop("approvals.not_theirs", where=pilot, approver=approver or "-", requester=requester or "-")
    body = asdict(Approval(of, approver, decision, automated, ordinal, requester, comment))
    del body["at"]
    last = ledger.latest(pilot, "approval", purpose)
    if last is not None and last.run == run and dict(last.body) == body:
        return last
    earlier = {one.approver.casefold() for one in standing(ledger, pilot, of, purpose=purpose) if one.ordinal < ordinal}
    if decision == "approve" and approver.casefold() in earlier:
        raise Stop("approvals.second_of_same_person", where=pilot, approver=approver)
    return ledger.record(pilot, "approval", purpose, body, run=run)


def standing(
    ledger: Ledger,
    pilot: str,
    of: str,
    *,
    fresh_for: timedelta | None = None,
    now: datetime | None = None,
    purpose: str = CUTOVER,
) -> list[Approval]:
    """The approvals that count for digest `of`, in their order: 1, 2, … by different people, none too old.

    A reject voids what came before it; a first approval given again opens the sequence again.
    """
    counted: list[Approval] = []
    for one in given(ledger, pilot, purpose):
        if one.decision == "reject":
            counted = []
        elif one.digest == of and _young(one, fresh_for, now) and one.ordinal <= len(counted) + 1:
            counted = counted[: one.ordinal - 1]
            if one.approver.casefold() not in {earlier.approver.casefold() for earlier in counted}:
                counted.append(one)
    return counted


def given(ledger: Ledger, pilot: str, purpose: str = CUTOVER) -> list[Approval]:
    """Every answer there ever was, oldest first."""
    return [
        Approval(**record.body, at=record.at)
        for record in ledger.records(pilot=pilot, kind="approval", subject=purpose)
    ]


def _young(one: Approval, fresh_for: timedelta | None, now: datetime | None) -> bool:
    if fresh_for is None or now is None or one.at is None:
        return True
    return -CLOCK_SKEW <= now - one.at <= fresh_for


def may_cut_over(
    ledger: Ledger,
    pilot: str,
    of: str,
    fresh_for: timedelta,
    now: datetime,
    *,
    requester: str | None,
    purpose: str = CUTOVER,
    needed: int = NEEDED,
) -> Observation:
    """Pass when `needed` people in sequence approved `of` and it is still fresh.

    Neither of them may be who asked, for the run that they answered or for this one (`requester`).
    """
    counted = standing(ledger, pilot, of, fresh_for=fresh_for, now=now, purpose=purpose)
    askers = {(requester or "").casefold(), *(one.requester.casefold() for one in counted)}
    own = [one.approver for one in counted if one.approver.casefold() in askers]
    why = "approvals.requester_unknown" if not requester else "approvals.not_theirs" if own else ""
    if not why and len(counted) < needed:
        why = _what_lacks(ledger, pilot, of, purpose, needed)
    return Observation(
        "approved",
        Answer.FAIL if why else Answer.PASS,
        [one.approver for one in counted],
        f"{needed} approvers",
        now,
        why,
        {"requester": requester or "-", "approver": ", ".join(own), "counted": len(counted), "needed": needed,
         "fresh_for": str(fresh_for)},
    )  # fmt: skip


def _what_lacks(ledger: Ledger, pilot: str, of: str, purpose: str, needed: int) -> str:
    answers = given(ledger, pilot, purpose)
    if answers and answers[-1].decision == "reject":
        return "approvals.rejected"
    if len(standing(ledger, pilot, of, purpose=purpose)) >= needed:
        return "approvals.too_old"
    if any(one.digest != of for one in answers[-needed:]):
        return "approvals.changed"
    return "approvals.too_few"
