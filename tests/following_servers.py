"""Two real servers that can follow each other: an agency's, and an instance whose master is no superuser."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from psycopg import sql

from onboarding.addresses import Database
from onboarding.databases.follow.feeds import Feed
from onboarding.targets import MASTER
from sandbox.postgres import Cluster

SETTINGS = {"wal_level": "logical", "max_logical_replication_workers": "8", "max_worker_processes": "16",
            "max_connections": "80"}  # fmt: skip
MASTERS = (
    "pg_monitor", "pg_signal_backend", "pg_checkpoint", "pg_create_subscription", "pg_maintain",
)  # fmt: skip


def here(host: str) -> str:
    return host


@dataclass(frozen=True)
class Pair:
    """Source and target of one service, as their owners' logins; the target's database is there once a load made it.

    `service` is the service's own login on the source, `admin` the instance's master.
    """

    source: Database
    target: Database
    service: Database
    admin: Database

    @property
    def forward(self) -> Feed:
        return Feed(f"namrong_{self.source.name}_to", self.source, self.target, self.source)

    @property
    def back(self) -> Feed:
        return Feed(f"namrong_{self.source.name}_back", self.target, self.source, self.target)

    def as_json(self) -> dict[str, dict[str, object]]:
        """For a process of its own; passwords included."""
        return {
            side: {name: getattr(getattr(self, side), name) for name in ("host", "port", "name", "user", "password")}
            for side in ("source", "target", "service", "admin")
        }

    @classmethod
    def from_json(cls, body: dict[str, dict[str, Any]]) -> Pair:
        return cls(**{side: Database(**login, resolve=here) for side, login in body.items()})


def run(database: Database, statement: str) -> list[tuple[object, ...]]:
    """As that login, each statement by itself."""
    with database.connect(autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


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
        yield Servers(first, second, make_master(second, secrets.token_urlsafe()))
    finally:
        first.stop()
        second.stop()


def make_master(cluster: Cluster, password: str) -> Database:
    """The login that an instance's owner is given, with what RDS gives it."""
    with cluster.connect() as connection:
        connection.execute("CREATE ROLE rds_superuser")
        groups = sql.SQL(", ").join(map(sql.Identifier, MASTERS))
        connection.execute(sql.SQL("GRANT {} TO rds_superuser WITH ADMIN OPTION").format(groups))
    _role(cluster, MASTER, password, "REPLICATION CREATEDB CREATEROLE", ["rds_superuser"])
    return Database(cluster.host, cluster.port, "postgres", MASTER, password, resolve=here)


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
    return Pair(source, replace(servers.admin, name=name), source.as_user(*logins["app"]), servers.admin)


def take_away(servers: Servers, pair: Pair) -> None:
    """Whatever is left of the service's slots and subscriptions, and its databases."""
    name, there = pair.source.name, []
    for cluster in (servers.agency, servers.instance):
        with cluster.connect() as connection:
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
                there.append(cluster)
    for cluster in there:  # on both sides, before either goes: a subscription takes its slot up again
        _unsubscribe(cluster, name)
    for cluster in there:
        _drop(cluster, name)


def _unsubscribe(cluster: Cluster, name: str) -> None:
    with cluster.connect(name) as connection:
        for (subscription,) in connection.execute(
            "SELECT subname FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid AND d.datname = %s", [name]
        ).fetchall():
            for words in ("ALTER SUBSCRIPTION {} DISABLE", "ALTER SUBSCRIPTION {} SET (slot_name = NONE)",
                          "DROP SUBSCRIPTION {}"):  # fmt: skip
                connection.execute(sql.SQL(words).format(sql.Identifier(str(subscription))))


def _drop(cluster: Cluster, name: str) -> None:
    with cluster.connect() as connection:
        connection.execute(
            "SELECT pg_terminate_backend(active_pid, 5000) FROM pg_replication_slots"
            " WHERE database = %s AND active_pid IS NOT NULL",
            [name],
        )
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _role(cluster: Cluster, name: str, password: str, power: str, groups: list[str]) -> None:
    with cluster.connect() as connection:
        connection.execute(
            sql.SQL("CREATE ROLE {} LOGIN {} PASSWORD {}").format(
                sql.Identifier(name), sql.SQL(power), sql.Literal(password)
            )
        )
        for group in groups:
            connection.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(group), sql.Identifier(name)))
