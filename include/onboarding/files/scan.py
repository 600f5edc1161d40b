"""What a folder holds: what can move, what is left out and why, what must be settled first."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from onboarding.errors import Stop, TryAgain
from onboarding.files.sources import Seen, Source, at
from onboarding.places import Place
from onboarding.readiness import Finding

KEY_BYTES = 1024
"""Longest object key (S3 User Guide, "Naming Amazon S3 objects": up to 1,024 bytes of UTF-8)."""

OBJECT_BYTES = 5 * 1024**4
"""Largest object that every tool and region takes (S3 User Guide, "Multipart upload limits" before December 2025)."""

Left = Literal["symlink", "fifo", "socket", "device"]
Refusal = Literal["not_utf8", "key_too_long", "too_large", "unreadable", "outside", "no_file"]

_SHOWN = 5


@dataclass(frozen=True)
class SourceFile:
    """A regular file; `path` is relative to the folder, with `/`, exactly as the file system spells it."""

    path: str
    size: int


@dataclass(frozen=True)
class Excluded:
    """Something that is no regular file: counted, never followed, never moved."""

    path: str
    reason: Left


@dataclass(frozen=True)
class Refused:
    """A file that cannot move as it is. `path` shows bytes that are not UTF-8 as `\\xNN`."""

    path: str
    reason: Refusal


@dataclass(frozen=True)
class EmptyFolder:
    """A folder that holds nothing; S3 has no counterpart."""

    path: str


Entry = SourceFile | Excluded | Refused | EmptyFolder


@dataclass(frozen=True)
class Scan:
    """A folder at one moment, each part in order of path bytes; `empty_folders` have no counterpart in S3."""

    files: tuple[SourceFile, ...]
    excluded: tuple[Excluded, ...]
    refused: tuple[Refused, ...]
    empty_folders: tuple[str, ...]


def key_of(prefix: str, path: str) -> str:
    """The object key of a file: prefix and path, nothing normalised, so that NFC and NFD stay two."""
    return prefix + path


def entries(source: Source, *, prefix: str = "") -> Iterator[Entry]:
    """Everything that the source shows, as it is come upon, in no order. Raises Stop when it has no such folder."""
    return (_entry(seen, prefix) for seen in source.entries())


def _entry(seen: Seen, prefix: str) -> Entry:
    path = seen.path.decode("utf-8", "backslashreplace")
    match seen.kind:
        case "folder":
            return EmptyFolder(path)
        case "file":
            reason = _refusal(seen.path, seen.size, prefix)
            return Refused(path, reason) if reason else SourceFile(path, seen.size)
        case "unreadable" | "outside" | "no_file":
            return Refused(path, seen.kind)
        case _:
            return Excluded(path, seen.kind)


def scan(root: Place, *, prefix: str = "") -> Scan:
    """Everything under `root`. Raises Stop when `root` is no folder."""
    with at(root) as source:
        seen = sorted(entries(source, prefix=prefix), key=lambda entry: entry.path.encode())
    return Scan(
        tuple(entry for entry in seen if isinstance(entry, SourceFile)),
        tuple(entry for entry in seen if isinstance(entry, Excluded)),
        tuple(entry for entry in seen if isinstance(entry, Refused)),
        tuple(entry.path for entry in seen if isinstance(entry, EmptyFolder)),
    )


def movable(source: Source, where: str, *, prefix: str = "") -> Iterator[SourceFile]:
    """The files of a source as they are come upon, until something cannot move.

    Then the rest is looked at but no longer given, and Stop raised with the first such path in order and how many there
    are; likewise when there is nothing at all. What was excluded is not counted: it never moves.
    """
    refused: list[Refused] = []
    files = 0
    for entry in entries(source, prefix=prefix):
        if isinstance(entry, Refused):
            refused.append(entry)
        elif isinstance(entry, SourceFile):
            files += 1
            if not refused:
                yield entry
    require_movable(where, refused, files)


def require_movable(root: object, refused: Sequence[Refused], files: int) -> None:
    """Raises Stop when something cannot move (see `assess`), or when there is no file."""
    if refused:
        worst = min(refused, key=lambda one: one.path.encode())
        raise Stop("files.cannot_move", where=repr(worst.path), reason=worst.reason, count=len(refused))
    if not files:
        raise Stop("files.nothing", where=str(root))


def assess(root: Place, *, prefix: str = "") -> list[Finding]:
    """What stands in the way of moving `root`; their words are in the catalogue under `readiness.<id>`."""
    found = scan(root, prefix=prefix)
    findings: list[Finding] = []
    for reason in ("not_utf8", "key_too_long", "too_large", "unreadable", "outside", "no_file"):
        findings += _finding(f"file_{reason}", "critical", root, (r.path for r in found.refused if r.reason == reason))
    for kind in ("symlink", "fifo", "socket", "device"):
        findings += _finding(f"file_{kind}", "warning", root, (e.path for e in found.excluded if e.reason == kind))
    findings += _finding("file_empty_folder", "info", root, found.empty_folders)
    findings += _finding("file_text_not_utf8", "info", root, texts_not_utf8(root, found.files))
    if not found.files:
        # a share that is not mounted looks just like this
        findings.append(Finding("file_none", "critical", str(root), {"count": 0, "examples": ""}))
    return findings


def texts_not_utf8(root: Place, files: Iterable[SourceFile]) -> Iterator[str]:
    """The text files (by suffix) whose first 64 KiB are not UTF-8: they move as they are, but readers must know."""
    with at(root) as source:
        for file in files:
            if file.path.lower().endswith((".csv", ".tsv", ".txt")):
                with suppress(Stop, TryAgain), source.opened(file.path) as opened:
                    if not _is_utf8(opened.read(65_536)):
                        yield file.path


def _is_utf8(start: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start)  # a character cut at the end is no error
    except UnicodeDecodeError:
        return False
    return True


def _finding(
    kind: str, severity: Literal["info", "warning", "critical"], root: Place, paths: Iterable[str]
) -> list[Finding]:
    named = list(paths)
    if not named:
        return []
    examples = ", ".join(repr(path) for path in named[:_SHOWN]) + (", …" if len(named) > _SHOWN else "")
    return [Finding(kind, severity, str(root), {"count": len(named), "examples": examples})]


def _refusal(raw: bytes, size: int, prefix: str) -> Refusal | None:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return "not_utf8"
    if len(prefix.encode()) + len(raw) > KEY_BYTES:
        return "key_too_long"
    return "too_large" if size > OBJECT_BYTES else None
