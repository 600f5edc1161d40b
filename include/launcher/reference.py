"""What in docs/ is made from code: `./namrong docs` writes it, `--check` and the tests compare."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path

from launcher.checkout import ROOT, Checkout

BEGIN, END = "<!-- made by ./namrong docs -->", "<!-- end -->"


def _manifest_page(_: Path) -> str:
    from launcher.manifest_docs import page

    return page()


def _manifest_schema(_: Path) -> str:
    from launcher.manifest_docs import schema

    return schema()


def _sandbox(path: Path) -> str:
    """The page with its tables of operations made anew; its prose stays. Imports moto (seconds)."""
    from launcher.sandbox_docs import operations

    before, begin, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{path.name} has no place for what is made: {BEGIN} … {END}")
    return f"{before}{BEGIN}\n\n{operations()}\n\n{END}{after}"


Makers = Mapping[str, Callable[[Path], str]]

FILES: Makers = {
    "docs/manifest.md": _manifest_page,
    "docs/manifest.schema.json": _manifest_schema,
    "docs/sandbox.md": _sandbox,
}


def outdated(root: Path = ROOT, files: Makers = FILES) -> dict[str, str]:
    """The files that are not what would be made now, with what would be."""
    made = {name: make(root / name) for name, make in files.items()}
    return {name: text for name, text in made.items() if not _holds(root / name, text)}


def command(asked: argparse.Namespace) -> int:
    """Writes what is outdated, or with `--check` only names it; 1 when there was something to name."""
    root = Checkout().root
    found = outdated(root)
    for name, text in found.items():
        print(name)
        if not asked.check:
            (root / name).write_text(text, encoding="utf-8")
    return 1 if found and asked.check else 0


def _holds(path: Path, text: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == text
