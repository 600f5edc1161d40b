"""After live: the way back says what it would lose, and takes two people who have read it; then it is given up."""

from __future__ import annotations

import pytest
from live_stack import ABANDON, PILOT, WAY_BACK, Journey, Stack, unlike

from launcher.rest import RestError
from onboarding.cutover.state import CutoverState
from onboarding.stages import sides

FIRST, SECOND = "approve_way_back_1", "approve_way_back_2"
WRITE = """UPDATE "จังหวัด" SET "ชื่ออังกฤษ" = 'Krung Thep' WHERE "รหัส" = '10'"""
READ = """SELECT "ชื่ออังกฤษ" FROM "จังหวัด" WHERE "รหัส" = '10'"""


@pytest.fixture(scope="module")
def way_back(stack: Stack, live: Journey) -> str:
    """A run of the way back, started after the target took a write."""
    with sides.target_service(stack.pilot, "registry").connect() as connection:
        connection.execute(WRITE)
        connection.commit()
    return stack.trigger(WAY_BACK)


def test_what_would_be_lost_is_said_to_who_must_approve_it(stack: Stack, way_back: str) -> None:
    question = stack.question(way_back, FIRST, WAY_BACK)
    assert "| registry.public.จังหวัด |" in question["body"]
    assert {user["name"] for user in question["assigned_users"]} == {"approver1", "approver2"}
    loss = stack.running.ledger.latest(PILOT, "loss", "way_back")
    assert loss is not None and list(loss.body["tables"]) == ["registry.public.จังหวัด"]
    # Nothing has moved, but the target takes no write any more: what was measured is all there is.
    assert stack.running.ledger.cutover_state(PILOT) is CutoverState.COMMITTED


def test_it_is_not_given_up_while_a_run_is_under_way(stack: Stack, way_back: str) -> None:
    run = stack.trigger(ABANDON, reason="too early")
    assert stack.ended(run, ABANDON) == "failed"
    words = stack.log(run, "abandon", ABANDON)
    assert f"{WAY_BACK}: a run of this DAG is under way" in words and "ยังมีรอบที่ทำงานอยู่" in words
    assert run not in {one.run for one in stack.running.ledger.records(pilot=PILOT, kind="refused")}


def test_it_takes_two_people_of_those_asked(stack: Stack, way_back: str) -> None:
    first = stack.question(way_back, FIRST, WAY_BACK)
    assert [stack.answer(login, first) for login in ("platform", "operator", "owner_p02")] == [403, 403, 403]
    assert stack.answer("approver2", first) == 200
    second = stack.question(way_back, SECOND, WAY_BACK)
    assert stack.answer("approver2", second) == 403
    assert stack.answer("approver1", second) == 200
    assert stack.ended(way_back, WAY_BACK) == "success", unlike(stack.states(WAY_BACK, way_back), "success")


def test_it_ends_at_the_source(stack: Stack, way_back: str) -> None:
    assert stack.ended(way_back, WAY_BACK) == "success"
    pilot = stack.pilot
    assert pilot.ledger.cutover_state(PILOT) is CutoverState.ROLLED_BACK
    assert pilot.resolve(pilot.manifest.cutover.traffic.record) == stack.agency["address"]
    with sides.source_service(pilot, "registry").connect() as connection:
        assert connection.execute(READ).fetchone() == ("Bangkok",)
        connection.execute(WRITE)
        connection.rollback()


def test_it_is_given_up_by_the_platform_team_with_a_reason(stack: Stack, way_back: str) -> None:
    assert stack.ended(way_back, WAY_BACK) == "success"
    with pytest.raises(RestError) as refused:
        stack.trigger(ABANDON, reason="")
    assert refused.value.status == 400
    for login in ("approver1", "stakeholder", "owner_p02"):
        asked = stack.status(login, "POST", f"/api/v2/dags/{ABANDON}/dagRuns", {"logical_date": None, "conf": {}})
        assert asked == 403, login
    run = stack.trigger(ABANDON, reason="หน่วยงานขอยุติ {{ 1 + 1 }}")
    assert stack.ended(run, ABANDON) == "success", unlike(stack.states(ABANDON, run), "success")
    told = stack.running.ledger.latest(PILOT, "refused")
    assert told is not None and dict(told.body) == {
        "stage": "live", "by": "platform", "reason": "หน่วยงานขอยุติ {{ 1 + 1 }}",
    }  # fmt: skip
    assert stack.running.ledger.cutover_state(PILOT) is CutoverState.PLANNED
    assert 'pilots_in_stage{stage="refused"} 1' in stack.fetch("platform", "/namrong/metrics")[1]
