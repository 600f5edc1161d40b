"""One sandbox, its agencies and one ledger for the room; each pilot travels in its own way, side by side.

p02 goes straight to live. p05 takes every step twice. p09 waits after its rehearsal: its first night will fail.
Most of a journey is waiting, so that three at a time take hardly longer than one.
"""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from postgres_programs import postgres_programs  # noqa: F401  (a fixture)
from sandbox_process import ask
from whole_journey import agencies, choose_pilots, pilot_of, steps

from onboarding.addresses import Database
from onboarding.anchors import Anchor, read_anchors
from onboarding.databases.sessions import session
from onboarding.ledger import Ledger
from onboarding.ledger_schema import ensure_schema
from onboarding.manifest import Manifest
from onboarding.programme.report import report
from onboarding.programme.side_effects import Unaccounted, duplicates
from onboarding.stages import validation
from onboarding.stages.pilot import Pilot

PILOTS = ("p02", "p05", "p09")
SCALE = 0.02
PROBES = {"p09": 20}
"""A probe draws its side by weight: of 20 at 50 %, one in a million times none asks the target."""

ONE_AT_A_TIME = threading.Lock()
"""Great Expectations keeps one context per process."""


@dataclass
class World:
    """What all tests of the room look at. `strays`: entries of the audit log that a test put there on purpose."""

    cloud: dict[str, Any]
    sides: dict[str, Any]
    owner: Database
    writer: Database
    ledger: Ledger
    strays: set[int] = field(default_factory=set)

    def pilot(self, pilot_id: str, run: str = "r1", **changed: Any) -> Pilot:
        """The pilot as a task gets it; its steps of the ramp and its soak shortened once more."""
        pilot = pilot_of(self.cloud, self.sides, self.ledger, pilot_id, run)
        return replace(pilot, manifest=hurried(pilot.manifest), **changed)

    def audit(self) -> list[dict[str, Any]]:
        """The cloud's own log of what changed something, without what tests did behind the programme's back."""
        return [entry for entry in ask(self.cloud, "audit")["entries"] if entry["seq"] not in self.strays]

    def duplicates(self) -> list[Unaccounted]:
        return duplicates(self.audit(), self.ledger.records(kind="intent"))

    def anchors(self) -> list[Anchor]:
        pilot = self.pilot(min(self.sides["pilots"]))
        return read_anchors(pilot.management.client("s3"), pilot.settings.anchor_bucket)

    def report(self, of: Collection[str] = PILOTS, *, compared: bool = True) -> dict[str, Any]:
        """The report of these pilots, everything compared anew before."""
        chosen = [self.pilot(pilot_id) for pilot_id in of]
        if compared:
            for pilot in chosen:
                validation.compare_again(pilot, "report")
        return report(self.ledger, self.audit(), [pilot.manifest for pilot in chosen], anchors=self.anchors())


def hurried(manifest: Manifest) -> Manifest:
    traffic = manifest.cutover.traffic.model_copy(
        update={"step": timedelta(0), "probes": PROBES.get(manifest.id, manifest.cutover.traffic.probes)}
    )
    cutover = manifest.cutover.model_copy(update={"traffic": traffic})
    return manifest.model_copy(update={"cutover": cutover, "soak": timedelta(seconds=1)})


def travel(pilot: Pilot, *, first: str = "receive", last: str = "declare", times: int = 1) -> None:
    """From one step to another, each so many times in a row."""
    every = steps(pilot)
    names = list(every)
    for name in names[names.index(first) : names.index(last) + 1]:
        for _ in range(times):
            with ONE_AT_A_TIME if name == "expect" else nullcontext():
                every[name]()


def replicating(database: Database) -> tuple[int, int, int]:
    """How many slots, publications and subscriptions there are."""
    with session(database) as connection:
        row = connection.execute(
            "SELECT (SELECT count(*) FROM pg_replication_slots WHERE database = current_database()),"
            " (SELECT count(*) FROM pg_publication),"
            " (SELECT count(*) FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid"
            "  WHERE d.datname = current_database())"
        ).fetchone()
    assert row is not None
    return row


def expire(source: Database) -> None:
    """The time that was agreed for the freeze is as good as over; what follows is the source's own doing."""
    with session(source) as connection:
        connection.execute("UPDATE namrong.writes SET deadline = clock_timestamp() + interval '1 s'")


@pytest.fixture(scope="session")
def make_ledger(make_database: Callable[..., Database]) -> Iterator[Callable[[], tuple[Database, Database, Ledger]]]:
    """A new ledger: its owner's address, its writer's, and the ledger itself."""
    opened: list[Ledger] = []

    def make() -> tuple[Database, Database, Ledger]:
        owner = make_database("ledger")
        writer = owner.as_user(f"{owner.name}_writer", secrets.token_urlsafe())
        ensure_schema(owner, writer=writer.user, writer_password=writer.password, reader=None)
        opened.append(Ledger(writer))
        return owner, writer, opened[-1]

    yield make
    for ledger in opened:
        ledger.close()


@pytest.fixture(scope="session")
def world(
    sandbox_cloud: dict[str, Any],
    make_ledger: Callable[[], tuple[Database, Database, Ledger]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[World]:
    """The sandbox of the session, counted from here on: what other rooms made in it before is none of ours."""
    strays = {entry["seq"] for entry in ask(sandbox_cloud, "audit")["entries"]}
    with agencies(tmp_path_factory.mktemp("agencies"), sandbox_cloud, ",".join(PILOTS), SCALE) as sides:
        owner, writer, ledger = make_ledger()
        choose_pilots(ledger)
        yield World(sandbox_cloud, sides, owner, writer, ledger, strays)


@pytest.fixture(scope="session")
def under_way(world: World) -> Iterator[dict[str, Future[None]]]:
    """All three pilots on their way."""
    with ThreadPoolExecutor(3) as pool:
        yield {
            "p09": pool.submit(travel, world.pilot("p09"), last="gate_window"),
            "p02": pool.submit(travel, world.pilot("p02")),
            "p05": pool.submit(travel, world.pilot("p05"), times=2),
        }


@pytest.fixture(scope="session")
def rehearsed(world: World, under_way: dict[str, Future[None]]) -> Pilot:
    """p09, rehearsed; nobody has approved anything."""
    under_way["p09"].result()
    return world.pilot("p09")


@pytest.fixture(scope="session")
def straight(world: World, under_way: dict[str, Future[None]]) -> Pilot:
    """p02, live."""
    under_way["p02"].result()
    return world.pilot("p02")


@pytest.fixture(scope="session")
def repeated(world: World, under_way: dict[str, Future[None]]) -> Pilot:
    """p05, live after every step was taken twice."""
    under_way["p05"].result()
    return world.pilot("p05")


@pytest.fixture
def told(world: World) -> Callable[[dict[str, Any]], str]:
    """A document as text, for messages."""
    return lambda document: json.dumps(document, indent=1, default=str, ensure_ascii=False)
