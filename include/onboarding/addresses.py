"""Where a database is, and how to reach it by the name that people use for it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import psycopg

from onboarding.errors import TryAgain
from onboarding.look_ups import Resolver, resolver

CONNECT_TIMEOUT_S = 10

PINNED = "-c DateStyle=ISO -c IntervalStyle=postgres -c TimeZone=UTC"
"""What an agency set for a role or a database must not change how its values read.

psycopg parses dates in ISO only, and intervals in PostgreSQL's own style.
"""


@dataclass(frozen=True)
class Database:
    """One PostgreSQL database and a login for it. `str()` never shows the password.

    `sslmode` and `sslrootcert` are libpq's (PostgreSQL's manual, 34.1.2); an empty `sslrootcert` is its default place.
    """

    host: str
    port: int
    name: str
    user: str
    password: str = field(repr=False)
    resolve: Resolver = field(default_factory=lambda: resolver(None), repr=False, compare=False)
    sslmode: str = "prefer"
    sslrootcert: str = ""

    def __str__(self) -> str:
        return f"postgresql://{self.user}@{self.host}:{self.port}/{self.name}"

    def at(self, host: str) -> Database:
        """The same database and login by another name."""
        return replace(self, host=host)

    def as_user(self, user: str, password: str) -> Database:
        """The same database with another login."""
        return replace(self, user=user, password=password)

    def connect(self, *, autocommit: bool = False, replication: bool = False) -> psycopg.Connection[tuple[object, ...]]:
        """A new connection; the caller closes it (`with`). `replication` speaks that protocol too (manual, 54.4)."""
        try:
            return psycopg.connect(
                host=self.host,
                hostaddr=self.resolve(self.host),
                port=self.port,
                dbname=self.name,
                user=self.user,
                password=self.password,
                sslmode=self.sslmode,
                sslrootcert=self.sslrootcert,
                connect_timeout=CONNECT_TIMEOUT_S,
                application_name="namrong",
                options=PINNED,
                autocommit=autocommit,
                replication="database" if replication else None,
            )
        except psycopg.OperationalError as failure:
            raise TryAgain("addresses.database_unreachable", where=str(self), reason=str(failure).strip()) from failure
