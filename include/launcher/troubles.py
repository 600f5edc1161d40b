"""What goes wrong in `demo --with-trouble`: real causes, made on purpose, and mended by the people whose move it is.

Each trouble happens to one pilot, once. What it did and how it ended is read from the world and the ledger; a trouble
that never happened, or was not seen as it must be, is a demonstration that failed.
"""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from launcher.approving import APPROVE, REJECT
from launcher.rest import Airflow
from launcher.screen import Screen
from launcher.watching import FINISHED
from onboarding import traffic
from onboarding.manifest import Manifest
from onboarding.stages import naming_by_weights, sides
from onboarding.stages.pilot import Pilot

RED_FOR_S = 10.0
"""How long a red task stays for people to look at before the operator clears it."""


@dataclass(frozen=True)
class Scene:
    """What a trouble acts on: its pilot, its DAG, the operator's login, a way to start another run, and the screen."""

    pilot: Pilot
    operator: Airflow
    start_again: Callable[[], None]
    screen: Screen

    @property
    def dag(self) -> str:
        return self.pilot.manifest.dag_id

    def say(self, message: str, **values: object) -> None:
        self.screen.say(f"troubles.{message}", pilot=self.pilot.id, **values)


@dataclass(frozen=True)
class Moment:
    """What Airflow says of the pilot's latest run now: its id, its state, its task instances."""

    run: str
    state: str
    instances: Sequence[Mapping[str, Any]]


