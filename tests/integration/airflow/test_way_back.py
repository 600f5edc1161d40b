"""After live: the way back says what it would lose, and takes two people who have read it."""

from __future__ import annotations

import pytest
from live_stack import PILOT, WAY_BACK, Journey, Stack, unlike

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
