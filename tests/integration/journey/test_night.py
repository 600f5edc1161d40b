"""p09's first night fails at half the traffic and comes back by itself; the second ends live. In their order.

By the second the service has a name whose zone is not in Route 53: a person at the agency changes the record.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from sandbox_process import ask
from whole_journey import approve, load_final, stalled

from onboarding import traffic
from onboarding.addresses import Database
from onboarding.cutover.state import CutoverState
from onboarding.errors import AskPerson, Stop
from onboarding.manifest import Traffic
from onboarding.stages import cutover, naming_by_hand, naming_by_weights, sides
from onboarding.stages.pilot import Pilot

from .conftest import World, expire, travel

Session = psycopg.Connection[tuple[object, ...]]

REFUSED = (psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction)
NOTE = "INSERT INTO calendar_note (day, comment) VALUES ('2027-04-13', %s)"
NOTES = "SELECT comment FROM calendar_note WHERE comment LIKE %s ORDER BY comment"


def writes(session: Session, note: str) -> bool:
    """Whether the service's write was taken, and so acknowledged."""
    try:
        session.execute(NOTE, [note])
    except REFUSED:
        return False
    return True


def can_write(service: Database) -> bool:
    """The same by a new session, and taken back."""
    with service.connect() as session, session.transaction(force_rollback=True):
        return writes(session, "tried")


def notes(database: Database, like: str) -> list[str]:
    with database.connect() as session:
        return [str(comment) for (comment,) in session.execute(NOTES, [like]).fetchall()]


def weights(pilot: Pilot) -> dict[str, int]:
    name = naming_by_weights.service_name(pilot, pilot.manifest.cutover.traffic.record)
    return traffic.current_weights(pilot.cloud.client("route53", region="us-east-1"), name)


def leads_to(pilot: Pilot) -> set[str]:
    return {pilot.resolve(pilot.manifest.cutover.traffic.record) for _ in range(8)}


def agency_changes(world: World, pilot: Pilot, address: str) -> None:
    """As the agency's administrator does at its own DNS."""
    ask(world.cloud, "names", {pilot.manifest.cutover.traffic.record: address})


def as_asked(world: World, pilot: Pilot) -> None:
    """The administrator, who looks at what the programme waits for, and is in no hurry."""
    while naming_by_hand.asked_for(pilot) != traffic.TARGET:
        time.sleep(0.1)
    time.sleep(1)
    agency_changes(world, pilot, pilot.resolve(naming_by_hand.host(pilot, traffic.TARGET)))


def steps_of_the_ramp(pilot: Pilot) -> list[int]:
    return [record.body["percent"] for record in pilot.ledger.records(pilot="p09", kind="traffic")]


@pytest.fixture(scope="module")
def first(rehearsed: Pilot) -> Pilot:
    return rehearsed


@pytest.fixture(scope="module")
def second(world: World) -> Pilot:
    pilot = world.pilot("p09", "r2")
    by_hand = Traffic(
        mode="manual", record="assets.p09.go.th.example", ttl_s=1, step=timedelta(), change_within=timedelta(seconds=2)
    )
    cutover = pilot.manifest.cutover.model_copy(update={"traffic": by_hand})
    agency_changes(
        world, made := replace(pilot, manifest=pilot.manifest.model_copy(update={"cutover": cutover})), home(pilot)
    )
    return made


def home(pilot: Pilot) -> str:
    return pilot.resolve(sides.source(pilot, "assets").host)


@pytest.fixture(scope="module")
def session(first: Pilot) -> Iterator[Session]:
    """A session of the service at the source that is open before the freeze, and stays."""
    with sides.source_service(first, "assets").connect(autocommit=True) as opened:
        yield opened


def test_from_the_freeze_on_a_session_that_was_open_before_writes_nothing(first: Pilot, session: Session) -> None:
    assert writes(session, "first night")
    approve(first)
    before = datetime.now(UTC)
    cutover.freeze(first)
    assert not writes(session, "late")
    after = datetime.now(UTC)
    assert not can_write(sides.source_service(first, "assets"))
    frozen = first.ledger.latest("p09", "freeze")
    assert frozen is not None
    assert before <= datetime.fromisoformat(frozen.body["refused_at"]) <= after


def test_the_target_is_proven_and_refuses_the_service_too(first: Pilot, session: Session) -> None:
    load_final(first)
    assert cutover.prove(first) == {"assets": 0, "scans": 0}
    assert notes(sides.target(first, "assets"), "first night") == ["first night"]
    assert not can_write(sides.target_service(first, "assets"))
    assert not writes(session, "late")


def test_a_probe_that_fails_at_half_leads_all_traffic_back_by_itself(first: Pilot) -> None:
    def lock_out() -> None:
        while 10 not in steps_of_the_ramp(first):
            time.sleep(0.02)
        with sides.target(first, "assets").connect() as master:
            master.execute("ALTER ROLE assets_app NOLOGIN")

    breaking = threading.Thread(target=lock_out, daemon=True)
    breaking.start()
    with pytest.raises(Stop) as stopped:
        cutover.shift_traffic(first)
    breaking.join(10)
    assert (stopped.value.key, stopped.value.values["percent"]) == ("traffic.breach", 50)
    assert "assets_app" in str(stopped.value.values["reason"])
    assert steps_of_the_ramp(first) == [0, 10]
    assert weights(first) == {"source": 100, "target": 0}
    assert leads_to(first) == {first.resolve(sides.source(first, "assets").host)}


