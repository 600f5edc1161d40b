"""What people are asked, and what becomes of their answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from onboarding import approvals
from onboarding.approvals import Person
from onboarding.errors import Stop
from onboarding.evidence_kinds import Refused
from onboarding.manifest import Manifest
from onboarding.messages import Language, both, text
from onboarding.observations import Observation
from onboarding.records import Record
from onboarding.stages import reading, sides
from onboarding.stages.pilot import Pilot

LANGUAGES: tuple[Language, ...] = ("th", "en")
CUTOVER, WAY_BACK, NO_RETURN = approvals.CUTOVER, "way_back", "no_return"


DESCRIBED = {
    WAY_BACK: ("loss", "way_back", "loss_not_measured"),
    NO_RETURN: ("no_return", "cutover", "not_described"),
}
"""Kind and subject of the record that a purpose's answers are bound to, and what is said when there is none."""


@dataclass(frozen=True)
class Question:
    """Who may answer, about which digest, and what they are told (Markdown, Thai first)."""

    people: tuple[Person, ...]
    digest: str
    body: str


def subject(manifest: Manifest, purpose: str, ordinal: int) -> str:
    """The headline; the same at every parse, so that it makes no new DAG version."""
    told = both(f"decision.{purpose}.subject", id=manifest.id, ordinal=ordinal)
    return f"{told['th']} · {told['en']}"


def ask(pilot: Pilot, purpose: str, ordinal: int, people: Mapping[str, Person], requester: str | None) -> Question:
    """Works out who may answer and about what, and leaves the question in the ledger."""
    digest = digest_of(pilot, purpose)
    may_answer = _candidates(pilot, purpose, ordinal, digest, people, requester)
    approvals.ask(pilot.ledger, pilot.id, digest, ordinal, may_answer, purpose=purpose, run=pilot.run)
    return Question(tuple(may_answer), digest, _body(pilot, purpose, digest, str(requester)))


def record_answer(
    pilot: Pilot,
    purpose: str,
    ordinal: int,
    people: Mapping[str, Person],
    *,
    requester: str | None,
    answered_by: str,
    approved: bool,
    automated: bool,
    comment: str,
) -> None:
    """The answer in the ledger, once more checked: the right person, about what still stands.

    A no to the cutover is how the journey ends: kind `refused`, with the person's login and reason.

    Raises Stop when somebody else answered, or the evidence has changed since the question was asked.
    """
    digest = digest_of(pilot, purpose)
    asked = pilot.ledger.latest(pilot.id, "approval_asked", purpose)
    if approved and (asked is None or asked.body["digest"] != digest):
        raise Stop("decision.evidence_changed", where=pilot.id)
    may_answer = _candidates(pilot, purpose, ordinal, digest, people, requester)
    person = next((person for person in may_answer if person.id == answered_by), None)
    if person is None:
        raise Stop("decision.not_asked", where=pilot.id, answered_by=answered_by or "-")
    approvals.record(
        pilot.ledger,
        pilot.id,
        digest,
        person.login,
        "approve" if approved else "reject",
        automated=automated,
        ordinal=ordinal,
        requester=str(requester),
        comment=comment,
        purpose=purpose,
        run=pilot.run,
    )
    # A no to switch a pilot that has switched long ago (its run was cleared) changes nothing of what it is.
    if not approved and purpose == CUTOVER and not sides.has_switched(pilot):
        pilot.record(*Refused("cutover", person.login, comment).as_record())


def digest_of(pilot: Pilot, purpose: str) -> str:
    """The digest that an answer is bound to: the evidence up to the rehearsal, the measured loss, what is given up."""
    if purpose in DESCRIBED:
        found = _described(pilot, purpose)
        if found is None:
            raise Stop(f"decision.{DESCRIBED[purpose][2]}", where=pilot.id)
        return approvals.digest(pilot.manifest.digest(), dict(found.body), found.hash)
    return approvals.digest(pilot.manifest.digest(), plan(pilot), approvals.evidence_digest(pilot.ledger, pilot.id))


def plan(pilot: Pilot) -> dict[str, Any]:
    """What the night will do, as the approvers see it."""
    traffic = pilot.manifest.cutover.traffic
    rehearsal = pilot.ledger.latest(pilot.id, "rehearsal", "cutover")
    return {
        "databases": [workload.name for workload in pilot.manifest.databases],
        "files": [workload.name for workload in pilot.manifest.files],
        "record": traffic.record,
        "turned_by": traffic.mode,
        "ramp": list(traffic.ramp),
        "rehearsal": dict(rehearsal.body) if rehearsal else None,
    }


