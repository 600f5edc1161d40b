"""What tests share: a real PostgreSQL server and a running sandbox cloud for the session."""

from __future__ import annotations

import os
import re
import secrets
import socket
from collections.abc import Callable, Iterator

import pytest
from live_stack import journey, live, stack  # noqa: F401  (fixtures)
from psycopg import sql
from sandbox_process import Cloud, running
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from onboarding.addresses import Database
from sandbox.postgres import Cluster

MakeDatabase = Callable[..., Database]

# What a managed service's owner has beyond plain ownership; without `superuser=True` nobody gets more.
OWNER_GROUPS = ("pg_monitor", "pg_signal_backend")


WORLDS = {
    "tests/integration/airflow/": "stack", "tests/browser/": "stack", "tests/integration/distributed/": "distributed",
    "tests/integration/journey/test_every_pilot.py": "seven", "tests/integration/journey/": "journey",
}  # fmt: skip
"""Folders whose tests share a fixture of the session that is dear: such a world is built in one process only."""


class ByWorld(LoadScopeScheduling):
    """pytest-xdist's unit of work: a world, else a file. (Its own groups do nothing under pytest 9.2.)"""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return next((world for folder, world in WORLDS.items() if file.startswith(folder)), file)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByWorld:
    return ByWorld(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What waits longest comes first: beside it, another process does all the rest.

    Of the tests of the running stack those come first that want its pilot on its way, and last those that turn it back.
    """
    items.sort(key=lambda item: (not _needs_stack(item), "way_back" in item.path.name, "browser" in item.path.parts))


def _needs_stack(item: pytest.Item) -> bool:
    return "stack" in getattr(item, "fixturenames", ())


def free_port(host: str = "127.0.0.1") -> int:
    """A TCP port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def pg_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One real server for the whole session; its superuser's login is `pg_cluster.connect()`."""
    cluster = Cluster(
        tmp_path_factory.mktemp("cluster") / "data", "127.0.0.1", free_port(), "postgres", secrets.token_urlsafe()
    )
    cluster.create()
    cluster.start()
    yield cluster
    cluster.stop()


@pytest.fixture(scope="session")
def make_database(pg_cluster: Cluster) -> MakeDatabase:
    """`make_database("hint", superuser=False)`: a fresh database and its owner, as an address to connect to."""

    def make(name_hint: str = "db", *, superuser: bool = False) -> Database:
        name = f"{re.sub(r'[^a-z0-9_]', '_', name_hint.lower())[:40]}_{secrets.token_hex(4)}"
        owner, password = f"{name}_owner", secrets.token_urlsafe()
        who, what = sql.Identifier(owner), sql.Identifier(name)
        power = sql.SQL("SUPERUSER" if superuser else "NOSUPERUSER CREATEROLE")
        with pg_cluster.connect() as connection:
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN {} PASSWORD {}").format(who, power, sql.Literal(password)))
            groups = sql.SQL(", ").join(map(sql.Identifier, OWNER_GROUPS))
            connection.execute(sql.SQL("GRANT {} TO {}").format(groups, who))
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(what, who))
        return Database(pg_cluster.host, pg_cluster.port, name, owner, password, resolve=lambda host: host)

    return make


@pytest.fixture(scope="session")
def sandbox_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A running sandbox's ready file. boto3 wants `endpoint_url=sandbox_cloud["aws_endpoint_url"]`, which also
    reaches operations with a host prefix (s3control); `/_sandbox/...` is at `sandbox_cloud["endpoint"]`."""
    with running(tmp_path_factory.mktemp("sandbox")) as cloud:
        yield cloud


NEEDS_PROGRAMS = ("Debian servers:", "browser:")
"""How the reason begins with which a test of a suite that needs programs beyond Python skips itself."""


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where every suite is demanded (CI), one that skipped itself is a failure."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or not os.environ.get("NAMRONG_REQUIRE_ALL"):
        return
    reasons = [str(report.longrepr[2]) for report in reporter.stats.get("skipped", ()) if report.longrepr]
    skipped = sorted({reason for reason in reasons if reason.removeprefix("Skipped: ").startswith(NEEDS_PROGRAMS)})
    if skipped:
        reporter.write_line("suites that had to run and did not: " + "; ".join(skipped), red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
