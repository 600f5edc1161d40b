"""An ordinary user's own processes are found again, though Airflow made them unreadable."""

from __future__ import annotations

import json
import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from launcher import processes

NOBODY = 65534


def as_ordinary_user(work: Callable[[], object]) -> int:
    """A child that gave its rights up, and with them its dumpable flag (prctl(2)); its pid."""
    pid = os.fork()
    if pid:
        return pid
    try:
        if os.getuid() == 0:
            os.setgid(NOBODY)
            os.setuid(NOBODY)
        processes._prctl(4, 0)  # PR_SET_DUMPABLE, as Airflow's supervisor does
        work()
    finally:
        os._exit(0)


def gone() -> int:
    """The pid of a process that is no more; the next number would soon be somebody's, even the looker's own."""
    pid = os.fork()
    if not pid:
        os._exit(0)
    os.waitpid(pid, 0)
    return pid


@pytest.fixture
def checkout() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="namrong-marked-") as folder:
        Path(folder).chmod(0o755)  # for the other user to look into
        (Path(folder) / ".namrong" / "run").mkdir(parents=True)
        yield Path(folder)


@pytest.mark.parametrize(("recorded", "ended"), [(True, False), (False, False), (True, True)])
def test_an_unreadable_process_of_the_supervisors_session_is_ours_while_it_lives(
    checkout: Path, *, recorded: bool, ended: bool
) -> None:
    ready, tell = os.pipe()

    def linger() -> None:
        os.setsid()
        os.write(tell, b"!")
        signal.pause()

    def look() -> None:
        os.write(tell, json.dumps([process.pid for process in processes.marked(checkout)]).encode() + b"\n")

    unreadable = as_ordinary_user(linger)
    try:
        assert os.read(ready, 1) == b"!"
        holder = {"pid": unreadable if recorded else gone()}
        (checkout / ".namrong" / "run" / "supervisor.json").write_text(json.dumps(holder))
        if ended:
            os.kill(unreadable, signal.SIGKILL)  # and not waited for: it stays as a zombie, unreadable as before
            os.waitid(os.P_PID, unreadable, os.WEXITED | os.WNOWAIT)
        looking = as_ordinary_user(look)
        found = json.loads(os.read(ready, 65536))
        os.waitpid(looking, 0)
        assert found == ([unreadable] if recorded and not ended else [])
    finally:
        os.kill(unreadable, signal.SIGKILL)
        os.waitpid(unreadable, 0)
        os.close(ready)
        os.close(tell)
