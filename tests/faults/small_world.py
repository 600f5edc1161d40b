"""A service small enough to be made anew for every kill: two real servers, a real ledger, a cloud on paper."""

from __future__ import annotations

import secrets
import subprocess
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import psycopg
from faults.paper_cloud import Paper, PaperCloud
from following_servers import Pair, Servers, here, make_pair, take_away
from psycopg import sql
from whole_journey import PILOTS, approve

from onboarding import targets
from onboarding.addresses import Database
from onboarding.aws import Cloud
from onboarding.cutover.state import CutoverState
from onboarding.databases.sessions import session
from onboarding.errors import TryAgain
from onboarding.ledger import Ledger
from onboarding.ledger_schema import ensure_schema
from onboarding.manifest import Manifest
from onboarding.manifests import load_folder
from onboarding.stages import drill, loading, loads, moment, sides, validation
from onboarding.stages.loads import REHEARSAL
from onboarding.stages.pilot import Login, Pilot, Settings, utc_now

TABLES = """
CREATE TABLE entry (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, number bigint NOT NULL, body text);
CREATE TABLE account (id int PRIMARY KEY, version bigint NOT NULL);
INSERT INTO account SELECT n, 0 FROM generate_series(1, 5) n;
INSERT INTO entry (number, body) SELECT -n, 'ก' FROM generate_series(1, 200) n;
"""
WORKLOAD = "booking"
FOLLOWED, COPIED, BY_HAND = "followed", "copied", "by hand"
"""Kinds of worlds: the engine, and for the last one who leads the name: a person."""
FOLLOWING = {"slot_name": "pg_replication_slots", "pubname": "pg_publication", "subname": "pg_subscription"}
SHARDS = 2
LONG = timedelta(days=1)
"""A world is put back as it was: no deadline of the first time may have passed meanwhile."""


@dataclass(frozen=True)
class Ground:
    """What all worlds stand on: agency and instance, a server to restore backups to, and the ledger."""

    servers: Servers
    restored: Database
    ledger: Database

    @classmethod
    def on(cls, servers: Servers, restored: Database) -> Ground:
        agency = servers.agency
        owner = Database(agency.host, agency.port, "ledger", agency.superuser, agency.password, resolve=here)
        with agency.connect() as connection:
            connection.execute("CREATE DATABASE ledger")
        writer = owner.as_user("ledger_writer", secrets.token_urlsafe())
        ensure_schema(owner, writer=writer.user, writer_password=writer.password, reader=None)
        return cls(servers, restored, writer)


@dataclass(frozen=True)
class World:
    """One pilot and the folder in which its cloud is written down."""

    id: str
    pair: Pair
    ledger: Database
    folder: Path
    kind: str = FOLLOWED

    @property
    def cloud(self) -> PaperCloud:
        return PaperCloud(Paper(self.folder))

    def pilot(self, ledger: Ledger | None = None) -> Pilot:
        pilot = Pilot(
            manifest=manifest(self.id, self.pair.service.user, self.kind),
            others=(),
            ledger=ledger or Ledger(self.ledger),
            management=cast(Cloud, self.cloud),
            settings=Settings("pilots.example", "-", "test key", sandbox=True),
            resolve=self.cloud.resolve,
            sources={WORKLOAD: replace(self.pair.source, resolve=self.cloud.resolve)},
            services={WORKLOAD: Login(self.pair.service.user, self.pair.service.password)},
            folders={},
            run="r1",
            requester="platform",
            clock=utc_now,
        )
        vars(pilot).update(cloud=self.cloud, account_id="100000000001")  # found already, as it were
        return pilot

    def as_json(self) -> dict[str, Any]:
        """For a process of its own; passwords included."""
        ledger = {name: getattr(self.ledger, name) for name in ("host", "port", "name", "user", "password")}
        named = {"id": self.id, "folder": str(self.folder), "kind": self.kind}
        return {**named, "pair": self.pair.as_json(), "ledger": ledger}

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> World:
        ledger = Database(**body["ledger"], resolve=here)
        return cls(body["id"], Pair.from_json(body["pair"]), ledger, Path(body["folder"]), body["kind"])

    def can_write(self) -> list[str]:
        """On which sides the service's login may write now."""
        return [side for side in ("source", "target") if _writes(self.service(side))]

    def is_loaded(self) -> bool:
        """Whether the load that the next journey makes is there already."""
        pilot = self.pilot()
        with closing(pilot.ledger):
            return loads.is_finished(pilot, WORKLOAD, loads.load_name(pilot, WORKLOAD, REHEARSAL))

    def following(self) -> list[str]:
        """Slots, publications and subscriptions on both sides, whosever they are."""
        found = []
        for side in (self.pair.source, self.pair.target):
            with session(side) as connection:
                for name, catalogue in FOLLOWING.items():
                    rows = connection.execute(
                        sql.SQL("SELECT {} FROM {}").format(*map(sql.Identifier, (name, catalogue)))
                    )
                    found += [f"{catalogue} {row[0]}" for row in rows]
        return found

    def service(self, side: str) -> Database:
        """The service's login there."""
        there = self.pair.source if side == "source" else self.pair.target
        return there.as_user(self.pair.service.user, self.pair.service.password)


