"""A client that goes on writing whatever happens, and keeps on its own disk what was acknowledged to it.

A line of its log is one transaction: its number, what it did, on which side, how
it ended (`acked`, `refused`: surely not done, `unknown`: the answer was lost), and when it was sent and answered
(seconds, monotonic). A line is on the disk before the next transaction begins. Nothing is ever sent a second time.
"""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import psycopg

TABLES = """
CREATE TABLE entry (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, number bigint NOT NULL, body text);
CREATE TABLE account (id int PRIMARY KEY, version bigint NOT NULL, body text);
CREATE TABLE ticket (number bigint PRIMARY KEY, body text);
CREATE TABLE orders (id serial PRIMARY KEY, number bigint NOT NULL);
CREATE TABLE order_line (id serial PRIMARY KEY, of_order int NOT NULL REFERENCES orders, number bigint NOT NULL);
INSERT INTO account SELECT n, 0, repeat('ก', 20) FROM generate_series(1, 40) n;
"""
FILLER = "INSERT INTO entry (number, body) SELECT -n, repeat(md5(n::text), 3) FROM generate_series(1, {rows}) n"
"""Rows that were there before; their numbers are negative, so that nobody takes them for the witness's."""
ACCOUNTS = 40
PAUSE_S = 0.004
CONNECT_S = 2

Connection = psycopg.Connection[Any]


@dataclass
class Witness:
    """One client with two sessions, so that transactions can be open across each other's commits.

    `login` is what libpq needs to connect, without the host: that is what `leads_to` gives, the address to which the
    service's name leads now.
    """

    login: dict[str, Any]
    leads_to: Callable[[], str]
    log: Path
    chance: random.Random
    pause_s: float = PAUSE_S
    number: int = 0
    sessions: list[Connection] = field(default_factory=list)
    tickets: list[int] = field(default_factory=list)

    def go_on(self, stopped: Callable[[], bool], rests: Callable[[], bool] = lambda: False) -> None:
        """Until `stopped`; while it `rests` nothing is begun and nothing open."""
        acts = (self.insert, self.insert, self.update, self.add_ticket, self.take_ticket, self.order, self.interleave)
        with self.log.open("a", encoding="utf-8") as file:
            while not stopped():
                if not rests():
                    self.once(self.chance.choice(acts), file)
                time.sleep(self.pause_s)
        self._leave()

    def once(self, act: Callable[[], list[dict[str, Any]]], file: IO[str]) -> None:
        """One act; whatever it did is on the disk afterwards."""
        try:
            self._connect()
        except (psycopg.OperationalError, OSError):
            return
        for line in act():
            file.write(json.dumps(line) + "\n")
            if line["end"] != "acked":
                self._leave()
        file.flush()
        os.fsync(file.fileno())

    def insert(self) -> list[dict[str, Any]]:
        n = self._next()
        return [self._sent(0, n, "insert", {}, ("INSERT INTO entry (number, body) VALUES (%s, 'ข')", [n]))]

    def update(self) -> list[dict[str, Any]]:
        n, row = self._next(), self.chance.randint(1, ACCOUNTS)
        said = ("UPDATE account SET version = %s WHERE id = %s", [n, row])
        return [self._sent(0, n, "update", {"row": row}, said)]

    def add_ticket(self) -> list[dict[str, Any]]:
        n = self._next()
        line = self._sent(0, n, "ticket", {}, ("INSERT INTO ticket VALUES (%s, 'ค')", [n]))
        if line["end"] == "acked":
            self.tickets.append(n)
        return [line]

    def take_ticket(self) -> list[dict[str, Any]]:
        if not self.tickets:
            return self.add_ticket()
        row = self.tickets.pop(self.chance.randrange(len(self.tickets)))
        return [self._sent(0, self._next(), "delete", {"row": row}, ("DELETE FROM ticket WHERE number = %s", [row]))]

    def order(self) -> list[dict[str, Any]]:
        """Three tables' worth in one transaction, keyed by sequences, one line of it undone by a savepoint."""
        n = self._next()
        line = "INSERT INTO order_line (of_order, number) VALUES (currval('orders_id_seq'), %s)"
        return [
            self._sent(
                0, n, "order", {}, ("INSERT INTO orders (number) VALUES (%s)", [n]), (line, [n]),
                ("SAVEPOINT undone", []), (line, [n]), ("ROLLBACK TO SAVEPOINT undone", []), (line, [n]),
            )
        ]  # fmt: skip

    def interleave(self) -> list[dict[str, Any]]:
        """B1 B2 C2 C1: the order of commits is not the order of begins."""
        one, two = self._next(), self._next()
        said = "INSERT INTO entry (number, body) VALUES (%s, 'ง')"
        first = self._begun(0, one, "insert", (said, [one]))
        second = self._sent(1, two, "insert", {}, (said, [two]))
        return [second, self._ended(0, first)]

    def _next(self) -> int:
        self.number += 1
        return self.number

    def _sent(self, which: int, n: int, act: str, more: dict[str, Any], *said: tuple[str, list[Any]]) -> dict[str, Any]:
        return self._ended(which, self._begun(which, n, act, *said) | more)

    def _begun(self, which: int, n: int, act: str, *said: tuple[str, list[Any]]) -> dict[str, Any]:
        """The transaction up to its commit; refused before it is surely not done."""
        session = self.sessions[which]
        line = {"n": n, "act": act, "side": session.info.host, "sent": time.monotonic(), "end": "open"}
        try:
            for statement, values in said:
                session.execute(statement.encode(), values)
        except psycopg.Error as failure:
            line["end"], line["why"] = "refused", type(failure).__name__
        return line

    def _ended(self, which: int, line: dict[str, Any]) -> dict[str, Any]:
        if line["end"] == "open":
            try:
                self.sessions[which].commit()
                line["end"] = "acked"
            except psycopg.OperationalError as failure:
                line["end"], line["why"] = "unknown", type(failure).__name__
            except psycopg.Error as failure:
                line["end"], line["why"] = "refused", type(failure).__name__
        return line | {"answered": time.monotonic()}

    def _connect(self) -> None:
        """Both sessions, to wherever the name leads now; open ones stay, as a pool's do, until they are refused."""
        while len(self.sessions) < 2:
            self.sessions.append(
                psycopg.connect(
                    host=self.leads_to(), connect_timeout=CONNECT_S, application_name="witness", **self.login
                )
            )

    def _leave(self) -> None:
        for session in self.sessions:
            session.close()
        self.sessions.clear()
