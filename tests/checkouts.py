"""A checkout of its own for a test: this work tree's code, another state folder."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from launcher.checkout import ROOT, Checkout


def make_checkout(root: Path, dags: Path = ROOT / "dags") -> Checkout:
    """Links to this work tree's rooms and to `dags`; `python -m launcher` in `environment(checkout)` runs there."""
    root.mkdir(exist_ok=True)
    for room in ("include", "plugins"):
        (root / room).mkdir()
        for part in (ROOT / room).iterdir():
            if part.name != "__pycache__":
                (root / room / part.name).symlink_to(part)
    (root / "dags").symlink_to(dags)
    # The launcher finds its checkout by its own place: that one folder is copied.
    (root / "include" / "launcher").unlink()
    (root / "include" / "launcher").mkdir()
    for module in (ROOT / "include" / "launcher").glob("*.*"):
        (root / "include" / "launcher" / module.name).write_bytes(module.read_bytes())
    (root / ".namrong").mkdir(mode=0o700)
    (root / ".namrong" / "venv").symlink_to(Path(sys.prefix))
    (root / "home").mkdir()
    return Checkout(root)


def environment(checkout: Checkout) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(checkout.root / "home"),
        "PYTHONPATH": str(checkout.root / "include"),
    }