def test_nothing_is_released_and_nobody_writes_until_it_is_stood_down(first: Pilot, session: Session) -> None:
    with pytest.raises(Stop) as stopped:  # as after somebody marked `shift_traffic` a success
        cutover.release(first)
    assert stopped.value.key == "stages.traffic_elsewhere"
    assert first.ledger.cutover_state("p09") is CutoverState.FROZEN
    assert not writes(session, "late")
    assert not first.ledger.records(pilot="p09", kind="release")


def test_left_alone_for_good_the_freeze_ends_by_itself_and_is_not_renewed(first: Pilot, session: Session) -> None:
    expire(sides.source(first, "assets"))  # whoever would stand it down is dead
    deadline = time.monotonic() + 20
    while not writes(session, "again, by itself"):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    for step in (cutover.freeze, cutover.prove, cutover.shift_traffic, cutover.release):
        with pytest.raises(Stop) as stopped:
            step(first)
        assert stopped.value.key == "databases.freeze_expired"
    assert writes(session, "again")
    assert first.ledger.cutover_state("p09") is CutoverState.FROZEN


def test_standing_down_leaves_the_source_its_writes(world: World, first: Pilot, session: Session) -> None:
    for _ in range(2):
        assert cutover.stand_down(first) == {"state": CutoverState.ROLLED_BACK}
        assert writes(session, "again")
    (expired,) = first.ledger.records(pilot="p09", kind="freeze_expired")
    assert expired.body["expired_at"] >= expired.body["deadline_at"]
    (told,) = world.report(["p09"], compared=False)["pilots"]
    assert told["state"] == "rolled_back"
    # Nothing of the first night can be taken up again: it was given up.
    for step in (cutover.freeze, cutover.prove, cutover.shift_traffic, cutover.release, load_final):
        with pytest.raises(Stop):
            step(first)
    assert writes(session, "again")
    assert weights(first) == {"source": 100, "target": 0}


def test_a_freeze_that_wakes_up_after_the_night_was_called_off_opens_what_it_closed(
    first: Pilot, session: Session
) -> None:
    with pytest.raises(Stop) as stopped:
        cutover.freeze(stalled(first, CutoverState.FROZEN, looks=1))
    assert stopped.value.key == "cutover.overtaken"
    assert writes(session, "again")


def test_a_second_attempt_needs_a_rehearsal_and_approvals_of_its_own(second: Pilot, session: Session) -> None:
    travel(second, last="gate_window")
    with pytest.raises(Stop) as stopped:
        cutover.freeze(second)
    assert stopped.value.key == "approvals.changed"
    assert writes(session, "again")


def test_what_a_name_has_to_become_is_looked_up_and_not_asked_for_twice(second: Pilot, session: Session) -> None:
    assert naming_by_hand.observe(second, traffic.SOURCE).answer == "pass"
    waits = naming_by_hand.observe(second, traffic.TARGET)
    assert (waits.answer, waits.why, waits.values["seen"]) == ("unknown", "naming_by_hand.change_it", home(second))
    assert naming_by_hand.ask(second, traffic.SOURCE)["side"] == "source"
    assert second.ledger.latest("p09", "name_asked") is None, "asked for what is so already"


def test_the_second_night_ends_live_and_every_acknowledged_write_arrived(
    world: World, second: Pilot, session: Session
) -> None:
    agency = threading.Thread(target=as_asked, args=(world, second), daemon=True)
    agency.start()
    taken, refused = _write_on(session, until=lambda: travel(second, first="approve"))
    agency.join(10)
    assert len(taken) > 3 and len(refused) > 20
    assert max(taken.values()) < min(refused.values()), "a write was taken after one had been refused"
    for side in (sides.source, sides.target):
        assert notes(side(second, "assets"), "night 2 %") == sorted(taken)
    assert second.ledger.cutover_state("p09") is CutoverState.COMMITTED
    assert leads_to(second) == {second.resolve(sides.target(second, "assets").host)}
    assert can_write(sides.target_service(second, "assets"))
    assert not can_write(sides.source_service(second, "assets"))
    (told,) = world.report(["p09"])["pilots"]
    assert told["state"] == "live"
    # From the refusal of the first write to the release, by the service's own account.
    released = second.ledger.records(pilot="p09", kind="release")[-1]
    assert released.body["side"] == "target"
    at = datetime.fromisoformat(released.body["released_at"])
    longest, shortest = (at - max(taken.values())).total_seconds(), (at - min(refused.values())).total_seconds()
    assert shortest - 0.5 <= told["freeze_s"] <= longest + 0.5


def _write_on(session: Session, until: Any) -> tuple[dict[str, datetime], dict[str, datetime]]:
    """The service writes all the time on its open session; what was taken and what refused, and when it was said."""
    taken: dict[str, datetime] = {}
    refused: dict[str, datetime] = {}
    over = threading.Event()

    def write() -> None:
        number = 0
        while not over.wait(0.05):
            note = f"night 2 {number:06d}"
            (taken if writes(session, note) else refused)[note] = datetime.now(UTC)
            number += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        time.sleep(1)
        until()
    finally:
        over.set()
        writer.join()
    return taken, refused


def test_after_the_night_a_record_turned_back_by_somebody_is_seen_and_said(world: World, second: Pilot) -> None:
    there = second.resolve(naming_by_hand.host(second, traffic.TARGET))
    assert naming_by_hand.observe(second, traffic.TARGET).answer == "pass"
    naming_by_hand.demand(second, traffic.TARGET)
    with pytest.raises(AskPerson, match=there):
        naming_by_hand.demand_back(second)
    agency_changes(world, second, home(second))
    with pytest.raises(Stop, match="CNAME"):
        naming_by_hand.demand(second, traffic.TARGET)
    agency_changes(world, second, there)
