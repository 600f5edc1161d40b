"""The locks made anew from requirements*.in: every platform, every hash, one resolution that the other keeps to."""

from __future__ import annotations

import argparse
import subprocess
from pathlib import Path

from launcher.checkout import Checkout
from launcher.install import BOOTSTRAP, ensure_uv, uv_environment

OLDEST_PYTHON = "3.11"
BOOTSTRAP_HEAD = """\
# The one tool that installs all others (pinned, every platform's wheel hashed).
# Made by: ./namrong lock
"""


def lock(_asked: argparse.Namespace) -> int:
    """Rewrites requirements.txt and requirements-local.txt, and uv's own hashes for the version named there."""
    checkout = Checkout()
    uv = ensure_uv(checkout.state)
    environment = {**uv_environment(checkout.state), "UV_CUSTOM_COMPILE_COMMAND": "./namrong lock"}
    for source, more in (("requirements", ()), ("requirements-local", ("-c", "requirements.txt"))):
        _compile(uv, checkout.root, environment, f"{source}.in", Path(f"{source}.txt"), *more)
    _lock_uv(uv, checkout, environment)
    return 0


def _compile(uv: Path, root: Path, environment: dict[str, str], source: str, target: Path, *more: str) -> None:
    subprocess.run(
        [uv, "pip", "compile", "--quiet", "--universal", "--generate-hashes", "--python-version", OLDEST_PYTHON,
         *more, source, "--output-file", target],
        cwd=root, env=environment, check=True,
    )  # fmt: skip


def _lock_uv(uv: Path, checkout: Checkout, environment: dict[str, str]) -> None:
    pinned = next(line.split()[0] for line in BOOTSTRAP.read_text().splitlines() if line.startswith("uv=="))
    source = checkout.state / "bootstrap.in"
    source.write_text(pinned + "\n")
    fresh = checkout.state / "bootstrap.txt"
    _compile(uv, checkout.root, environment, str(source), fresh, "--no-annotate", "--no-header")
    BOOTSTRAP.write_text(BOOTSTRAP_HEAD + fresh.read_text())
