"""The programme's memory: evidence that can be added to and read, never changed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from onboarding import ledger_rows
from onboarding.addresses import Database
from onboarding.cutover.state import CutoverState, Position, move, position
from onboarding.errors import Stop, TryAgain
from onboarding.leases import PATIENCE, take_place
from onboarding.ledger_connections import Connection, Connections
from onboarding.records import GENESIS, Head, Record, canonical

__all__ = ["Head", "Ledger", "Record"]

Clock = Callable[[], datetime]
Result = Mapping[str, Any]

CHAIN_LOCK = 31069370137407079
"""The lock that `ledger.chain()` in sql/ledger.sql takes."""

LOCK_WAIT = "120s"
"""How long `once` waits for another process that performs the same intent."""

# These kinds carry a guarantee (once, rising, compare-and-set) and are written by their own methods only.
GUARDED = frozenset({"intent", "intent_result", "fence", "cutover"})


class Ledger:
    """Reads and appends to one ledger database with the writing role (INSERT and SELECT).

    Safe to use from several threads and processes. Needs real sessions: no transaction-pooling proxy between.
    """

    def __init__(self, database: Database, clock: Clock = lambda: datetime.now(UTC)) -> None:
        self._connections = Connections(database)
        self._clock = clock

    @contextmanager
    def lease(self, of: str, most: int, *, patience: timedelta = PATIENCE) -> Iterator[int]:
        """For the block: one of the `most` places that all pilots share of what is named. See `leases`."""
        with self._connections.dedicated() as connection:
            yield take_place(connection, of, most, patience)

    def close(self) -> None:
        """Ends idle connections; the ledger can still be used."""
        self._connections.close()

    def now(self) -> datetime:
        """The time by the ledger's clock."""
        return self._clock()

    def record(self, pilot: str, kind: str, subject: str, body: Mapping[str, Any], *, run: str = "") -> Record:
        """One more piece of evidence. Raises Stop for the kinds that have a method of their own."""
        if kind in GUARDED:
            raise Stop("ledger.guarded_kind", where=pilot, kind=kind)
        with self._connections.one() as connection:
            return self._append(connection, pilot, kind, subject, body, run)

    def records(
        self,
        *,
        pilot: str | None = None,
        kind: str | Collection[str] | None = None,
        subject: str | None = None,
        after: int = 0,
        limit: int | None = None,
    ) -> list[Record]:
        """What was recorded, oldest first, after the record numbered `after`; `kind` may be several."""
        kinds = [kind] if isinstance(kind, str) else kind
        conditions: dict[str, Any] = {
            "seq > %s": after, "pilot = %s": pilot, "subject = %s": subject,
            "kind = ANY(%s)": None if kinds is None else list(kinds),
        }  # fmt: skip
        asked = {condition: value for condition, value in conditions.items() if value is not None}
        with self._connections.one() as connection:
            return ledger_rows.read(connection, " AND ".join(asked), "seq", [*asked.values(), limit])

    def latest(self, pilot: str, kind: str, subject: str | None = None) -> Record | None:
        """The newest record of that kind (and subject), None when there is none."""
        with self._connections.one() as connection:
            return ledger_rows.latest(connection, pilot, kind, subject)

    def head(self) -> Head:
        """The end of the chain."""
        with self._connections.one() as connection:
            last = connection.execute("SELECT seq, hash FROM ledger.records ORDER BY seq DESC LIMIT 1").fetchone()
        return Head(*last) if last else Head(0, GENESIS)

    def once(
        self,
        pilot: str,
        key: str,
        action: str,
        request: Mapping[str, Any],
        *,
        find: Callable[[], Result | None],
        perform: Callable[[], Result],
        run: str = "",
    ) -> Result:
        """The result of one side effect that happens once, however often and from wherever this is called.

        `key` is the effect's natural name, "<service>:<Action>:<account id or '-'>:<name>", one for the programme.
        The intent is written first; then `find` looks whether the effect is there already and adopts it; only then
        `perform`. Killed at any instant, the next call goes on from there. Both return JSON content, the same for
        the same effect. Raises Stop when `key` stands for another request, TryAgain while another process is at it.
        """
        with self._alone(key) as still_alone:
            self._intend(pilot, key, action, request, run)
            if (done := self._result(key)) is not None:
                return done
            found = find()
            still_alone()
            result = perform() if found is None else found
            body = {"result": result, "adopted": found is not None}
            with self._connections.one() as connection:
                kept = self._append(connection, pilot, "intent_result", key, body, run).body["result"]
            return dict(kept)

    def next_fence(self, pilot: str, subject: str, *, run: str = "") -> int:
        """A fencing token for one more attempt at `subject`, higher than every one before (from 1)."""
        with self._serial() as connection:
            last = ledger_rows.latest(connection, pilot, "fence", subject)
            token = int(last.body["token"]) + 1 if last else 1
            self._append(connection, pilot, "fence", subject, {"token": token}, run)
        return token

    def cutover(self, pilot: str) -> Position:
        """Where the pilot's cutover is: state, step, attempt, since when and why."""
        return position(self.records(pilot=pilot, kind="cutover"))

    def cutover_state(self, pilot: str) -> CutoverState:
        """The state that the pilot's cutover is in; PLANNED before the first move."""
        return self.cutover(pilot).state

    def advance(
        self, pilot: str, *, expected: CutoverState, to: CutoverState, body: Mapping[str, Any], run: str = ""
    ) -> None:
        """Moves the cutover on, if it still is where the caller thinks: of two callers one gets Stop.

        Also Stop for a move that does not exist (onboarding.cutover.state.MOVES).
        """
        with self._serial() as connection:
            here = position(ledger_rows.read(connection, "pilot = %s AND kind = 'cutover'", "seq", [pilot, None]))
            step = move(pilot, here, expected=expected, to=to)
            self._append(connection, pilot, "cutover", "cutover", {**step, "why": body}, run)

    def _append(
        self, connection: Connection, pilot: str, kind: str, subject: str, body: Mapping[str, Any], run: str
    ) -> Record:
        values = (self._clock(), pilot, kind, subject, run, canonical(body).decode())
        return ledger_rows.insert(connection, values)

    def _intend(self, pilot: str, key: str, action: str, request: Mapping[str, Any], run: str) -> None:
        with self._serial() as connection:
            open_ones = ledger_rows.read(connection, "kind = 'intent' AND subject = %s", "seq", [key, None])
            body = {"action": action, "request": request}
            if not open_ones:
                self._append(connection, pilot, "intent", key, body, run)
            elif open_ones[0].text != canonical(body).decode():
                raise Stop("ledger.another_request", where=pilot, intent=key, owner=open_ones[0].pilot)

    def _result(self, key: str) -> Result | None:
        with self._connections.one() as connection:
            done = ledger_rows.read(connection, "kind = 'intent_result' AND subject = %s", "seq", [key, None])
        return dict(done[0].body["result"]) if done else None

    @contextmanager
    def _alone(self, key: str) -> Iterator[Callable[[], None]]:
        """Nobody else performs `key` meanwhile: a session's lock, which PostgreSQL drops when the process dies.

        Yields a check that the session, and so the lock, is still there.
        """
        with self._connections.dedicated() as session:

            def ask(query: str, *values: str) -> None:
                try:
                    session.execute(query, values)
                except psycopg.errors.LockNotAvailable as failure:
                    raise TryAgain("ledger.key_busy", where=key, waited=LOCK_WAIT) from failure
                except psycopg.OperationalError as failure:
                    raise TryAgain("ledger.lost", where=key, reason=str(failure).strip()) from failure

            ask(f"SET lock_timeout = '{LOCK_WAIT}'")
            ask("SELECT pg_advisory_lock(hashtextextended(%s, 0))", f"intent {key}")
            yield lambda: ask("SELECT 1")

    @contextmanager
    def _serial(self) -> Iterator[Connection]:
        """One transaction that reads and appends while nobody else appends."""
        with self._connections.one() as connection, connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (CHAIN_LOCK,))
            yield connection
