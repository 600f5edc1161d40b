"""The file that says how to reach a sandbox, and the folder that is its own."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

MARK = ".namrong-sandbox"


def claim_folder(folder: Path) -> None:
    """An empty folder of our own. ValueError if somebody else's files are in it: they are never wiped."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if any(folder.iterdir()) and not (folder / MARK).exists():
        raise ValueError(f"{folder} holds files that no sandbox made; give an empty folder")
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    (folder / MARK).touch()


def write_ready(file: Path, said: Mapping[str, Any]) -> None:
    """Appears whole or not at all, for the owner's eyes only: it holds keys."""
    partial = file.with_name(f".{file.name}.{os.getpid()}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        json.dump(said, out, indent=2)
    partial.replace(file)
