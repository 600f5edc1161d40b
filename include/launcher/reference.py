"""What in docs/ is made from code: `./namrong docs` writes it, `--check` and the tests compare."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path

from launcher.checkout import ROOT, Checkout

END = "<!-- end -->"

Maker = Callable[[Path], str]
"""The text of one file, given the checkout's root."""


def begin(what: str) -> str:
    """The mark behind which a page's made part begins; it goes to END."""
    return f"<!-- {what}: made by ./namrong docs -->"


def filled(page: str, what: str, made: str) -> str:
    """The page with its part `what` made anew; its prose stays. Raises ValueError when it has no such place."""
    before, found, rest = page.partition(begin(what))
    _, closed, after = rest.partition(END)
    if not (found and closed):
        raise ValueError(f"the page has no place for {what}: {begin(what)} … {END}")
    return f"{before}{found}\n\n{made}\n\n{closed}{after}"


def _manifest_page(_: Path) -> str:
    from launcher.manifest_docs import page

    return page()


def _manifest_schema(_: Path) -> str:
    from launcher.manifest_docs import schema

    return schema()


def _candidates_schema(_: Path) -> str:
    from launcher.manifest_docs import schema
    from onboarding.selection.candidates import Candidates

    return schema(Candidates)


def _criteria_schema(_: Path) -> str:
    from launcher.manifest_docs import schema
    from onboarding.selection.criteria import Criteria

    return schema(Criteria)


def _messages(_: Path) -> str:
    from launcher.messages_docs import page

    return page()


def _sandbox(root: Path) -> str:
    from launcher.sandbox_docs import operations  # moto: seconds

    return filled((root / "docs" / "sandbox.md").read_text(encoding="utf-8"), "operations", operations())


def _architecture(root: Path) -> str:
    from launcher.rooms_docs import gates, rooms

    page = (root / "docs" / "architecture.md").read_text(encoding="utf-8")
    return filled(filled(page, "gates", gates()), "rooms", rooms(root))


FILES: Mapping[str, Maker] = {
    "docs/architecture.md": _architecture,
    "docs/candidates.schema.json": _candidates_schema,
    "docs/manifest.md": _manifest_page,
    "docs/manifest.schema.json": _manifest_schema,
    "docs/messages.md": _messages,
    "docs/sandbox.md": _sandbox,
    "docs/selection.schema.json": _criteria_schema,
}


def outdated(root: Path = ROOT, files: Mapping[str, Maker] = FILES) -> dict[str, str]:
    """The files that are not what would be made now, with what would be."""
    made = {name: make(root) for name, make in files.items()}
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
