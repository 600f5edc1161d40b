"""Ledgers on the session's real PostgreSQL server."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from onboarding.addresses import Database
from onboarding.ledger import Ledger
from onboarding.ledger_schema import ensure_schema


@dataclass
class Clock:
    """A clock that a test sets; every look advances it by `tick`."""

    now: datetime = datetime(2026, 4, 13, 3, 0, tzinfo=UTC)
    tick: timedelta = timedelta(milliseconds=1)

    def __call__(self) -> datetime:
        self.now += self.tick
        return self.now


@dataclass
class LedgerHouse:
    """A ledger and the logins around it."""

    owner: Database
    writer: Database
    clock: Clock = field(default_factory=Clock)

    def open(self) -> Ledger:
        return Ledger(self.writer, self.clock)


@pytest.fixture(scope="session")
def ledger_logins(make_database: Callable[..., Database]) -> tuple[Database, Database]:
    """Owner and writer of one database, in which each test finds a ledger made anew."""
    owner = make_database("ledger")
    return owner, owner.as_user(f"{owner.name}_writer", secrets.token_urlsafe())


@pytest.fixture
def house(ledger_logins: tuple[Database, Database]) -> LedgerHouse:
    """A fresh ledger: its owner's and its writer's login."""
    owner, writer = ledger_logins
    with owner.connect() as connection:
        connection.execute("DROP SCHEMA IF EXISTS ledger CASCADE")
    ensure_schema(owner, writer=writer.user, writer_password=writer.password, reader=f"{owner.name}_reader")
    return LedgerHouse(owner, writer)


@pytest.fixture
def ledger(house: LedgerHouse) -> Iterator[Ledger]:
    """A fresh, empty ledger."""
    opened = house.open()
    yield opened
    opened.close()
