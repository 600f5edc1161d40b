"""The processes of one checkout: started so that none outlives its supervisor, found again by a mark, ended."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import psutil

MARK = "NAMRONG_CHECKOUT"
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36


def adopt_orphans() -> None:
    """Makes this process the parent of every orphan below it (prctl(2)), so that none gets out of sight."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


def start(command: Sequence[str], environment: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
    """A child in its own process group, ended by the kernel when this process ends; call from the main thread."""
    parent = os.getpid()

    def tie_to_parent() -> None:
        _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before we asked to be told
            os._exit(1)

    with log.open("ab") as target:
        return subprocess.Popen(
            command, env=dict(environment), stdin=subprocess.DEVNULL, stdout=target, stderr=subprocess.STDOUT,
            process_group=0, preexec_fn=tie_to_parent,
        )  # fmt: skip


def marked(checkout: Path) -> list[psutil.Process]:
    """Processes started for this checkout's run, whoever their parent is now; never this one or its ancestors.

    A process is ours by `NAMRONG_CHECKOUT` in its environment, or (PostgreSQL gets none) by its working
    directory below this checkout's run folder. One that supervised a task made itself unreadable to its own user
    (Airflow takes PR_SET_DUMPABLE away): the session tells whose that is. One that has ended and waits for its parent
    to notice is nobody's: it is as unreadable, and holds nothing.
    """
    run = checkout / ".namrong" / "run"
    kin = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    return [found for found in psutil.process_iter() if found.pid not in kin and _is_ours(found, checkout, run)]


def is_marked(pid: int, checkout: Path) -> bool:
    """Whether that process is of this checkout: a recorded pid may be somebody else's by now."""
    try:
        return _is_ours(psutil.Process(pid), checkout, checkout / ".namrong" / "run")
    except psutil.NoSuchProcess:
        return False


def below(pid: int) -> list[psutil.Process]:
    """All descendants of a process, the deepest last."""
    try:
        found: list[psutil.Process] = psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []
    return found


def end(find: Callable[[], Iterable[psutil.Process]], patience_s: float) -> int:
    """Asks what `find` names to end, then kills what is left; looks again until there is none. Returns how many."""
    asked: set[int] = set()
    deadline = time.monotonic() + patience_s
    hard_deadline = deadline + 10.0
    while left := [process for process in find() if process.is_running() and not _is_dead(process)]:
        now = time.monotonic()
        for process in left:
            if process.pid not in asked or now > deadline:
                _signal(process, *_SIGNALS[_is_server(process)], patience=now - deadline)
                asked.add(process.pid)
        if now > hard_deadline:
            break
        time.sleep(0.05)
    return len(asked)


def wait_for(pid: int, patience_s: float) -> None:
    """Returns when that process is gone, or after that time."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline and psutil.pid_exists(pid) and not _is_dead(psutil.Process(pid)):
        time.sleep(0.02)


def _is_dead(process: psutil.Process) -> bool:
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


# Asked, told, killed. A PostgreSQL server ends fast at SIGINT and at once at SIGQUIT, and takes its shared memory
# along; killed, it would leave that behind on the machine (PostgreSQL, "Shutting Down the Server").
_SIGNALS = {
    False: (signal.SIGTERM, signal.SIGKILL, signal.SIGKILL),
    True: (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL),
}
_SERVER_TAKES_S = 4.0


def _is_server(process: psutil.Process) -> bool:
    try:
        return bool(process.name() == "postgres")
    except psutil.NoSuchProcess:
        return False


def _signal(process: psutil.Process, ask: int, tell: int, kill: int, *, patience: float) -> None:
    """`patience` is how long ago it should have ended, negative while there is time."""
    try:
        process.send_signal(ask if patience <= 0 else tell if patience < _SERVER_TAKES_S else kill)
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        pass


def _is_ours(process: psutil.Process, checkout: Path, run: Path) -> bool:
    try:
        environment = Path(f"/proc/{process.pid}/environ").read_bytes()
        if f"{MARK}={checkout}".encode() in environment.split(b"\0"):
            return True
        return Path(f"/proc/{process.pid}/cwd").readlink().is_relative_to(run)
    except PermissionError:
        return _is_of_session(process, run)
    except (OSError, psutil.Error):
        return False


def _is_of_session(process: psutil.Process, run: Path) -> bool:
    """Whether it is of the session that the recorded supervisor began; a number in use as a session is not reused."""
    try:
        supervisor = json.loads((run / "supervisor.json").read_text())["pid"]
        of_session = os.getsid(process.pid) == supervisor and process.uids().real == os.getuid()
        return bool(of_session and not _is_dead(process))
    except (OSError, ValueError, KeyError, psutil.Error):
        return False


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, value, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"prctl({option}): {os.strerror(number)}")
