"""The freeze reads the ledger: two people, in sequence, about exactly what is true now. Less freezes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from whole_journey import PEOPLE, approve

from onboarding.approvals import Person
from onboarding.cutover.state import CutoverState
from onboarding.errors import Stop
from onboarding.programme.figures import KINDS, figures
from onboarding.stages import cutover, decision, sides, validation
from onboarding.stages.pilot import Pilot

GUEST = Person("9", "guest", "guest", ("approver",))


@pytest.fixture
def pilot(rehearsed: Pilot) -> Iterator[Pilot]:
    """p09 before its night. After every test: still nothing is frozen, whatever was tried."""
    yield rehearsed
    assert rehearsed.ledger.cutover_state("p09") is CutoverState.REHEARSED
    assert rehearsed.ledger.latest("p09", "freeze") is None
    with sides.source_service(rehearsed, "assets").connect() as connection:
        with connection.transaction(force_rollback=True):
            touched = connection.execute("UPDATE custodian SET phone = phone")
            assert touched.rowcount > 0


def answer(
    pilot: Pilot, ordinal: int, who: str, approved: bool = True, people: Any = PEOPLE, requester: str | None = None
) -> None:
    decision.record_answer(
        pilot, decision.CUTOVER, ordinal, people, requester=requester or "platform",
        answered_by=people[who].id if who in people else "", approved=approved, automated=False, comment="because",
    )  # fmt: skip


def ask(pilot: Pilot, ordinal: int) -> decision.Question:
    return decision.ask(pilot, decision.CUTOVER, ordinal, PEOPLE, "platform")


def refused(pilot: Pilot, why: str) -> None:
    with pytest.raises(Stop) as stopped:
        cutover.freeze(pilot)
    assert stopped.value.key == why
    assert stopped.value.render("th") != stopped.value.render("en")


def test_without_an_approval_and_with_one(pilot: Pilot) -> None:
    refused(pilot, "approvals.too_few")
    ask(pilot, 1)
    answer(pilot, 1, "approver1")
    refused(pilot, "approvals.too_few")


def test_the_question_tells_what_was_measured_and_excludes_the_requester(pilot: Pilot) -> None:
    question = ask(pilot, 1)
    assert [person.login for person in question.people] == ["approver1", "approver2"]
    assert "| assets (rows, rehearsal) |" in question.body and question.digest in question.body
    for who in ("platform", "nobody"):
        with pytest.raises(Stop) as stopped:
            answer(pilot, 1, who)
        assert stopped.value.key == "decision.not_asked"
    answer(pilot, 1, "approver1")
    assert [person.login for person in ask(pilot, 2).people] == ["approver2"]
    with pytest.raises(Stop) as stopped:
        answer(pilot, 2, "approver1")
    assert stopped.value.key == "decision.not_asked"
    refused(pilot, "approvals.too_few")


def test_an_unknown_requester_and_an_empty_list_fail(pilot: Pilot) -> None:
    for requester in (None, "", "ghost"):
        with pytest.raises(Stop) as stopped:
            decision.ask(pilot, decision.CUTOVER, 1, PEOPLE, requester)
        assert stopped.value.key == "approvals.requester_unknown"
    nobody = {login: replace(person, roles=("platform",)) for login, person in PEOPLE.items()}
    for people in (nobody, {"platform": PEOPLE["platform"]}, {"platform": PEOPLE["platform"], "guest": GUEST}):
        with pytest.raises(Stop) as stopped:
            decision.ask(pilot, decision.CUTOVER, 1, people, "platform")
        assert stopped.value.key == "approvals.nobody_left"
    assert not [one for one in pilot.ledger.records(pilot="p09", kind="approval_asked") if not one.body["people"]]


def test_who_asked_for_this_run_does_not_count_although_another_run_asked(pilot: Pilot) -> None:
    approve(pilot)
    refused(replace(pilot, requester="approver2"), "approvals.not_theirs")


def test_a_changed_manifest_voids(pilot: Pilot) -> None:
    approve(pilot)
    longer = pilot.manifest.cutover.model_copy(update={"freeze_budget": timedelta(hours=9)})
    changed = replace(pilot, manifest=pilot.manifest.model_copy(update={"cutover": longer}))
    refused(changed, "approvals.changed")


def test_old_approvals_do_not_count(pilot: Pilot) -> None:
    approve(pilot)
    later = pilot.clock() + pilot.manifest.evidence_fresh_for + timedelta(minutes=1)
    refused(replace(pilot, clock=lambda: later), "approvals.too_old")


def test_changed_evidence_voids_what_was_given_and_what_was_asked(pilot: Pilot) -> None:
    approve(pilot)
    ask(pilot, 1)
    validation.reconcile(pilot)
    refused(pilot, "approvals.changed")
    with pytest.raises(Stop) as stopped:
        answer(pilot, 1, "approver1")
    assert stopped.value.key == "decision.evidence_changed"


def test_a_reject_voids_and_the_programme_counts_it_with_name_and_reason(pilot: Pilot) -> None:
    approve(pilot)
    ask(pilot, 1)
    answer(pilot, 1, "approver2", approved=False)
    refused(pilot, "approvals.rejected")
    said_no = pilot.ledger.latest("p09", "refused")
    assert said_no is not None
    assert dict(said_no.body) == {"stage": "cutover", "by": "approver2", "reason": "because"}
    # The DAG's last task runs after any failure: it must not turn a no into a fault.
    cutover.stand_down(pilot)
    assert state(pilot) == "refused"
    # A second yes does not mend it: the sequence begins anew.
    answer(pilot, 1, "approver1")
    refused(pilot, "approvals.too_few")


def state(pilot: Pilot) -> str:
    return figures(pilot.manifest, pilot.ledger.records(pilot=pilot.id, kind=KINDS)).state


def test_an_open_session_of_the_service_was_never_disturbed(pilot: Pilot) -> None:
    with sides.source_service(pilot, "assets").connect(autocommit=True) as connection:
        refused_before = len(pilot.ledger.records(pilot="p09", kind="cutover"))
        with pytest.raises(Stop):
            cutover.freeze(pilot)
        with connection.transaction(force_rollback=True):
            connection.execute("UPDATE custodian SET phone = phone")
        assert connection.info.transaction_status is psycopg.pq.TransactionStatus.IDLE
    assert len(pilot.ledger.records(pilot="p09", kind="cutover")) == refused_before


def test_the_rehearsal_touched_the_agencys_database_with_nothing_that_stays(pilot: Pilot) -> None:
    with sides.source(pilot, "assets").connect() as connection:
        ours = "SELECT to_regnamespace('namrong'), count(*) FROM pg_publication"
        assert connection.execute(ours).fetchone() == (None, 0)
    book = pilot.ledger.latest("p09", "runbook", "cutover")
    assert book is not None
    steps = {step["step"]: step for step in book.body["steps"]}
    assert list(steps) == [
        "freeze", "load", "files", "sequences", "prove", "traffic", "release",
        "close_target", "measure_loss", "turn_back",
    ]  # fmt: skip
    assert set(steps["load"]["measured"]) == {"stage", "migration"}
    assert steps["measure_loss"]["seen"]["rows"] > 0, "what the service wrote there would be lost, and was found"
