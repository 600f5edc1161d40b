"""The holder of a load's snapshot dies while the source goes on: the load is made anew, whole, and nobody helps."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import free_port
from faults.holding import holding
from faults.small_world import COPIED, FOLLOWED, SHARDS, WORKLOAD, Ground, World, at_home, make_world, rehearsed
from following_servers import run, take_away, two_servers
from postgres_programs import postgres_programs  # noqa: F401  (a fixture)

from onboarding.databases import plan
from onboarding.errors import LeftOut, TryAgain
from onboarding.stages import cutover, loading, loads, moment, sides, validation
from onboarding.stages.loads import FINAL, REHEARSAL
from onboarding.stages.pilot import Pilot

MakeWorld = Callable[[str], World]


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory, postgres_programs: None) -> Iterator[Ground]:  # noqa: F811
    with two_servers(tmp_path_factory.mktemp("servers"), free_port(), fsync="off") as servers:
        yield Ground.on(servers, servers.admin)


@pytest.fixture
def make(ground: Ground, tmp_path: Path) -> Iterator[MakeWorld]:
    made: list[World] = []

    def one(kind: str) -> World:
        made.append(at_home(ground, tmp_path / secrets.token_hex(3), kind))
        return made[-1]

    yield one
    for world in made:
        take_away(ground.servers, world.pair)


def begun(pilot: Pilot, kind: str = REHEARSAL) -> tuple[moment.Held, list[str]]:
    """A load that is prepared, and who holds its snapshot."""
    held = moment.hold(pilot, WORKLOAD, kind)
    assert held is not None
    units = loading.prepare_load(pilot, WORKLOAD, kind)
    assert len(units) == SHARDS
    return held, units


def lose(world: World, held: moment.Held) -> None:
    """The holder dies, and the service goes on writing."""
    held.close()
    run(world.service("source"), "INSERT INTO entry (number, body) VALUES (7, 'later')")
    run(world.service("source"), "UPDATE account SET version = 9")


def kinds(pilot: Pilot) -> list[str]:
    told = ("load_lost", "load_restarted", "load_finished")
    return [f"{one.kind} {one.subject}" for one in pilot.ledger.records(pilot=pilot.id, kind=told)]


@pytest.mark.slow
@pytest.mark.parametrize("kind", [COPIED, FOLLOWED])
def test_what_units_leave_out_is_made_anew_whole(make: MakeWorld, kind: str) -> None:
    world = make(kind)
    pilot = world.pilot()
    held, (first, second) = begun(pilot)
    assert loading.copy_rows(pilot, first, WORKLOAD, REHEARSAL)["rows"] > 0
    lose(world, held)
    for _ in range(2):  # a repetition, or another unit, knows it at once
        with pytest.raises(LeftOut, match="moves every row anew"):
            loading.copy_rows(pilot, second, WORKLOAD, REHEARSAL)
    with holding(pilot, REHEARSAL):
        finished = loading.finish_load(pilot, WORKLOAD, REHEARSAL)
        assert validation.reconcile(pilot) == {WORKLOAD: 0}
    assert finished["load"] == "rehearsal-1-again1" and finished["rows"] == 206
    assert kinds(pilot) == [
        f"load_lost {WORKLOAD}/rehearsal-1",
        f"load_restarted {WORKLOAD}/rehearsal-1",
        f"load_finished {WORKLOAD}/rehearsal-1-again1",
    ]
    assert loading.finish_load(pilot, WORKLOAD, REHEARSAL) == {}, "once is enough"


@pytest.mark.slow
def test_it_is_lost_once_more_while_it_is_made_anew(make: MakeWorld) -> None:
    world = make(COPIED)
    pilot = world.pilot()
    held, (first, _) = begun(pilot)
    lose(world, held)
    with pytest.raises(LeftOut):
        loading.copy_rows(pilot, first, WORKLOAD, REHEARSAL)
    loads.begin_anew(pilot, WORKLOAD, "rehearsal-1")
    held, _ = begun(pilot)
    lose(world, held)
    with pytest.raises(TryAgain):
        loading.finish_load(pilot, WORKLOAD, REHEARSAL)
    with holding(pilot, REHEARSAL):
        assert loading.finish_load(pilot, WORKLOAD, REHEARSAL)["load"] == "rehearsal-1-again2"
        assert validation.reconcile(pilot) == {WORKLOAD: 0}


@pytest.mark.slow
def test_a_schema_of_another_moment_is_not_loaded_into(make: MakeWorld) -> None:
    """The holder dies after the schema and before the first row; in between a column came."""
    world = make(COPIED)
    pilot = world.pilot()
    held, units = begun(pilot)
    held.close()
    run(world.pair.source, "ALTER TABLE account ADD COLUMN note text NOT NULL DEFAULT 'ก'")
    with holding(pilot, REHEARSAL):
        with pytest.raises(LeftOut):
            loading.copy_rows(pilot, units[0], WORKLOAD, REHEARSAL)
        loading.finish_load(pilot, WORKLOAD, REHEARSAL)
        assert validation.reconcile(pilot) == {WORKLOAD: 0}
    assert run(sides.target(pilot, WORKLOAD), "SELECT DISTINCT note FROM account") == [("ก",)]


@pytest.mark.slow
def test_prepared_while_it_dies_it_is_prepared_again(make: MakeWorld) -> None:
    world = make(COPIED)
    pilot = world.pilot()
    held = moment.hold(pilot, WORKLOAD, REHEARSAL)
    assert held is not None
    held.close()
    run(world.service("source"), "UPDATE account SET version = 9")
    with pytest.raises(TryAgain):
        loading.prepare_load(pilot, WORKLOAD, REHEARSAL)
    with holding(pilot, REHEARSAL):
        units = loading.prepare_load(pilot, WORKLOAD, REHEARSAL)
        for unit in units:
            loading.copy_rows(pilot, unit, WORKLOAD, REHEARSAL)
        assert loading.finish_load(pilot, WORKLOAD, REHEARSAL)["load"] == "rehearsal-1-again1"
        assert validation.reconcile(pilot) == {WORKLOAD: 0}


@pytest.mark.slow
def test_units_of_a_smaller_plan_are_left_out(make: MakeWorld) -> None:
    world = make(COPIED)
    pilot = world.pilot()
    held, _ = begun(pilot)
    with pytest.raises(LeftOut):
        loading.copy_rows(pilot, "s099", WORKLOAD, REHEARSAL)
    assert "s099" not in plan.kept(sides.target(pilot, WORKLOAD))
    held.close()


@pytest.mark.slow
def test_under_the_freeze_moments_are_not_mixed_either(ground: Ground, tmp_path: Path) -> None:
    """An administrator's writes are not refused."""
    world = make_world(ground, tmp_path / "frozen", COPIED)
    pilot = world.pilot()
    rehearsed(pilot)
    cutover.freeze(pilot)
    held, (first, second) = begun(pilot, FINAL)
    loading.copy_rows(pilot, first, WORKLOAD, FINAL)
    held.close()
    run(world.pair.source, "INSERT INTO entry (number, body) VALUES (7, 'later')")
    with holding(pilot, FINAL):
        with pytest.raises(LeftOut, match="moves every row anew"):
            loading.copy_rows(pilot, second, WORKLOAD, FINAL)
        finished = loading.finish_load(pilot, WORKLOAD, FINAL)
    assert (finished["load"], finished["rows"]) == ("final-1-again1", 206)
    take_away(ground.servers, world.pair)
