"""The checkout's own Python with everything locked in it, made on first use and whenever a lock changes.

Standard library only: it runs before anything is installed. Everything goes under `.namrong/`:
`bootstrap/` (a venv with pinned, hashed uv), `venv/` (what runs), `cache/` (uv's downloads).
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from launcher import package_index

BOOTSTRAP = Path(__file__).with_name("bootstrap.txt")
LOCK = "requirements-local.txt"


class InstallError(Exception):
    """The environment could not be made; the text says why and what to do."""


def run(checkout: str, arguments: Sequence[str]) -> int:
    """Makes sure of the environment, then becomes the launcher inside it; returns only on failure."""
    try:
        python = ensure(Path(checkout))
    except InstallError as failure:
        print(f"namrong: {failure}", file=sys.stderr)
        return 3
    except KeyboardInterrupt:
        print("namrong: interrupted; the next start goes on from a clean state", file=sys.stderr)
        return 130
    return become_launcher(Path(checkout), python, arguments)


def become_launcher(checkout: Path, python: Path, arguments: Sequence[str]) -> NoReturn:
    """Replaces this process by `python -m launcher …` with the checkout's own import path."""
    sys.stdout.flush()
    path = os.pathsep.join(str(checkout / room) for room in ("include", "plugins"))
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONSAFEPATH": "1", "NAMRONG_CHECKOUT": str(checkout)}
    environment.pop("PYTHONHOME", None)
    os.execve(python, [str(python), "-m", "launcher", *arguments], environment)


def ensure(checkout: Path) -> Path:
    """The environment's Python. Does nothing when the lock's digest is the one that is installed.

    Safe against a kill at any instant: an environment that was being changed is marked, and made anew.
    """
    state = checkout / ".namrong"
    state.mkdir(mode=0o700, exist_ok=True)
    state.chmod(0o700)
    venv = state / "venv"
    if _is_current(checkout, venv):
        return venv / "bin" / "python"
    with _one_at_a_time(state):
        if not _is_current(checkout, venv):
            _install(checkout, state, venv)
    return venv / "bin" / "python"


def wanted(checkout: Path) -> str:
    """What must be installed: a digest of the lock and the Python that it is installed for."""
    content = (checkout / LOCK).read_bytes()
    return f"{sys.version_info[0]}.{sys.version_info[1]} {hashlib.sha256(content).hexdigest()}\n"


def _is_current(checkout: Path, venv: Path) -> bool:
    stamp = venv / "installed.txt"
    if not (stamp.exists() and (venv / "bin" / "python").exists()):
        return False
    # The digest alone decides: a checkout that is called with another Python keeps the one it has.
    return stamp.read_text().split()[-1] == wanted(checkout).split()[-1]


@contextmanager
def _one_at_a_time(state: Path) -> Iterator[None]:
    with (state / "install.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("another namrong is installing in this checkout; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _install(checkout: Path, state: Path, venv: Path) -> None:
    began = time.monotonic()
    uv = ensure_uv(state)
    environment = uv_environment(state)
    stamp, changing = venv / "installed.txt", state / "venv.changing"
    if changing.exists() or not stamp.exists():
        shutil.rmtree(venv, ignore_errors=True)
    changing.touch(mode=0o600)
    if not venv.exists():
        _call([uv, "venv", "--quiet", "--no-project", "--python", sys.executable, venv], environment)
    stamp.unlink(missing_ok=True)
    _say(f"installing what {LOCK} names into .namrong/venv (some 200 packages, once)")
    options = ("--quiet", "--require-hashes", "--compile-bytecode", "--python", str(venv / "bin" / "python"))
    _call([uv, "pip", "sync", *options, checkout / LOCK], environment)
    stamp.write_text(wanted(checkout))
    changing.unlink()
    _say(f"installed in {time.monotonic() - began:.0f} s")


def ensure_uv(state: Path) -> Path:
    """The pinned uv, installed by pip against its hashes into a venv of its own."""
    folder = state / "bootstrap"
    uv, stamp = folder / "bin" / "uv", folder / "installed.txt"
    digest = hashlib.sha256(BOOTSTRAP.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == digest and uv.exists():
        return uv
    shutil.rmtree(folder, ignore_errors=True)
    _say("fetching the installer (uv)")
    try:
        _call([sys.executable, "-m", "venv", folder], dict(os.environ))
    except InstallError as failure:
        raise InstallError(
            f"{failure}\nThis Python cannot make a virtual environment. Debian, Ubuntu: apt-get install python3-venv"
        ) from failure
    pip = ("-m", "pip", "--disable-pip-version-check", "--no-input", "--no-cache-dir", "install", "--quiet")
    options = ("--require-hashes", "--no-deps", "--only-binary", ":all:")
    _call([folder / "bin" / "python", *pip, *options, "-r", BOOTSTRAP], dict(os.environ))
    stamp.write_text(digest)
    return uv


def uv_environment(state: Path) -> dict[str, str]:
    """uv's settings: the package index that pip is set up for, and nothing written outside `.namrong/`."""
    environment = package_index.for_uv(_pip_settings(state), os.environ)
    environment.setdefault("UV_CACHE_DIR", str(state / "cache" / "uv"))
    environment.update(UV_PYTHON_DOWNLOADS="never", UV_NO_PROGRESS="1")
    for name in ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME"):
        environment.pop(name, None)
    return environment


def _pip_settings(state: Path) -> str:
    listed = subprocess.run(
        [state / "bootstrap" / "bin" / "python", "-m", "pip", "config", "list"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return listed.stdout


def _call(command: Sequence[str | Path], environment: Mapping[str, str]) -> None:
    ended = subprocess.run([str(part) for part in command], env=dict(environment), check=False)
    if ended.returncode != 0:
        words = " ".join(Path(str(part)).name if os.sep in str(part) else str(part) for part in command[:4])
        raise InstallError(
            f"`{words} …` ended with status {ended.returncode} (see above). "
            "Check that the package index can be reached (PIP_INDEX_URL or pip.conf), and start again."
        )


def _say(line: str) -> None:
    print(f"namrong: {line}", file=sys.stderr, flush=True)
