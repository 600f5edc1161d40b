"""What was compared, kept as files: JSON for programs, a page for people."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from onboarding.errors import Stop
from onboarding.messages import Language
from onboarding.reconcile.pseudonyms import Pseudonyms

if TYPE_CHECKING:
    from onboarding.reconcile.files_report import FilesComparison
    from onboarding.reconcile.report import Comparison

PAGES = (".html", ".htm")


class Report:
    """The files asked for; the clock runs from when it is made. Rows bear the same `names` in all of them."""

    def __init__(self, paths: Sequence[Path], language: Language, *, keys: bool) -> None:
        self._paths, self._language, self._keys = paths, language, keys
        self.names = Pseudonyms.forgotten()
        self._began = datetime.now(UTC)

    def write(self, found: Comparison | FilesComparison, source: str, target: str) -> None:
        """Every file, a page where its name ends in .html, else JSON; each is there whole or not at all."""
        if not self._paths:
            return
        from onboarding.reconcile.page import Occasion, as_document, page  # reads what only databases need, too

        occasion = Occasion(source, target, self._began, datetime.now(UTC))
        for path in self._paths:
            if path.suffix.lower() in PAGES:
                _write(path, page(found, occasion, self._language, self.names, keys=self._keys), private=self._keys)
            else:
                _write(path, as_document(found, self.names))


def writable(paths: Sequence[Path]) -> Sequence[Path]:
    """The paths, if each can be written: found out before hours are spent. Raises Stop."""
    for path in paths:
        if path.is_dir() or not os.access(path.parent, os.W_OK):
            raise Stop("alone.report_not_writable", where=str(path))
    return paths


def _write(path: Path, content: str, *, private: bool = False) -> None:
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        # keys in clear are for whoever asked for them
        with os.fdopen(
            os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if private else 0o666), "wb"
        ) as file:
            file.write(content.encode())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
