"""The servers that a small world stands on. Moments of it can be put back: whole data directories are copied."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from conftest import free_port
from faults.small_world import FOLLOWED, Ground, World, make_world, restore
from following_servers import SETTINGS, make_master, two_servers

from onboarding.cutover.state import CutoverState
from onboarding.errors import TryAgain
from onboarding.ledger import Ledger
from sandbox.postgres import Cluster, bin_dir

ATTEMPTS = Path(__file__).with_name("attempts.py")
KILLED = -signal.SIGKILL
LONGER_EVERY, LONGER_S = 4, 0.2
"""Some of the clerk's transactions have only their commit to come, and take their time."""
ROOM_BYTES = 2 * 1024**3
WITH_BACKUP = ("copied",)


@dataclass
class Stage:
    """Three servers, the world on them, and the process that makes attempts."""

    folder: Path
    clusters: Sequence[Cluster]
    ground: Ground
    world: World
    _attempts: subprocess.Popen[str]

    def attempt(self, steps: Sequence[str], kill: tuple[str, str] | None = None) -> int:
        """One process that does what is left of these steps: its exit status."""
        return self._send({"steps": steps, "kill": kill, "points": None})

    def points(self, steps: Sequence[str]) -> list[str]:
        """The same, nobody killed: every point that was passed."""
        told = self.folder / "points"
        assert self._send({"steps": steps, "kill": None, "points": str(told)}) == 0, self.said()
        found: list[str] = json.loads(told.read_text())
        return found

    def state(self) -> CutoverState:
        """Where the ledger has the cutover."""
        ledger = Ledger(self.world.ledger)
        try:
            return ledger.cutover_state(self.world.id)
        finally:
            ledger.close()

    def said(self) -> str:
        """The end of what attempts said when they failed."""
        return (self.folder / "said").read_text()[-3000:]

    def keep(self, moment: str) -> None:
        """The world as it is now can be put back. Only while a backup is to be rehearsed on, its server counts."""
        _forget_done(self.world)
        clusters = self.clusters if moment in WITH_BACKUP else self.clusters[:2]
        self._crash(clusters)
        self._kept(moment).mkdir(parents=True)
        for part in [*(cluster.data_dir for cluster in clusters), self.world.folder]:
            subprocess.run(["cp", "-a", part, self._kept(moment)], check=True)
        self._start(clusters)

    def put_back(self, moment: str) -> None:
        """The world is as it was then, as after a crash of every server."""
        clusters = [one for one in self.clusters if (self._kept(moment) / one.data_dir.name).exists()]
        self._crash(clusters)
        for part in [*(cluster.data_dir for cluster in clusters), self.world.folder]:
            shutil.rmtree(part)
            subprocess.run(["cp", "-a", self._kept(moment) / part.name, part], check=True)
        self._start(clusters)

    def is_kept(self, moment: str) -> bool:
        return self._kept(moment).exists()

    def _kept(self, moment: str) -> Path:
        return self.folder / "kept" / moment

    def _crash(self, clusters: Sequence[Cluster]) -> None:
        for cluster in clusters:
            if (pid := cluster.pid()) is not None:
                os.kill(pid, signal.SIGQUIT)
        for cluster in clusters:
            while cluster.pid() is not None:
                time.sleep(0.005)
            cluster.stop()

    def _start(self, clusters: Sequence[Cluster]) -> None:
        with ThreadPoolExecutor(len(clusters)) as pool:
            list(pool.map(Cluster.start, clusters))

    def _send(self, task: dict[str, Any]) -> int:
        assert self._attempts.stdin is not None and self._attempts.stdout is not None
        self._attempts.stdin.write(json.dumps({"world": self.world.as_json(), **task}) + "\n")
        self._attempts.stdin.flush()
        return int(self._attempts.stdout.readline())


def in_memory(otherwise: Path) -> Path:
    """A folder that is copied fast, if this machine has one."""
    memory = Path("/dev/shm")  # noqa: S108  (a new folder in it)
    if not memory.is_dir() or shutil.disk_usage(memory).free < ROOM_BYTES:
        return otherwise
    return Path(tempfile.mkdtemp(prefix="namrong-stage-", dir=memory))


