"""The tests, with a word on every suite that this machine cannot run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from launcher.airflow_config import import_path
from launcher.checkout import Checkout
from launcher.screen import Screen

REQUIRE_ALL = "NAMRONG_REQUIRE_ALL"

LONG = ("tests/faults/test_kills.py", "tests/faults/test_troubles.py", "tests/integration/distributed")
"""Whole journeys once more, with kills, troubles and Celery: many minutes. Run when all is demanded, or when named."""

SIDE_BY_SIDE = ("-n", "3", "--dist", "loadscope", "--no-loadscope-reorder")
"""The whole run is three processes: some mostly wait for a running stack, another works. See tests/conftest.py."""


SERVERS = ("/usr/lib/postgresql/15/bin/postgres", "/usr/sbin/apache2", "/usr/sbin/nginx", "/usr/sbin/lighttpd")
"""Debian's, as agencies have them."""


def missing_suites() -> tuple[str, ...]:
    """The suites that cannot run here, by the name of their catalogue entry."""
    return tuple(name for name, there in (("browser", _has_browser()), ("debian_servers", _has_servers())) if not there)


def run(arguments: Sequence[str]) -> int:
    """pytest's exit status, its closing line last. With NAMRONG_REQUIRE_ALL a missing suite is a failure."""
    checkout, screen = Checkout(), Screen("en")
    missing = missing_suites()
    if missing:
        screen.say("suites.head")
        for name in missing:
            screen.print("  " + screen.text(f"suites.{name}"))
    if missing and os.environ.get(REQUIRE_ALL):
        screen.say("suites.required")
        return 1
    environment = {**os.environ, "PYTHONPATH": import_path(checkout)}
    environment.pop("PYTHONSAFEPATH", None)
    how: list[str] = []
    if not any(Path(argument.partition("::")[0]).exists() for argument in arguments):
        how += SIDE_BY_SIDE
        if not os.environ.get(REQUIRE_ALL):
            screen.say("suites.long", names=", ".join(LONG))
            how += [f"--ignore={name}" for name in LONG]
    sys.stdout.flush()
    return subprocess.run(
        [sys.executable, "-m", "pytest", *how, *arguments], cwd=checkout.root, env=environment, check=False
    ).returncode


def _has_browser() -> bool:
    return bool(shutil.which("chromium") and shutil.which("chromedriver"))


def _has_servers() -> bool:
    return all(Path(program).exists() for program in SERVERS)
