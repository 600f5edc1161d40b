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

SIDE_BY_SIDE = ("-n", "2", "--dist", "loadscope", "--no-loadscope-reorder")
"""The whole run is two processes: one mostly waits for the running stack, the other works. See tests/conftest.py."""


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
    sys.stdout.flush()
    side_by_side = () if any(Path(argument.partition("::")[0]).exists() for argument in arguments) else SIDE_BY_SIDE
    return subprocess.run(
        [sys.executable, "-m", "pytest", *side_by_side, *arguments], cwd=checkout.root, env=environment, check=False
    ).returncode


def _has_browser() -> bool:
    return bool(shutil.which("chromium") and shutil.which("chromedriver"))


def _has_servers() -> bool:
    return Path("/usr/lib/postgresql/15/bin/postgres").exists()