class Trouble(ABC):
    """One thing that goes wrong, once, for one pilot."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene

    @abstractmethod
    def look(self, now: Moment) -> bool:
        """Called once per poll; whether this still has something to do, although the run may have ended."""

    @abstractmethod
    def shortfall(self) -> str:
        """What did not happen as it must; empty when all did."""

    def answer(self) -> str:
        """What an approver says to a question about this pilot."""
        return APPROVE


class ForgottenSession(Trouble):
    """A session at the agency holds a table locked: the load stays red until the session is gone and it is cleared."""

    BEGINS_AFTER = "account.gate_account_made"

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._workload = scene.pilot.manifest.databases[0].name
        self._session: psycopg.Connection[Any] | None = None
        self._red_since: float | None = None
        self._reason = ""
        self._pid = 0
        self.over = False

    def look(self, now: Moment) -> bool:
        states = {task["task_id"]: task["state"] for task in now.instances}
        red = sorted(task for task, state in states.items() if state == "failed")
        if self.over:
            return False
        if self._session is None and states.get(self.BEGINS_AFTER) == "success":
            self._lock()
        elif self._red_since is None and any(task.endswith(".prepare_load") for task in red):
            self._tell_reason(red)
        elif self._red_since is not None and time.monotonic() - self._red_since > RED_FOR_S and now.state == "failed":
            # Not before the run has ended: Airflow may still be marking what follows, and would mark it again after.
            self._mend(now.run, red)
        return self._red_since is not None

    def shortfall(self) -> str:
        return (
            ""
            if self.over and f"pid {self._pid} " in self._reason
            else f"locked table: {self._reason or 'never failed'}"
        )

    def _lock(self) -> None:
        """As somebody does who opened a maintenance transaction in the afternoon and went home."""
        self._session = sides.source(self.scene.pilot, self._workload).connect()
        self._pid = self._session.info.backend_pid
        schema, table = _largest_table(self._session)
        self._session.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(sql.Identifier(schema, table)))
        self.scene.say("locked", table=f"{schema}.{table}", pid=self._pid)

    def _tell_reason(self, red: Sequence[str]) -> None:
        self._red_since = time.monotonic()
        for task in red:
            told = self.scene.pilot.ledger.latest(self.scene.pilot.id, "trouble", task)
            if told is not None:
                self._reason = str(told.body[self.scene.screen.language])
                self.scene.say("red", task=task, reason=self._reason)

    def _mend(self, run: str, red: Sequence[str]) -> None:
        if self._session is not None:
            self._session.close()
        self.scene.say("unlocked", pid=self._pid)
        self.scene.operator.clear(self.scene.dag, run, red)
        self.scene.say("cleared", login=self.scene.operator.login, tasks=", ".join(red))
        self.over = True


class FailingProbe(Trouble):
    """The service cannot log in on the target any more when half the traffic has arrived: the name goes back.

    A step of the samples' ramp takes two seconds, no longer than one look at all pilots on a busy machine; so a
    thread of its own waits for the moment.
    """

    BEGINS_AFTER = "cutover.approve_cutover_2"
    AFTER_PERCENT = 10
    LOOKS_EVERY_S = 0.1

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._workload = scene.pilot.manifest.databases[0]
        moves = scene.pilot.manifest.cutover.traffic
        # with `follow` it is the readers' name that is led over step by step
        self._record, self._task = (moves.reads, "ramp_reads") if moves.reads else (moves.record, "shift_traffic")
        self._watcher: threading.Thread | None = None
        self._run_ended = threading.Event()
        self._locked_out = False
        self._weights: Mapping[str, int] = {}
        self.over = False

    def look(self, now: Moment) -> bool:
        states = {task["task_id"]: task["state"] for task in now.instances}
        if self._watcher is None:
            if states.get(self.BEGINS_AFTER) == "success":
                self._watcher = threading.Thread(target=self._lock_out, name="failing-probe", daemon=True)
                self._watcher.start()
        elif now.state in FINISHED and not self.over:
            self._run_ended.set()
            self._watcher.join()
            if self._locked_out and now.state == "failed":
                self._mend()
        return False

    def _lock_out(self) -> None:
        while self.AFTER_PERCENT not in self._steps():
            if self._run_ended.wait(self.LOOKS_EVERY_S):
                return
        self._may_log_in(False)
        self._locked_out = True
        self.scene.say("locked_out", role=self._workload.service_role)

    def _mend(self) -> None:
        pilot = self.scene.pilot
        name = naming_by_weights.service_name(pilot, self._record)
        self._weights = traffic.current_weights(pilot.cloud.client("route53", region="us-east-1"), name)
        self.scene.say("back_at_zero", reason=self._breach(), target=self._weights.get(traffic.TARGET, "?"))
        self._may_log_in(True)
        self.scene.start_again()
        self.over = True

    def shortfall(self) -> str:
        right = self.over and self._weights.get(traffic.TARGET) == 0 and "50" in self._breach()
        return "" if right else f"failing probe: weights {dict(self._weights)}, {self._breach() or 'no breach'}"

    def _steps(self) -> list[int]:
        told = self.scene.pilot.ledger.records(pilot=self.scene.pilot.id, kind="traffic", subject=self._record)
        return [record.body["percent"] for record in told]

    def _breach(self) -> str:
        told = self.scene.pilot.ledger.latest(self.scene.pilot.id, "trouble", f"cutover.{self._task}")
        return str(told.body[self.scene.screen.language]) if told is not None else ""

    def _may_log_in(self, may: bool) -> None:
        verb = sql.SQL("LOGIN" if may else "NOLOGIN")
        with sides.target(self.scene.pilot, self._workload.name).connect() as master:
            master.execute(sql.SQL("ALTER ROLE {} {}").format(sql.Identifier(self._workload.service_role), verb))


class NoFromOne(Trouble):
    """The first approver who is asked says no; the run ends without a freeze; the platform team asks anew."""

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._said_no = False
        self._froze = False
        self._ended = ""

    def look(self, now: Moment) -> bool:
        if self._said_no and not self._ended and now.state in FINISHED:
            self._ended = now.state
            self._froze = self.scene.pilot.ledger.latest(self.scene.pilot.id, "freeze") is not None
            self.scene.say("refused", run_state=now.state)
            self.scene.start_again()
        return False

    def answer(self) -> str:
        if self._said_no:
            return APPROVE
        self._said_no = True
        return REJECT

    def shortfall(self) -> str:
        right = self._ended == "failed" and not self._froze
        return "" if right else f"a no: said {self._said_no}, frozen {self._froze}, the run ended {self._ended or '-'}"


KINDS: Mapping[type[Trouble], Callable[[Manifest], bool]] = {
    ForgottenSession: lambda manifest: not manifest.follows,
    FailingProbe: lambda manifest: manifest.cutover.traffic.reads is not None,
    NoFromOne: lambda manifest: manifest.follows,
}
"""Each kind, and whom it happens to by preference: readers who are led back, and a no after which no slot may stay."""


def troubles(scenes: Sequence[Scene]) -> tuple[Trouble, ...]:
    """One of each kind, each for a pilot of its own, as far as there are pilots."""
    left = list(scenes)
    chosen: list[Trouble] = []
    for kind, prefers in KINDS.items():
        if left:
            scene = next((one for one in left if prefers(one.pilot.manifest)), left[0])
            left.remove(scene)
            chosen.append(kind(scene))
    return tuple(chosen)


def shortfalls(happened: Sequence[Trouble]) -> Iterator[str]:
    """What did not happen as it must."""
    yield from (f"{trouble.scene.pilot.id}: {told}" for trouble in happened if (told := trouble.shortfall()))


def _largest_table(session: psycopg.Connection[Any]) -> tuple[str, str]:
    found = session.execute(
        "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'namrong')"
        " ORDER BY pg_relation_size(c.oid) DESC, 1, 2 LIMIT 1"
    ).fetchone()
    if found is None:
        raise LookupError("the source has no table")
    return found[0], found[1]
