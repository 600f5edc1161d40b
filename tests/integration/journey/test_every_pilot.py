"""Five of the other sample pilots, from manifest to live: nothing is unaccounted.

p03 has a room of its own; p06 goes live with its troubles, through the scheduler (`tests/faults/test_troubles.py`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sandbox_process import running
from whole_journey import agencies, approve, choose_pilots, open_gate

from launcher.agency_dns import Administrators
from onboarding.addresses import Database
from onboarding.cutover.state import CutoverState
from onboarding.databases.sessions import session
from onboarding.errors import Stop
from onboarding.ledger import Ledger
from onboarding.programme.report import shortfalls
from onboarding.stages import decision, no_return, sides, way_back

from .conftest import SCALE, World, replicating, travel

FIVE = ("p01", "p04", "p07", "p08", "p11")
AT_ONCE = 2


@pytest.fixture(scope="module")
def chosen(request: pytest.FixtureRequest) -> list[str]:
    """Those of the five whose tests run, so that `-k p07` makes one agency and one journey."""
    here = [item for item in request.session.items if isinstance(item, pytest.Function) and item.path == request.path]
    return sorted({item.callspec.params["pilot_id"] for item in here if hasattr(item, "callspec")})


@pytest.fixture(scope="module")
def five(
    chosen: list[str],
    make_ledger: Callable[[], tuple[Database, Database, Ledger]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[World]:
    cloud_home, home = tmp_path_factory.mktemp("cloud"), tmp_path_factory.mktemp("agencies")
    with running(cloud_home) as cloud, agencies(home, cloud, ",".join(chosen), SCALE) as sides:
        world = World(cloud, sides, *make_ledger())
        choose_pilots(world.ledger)
        with administrators(world, chosen):
            yield world


@contextmanager
def administrators(world: World, pilots: list[str]) -> Iterator[None]:
    """The agencies' own, who change a record when they are asked to, all the while."""
    over = threading.Event()
    people = Administrators(
        world.cloud, world.ledger, [world.pilot(pilot).manifest for pilot in pilots], lambda *_, **__: None
    )

    def work() -> None:
        while not over.wait(0.2):
            people.act()

    working = threading.Thread(target=work)
    working.start()
    try:
        yield
    finally:
        over.set()
        working.join()


@pytest.fixture(scope="module")
def on_their_way(five: World, chosen: list[str]) -> Iterator[dict[str, Future[None]]]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {pilot: pool.submit(travel, five.pilot(pilot)) for pilot in chosen}


@pytest.mark.parametrize("pilot_id", FIVE)
def test_goes_live_with_nothing_lost(
    five: World, on_their_way: dict[str, Future[None]], pilot_id: str, told: Callable[[dict[str, Any]], str]
) -> None:
    on_their_way[pilot_id].result()

    document = five.report([pilot_id])
    (found,) = document["pilots"]
    assert five.ledger.cutover_state(pilot_id) is CutoverState.COMMITTED
    assert found["state"] == "live"
    assert document["unaccounted_rows"] == document["unaccounted_files"] == 0, told(document)
    assert found["rows"] == rows_of(five, pilot_id)
    folder = Path(five.sides["pilots"][pilot_id]["files"])
    assert found["files"] == sum(path.is_file() and not path.is_symlink() for path in folder.rglob("*"))


@pytest.mark.parametrize("pilot_id", ["p08"])
def test_the_way_back_is_given_up_by_a_decision_of_its_own(
    five: World, on_their_way: dict[str, Future[None]], pilot_id: str
) -> None:
    on_their_way[pilot_id].result()
    pilot = five.pilot(pilot_id, "close")
    source, target = sides.source(pilot, "maps"), sides.target(pilot, "maps")
    assert (replicating(source), replicating(target)) == ((0, 0, 1), (1, 1, 0))
    no_return.describe(pilot)
    approve(pilot, decision.NO_RETURN)
    for _ in range(2):  # a cleared task
        assert no_return.give_up_way_back(pilot) == {"state": CutoverState.CLOSED}
    assert replicating(source) == replicating(target) == (0, 0, 0)
    with pytest.raises(Stop) as stopped:
        way_back.close_target(pilot)
    assert stopped.value.key == "cutover.nothing_to_turn_back"
    open_gate(pilot, "soak")
    told = len(pilot.ledger.records(pilot=pilot_id, kind="reconciled"))
    with session(target) as connection:
        connection.execute("DELETE FROM public.reading WHERE ctid = (SELECT min(ctid) FROM public.reading)")
    assert five.report([pilot_id])["pilots"][0]["state"] == "live"
    assert len(pilot.ledger.records(pilot=pilot_id, kind="reconciled")) == told, "compared anew"


def test_nothing_was_asked_for_twice(five: World, on_their_way: dict[str, Future[None]]) -> None:
    for journey in on_their_way.values():
        journey.result()
    assert shortfalls(five.report(list(on_their_way), compared=False)) == []
    assert five.duplicates() == []


def rows_of(world: World, pilot_id: str) -> int:
    """Counted at the source, table by table."""
    side = world.sides["pilots"][pilot_id]
    where = {"host": side["address"], "port": side["port"], "dbname": side["database"], **side["owner"]}
    with psycopg.connect(**where, options="-c search_path=") as connection:
        tables = connection.execute(
            "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace"
            " WHERE relkind = 'r' AND nspname !~ '^(pg_|information_schema$|namrong$)'"
        ).fetchall()
        counts = [connection.execute(f"SELECT count(*) FROM ONLY {table}".encode()).fetchone() for (table,) in tables]
    return sum(count for (count,) in filter(None, counts))
