"""Start a child that dies with us and never runs as root, even below a directory that only root may enter.

PostgreSQL refuses to run as root. So a root parent starts its servers as an existing unprivileged user
(`nobody`; no user is made). A checkout may lie under /root (mode 0700), where that user cannot reach its own
files: the child keeps one ambient capability, CAP_DAC_READ_SEARCH (read and search anything, write nothing;
capabilities(7)), so that no directory's mode has to change.

The file is run as a script between fork and exec (`python -I -S privileges.py ...`), because prctl and capset
must happen in the child, and a `preexec_fn` is not safe in a threaded parent. It uses the standard library only.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import signal
import struct
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

PR_SET_PDEATHSIG, PR_SET_KEEPCAPS, PR_SET_SECUREBITS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 1, 8, 28, 47, 2
SECBIT_NO_SETUID_FIXUP = 1 << 2
CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 1, 2
CAPABILITY_VERSION_3 = 0x20080522

# The parent-death signal fires when the *thread* that forked ends (prctl(2)), and a web server's threads end
# with each request. One thread that lives as long as the process starts every child.
_STARTER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="starter")


def unprivileged() -> tuple[int, int] | None:
    """The (uid, gid) that servers must run under, or None when we are an ordinary user already."""
    if os.geteuid() != 0:
        return None
    for name in ("nobody", "daemon"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return entry.pw_uid, entry.pw_gid
    raise PermissionError("PostgreSQL does not run as root, and this machine has neither a user `nobody` nor `daemon`")


def give_to_server(*paths: Path) -> None:
    """Make these paths belong to the user that servers run under; does nothing for an ordinary user."""
    identity = unprivileged()
    if identity is not None:
        for path in paths:
            os.chown(path, *identity)


def start(
    command: Sequence[str],
    *,
    stdout: int | IO[bytes],
    stdin: int | IO[bytes] = subprocess.DEVNULL,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    death_signal: int = signal.SIGINT,
) -> subprocess.Popen[bytes]:
    """A running, unprivileged child in its own session; it gets `death_signal` when this process dies (Linux)."""
    uid, gid = unprivileged() or (-1, -1)
    shim = [sys.executable, "-I", "-S", str(Path(__file__).absolute())]
    shim += [str(number) for number in (os.getpid(), int(death_signal), uid, gid)]

    def launch() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [*shim, *command], stdin=stdin, stdout=stdout, stderr=subprocess.STDOUT, env=env, cwd=cwd,
            start_new_session=True,
        )  # fmt: skip

    return _STARTER.submit(launch).result()


def run(
    command: Sequence[str], *, stdin: bytes = b"", timeout: float = 120, env: Mapping[str, str] | None = None
) -> str:
    """What the unprivileged command printed. Raises CalledProcessError with that text when it fails."""
    child = start(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, env=env, death_signal=signal.SIGKILL)
    try:
        printed, _ = child.communicate(stdin, timeout)
    except BaseException:
        child.kill()
        child.wait()
        raise
    text = printed.decode(errors="replace")
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, list(command), text)
    return text


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def _permitted() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapPrm:"):
            return int(line.split()[1], 16)
    return 0


def _keep_only(libc: ctypes.CDLL, capability: int | None) -> None:
    """Leave this thread one capability that survives exec, or none."""
    low = 0 if capability is None else 1 << capability
    header = struct.pack("Ii", CAPABILITY_VERSION_3, 0)
    _checked(libc.capset(header, struct.pack("6I", low, low, low, 0, 0, 0)), "capset")
    if capability is not None:
        _checked(libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0), "prctl(PR_CAP_AMBIENT)")


def drop_root(uid: int, gid: int) -> None:
    """Become `uid`, keeping reach (and where a container withholds that, CAP_DAC_OVERRIDE) but nothing else of root."""
    if not sys.platform.startswith("linux"):
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
        return
    libc, permitted = _libc(), _permitted()
    kept = next((c for c in (CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE) if permitted >> c & 1), None)
    _checked(libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), "prctl(PR_SET_KEEPCAPS)")
    # access(2) ignores capabilities of a non-root user without this bit, and initdb asks access(2) whether the
    # `postgres` beside it can be executed: below a directory of mode 0700 it would be told no. Best effort: it
    # takes CAP_SETPCAP, which only a trimmed container withholds.
    libc.prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0)
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    _keep_only(libc, kept)


def main(arguments: Sequence[str]) -> None:
    """Child side: drop root, tie our life to the parent's, become the command."""
    parent, death_signal, uid, gid = (int(number) for number in arguments[:4])
    if uid >= 0:
        drop_root(uid, gid)
    if sys.platform.startswith("linux"):
        # After the change of user, which clears it. Ambient == permitted, so exec does not clear it again.
        _checked(_libc().prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0), "prctl(PR_SET_PDEATHSIG)")
        if os.getppid() != parent:  # it died before we asked to be told
            raise SystemExit(1)
    os.umask(0o077)
    os.execv(arguments[4], list(arguments[4:]))


if __name__ == "__main__":
    main(sys.argv[1:])
