"""Where a step can be killed: before and after each thing that it does to the world, found by watching the process.

What is watched is not our code but what everything of ours has to go through: psycopg's commits, its statements that
take effect at once, and the requests to the cloud. A profile function (`sys.setprofile`) of the process sees them come
and go, gives each a name (which of our functions, on which side), and ends the process with SIGKILL where it was told
to. Nothing of ours is replaced, and a step that does one thing more has one point more, without anybody having named
it. A transaction that only reads or locks is no point.

A thing that is done several times, as a look that is repeated, is one point: the first of them.
"""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from inspect import isfunction
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import psycopg
from faults.paper_cloud import PaperRds, PaperRoute53
from psycopg import pq

from onboarding.databases import keeper, sessions
from onboarding.ledger import Ledger
from onboarding.stages import abandoning, cutover, live, loading, no_return, rehearsing, way_back

BEFORE, AFTER = "before", "after"
ONBOARDING = str(Path(keeper.__file__).resolve().parents[1])
PLUMBING = tuple(str(Path(ONBOARDING) / name) for name in ("ledger.py", "ledger_rows.py", "ledger_connections.py"))
ROOMS = {
    room.__name__.rpartition(".")[2]: room
    for room in (abandoning, cutover, loading, way_back, live, no_return, rehearsing)
}
"""The modules of `stages` whose public functions are a night's steps."""

# What takes effect when it is executed, in a transaction or not.
AT_ONCE = re.compile(r"\b(pg_create_logical_replication_slot|pg_drop_replication_slot|pg_replication_slot_advance"
                     r"|pg_logical_slot_get\w*|pg_terminate_backend|setval)\b", re.IGNORECASE)  # fmt: skip
WRITES = re.compile(r"\s*(INSERT|UPDATE|DELETE|CREATE|ALTER|DROP|TRUNCATE|GRANT|REVOKE|DO)\b", re.IGNORECASE)
WROTE = (
    b"SELECT txid_current_if_assigned() IS NOT NULL AND"
    b" EXISTS (SELECT FROM pg_stat_xact_all_tables WHERE n_tup_ins + n_tup_upd + n_tup_del > 0)"
)
"""A row that was only locked is no effect."""


def _code(function: Any) -> CodeType:
    found: CodeType = function.__code__
    return found


COMMIT, LEAVE, EXECUTE = (
    _code(function) for function in (psycopg.Connection.commit, psycopg.Transaction.__exit__, psycopg.Cursor.execute)
)
BEGIN_KEEPER = _code(keeper._begin)
REQUESTS = {
    _code(PaperRoute53.change_resource_record_sets): "names",
    _code(PaperRoute53.create_hosted_zone): "zone",
    _code(PaperRds.delete_db_instance): "instance",
}
LEDGER = {_code(getattr(Ledger, name)): told for name, told in {
    "advance": lambda said: f"-> {said['to']}",
    "record": lambda said: " ".join(["record", said["kind"], *filter(None, [said["body"].get("state")])]),
    "next_fence": lambda said: f"fence {str(said['subject']).partition(':')[0]}",
    "once": lambda said: f"once {said['action']}",
}.items()}  # fmt: skip


STEPS = {
    function.__code__: name
    for room in ROOMS.values()
    for name, function in vars(room).items()
    if isfunction(function) and function.__module__ == room.__name__ and not name.startswith("_")
}


@dataclass(frozen=True)
class Point:
    """One thing that is done to the world: in which state of the cutover, by which step, and what."""

    state: str
    step: str
    what: str

    def __str__(self) -> str:
        return f"{self.state}-{self.step}: {self.what}"


@dataclass
class Watching:
    """Sees every point of this process; `reached` hears of each when it first comes and when that is over."""

    state: str
    reached: Callable[[Point, str], None]
    sides: dict[tuple[str, int], str]
    _step: str = ""
    _open: dict[int, Point] = field(default_factory=dict)
    _seen: set[Point] = field(default_factory=set)

    @contextmanager
    def at(self, step: str) -> Iterator[None]:
        """For the block, which is that step (its threads, which know nothing of who began them, are so too)."""
        self._step = step
        threading.setprofile(self)
        sys.setprofile(self)
        try:
            yield
        finally:
            sys.setprofile(None)
            threading.setprofile(None)  # type: ignore[arg-type]

    def __call__(self, frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and (frame.f_code in WATCHED):
            what = _what(frame, self.sides)
            point = what and Point(self.state, _step(frame) or self._step, what)
            if point and point not in self._seen:
                self._seen.add(point)
                self._open[id(frame)] = point
                self.reached(point, BEFORE)
        elif event == "return" and (point := self._open.pop(id(frame), None)) is not None:
            if point.what.startswith("ledger -> "):
                self.state = point.what.removeprefix("ledger -> ")
            self.reached(point, AFTER)


WATCHED = {COMMIT, LEAVE, EXECUTE, BEGIN_KEEPER, *REQUESTS}


def kill_at(wanted: tuple[str, str]) -> Callable[[Point, str], None]:
    """Ends this process, as nothing else would, at that point (as text) before or after."""

    def reached(point: Point, moment: str) -> None:
        if (str(point), moment) == wanted:
            os.kill(os.getpid(), signal.SIGKILL)

    return reached


def _what(frame: FrameType, sides: dict[tuple[str, int], str]) -> str:
    """What is about to be done to the world; empty when it is nothing."""
    code, said = frame.f_code, frame.f_locals
    if code in REQUESTS:
        return f"cloud {REQUESTS[code]}"
    if code is BEGIN_KEEPER:
        return "source begin keeper"
    connection = said["self"] if code is COMMIT else said["self"].connection
    if connection.closed or not _does(code, said, connection):
        return ""
    side = sides.get((connection.info.host, connection.info.port), "stage")
    if "ledger" in connection.info.dbname:
        return f"ledger {_told(frame)}"
    return f"{side} {_whose(frame)}"


def _does(code: CodeType, said: dict[str, Any], connection: psycopg.Connection[Any]) -> bool:
    idle = connection.info.transaction_status == pq.TransactionStatus.IDLE
    if code is EXECUTE:
        query = said["query"]
        text = query if isinstance(query, str) else query.decode() if isinstance(query, bytes) else query.as_string()
        return bool(AT_ONCE.search(text) or (connection.autocommit and idle and WRITES.match(text)))
    if idle or connection.info.transaction_status != pq.TransactionStatus.INTRANS:
        return False
    if code is LEAVE and said["exc_type"] is not None:
        return False
    return connection.pgconn.exec_(WROTE).get_value(0, 0) == b"t"


def _frames(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _told(frame: FrameType) -> str:
    return next(LEDGER[one.f_code](one.f_locals) for one in _frames(frame) if one.f_code in LEDGER)


def _whose(frame: FrameType) -> str:
    """The innermost of our functions that does it, as `module.function`."""
    for one in _frames(frame):
        file, name = one.f_code.co_filename, one.f_code.co_name
        if (
            file.startswith(ONBOARDING)
            and file not in PLUMBING
            and file != sessions.__file__
            and not name.startswith("<")
        ):
            return f"{Path(file).stem}.{name.lstrip('_')}"
    return "?"


def _step(frame: FrameType) -> str:
    """The innermost of the night's steps that is on; empty when this thread was begun by one."""
    return next((STEPS[one.f_code] for one in _frames(frame) if one.f_code in STEPS), "")
