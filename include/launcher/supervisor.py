"""Starts the processes of one run, watches them, and leaves none behind, whatever happens to anybody.

`python -m launcher.supervisor` runs in a session of its own, below the terminal's front process:

- The front's end of our standard input closes when the front dies, by `kill -9` too: then everything is stopped.
- We adopt orphans (a subreaper), so everything that our components start stays below us and is found.
- When we are killed, the kernel kills the components (parent-death signal), and the front ends what they leave.
- A component that keeps nothing of its own is started again when it dies, as a service manager would; the death of any
  other ends the run.

News goes to standard output, one JSON object a line.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from launcher import processes, settings
from launcher.checkout import Checkout, write_private
from launcher.components import Component, components, conditions

START_TIMEOUT_S = 240.0
# By rank. Airflow gets little: it would wait for running tasks, and its state is thrown away anyhow.
PATIENCE_S = {3: 2.0, 2: 10.0, 1: 15.0, 0: 15.0}
TICK_S = 0.1
LAST_LINES = 25
DEATHS, WITHIN_S = 3, 300.0
"""A component that dies more often than so within that time is not started again."""


class Stopping(Exception):
    """Somebody asked us to stop."""


class ComponentDied(Exception):
    """A process ended that should have stayed, or did not become ready in time."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name, self.reason = name, reason


class Supervisor:
    """The state of one run: what was started, when, and what is ready."""

    def __init__(self, checkout: Checkout, table: Iterable[Component], front: int) -> None:
        self.checkout, self.front = checkout, front
        self.table = {component.name: component for component in table}
        self.children: dict[str, subprocess.Popen[bytes]] = {}
        self.started: dict[str, float] = {}
        self.ready: set[str] = set()
        self.deaths: dict[str, list[float]] = {}
        self.announced = False
        self.detached = False

    def watch(self) -> None:
        """Runs until somebody stops us (Stopping) or a component dies (ComponentDied)."""
        while True:
            self._reap()
            self._start_what_can()
            self._look_who_is_ready()
            self._listen()

    def stop(self) -> None:
        """Ends all components, the last started first; whatever one leaves is ended before the next is asked."""
        for rank in sorted({component.rank for component in self.table.values()}, reverse=True):
            mine = {child.pid for name, child in self.children.items() if self.table[name].rank == rank}
            kept = {child.pid for name, child in self.children.items() if self.table[name].rank < rank}
            processes.end(partial(self._below_us, only=mine), PATIENCE_S[rank])
            processes.end(partial(self._below_us, without=kept), 0.5)

    def _below_us(self, *, only: set[int] | None = None, without: Iterable[int] = ()) -> list[psutil.Process]:
        self._collect()
        spared = {pid for kept in without for pid in (kept, *(child.pid for child in processes.below(kept)))}
        found = processes.below(os.getpid())
        return [child for child in found if child.pid not in spared and (only is None or child.pid in only)]

    def _reap(self) -> None:
        for pid, status in self._collect():
            name = next((name for name, child in self.children.items() if child.pid == pid), None)
            if name is None:
                continue  # an orphan that we adopted
            if self.table[name].ends and status == 0:
                self._is_ready(name)
            else:
                self._died(name, _how_it_ended(status))

    def _died(self, name: str, reason: str) -> None:
        """Clears the way for starting it again. Raises ComponentDied when that is no use.

        Its own process group ends with it (a dead scheduler's workers would wait for a task for ever); an orphan that
        runs a task goes on until it needs Airflow, as after the death of a worker.
        """
        now = time.monotonic()
        recent = [at for at in self.deaths.get(name, ()) if now - at < WITHIN_S]
        if not self.table[name].again or len(recent) >= DEATHS:
            raise ComponentDied(name, reason)
        self.deaths[name] = [*recent, now]
        say(component=name, state="again", reason=reason)
        with suppress(ProcessLookupError):
            os.killpg(self.children.pop(name).pid, signal.SIGKILL)
        self.ready.discard(name)

    def _collect(self) -> list[tuple[int, int]]:
        """Takes note of everything that ended: our children, and orphans adopted from them."""
        ended: list[tuple[int, int]] = []
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return ended
            if pid == 0:
                return ended
            code = os.waitstatus_to_exitcode(status)
            for child in self.children.values():
                if child.pid == pid:
                    child.returncode = code  # else Popen would wait for it again
            ended.append((pid, code))

    def _start_what_can(self) -> None:
        others = conditions(self.checkout)
        for name, component in self.table.items():
            if name in self.children:
                continue
            if all(need in self.ready or (need in others and others[need]()) for need in component.needs):
                self.started[name] = time.monotonic()
                self.children[name] = processes.start(
                    component.command(), component.environment(), self.checkout.logs / f"{name}.log"
                )
                self._record()
                say(component=name, state="starting")

    def _look_who_is_ready(self) -> None:
        for name in self.children:
            if name not in self.ready and self.table[name].ready():
                self._is_ready(name)
            elif name not in self.ready and time.monotonic() - self.started[name] > START_TIMEOUT_S:
                raise ComponentDied(name, f"not ready after {START_TIMEOUT_S:.0f} s")

    def _is_ready(self, name: str) -> None:
        self.table[name].on_ready()
        self.ready.add(name)
        say(component=name, state="ready", seconds=round(time.monotonic() - self.started[name], 1))
        if not self.announced and self.ready >= self.table.keys():
            self.announced = True
            say(state="up")

    def _listen(self) -> None:
        """Waits a moment for a word from the front: its silence for ever means that it died."""
        if self.detached:
            time.sleep(TICK_S)
            return
        heard, _, _ = select.select([sys.stdin], [], [], TICK_S)
        if heard:
            word = sys.stdin.readline()
            if word != "detach\n":
                raise Stopping
            self.detached = True
            self._record()

    def _record(self) -> None:
        holder = {
            "pid": os.getpid(), "front": self.front, "detached": self.detached,
            "url": settings.load(self.checkout).url,
            "components": {name: child.pid for name, child in self.children.items()},
        }  # fmt: skip
        write_private(self.checkout.run / "supervisor.json", json.dumps(holder))


