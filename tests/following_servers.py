"""Two real servers that can follow each other: an agency's, and an instance whose master is no superuser."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from psycopg import sql

from onboarding.addresses import Database
from onboarding.databases.follow.feeds import Feed
from sandbox.postgres import Cluster

SETTINGS = {"wal_level": "logical", "max_logical_replication_workers": "8", "max_worker_processes": "16",
            "max_connections": "80"}  # fmt: skip
MASTERS = (
    "pg_monitor", "pg_signal_backend", "pg_checkpoint", "pg_create_subscription", "pg_maintain",
)  # fmt: skip


def here(host: str) -> str:
    return host


@dataclass(frozen=True)
class Side:
    """A server, and on it a login and the database at stake; `run` is the login's own session."""

    cluster: Cluster
    owner: Database

    def run(self, statement: str) -> list[tuple[object, ...]]:
        with self.owner.connect(autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []


@dataclass(frozen=True)
class Pair:
    """Source and target of one service. The target's database is there once a load has made it."""

    source: Side
    target: Side
    service: Database
    admin: Database
    forward: Feed = field(init=False)
    back: Feed = field(init=False)

    def __post_init__(self) -> None:
        there, here_ = self.source.owner, self.target.owner
        object.__setattr__(self, "forward", Feed(f"namrong_{there.name}_to", there, here_, there))
        object.__setattr__(self, "back", Feed(f"namrong_{there.name}_back", here_, there, here_))


@dataclass(frozen=True)
class Servers:
    """An agency's server, an instance, and the instance's master."""

    agency: Cluster
    instance: Cluster
    admin: Database


@contextmanager
def two_servers(folder: Path, port: int, **settings: str) -> Iterator[Servers]:
    """Both started with logical replication on, the second with the roles that RDS has; stopped at the end."""
    first = Cluster(folder / "agency", "127.0.0.1", port, "postgres", secrets.token_urlsafe(), SETTINGS | settings)
    second = Cluster(folder / "instance", "127.0.0.2", port, "rdsadmin", secrets.token_urlsafe(), SETTINGS | settings)
    try:
        for cluster in (first, second):
            cluster.create()
            cluster.start()
        with second.connect() as connection:
            connection.execute("CREATE ROLE rds_superuser")
            groups = sql.SQL(", ").join(map(sql.Identifier, MASTERS))
            connection.execute(sql.SQL("GRANT {} TO rds_superuser WITH ADMIN OPTION").format(groups))
        password = secrets.token_urlsafe()
        _role(second, "master", password, "REPLICATION CREATEDB CREATEROLE", ["rds_superuser"])
        yield Servers(first, second, Database(second.host, port, "postgres", "master", password, resolve=here))
    finally:
        first.stop()
        second.stop()


def make_pair(servers: Servers, script: str) -> Pair:
    """A fresh service on the agency's server: its database filled by the script as its owner, its login's grants."""
    agency = servers.agency
    hint = secrets.token_hex(4)
    name = f"svc_{hint}"
    logins = {role: (f"{role}_{hint}", secrets.token_urlsafe()) for role in ("owner", "app")}
    _role(agency, *logins["owner"], "REPLICATION", ["pg_create_subscription", "pg_monitor", "pg_signal_backend"])
    _role(agency, *logins["app"], "", [])
    owner, app = (sql.Identifier(logins[role][0]) for role in ("owner", "app"))
    with agency.connect() as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), owner))
    source = Database(agency.host, agency.port, name, *logins["owner"], resolve=here)
    with source.connect(autocommit=True) as connection:
        connection.execute(script.encode())
        connection.execute(sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(app))
        connection.execute(
            sql.SQL("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {}").format(app)
        )
        connection.execute(sql.SQL("GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {}").format(app))
    sides = Side(agency, source), Side(servers.instance, replace(servers.admin, name=name))
    return Pair(*sides, source.as_user(*logins["app"]), servers.admin)


def _role(cluster: Cluster, name: str, password: str, power: str, groups: list[str]) -> None:
    with cluster.connect() as connection:
        connection.execute(
            sql.SQL("CREATE ROLE {} LOGIN {} PASSWORD {}").format(
                sql.Identifier(name), sql.SQL(power), sql.Literal(password)
            )
        )
        for group in groups:
            connection.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(group), sql.Identifier(name)))
