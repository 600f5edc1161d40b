"""The way back from live: nothing is lost while the target took no write; what would be lost is named and approved."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest
from whole_journey import PEOPLE, approve, open_gate, stalled

from onboarding.cutover.state import CutoverState
from onboarding.errors import Stop
from onboarding.programme.figures import KINDS, figures
from onboarding.stages import cutover, decision, sides, way_back
from onboarding.stages.pilot import Pilot

from .conftest import World

TABLE = "registry.public.แม่แบบหนังสือ"
WRITE = """INSERT INTO "แม่แบบหนังสือ" VALUES (%s, 'ใหม่', 'หลังสลับ')"""
REFUSED = (psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction)


def takes_writes(pilot: Pilot, side: Callable[[Pilot, str], object], workload: str, statement: str) -> bool:
    with side(pilot, workload).connect() as service:  # type: ignore[attr-defined]
        try:
            with service.transaction(force_rollback=True):
                service.execute(statement)
        except REFUSED:
            return False
    return True


def state(pilot: Pilot) -> str:
    return figures(pilot.manifest, pilot.ledger.records(pilot=pilot.id, kind=KINDS)).state


@pytest.fixture(scope="module")
def lossless(world: World, repeated: Pilot) -> Pilot:
    return world.pilot("p05", "back")


@pytest.fixture(scope="module")
def costly(world: World, straight: Pilot) -> Pilot:
    """p02 after its service took two letters on the target."""
    pilot = world.pilot("p02", "back")
    with sides.target_service(pilot, "registry").connect() as service:
        for number in (900_001, 900_002):
            service.execute(WRITE, [number])
    return pilot


def test_nothing_is_lost_while_the_target_took_no_write(lossless: Pilot) -> None:
    price = "UPDATE stats.daily_price SET low = low"
    assert way_back.close_target(lossless) == {"state": CutoverState.COMMITTED}
    assert not takes_writes(lossless, sides.target_service, "catalogue", price)
    assert way_back.measure_loss(lossless) == {"tables": 0, "rows": 0}
    with pytest.raises(Stop) as stopped:
        way_back.turn_back(lossless)
    assert stopped.value.key == "approvals.too_few"
    # A no: the service goes on where it is.
    way_back.stay(lossless)
    assert takes_writes(lossless, sides.target_service, "catalogue", price)
    assert not takes_writes(lossless, sides.source_service, "catalogue", price)
    assert state(lossless) == "live"


def test_it_names_the_loss_table_by_table(costly: Pilot) -> None:
    for _ in range(2):
        way_back.close_target(costly)
        assert way_back.measure_loss(costly) == {"tables": 1, "rows": 2}
    loss = costly.ledger.latest("p02", "loss", "way_back")
    assert loss is not None and dict(loss.body["tables"]) == {TABLE: 2}
    question = decision.ask(costly, decision.WAY_BACK, 1, PEOPLE, "platform")
    assert f"| {TABLE} | 2 |" in question.body


def test_it_needs_two_approvals_of_exactly_that_loss(costly: Pilot) -> None:
    with pytest.raises(Stop) as stopped:
        way_back.turn_back(costly)
    assert stopped.value.key == "approvals.too_few"  # those of the cutover do not count
    approve(costly, decision.WAY_BACK)
    # The service is let in again, takes one letter more, and is measured anew: another loss, another question.
    way_back.stay(costly)
    with sides.target_service(costly, "registry").connect() as service:
        service.execute(WRITE, [900_003])
    way_back.close_target(costly)
    assert way_back.measure_loss(costly) == {"tables": 1, "rows": 3}
    with pytest.raises(Stop) as stopped:
        way_back.turn_back(costly)
    assert stopped.value.key == "approvals.changed"
    assert costly.ledger.cutover_state("p02") is CutoverState.COMMITTED
    assert costly.resolve(costly.manifest.cutover.traffic.record) == costly.resolve(
        sides.target(costly, "registry").host
    )


def test_approvals_of_a_loss_that_has_grown_since_do_not_turn_back(costly: Pilot) -> None:
    """Approved; then the run fails, `stay` lets the service in again, and it writes: the loss is another."""
    approve(costly, decision.WAY_BACK)
    way_back.stay(costly)
    with sides.target_service(costly, "registry").connect() as service:
        service.execute(WRITE, [900_004])
    _refused_as_grown(costly)
    assert costly.ledger.cutover_state("p02") is CutoverState.COMMITTED
    way_back.close_target(costly)
    _refused_as_grown(costly)
    assert way_back.measure_loss(costly) == {"tables": 1, "rows": 4}


def _refused_as_grown(pilot: Pilot) -> None:
    with pytest.raises(Stop) as stopped:
        way_back.turn_back(pilot)
    assert stopped.value.key == "cutover.loss_has_grown"
    assert stopped.value.render("th") != stopped.value.render("en")


def test_with_two_it_goes_back(world: World, costly: Pilot) -> None:
    approve(costly, decision.WAY_BACK)
    for _ in range(2):
        assert way_back.turn_back(costly) == {"state": CutoverState.ROLLED_BACK}
    open_gate(costly, "turned_back")
    record = costly.manifest.cutover.traffic.record
    source = sides.source(costly, "registry")
    assert {costly.resolve(record) for _ in range(8)} == {costly.resolve(source.host)}
    write = WRITE % 900_005
    assert takes_writes(costly, sides.source_service, "registry", write)
    assert not takes_writes(costly, sides.target_service, "registry", write)
    assert state(costly) == "rolled_back"
    assert world.duplicates() == []
    # Whoever clears the way back's other tasks, or the failed night's, changes nothing.
    way_back.close_target(costly)
    assert way_back.measure_loss(costly) == {}
    way_back.stay(costly)
    cutover.stand_down(costly)
    assert takes_writes(costly, sides.source_service, "registry", write)
    assert not takes_writes(costly, sides.target_service, "registry", write)


def test_a_release_that_wakes_up_after_the_way_back_leaves_the_target_closed(costly: Pilot) -> None:
    with pytest.raises(Stop) as stopped:
        cutover.release(stalled(costly, CutoverState.SWITCHED, looks=2))
    assert stopped.value.key == "cutover.overtaken"
    assert not takes_writes(costly, sides.target_service, "registry", WRITE % 900_003)
