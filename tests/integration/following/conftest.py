"""Two servers for all tests of this folder; a fresh service on them for each."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
from conftest import free_port
from following_servers import Pair, Servers, make_pair, two_servers

from sandbox.postgres import Cluster, bin_dir


@pytest.fixture(scope="session", autouse=True)
def postgres_programs() -> Iterator[None]:
    before = os.environ["PATH"]
    os.environ["PATH"] = f"{bin_dir()}{os.pathsep}{before}"
    yield
    os.environ["PATH"] = before


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with two_servers(tmp_path_factory.mktemp("following"), free_port()) as both:
        yield both


@pytest.fixture
def make(servers: Servers) -> Iterator[Callable[[str], Pair]]:
    """`make(script)`: a service; whatever the test leaves of its slots and subscriptions is taken away."""
    made: list[Pair] = []

    def one(script: str) -> Pair:
        made.append(make_pair(servers, script))
        return made[-1]

    yield one
    for pair in made:
        for side in (pair.source, pair.target):
            _clear(side.cluster, side.owner.name)


def _clear(cluster: Cluster, name: str) -> None:
    with cluster.connect() as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
            return
        slots = connection.execute("SELECT slot_name, active_pid FROM pg_replication_slots WHERE database = %s", [name])
        found = slots.fetchall()
    with cluster.connect(name) as connection:
        for (subscription,) in connection.execute(
            "SELECT subname FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid AND d.datname = %s", [name]
        ).fetchall():
            connection.execute(f"ALTER SUBSCRIPTION {subscription} DISABLE".encode())
            connection.execute(f"ALTER SUBSCRIPTION {subscription} SET (slot_name = NONE)".encode())
            connection.execute(f"DROP SUBSCRIPTION {subscription}".encode())
        for slot, pid in found:
            connection.execute("SELECT pg_terminate_backend(%s, 5000)", [pid or 0])
            connection.execute("SELECT pg_drop_replication_slot(%s)", [slot])
