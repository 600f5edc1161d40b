"""A few connections to the ledger, kept between calls and never shared by two threads or across a fork."""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from onboarding.addresses import Database
from onboarding.errors import TryAgain

Connection = psycopg.Connection[Any]

MOST = 4
"""Connections of one process: Airflow runs a process per task, PostgreSQL by default takes 100 in all."""


class Connections:
    """Autocommitting connections, at most MOST at a time; a lost one is TryAgain and is not used again."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._forget()

    def _forget(self) -> None:
        self._process = os.getpid()
        self._idle: list[Connection] = []
        self._lock = threading.Lock()
        self._free = threading.BoundedSemaphore(MOST)

    @contextmanager
    def one(self) -> Iterator[Connection]:
        """A connection to use and give back."""
        if self._process != os.getpid():
            self._forget()  # a fork's copies belong to the parent: closing them here would end its sessions
        with self._free:
            connection = self._take()
            try:
                yield connection
            except (psycopg.OperationalError, psycopg.InterfaceError) as failure:
                connection.close()
                raise TryAgain("ledger.lost", where=str(self._database), reason=str(failure).strip()) from failure
            except psycopg.errors.UniqueViolation as failure:
                raise TryAgain("ledger.raced", reason=str(failure.diag.constraint_name)) from failure
            finally:
                self._give_back(connection)

    @contextmanager
    def dedicated(self) -> Iterator[Connection]:
        """A connection beside the few, for a session lock; it dies soon after a peer that vanished."""
        with self._database.connect(autocommit=True) as connection:
            connection.execute("SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10")
            yield connection

    def close(self) -> None:
        """Ends the idle connections."""
        with self._lock:
            while self._idle:
                self._idle.pop().close()

    def _take(self) -> Connection:
        with self._lock:
            while self._idle:
                connection = self._idle.pop()
                if _quiet(connection):
                    return connection
                connection.close()
        return self._database.connect(autocommit=True)

    def _give_back(self, connection: Connection) -> None:
        if connection.closed or connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
            connection.close()
            return
        with self._lock:
            self._idle.append(connection)


def _quiet(connection: Connection) -> bool:
    """Whether the server said nothing since: what it says to an idle connection is good-bye."""
    return not connection.closed and not select.select([connection.fileno()], [], [], 0)[0]
