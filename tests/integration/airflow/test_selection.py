"""The list of pilots, asked of people in the running Airflow: who may confirm it, what a no or no answer is worth."""

from __future__ import annotations

import pytest
from live_stack import CONFIRM, PILOT, SELECTION, Stack, wait_for

from onboarding.observations import Answer
from onboarding.selection.proposal import read_files
from onboarding.selection.standing import PROGRAMME, observe_chosen, refused_candidates, standing_selection


def may_begin(stack: Stack) -> tuple[Answer, str]:
    pilot = stack.pilot
    include = stack.checkout.root / "include"
    files = read_files(
        include / "candidates.yaml",
        include / "policies" / "selection.yaml",
        include / "policies" / "classification.yaml",
    )
    seen = observe_chosen(pilot.ledger, pilot.manifest, pilot.clock(), files)
    return seen.answer, seen.why


def given(stack: Stack, run: str) -> list[tuple[str, str]]:
    records = stack.running.ledger.records(pilot=PROGRAMME, kind="approval")
    return [(record.body["approver"], record.body["decision"]) for record in records if record.run == run]


@pytest.fixture(scope="module")
def run(stack: Stack) -> str:
    """A selection at its question."""
    run = stack.trigger(SELECTION)
    stack.question(run, CONFIRM, SELECTION)
    return run


def test_the_right_people_are_asked_and_see_the_whole_list(stack: Stack, run: str) -> None:
    question = stack.question(run, CONFIRM, SELECTION)
    assert {user["name"] for user in question["assigned_users"]} == {"approver1", "approver2"}
    for words in ("เหตุผล", "Reason", "p12", "16.87", "very_secret", "512", "SHA-256"):
        assert words in question["body"]
    for login in ("platform", "operator", "stakeholder", "owner_p02"):
        assert stack.answer(login, question) == 403, login
    assert given(stack, run) == []


def test_an_agency_sees_nothing_of_it(stack: Stack, run: str) -> None:
    assert stack.status("owner_p02", "GET", f"/api/v2/dags/{SELECTION}") == 403
    assert stack.status("stakeholder", "GET", f"/api/v2/dags/{SELECTION}") == 200


def test_a_no_ends_the_run_and_nobody_begins(stack: Stack, run: str) -> None:
    assert stack.answer("approver1", stack.question(run, CONFIRM, SELECTION), "Reject") == 200
    assert stack.ended(run, SELECTION) == "failed"
    assert stack.states(SELECTION, run)["record"] == "upstream_failed"
    assert given(stack, run) == [("approver1", "reject")]
    assert may_begin(stack)[0] is Answer.FAIL


def test_marking_the_question_a_success_is_no_yes(stack: Stack, run: str) -> None:
    stack.clear("operator", run, CONFIRM, dag=SELECTION)
    stack.question(run, CONFIRM, SELECTION)
    task = stack.task(run, CONFIRM, SELECTION)
    stack.enter("platform").call("PATCH", task, {"new_state": "success"})
    assert stack.ended(run, SELECTION) == "failed"
    assert stack.states(SELECTION, run)["record"] == "failed"
    told = stack.log(run, "record", SELECTION)
    assert "confirm_list" in told and "การยืนยัน" in told
    assert may_begin(stack)[0] is Answer.FAIL


def test_cleared_and_confirmed_by_a_person_the_ten_may_begin(stack: Stack, run: str) -> None:
    stack.clear("operator", run, CONFIRM, dag=SELECTION)
    assert stack.answer("approver2", stack.question(run, CONFIRM, SELECTION)) == 200
    assert stack.ended(run, SELECTION) == "success"
    assert given(stack, run) == [("approver1", "reject"), ("approver2", "approve")]
    assert may_begin(stack) == (Answer.PASS, "")
    selected = standing_selection(stack.running.ledger)
    assert selected is not None and PILOT in selected.chosen and len(selected.chosen) == 10
    assert refused_candidates(stack.running.ledger) == {"p10"}


def test_a_cleared_run_finds_what_is_there(stack: Stack, run: str) -> None:
    before = len(stack.running.ledger.records(pilot=PROGRAMME, kind="selection"))
    stack.clear("operator", run, "record", dag=SELECTION)
    wait_for(lambda: stack.states(SELECTION, run)["record"] == "success", lambda: stack.states(SELECTION, run))
    assert stack.ended(run, SELECTION) == "success"
    assert len(stack.running.ledger.records(pilot=PROGRAMME, kind="selection")) == before
    assert may_begin(stack) == (Answer.PASS, "")