@contextmanager
def staged(folder: Path, kind: str = FOLLOWED) -> Iterator[Stage]:
    """A world whose service is copied and proven, with its backup restored for a rehearsal."""
    port = free_port()
    third = Cluster(folder / "restored", "127.0.0.3", port, "rdsadmin", secrets.token_urlsafe(), SETTINGS)
    path = f"{bin_dir()}{os.pathsep}{os.environ['PATH']}"
    with two_servers(folder, port, fsync="off", autovacuum="off") as servers:
        try:
            third.create()
            third.start()
            password = servers.admin.password  # one secret for all instances of a workload
            ground = Ground.on(servers, make_master(third, password))
            world = make_world(ground, folder / "world", kind)
            restore(world, ground)
            with subprocess.Popen(
                [sys.executable, str(ATTEMPTS)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=(folder / "said").open("w"), text=True, env=os.environ | {"PATH": path},
            ) as attempts:  # fmt: skip
                yield Stage(folder, [servers.agency, servers.instance, third], ground, world, attempts)
                assert attempts.stdin is not None
                attempts.stdin.close()
        finally:
            third.stop()


@dataclass(frozen=True)
class Taken:
    """One write that a side acknowledged, and when (seconds, monotonic)."""

    number: int
    side: str
    at: float


@dataclass
class Clerk:
    """Writes on both sides all the while, wherever the name leads: what is taken where shows who lets it write."""

    world: World
    taken: list[Taken] = field(default_factory=list)
    unknown: set[int] = field(default_factory=set)
    strange: list[str] = field(default_factory=list)
    _numbers: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _over: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        threads = [threading.Thread(target=self._write_on, args=(side,)) for side in ("source", "target")]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._over.set()
            for thread in threads:
                thread.join(30)

    def goes_on(self, side: str, within_s: float = 30) -> bool:
        """Whether something more is taken there."""
        before, deadline = len(self.taken), time.monotonic() + within_s
        while time.monotonic() < deadline:
            if any(one.side == side for one in self.taken[before:]):
                return True
            time.sleep(0.005)
        return False

    def epochs(self) -> list[str]:
        """The sides that took writes, one after the other."""
        ordered = sorted(self.taken, key=lambda one: one.at)
        return [one.side for place, one in enumerate(ordered) if not place or ordered[place - 1].side != one.side]

    def taken_on(self, side: str) -> list[int]:
        """The numbers of what that side acknowledged."""
        return sorted(one.number for one in self.taken if one.side == side)

    def wrong_on(self, side: str, *, given_up: Sequence[int] = ()) -> list[str]:
        """What is not there exactly as it was acknowledged; what was given up must not be there."""
        with self.world.service(side).connect() as connection:
            rows = connection.execute("SELECT number, count(*) FROM entry WHERE number > 0 GROUP BY 1").fetchall()
        there = {int(number): int(count) for number, count in rows}
        acked = {one.number for one in self.taken} - {*given_up}
        lost = [f"lost {number}" for number in sorted(acked - set(there))]
        extra = [f"nobody's {number}" for number in sorted(set(there) - acked - self.unknown)]
        return lost + extra + [f"twice {number}" for number, count in there.items() if count > 1]

    def _write_on(self, side: str) -> None:
        connection: psycopg.Connection[Any] | None = None
        while not self._over.wait(0.01):
            number = self._next()
            try:
                connection = connection or self.world.service(side).connect()
                if self._write(connection, number):
                    self.taken.append(Taken(number, side, time.monotonic()))
            except Exception as failure:
                self.unknown.add(number)
                if not self._is_being_made(side, failure):
                    self.strange.append(f"{side}: {failure!r}")
                with suppress(psycopg.Error):
                    connection.close() if connection else None
                connection = None
        if connection:
            connection.close()

    @staticmethod
    def _write(connection: psycopg.Connection[Any], number: int) -> bool:
        """Whether it was acknowledged; False when it was refused."""
        try:
            connection.execute("INSERT INTO entry (number) VALUES (%s)", [number])
            connection.execute("UPDATE account SET version = version + 1 WHERE id = %s", [number % 5 + 1])
            time.sleep(LONGER_S if number % LONGER_EVERY == 0 else 0)
        except psycopg.errors.InsufficientPrivilege:
            connection.rollback()
            return False
        connection.commit()
        return True

    def _is_being_made(self, side: str, failure: Exception) -> bool:
        """A target that is copied under the freeze is dropped and made anew: who knocks meanwhile finds no service."""
        turned_away = (psycopg.OperationalError, psycopg.errors.UndefinedTable, TryAgain)
        return side == "target" and self.world.kind != FOLLOWED and isinstance(failure, turned_away)

    def _next(self) -> int:
        with self._lock:
            self._numbers += 1
            return self._numbers


def _forget_done(world: World) -> None:
    (world.folder / "done").unlink(missing_ok=True)
