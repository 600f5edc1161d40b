"""The rooms and the gates as tables for docs/architecture.md, read from the code's own first lines."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

ROOMS = (
    "dags", "plugins", "plugins/onboarding_airflow", "include/onboarding", "include/onboarding/baseline",
    "include/onboarding/stages", "include/onboarding/stages/gates", "include/onboarding/databases",
    "include/onboarding/databases/follow", "include/onboarding/files", "include/onboarding/files/sources",
    "include/onboarding/alone", "include/onboarding/reconcile", "include/onboarding/reconcile/changes",
    "include/onboarding/expectations", "include/onboarding/cutover", "include/onboarding/programme",
    "include/onboarding/selection", "include/sandbox", "include/sandbox/rds", "include/sandbox/s3",
    "include/sandbox/agencies", "include/sandbox/witness", "include/launcher",
)  # fmt: skip


def rooms(root: Path) -> str:
    """A table per room: each module with the first line of its docstring."""
    return "\n\n".join("\n".join(_room(root / room, room)) for room in ROOMS)


def _room(folder: Path, name: str) -> Iterator[str]:
    yield f"**`{name}/`** {_purpose(folder / '__init__.py')}\n\n| module | gives |\n|---|---|"
    for path in sorted(folder.glob("*.py")):
        if not path.stem.startswith("__"):
            yield f"| `{path.stem}` | {_purpose(path)} |"


def _purpose(path: Path) -> str:
    said = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) if path.exists() else None
    return (said or "").partition("\n")[0].replace("|", "\\|")


def gates() -> str:
    """What each gate asks, how long it waits for an answer, and how often it asks."""
    from onboarding.stages.gates import GATES

    rows = (
        f"| `{gate.name}` | {gate.question} | {_length(gate.deadline)} | {_length(gate.poll)} |"
        for gate in GATES.values()
    )
    return "\n".join(["| gate | question | waits at most | asks every |\n|---|---|---|---|", *rows])


def _length(length: timedelta) -> str:
    for unit, seconds in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if length.total_seconds() >= seconds and length.total_seconds() % seconds == 0:
            return f"{length.total_seconds() / seconds:.0f} {unit}"
    return f"{length.total_seconds():.0f} s"
