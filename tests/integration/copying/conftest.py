"""Two real servers: an agency's (the session's cluster) and an instance whose master is no superuser."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

import psycopg
import pytest
from postgres_programs import postgres_programs  # noqa: F401  (a fixture)
from psycopg import sql

from onboarding.addresses import Database
from sandbox.postgres import Cluster

NASTY = Path(__file__).with_name("nasty.sql").read_text(encoding="utf-8")


def here(host: str) -> str:
    return host


@dataclass(frozen=True)
class Source:
    """An agency's database: its owner, no superuser and in no group, and the service's own login."""

    owner: Database
    service: Database
    superuser: Callable[[], psycopg.Connection[tuple[object, ...]]]

    def run(self, statement: str) -> list[tuple[object, ...]]:
        """As the owner."""
        with self.owner.connect(autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []


@pytest.fixture(scope="session")
def instance(tmp_path_factory: pytest.TempPathFactory, pg_cluster: Cluster) -> Iterator[Database]:
    """The master's login to an instance of its own, with the rights that RDS gives a master."""
    cluster = Cluster(
        tmp_path_factory.mktemp("instance") / "data", "127.0.0.2", pg_cluster.port, "rdsadmin", secrets.token_urlsafe()
    )
    cluster.create()
    cluster.start()
    password = secrets.token_urlsafe()
    with cluster.connect() as connection:
        connection.execute("CREATE ROLE rds_superuser")
        connection.execute("GRANT pg_monitor, pg_signal_backend, pg_checkpoint TO rds_superuser WITH ADMIN OPTION")
        connection.execute(
            sql.SQL("CREATE ROLE master LOGIN CREATEDB CREATEROLE PASSWORD {} IN ROLE rds_superuser").format(password)
        )
    yield Database(cluster.host, cluster.port, "postgres", "master", password, resolve=here)
    cluster.stop()


def source_on(server: Database, script: str) -> Source:
    """A fresh database on that server (its superuser's login), the script run by its owner; the service may write."""
    hint = secrets.token_hex(4)
    name, owner, service = f"src_{hint}", f"owner_{hint}", f"app_{hint}"
    passwords = secrets.token_urlsafe(), secrets.token_urlsafe()
    with server.connect(autocommit=True) as connection:
        for role, password in zip((owner, service), passwords, strict=True):
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(role), password))
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(owner)))
    address = replace(server, name=name, user=owner, password=passwords[0])
    with address.connect(autocommit=True) as connection:
        connection.execute(script.encode())
        connection.execute(sql.SQL("""
            DO $$ DECLARE s text; BEGIN
            FOR s IN SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_|^information' LOOP
                EXECUTE format('GRANT USAGE ON SCHEMA %%I TO {0}', s);
                EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %%I TO {0}', s);
                EXECUTE format('GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA %%I TO {0}', s);
            END LOOP; END $$""".replace("%%", "%")).format(sql.SQL(service)))  # fmt: skip
    return Source(
        address,
        address.as_user(service, passwords[1]),
        lambda: replace(server, name=name).connect(autocommit=True),
    )


@pytest.fixture
def make_source(pg_cluster: Cluster) -> Callable[[str], Source]:
    """`make_source(sql)`: a fresh database in which the owner ran that script; the service has DML grants."""
    server = Database(
        pg_cluster.host, pg_cluster.port, "postgres", pg_cluster.superuser, pg_cluster.password, resolve=here
    )
    return lambda script: source_on(server, script)


@pytest.fixture
def nasty(make_source: Callable[[str], Source]) -> Source:
    return make_source(NASTY)


@pytest.fixture(scope="session")
def fences() -> Iterator[int]:
    """Rising tokens, as the ledger gives them."""
    return count(1)


def named(database: Database, name: str) -> Database:
    return replace(database, name=name)