def manifest(pilot_id: str, role: str, kind: str) -> Manifest:
    """p03's, small: no files, no golden queries, no waiting for look-ups."""
    engine = "follow" if kind == FOLLOWED else "copy"
    whole = load_folder(PILOTS).manifests["p03"]
    workload = whole.databases[0].model_copy(
        update={"service_role": role, "golden": (), "expectations": (), "shards": SHARDS, "engine": engine}
    )
    traffic = whole.cutover.traffic.model_copy(
        update={"ttl_s": 0, "step": timedelta(0), "probes": 1, "health_url": None}
    )
    if kind == BY_HAND:
        traffic = traffic.model_copy(update={"mode": "manual", "zone": None, "change_within": timedelta(0)})
    cutover = whole.cutover.model_copy(update={"freeze_budget": LONG, "traffic": traffic})
    return whole.model_copy(
        update={"id": pilot_id, "databases": (workload,), "files": (), "cutover": cutover, "evidence_fresh_for": LONG}
    )


def at_home(ground: Ground, folder: Path, kind: str) -> World:
    """A service at home, and an empty instance for it."""
    folder.mkdir()
    pair = make_pair(ground.servers, TABLES)
    admin = ground.servers.admin
    world = World(f"k{secrets.token_hex(3)}", pair, ground.ledger, folder, kind)
    paper = Paper(folder)
    paper.write("secret", admin.password)
    _instance(world, targets.instance_id(manifest(world.id, "", kind), WORKLOAD), admin)
    return world


def make_world(ground: Ground, folder: Path, kind: str) -> World:
    """A service at home, copied to its target and compared there; its journey stands before the rehearsal."""
    world = at_home(ground, folder, kind)
    if kind == BY_HAND:
        world.cloud.turn(world.pilot().manifest.cutover.traffic.record, world.pair.source.host)
    pilot = world.pilot()
    held = moment.hold(pilot, WORKLOAD, REHEARSAL)
    assert held is not None
    with closing(held):
        for unit in loading.prepare_load(pilot, WORKLOAD, REHEARSAL):
            loading.copy_rows(pilot, unit, WORKLOAD, REHEARSAL)
        loading.finish_load(pilot, WORKLOAD, REHEARSAL)
        assert validation.reconcile(pilot) == {WORKLOAD: 0}
    pilot.ledger.close()
    return world


def restore(world: World, ground: Ground) -> None:
    """The target as its backup would bring it back, on a server of its own, set and proven for a rehearsal."""
    pilot = world.pilot()
    name, at = drill.drill_id(pilot, WORKLOAD), ground.restored
    _instance(world, name, at)
    there = replace(at, name=world.pair.target.name)
    with session(at, autocommit=True) as connection:
        role = sql.Identifier(world.pair.service.user)
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(role))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(there.name)))
    target = sides.target(pilot, WORKLOAD)
    with subprocess.Popen(
        ["pg_dump", "--no-owner", "--no-publications", "--no-subscriptions", "-d", _libpq(target)],
        stdout=subprocess.PIPE,
    ) as dump:
        subprocess.run(["psql", "-q", "-v", "ON_ERROR_STOP=1", "-d", _libpq(there)], stdin=dump.stdout, check=True)
    pilot.record("drill_set", WORKLOAD, {"instance": name})
    pilot.record("restore_drill", WORKLOAD, {"instance": name})
    pilot.ledger.close()


def rehearsed(pilot: Pilot) -> None:
    """As `rehearse` leaves it; what it does itself is looked at elsewhere."""
    pilot.record("rehearsal", "cutover", {"cutover_s": 1.0, "way_back_s": 1.0, "needed_s": 3.0, "fits": True})
    here = pilot.ledger.cutover_state(pilot.id)
    pilot.ledger.advance(pilot.id, expected=here, to=CutoverState.REHEARSED, body={}, run=pilot.run)
    approve(pilot)


def soaked(pilot: Pilot) -> None:
    """As the gate leaves it."""
    pilot.record("observation", "soak", {"answer": "pass", "final": True, "observations": []})


def clear_away(ground: Ground, world: World) -> None:
    take_away(ground.servers, world.pair)


def _instance(world: World, name: str, at: Database) -> None:
    paper = Paper(world.folder)
    known = paper.read("instances")
    known[name] = {"Endpoint": {"Address": at.host, "Port": at.port}, "DBInstanceStatus": "available"}
    paper.write("instances", known)


def _writes(service: Database) -> bool:
    try:
        with service.connect() as connection:
            connection.execute("INSERT INTO entry (number) VALUES (0)")
            connection.rollback()
    except (psycopg.errors.InsufficientPrivilege, psycopg.errors.UndefinedTable):
        return False
    except TryAgain as failure:
        if "does not exist" in str(failure):  # killed between dropping and making it
            return False
        raise
    return True


def _libpq(database: Database) -> str:
    return psycopg.conninfo.make_conninfo(
        host=database.host, port=database.port, dbname=database.name, user=database.user, password=database.password
    )
