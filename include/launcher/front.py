"""The terminal's side of a run: holds the lock, starts the supervisor, hears its news, and ends it."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from launcher import airflow_config, processes, settings
from launcher.checkout import Checkout
from onboarding.manifests import load_folder

STOP_TIMEOUT_S = 60.0
News = Mapping[str, Any]


class Interrupted(Exception):
    """The person at the terminal, or the system, asked us to end."""


class RunFailed(Exception):
    """A component died; `news` is what the supervisor said about it."""

    def __init__(self, news: News) -> None:
        super().__init__(f"{news.get('component', 'supervisor')}: {news.get('reason', 'ended')}")
        self.news = news


@dataclass
class Run:
    """One started supervisor."""

    checkout: Checkout
    settings: settings.Settings
    process: subprocess.Popen[str]
    on_death: Callable[[News], None] = lambda _: None
    """Told of a component that died and is started again."""

    def hear(self, seconds: float) -> News | None:
        """The next news within that time, or None. Raises RunFailed when there will be no more."""
        out = self.process.stdout
        if out is None or not select.select([out], [], [], seconds)[0]:
            return None
        # Unbuffered reading, line by line: select sees only what Python has not read ahead.
        line = _read_line(out.fileno())
        if not line:
            raise RunFailed({"component": "supervisor", "reason": "ended without a word"})
        news: News = json.loads(line)
        if news.get("state") == "died":
            raise RunFailed(news)
        if news.get("state") == "again":
            self.on_death(news)
        return news

    def until_up(self) -> Iterator[News]:
        """The news until everything is ready."""
        while True:
            news = self.hear(1.0)
            if news is not None:
                yield news
                if news == {"state": "up"}:
                    return

    def detach(self) -> None:
        """Leaves the run to itself; `down` ends it."""
        if self.process.stdin is not None:
            self.process.stdin.write("detach\n")
            self.process.stdin.flush()

    def end(self) -> None:
        """Stops everything and leaves no process, even of a supervisor that was killed."""
        if self.process.stdin is not None:
            self.process.stdin.close()
        try:
            self.process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        processes.end(lambda: processes.marked(self.checkout.root), 3.0)


Then = Callable[[Run], int]


@contextmanager
def started(
    checkout: Checkout,
    chosen: settings.Settings,
    *,
    may_stay: bool = False,
    supervisor: Sequence[str] = ("-m", "launcher.supervisor"),
) -> Iterator[Run]:
    """A run of this checkout, from a clean state; ended on the way out unless `may_stay` and it was detached.

    Raises AlreadyRunning. What a run before us left, killed with its supervisor, is ended first.
    """
    checkout.state.mkdir(mode=0o700, exist_ok=True)
    with checkout.lock() as lock, _signals_interrupt():
        processes.end(lambda: processes.marked(checkout.root), 3.0)
        checkout.start_clean()
        settings.save(chosen, checkout)
        passwords = checkout.secrets(tuple(f"owner_{pilot}" for pilot in load_folder(checkout.pilots()).manifests))
        airflow_config.write(checkout, chosen, passwords)
        run = Run(checkout, chosen, _start(supervisor, checkout, lock))
        stays = False
        try:
            yield run
            stays = may_stay
        finally:
            if not stays:
                with _signals_wait():
                    run.end()


def _start(supervisor: Sequence[str], checkout: Checkout, lock: int) -> subprocess.Popen[str]:
    with (checkout.logs / "supervisor.log").open("a") as log:
        # The lock goes along: it is free again when both of us are gone, not before.
        return subprocess.Popen(
            [sys.executable, *supervisor],
            env=airflow_config.base_environment(checkout), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
            pass_fds=(lock,), start_new_session=True, text=True,
        )  # fmt: skip


def _read_line(descriptor: int) -> str:
    line = bytearray()
    while byte := os.read(descriptor, 1):
        line += byte
        if byte == b"\n":
            break
    return line.decode()


@contextmanager
def _signals_interrupt() -> Iterator[None]:
    def interrupt(_number: int, _frame: object) -> None:
        raise Interrupted

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _signals_wait() -> Iterator[None]:
    """While everything is being stopped a second Ctrl-C changes nothing; `kill -9` is still safe."""
    before = {
        number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def take_down(checkout: Checkout) -> bool:
    """Ends the run of this checkout, whoever started it. Returns whether there was anything to end."""
    if not checkout.state.exists():
        return False
    holder = checkout.holder()
    pid = holder.get("pid")
    running = checkout.is_locked()
    if running and isinstance(pid, int) and processes.is_marked(pid, checkout.root):
        os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_TIMEOUT_S
    while running and checkout.is_locked() and time.monotonic() < deadline:
        time.sleep(0.1)
    if running and isinstance(pid, int):
        processes.wait_for(pid, 2.0)  # the lock is free a moment before its holder is gone
    left = processes.end(lambda: processes.marked(checkout.root), 3.0)
    return running or left > 0
