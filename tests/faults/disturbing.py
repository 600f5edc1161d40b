"""What can happen to two servers and the lines to them while a night is on, drawn from a seed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from faults.night import STEPS
from following_servers import Pair, Servers, two_servers
from tcp_between import Wire, wire

from sandbox.postgres import Cluster

FAULTS = ("killed", "agency restarted", "instance restarted", "agency crashed", "instance crashed",
          "agency sessions ended", "instance sessions ended", "agency line torn", "instance line torn",
          "agency line hangs", "instance line hangs")  # fmt: skip
FULL = "instance disk full"
LATEST_S = {"": 4.0}
OTHERWISE_S = 0.4
"""A fault comes up to so long after the step before it was done: a copy lasts longer than what comes later."""
HANGS_S = 3.0
FULL_S = 2.0
DISK_MB = 600
LITTLE_WAL = {"max_wal_size": "128MB", "min_wal_size": "80MB"}


@dataclass(frozen=True)
class Fault:
    """What happens, so many seconds after that step is done (an empty name: after the beginning)."""

    kind: str
    step: str
    after: float

    def __str__(self) -> str:
        return f"{self.kind} {self.after:.2f} s after '{self.step or 'nothing'}'"


def drawn(chance: random.Random, kinds: Sequence[str]) -> list[Fault]:
    """One to three faults in the order in which they can come, none when there are no kinds."""
    steps = ["", *STEPS][:-1]
    places = sorted(chance.randrange(len(steps)) for _ in range(chance.randint(1, 3) if kinds else 0))
    return [
        Fault(chance.choice(kinds), steps[place], chance.uniform(0, LATEST_S.get(steps[place], OTHERWISE_S)))
        for place in places
    ]


@dataclass(frozen=True)
class Stage:
    """Both servers, a line to each that everybody goes by, and the instance's own disk if it has one."""

    servers: Servers
    to_agency: Wire
    to_instance: Wire
    disk: Path | None

    def by_wire(self, pair: Pair) -> Pair:
        """The same service by the lines: for the movers, the service, and either server on its way to the other."""
        home, there = self.to_agency.host, self.to_instance.host
        return replace(
            pair, source=pair.source.at(home), service=pair.service.at(home), target=pair.target.at(there),
            admin=pair.admin.at(there),
        )  # fmt: skip

    def disturb(self, kind: str) -> None:
        """Does it; what a server needs to be there again is done too."""
        whose, _, what = kind.partition(" ")
        cluster, line = (
            (self.servers.agency, self.to_agency) if whose == "agency" else (self.servers.instance, self.to_instance)
        )
        if what == "disk full":
            self._fill(cluster)
        elif what.startswith("line"):
            line.tear() if what.endswith("torn") else line.hang(HANGS_S)
        else:
            {"restarted": Cluster.restart, "crashed": _crash, "sessions ended": _end_sessions}[what](cluster)

    def _fill(self, cluster: Cluster) -> None:
        """Not a byte is left on the instance's disk for a while; a server that gave up is started afterwards."""
        assert self.disk is not None
        ballast = self.disk / "ballast"
        with ballast.open("wb") as file:
            free = os.statvfs(self.disk)
            os.posix_fallocate(file.fileno(), 0, max(1, free.f_bavail * free.f_frsize))
        time.sleep(FULL_S)
        ballast.unlink()
        cluster.start()


@contextmanager
def staged(folder: Path, port: int, *, with_disk: bool = False) -> Iterator[Stage]:
    """The stage, built in `folder`; `with_disk` needs root."""
    disk = folder / "instance"
    with ExitStack() as built:
        built.enter_context(_mounted(disk) if with_disk else nullcontext())
        servers = built.enter_context(two_servers(folder, port, **(LITTLE_WAL if with_disk else {})))
        to_agency = built.enter_context(wire("127.0.0.3", servers.agency.host, port))
        to_instance = built.enter_context(wire("127.0.0.4", servers.instance.host, port))
        yield Stage(servers, to_agency, to_instance, disk if with_disk else None)


@contextmanager
def _mounted(disk: Path) -> Iterator[None]:
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", disk], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", disk], check=True)


def _crash(cluster: Cluster) -> None:
    """No checkpoint, and nothing kept that was not on the disk: the server recovers when it is started."""
    pid = cluster.pid()
    assert pid is not None
    os.kill(pid, signal.SIGQUIT)
    while cluster.pid() == pid:
        time.sleep(0.02)
    cluster.stop()
    cluster.start()


def _end_sessions(cluster: Cluster) -> None:
    """Every client's, and every process of replication, on that server."""
    with cluster.connect() as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
            " AND backend_type IN ('client backend', 'walsender', 'logical replication apply worker')"
        )
