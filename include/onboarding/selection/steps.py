"""The tasks of `select_pilots`: assess, propose, people's answer, record. Each is safe to repeat."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from onboarding import approvals
from onboarding.approvals import Person
from onboarding.errors import Stop
from onboarding.evidence_kinds import AssessedCandidates, Proposed, Selected
from onboarding.ledger import Ledger
from onboarding.messages import both
from onboarding.observations import Answer
from onboarding.selection import scoring, words
from onboarding.selection.proposal import Files, chosen, digest, propose, read_files
from onboarding.selection.standing import PROGRAMME, SELECTION
from onboarding.stages.decision import Question


@dataclass(frozen=True)
class Selecting:
    """What a selection is handed: ledger, run, who triggered it, clock, and where the three files are read."""

    ledger: Ledger
    run: str = ""
    requester: str = ""
    clock: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    read: Callable[[], Files] = read_files

    @property
    def id(self) -> str:
        """The programme's name: whose records these are."""
        return PROGRAMME

    def record(self, kind: str, subject: str, body: Mapping[str, Any]) -> None:
        """Leave evidence under the programme's name and this run."""
        self.ledger.record(PROGRAMME, kind, subject, body, run=self.run)


def subject() -> str:
    """The headline; the same at every parse, so that it makes no new DAG version."""
    told = both("selection.subject")
    return f"{told['th']} · {told['en']}"


def assess(selecting: Selecting) -> dict[str, int]:
    """Ask policy about every candidate first, then look at each through every criterion."""
    files = selecting.read()
    assessed = scoring.assess(files.candidates, files.criteria, files.policy, selecting.clock())
    points = {one.id: dict(one.points) for one in assessed}
    refused = {one.id: one.refused.as_json() for one in assessed if one.refused is not None}
    selecting.record(*AssessedCandidates(files.digest(), files.versions, points, refused).as_record())
    return {"candidates": len(points), "refused": len(refused)}


def propose_list(selecting: Selecting) -> dict[str, int]:
    """Rank them, choose, and see whether the list would be another with other weights."""
    files = selecting.read()
    assessed = selecting.ledger.latest(PROGRAMME, AssessedCandidates.KIND)
    if assessed is None or assessed.body["files"] != files.digest():
        raise Stop("selection.not_assessed")
    proposal = propose(files, selecting.clock())
    selecting.record(*Proposed(digest(proposal), proposal).as_record())
    return {"chosen": len(chosen(proposal)), "candidates": len(proposal["candidates"])}


def ask(selecting: Selecting, people: Mapping[str, Person]) -> Question:
    """Works out who may confirm the list, and leaves the question in the ledger."""
    files, proposed = _proposed(selecting)
    may_answer = _candidates(selecting, files, people)
    approvals.ask(selecting.ledger, PROGRAMME, proposed.digest, 1, may_answer, purpose=SELECTION, run=selecting.run)
    body = words.body(proposed.proposal, files.candidates, files.criteria, selecting.requester, proposed.digest)
    return Question(tuple(may_answer), proposed.digest, body)


def record_answer(
    selecting: Selecting,
    people: Mapping[str, Person],
    *,
    answered_by: str,
    approved: bool,
    automated: bool,
    comment: str,
) -> None:
    """The answer in the ledger, once more checked: the right person, about the list that still stands.

    Raises Stop when somebody else answered, or files or list have changed since the question was asked.
    """
    asked = selecting.ledger.latest(PROGRAMME, "approval_asked", SELECTION)
    # A no counts even when the files have changed; a yes only for what still stands.
    if asked is None or (approved and _proposed(selecting)[1].digest != asked.body["digest"]):
        raise Stop("selection.changed")
    may_answer = _candidates(selecting, selecting.read(), people)
    person = next((person for person in may_answer if person.id == answered_by), None)
    if person is None:
        raise Stop("decision.not_asked", where=PROGRAMME, answered_by=answered_by or "-")
    approvals.record(
        selecting.ledger,
        PROGRAMME,
        asked.body["digest"],
        person.login,
        "approve" if approved else "reject",
        automated=automated,
        ordinal=1,
        requester=selecting.requester,
        comment=comment,
        purpose=SELECTION,
        run=selecting.run,
    )


def record(selecting: Selecting) -> dict[str, Any]:
    """Write the confirmed list down: from here on its pilots may pass the gate `intake`."""
    files, proposed = _proposed(selecting)
    seen = approvals.may_cut_over(
        selecting.ledger,
        PROGRAMME,
        proposed.digest,
        files.criteria.confirmation_fresh_for,
        selecting.clock(),
        requester=selecting.requester,
        purpose=SELECTION,
        needed=1,
    )
    if seen.answer is not Answer.PASS:
        raise Stop("selection.not_confirmed", why=seen.why)
    selected = Selected(proposed.digest, chosen(proposed.proposal), seen.observed[0], proposed.proposal)
    last = selecting.ledger.latest(PROGRAMME, Selected.KIND)
    if last is None or last.run != selecting.run or Selected.of(last) != selected:
        selecting.record(*selected.as_record())
    return {"chosen": selected.chosen, "digest": selected.digest}


def _proposed(selecting: Selecting) -> tuple[Files, Proposed]:
    """The newest proposal, as long as it is what the files say now."""
    files = selecting.read()
    last = selecting.ledger.latest(PROGRAMME, Proposed.KIND)
    if last is None or last.body["proposal"]["files"] != files.digest():
        raise Stop("selection.changed")
    return files, Proposed.of(last)


def _candidates(selecting: Selecting, files: Files, people: Mapping[str, Person]) -> list[Person]:
    return approvals.candidates(people, files.criteria.confirmed_by, selecting.requester, ())