Table = Callable[[Checkout, settings.Settings], Iterable[Component]]


def main(table: Table = components) -> int:
    """Supervises until it is stopped (0) or something dies (3); the mark in our environment names the checkout."""
    checkout = Checkout(Path(os.environ[processes.MARK]))
    processes.adopt_orphans()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _stop_on_signal)
    supervisor = Supervisor(checkout, table(checkout, settings.load(checkout)), front=os.getppid())
    status = 0
    try:
        supervisor.watch()
    except Stopping:
        pass
    except ComponentDied as death:
        status = 3
        log = checkout.logs / f"{death.name}.log"
        say(component=death.name, state="died", reason=death.reason, log=str(log), tail=_tail(log))
    except Exception as fault:  # ours: said like any other death, then everything is stopped all the same
        status = 3
        say(component="supervisor", state="died", reason=repr(fault), tail=traceback.format_exc().splitlines())
    finally:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        say(state="stopping")
        supervisor.stop()
        say(state="stopped")
    return status


def say(**news: Any) -> None:
    """One line to the front, which may be gone."""
    try:
        print(json.dumps(news), flush=True)
    except OSError:
        # Nobody reads any more. Python would complain again at exit when it flushes: give it a place to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _stop_on_signal(_number: int, _frame: object) -> None:
    raise Stopping


def _how_it_ended(code: int) -> str:
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"


def _tail(log: Path) -> list[str]:
    try:
        lines: list[str] = log.read_text(errors="replace").splitlines()
    except OSError:
        return []
    return lines[-LAST_LINES:]


if __name__ == "__main__":
    sys.exit(main())