def is_refused(pilot: Pilot) -> bool:
    """Whether people said no in this run."""
    refused = pilot.ledger.latest(pilot.id, Refused.KIND, CUTOVER)
    return refused is not None and refused.run == pilot.run


def approved_observation(pilot: Pilot, purpose: str) -> Observation:
    """Pass when the approvals that `purpose` needs stand for what is true now."""
    last = approvals.given(pilot.ledger, pilot.id, purpose)
    return approvals.may_cut_over(
        pilot.ledger,
        pilot.id,
        digest_of(pilot, purpose),
        pilot.manifest.evidence_fresh_for,
        pilot.clock(),
        requester=pilot.requester or (last[-1].requester if last else None),
        purpose=purpose,
    )


def _candidates(
    pilot: Pilot, purpose: str, ordinal: int, digest: str, people: Mapping[str, Person], requester: str | None
) -> list[Person]:
    earlier = [
        one.approver
        for one in approvals.standing(pilot.ledger, pilot.id, digest, purpose=purpose)
        if one.ordinal < ordinal
    ]
    return approvals.candidates(people, pilot.manifest.approvers, requester, earlier)


def _body(pilot: Pilot, purpose: str, digest: str, requester: str) -> str:
    told = TABLES.get(purpose, _evidence_table)(pilot)
    parts = [
        text(f"decision.{purpose}.body", language, name=getattr(pilot.manifest.name, language), requester=requester)
        for language in ("th", "en")
    ]
    return "\n\n".join([*parts, told, f"`SHA-256 {digest}`"])


def _described(pilot: Pilot, purpose: str) -> Record | None:
    """The record that says what people are asked about."""
    kind, subject, _ = DESCRIBED[purpose]
    return pilot.ledger.latest(pilot.id, kind, subject)


def _evidence_table(pilot: Pilot) -> str:
    rows = ["| หลักฐาน · evidence | ค่า · value |", "|---|---|"]
    for record in pilot.ledger.records(pilot=pilot.id, kind="reconciled"):
        rows.append(
            f"| {record.body['workload']} ({record.body['what']}, {record.body['moment']}) |"
            f" {record.body['source']:,} · unaccounted {record.body['unaccounted']} |"
        )
    rehearsal = pilot.ledger.latest(pilot.id, "rehearsal", "cutover")
    if rehearsal:
        rows.append(f"| ซ้อมสลับ · rehearsed cutover | {rehearsal.body['cutover_s']} s |")
        rows.append(f"| ซ้อมย้อนกลับ · rehearsed way back | {rehearsal.body['way_back_s']} s |")
    return "\n".join([*rows, *_runbook_table(pilot)])


def _runbook_table(pilot: Pilot) -> list[str]:
    """What will be done, by whom and for how long; when each step is a success is on the page."""
    told = reading.runbook_of(pilot.ledger, pilot.manifest)
    if told is None:
        return []
    heads = "| ขั้น · step | ผู้ดำเนินการ · whose move | ที่วางแผน · planned |"
    rows = [f"[แผนปฏิบัติการ · runbook](/namrong/runbooks/{pilot.id})", "", heads, "|---|---|---|"]
    for row in told.rows:
        th, en = (reading.step_told(row, language) for language in LANGUAGES)
        planned = "–" if row.planned_s is None else f"{row.planned_s} s"
        rows.append(f"| {th.name} · {en.name} | {th.owner} · {en.owner} | {planned} |")
    return ["", *rows]


def _loss_table(pilot: Pilot) -> str:
    loss = _described(pilot, WAY_BACK)
    rows = ["| ตาราง · table | แถวที่จะหาย · rows lost |", "|---|---|"]
    tables = dict(loss.body["tables"]) if loss else {}
    rows += [f"| {table} | {count} |" for table, count in sorted(tables.items())] or ["| - | 0 |"]
    return "\n".join(rows)


def _given_up_table(pilot: Pilot) -> str:
    found = _described(pilot, NO_RETURN)
    body = dict(found.body) if found else {}
    return "\n".join(
        [
            "| หลักฐาน · evidence | ค่า · value |",
            "|---|---|",
            f"| ให้บริการจริงตั้งแต่ · live since | {body.get('live_since', '-')} |",
            f"| ต้นทางยังตามอยู่ · the old side still follows | {', '.join(body.get('followed', [])) or '-'} |",
        ]
    )


TABLES = {WAY_BACK: _loss_table, NO_RETURN: _given_up_table}
