"""A freeze comes between the tables of the service's transactions, and never into a deadlock with one of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta

import psycopg
import pytest

from onboarding.databases.deadline import make_permanent
from onboarding.databases.freeze import freeze, frozen_at, observe_frozen
from onboarding.errors import AskPerson, Stop
from onboarding.observations import Answer

from .conftest import Source

TABLES = "CREATE TABLE a (note text); CREATE TABLE b (note text); CREATE TABLE c (note text);"
LATEST_S = 30.0

MakeSource = Callable[[str], Source]


def put(app: psycopg.Connection[tuple[object, ...]], table: str, note: str) -> None:
    app.execute(f"INSERT INTO {table} VALUES (%s)", [note])  # type: ignore[arg-type]


def waits_for_lock(source: Source, login: str, table: str) -> bool:
    with source.superuser() as admin:
        found = admin.execute(
            "SELECT FROM pg_locks l JOIN pg_stat_activity s USING (pid)"
            " WHERE s.usename = %s AND l.relation = %s::regclass AND NOT l.granted",
            [login, table],
        ).fetchone()
    return found is not None


def eventually(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LATEST_S
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.002)


@pytest.mark.parametrize("deadlock_timeout", ["1s", "200ms"])
def test_it_is_the_freeze_that_steps_back(make_source: MakeSource, deadlock_timeout: str) -> None:
    """Holding `a` it waits for `b`; the clerk holds `c` and waits for `a`: when `b` is free, both look for a deadlock.

    The clerk has waited longer, and so is the first to look.
    """
    source = make_source(TABLES)
    with source.superuser() as admin:
        admin.execute(f"ALTER ROLE {source.service.user} SET deadlock_timeout = '{deadlock_timeout}'")
    with source.service.connect() as slow, source.service.connect() as clerk, ThreadPoolExecutor(2) as pool:
        put(slow, "b", "first")
        put(clerk, "c", "first")
        freezing = pool.submit(freeze, source.owner, source.service.user)
        eventually(lambda: waits_for_lock(source, source.owner.user, "b"))
        writing = pool.submit(put, clerk, "a", "second")
        time.sleep(float(deadlock_timeout.removesuffix("s").replace("200m", "0.2")) * 0.6)
        slow.commit()
        writing.result(LATEST_S)  # DeadlockDetected, if it was the clerk's transaction that was ended
        clerk.commit()
        freezing.result(LATEST_S)
    assert source.run("SELECT note FROM a UNION ALL SELECT note FROM c") == [("second",), ("first",)]
    assert observe_frozen(source.service).answer is Answer.PASS


@dataclass
class Clerk:
    """Writes two tables in each transaction, one after the other, on one session, until it is refused."""

    name: str
    tables: Sequence[str]
    think_s: float
    acknowledged: list[str] = field(default_factory=list)

    def work(self, source: Source, over: threading.Event) -> str:
        """The kind of error that ended it."""
        with source.service.connect() as app:
            try:
                while not over.is_set():
                    note = f"{self.name} {len(self.acknowledged)}"
                    for table in self.tables:
                        put(app, table, note)
                        time.sleep(self.think_s)
                    app.commit()
                    self.acknowledged.append(note)
            except psycopg.Error as failure:
                return type(failure).__name__
        return "nobody"


@pytest.mark.parametrize("think_s", [0.0, 0.02])
@pytest.mark.parametrize("orders", [["cb"] * 4, ["abc", "ca"] * 3])
def test_who_writes_all_the_while_in_any_order_sees_the_refusal_and_nothing_else(
    make_source: MakeSource, orders: Sequence[str], think_s: float
) -> None:
    source, over = make_source(TABLES), threading.Event()
    clerks = [Clerk(str(number), order, think_s) for number, order in enumerate(orders)]
    with ThreadPoolExecutor(len(clerks)) as pool:
        working = [pool.submit(clerk.work, source, over) for clerk in clerks]
        try:
            eventually(lambda: all(clerk.acknowledged for clerk in clerks))
            freeze(source.owner, source.service.user)
            assert {one.result(LATEST_S) for one in working} == {"InsufficientPrivilege"}
        finally:
            over.set()
    for clerk in clerks:
        for table in clerk.tables:
            there = source.run(f"SELECT note FROM {table} WHERE note ~ '^{clerk.name} '")
            assert sorted(str(note) for (note,) in there) == sorted(clerk.acknowledged)


@pytest.fixture
def refused_first(make_source: MakeSource) -> Source:
    """Killed when privileges were revoked and who wrote before was still to be waited for."""
    source = make_source(TABLES)
    freeze(source.owner, source.service.user, within=timedelta(minutes=1), attempt="night")
    source.run("UPDATE namrong.writes SET unsettled = true")
    return source


def test_what_may_still_be_to_commit_is_no_freeze_yet(refused_first: Source) -> None:
    owner, role = refused_first.owner, refused_first.service.user
    assert frozen_at(owner, role) is None
    with pytest.raises(Stop):
        make_permanent(owner, role, attempt="night")
    again = freeze(owner, role, within=timedelta(minutes=1), attempt="night")
    assert frozen_at(owner, role) == again.at
    assert make_permanent(owner, role, attempt="night").permanent_at is not None


def test_nothing_stays_half_frozen(refused_first: Source) -> None:
    owner, role = refused_first.owner, refused_first.service.user
    with owner.connect() as staying:
        staying.execute("INSERT INTO a VALUES ('for ever')")
        with pytest.raises(AskPerson):
            freeze(owner, role, within=timedelta(minutes=1), attempt="night", patience=timedelta(seconds=0.5))
    assert observe_frozen(refused_first.service).answer is Answer.FAIL
