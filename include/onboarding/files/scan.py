"""What a folder holds: what can move, what is left out and why, what must be settled first."""

from __future__ import annotations

import codecs
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from onboarding.errors import Stop, TryAgain
from onboarding.files.reading import opened
from onboarding.readiness import Finding

KEY_BYTES = 1024
"""Longest object key (S3 User Guide, "Naming Amazon S3 objects": up to 1,024 bytes of UTF-8)."""

OBJECT_BYTES = 5 * 1024**4
"""Largest object that every tool and region takes (S3 User Guide, "Multipart upload limits" before December 2025)."""

Left = Literal["symlink", "fifo", "socket", "device"]
Refusal = Literal["not_utf8", "key_too_long", "too_large", "unreadable"]

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
class Scan:
    """A folder at one moment, each part in order of path bytes; `empty_folders` have no counterpart in S3."""

    files: tuple[SourceFile, ...]
    excluded: tuple[Excluded, ...]
    refused: tuple[Refused, ...]
    empty_folders: tuple[str, ...]


def key_of(prefix: str, path: str) -> str:
    """The object key of a file: prefix and path, nothing normalised, so that NFC and NFD stay two."""
    return prefix + path


def scan(root: Path, *, prefix: str = "") -> Scan:
    """Everything under `root`. Raises Stop when `root` is no folder."""
    if root.is_symlink() or not root.is_dir():
        raise Stop("files.no_folder", where=str(root))
    files: list[SourceFile] = []
    excluded: list[Excluded] = []
    refused: list[Refused] = []
    empty: list[str] = []
    for raw, found in _walk(os.fsencode(root), b""):
        path = raw.decode("utf-8", "backslashreplace")
        if found is None:
            refused.append(Refused(path, "unreadable"))
        elif stat.S_ISDIR(found.st_mode):
            empty.append(path)
        elif not stat.S_ISREG(found.st_mode):
            excluded.append(Excluded(path, _kind(found.st_mode)))
        elif reason := _refusal(raw, found.st_size, prefix):
            refused.append(Refused(path, reason))
        else:
            files.append(SourceFile(path, found.st_size))
    return Scan(
        tuple(sorted(files, key=lambda f: f.path.encode())),
        tuple(sorted(excluded, key=lambda e: e.path.encode())),
        tuple(sorted(refused, key=lambda r: r.path.encode())),
        tuple(sorted(empty, key=str.encode)),
    )


def assess(root: Path, *, prefix: str = "") -> list[Finding]:
    """What stands in the way of moving `root`; their words are in the catalogue under `readiness.<id>`."""
    found = scan(root, prefix=prefix)
    findings: list[Finding] = []
    for reason in ("not_utf8", "key_too_long", "too_large", "unreadable"):
        findings += _finding(f"file_{reason}", "critical", root, (r.path for r in found.refused if r.reason == reason))
    for kind in ("symlink", "fifo", "socket", "device"):
        findings += _finding(f"file_{kind}", "warning", root, (e.path for e in found.excluded if e.reason == kind))
    findings += _finding("file_empty_folder", "info", root, found.empty_folders)
    findings += _finding("file_text_not_utf8", "info", root, texts_not_utf8(root, found.files))
    if not found.files:
        # a share that is not mounted looks just like this
        findings.append(Finding("file_none", "critical", str(root), {"count": 0, "examples": ""}))
    return findings


def texts_not_utf8(root: Path, files: Iterable[SourceFile]) -> Iterator[str]:
    """The text files (by suffix) whose first 64 KiB are not UTF-8: they move as they are, but readers must know."""
    for file in files:
        if file.path.lower().endswith((".csv", ".tsv", ".txt")):
            with suppress(Stop, TryAgain), opened(root, file.path) as stream:
                if not _is_utf8(stream.read(65_536)):
                    yield file.path


def _is_utf8(start: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start)  # a character cut at the end is no error
    except UnicodeDecodeError:
        return False
    return True


def _finding(
    kind: str, severity: Literal["info", "warning", "critical"], root: Path, paths: Iterable[str]
) -> list[Finding]:
    named = list(paths)
    if not named:
        return []
    examples = ", ".join(repr(path) for path in named[:_SHOWN]) + (", …" if len(named) > _SHOWN else "")
    return [Finding(kind, severity, str(root), {"count": len(named), "examples": examples})]


def _walk(root: bytes, below: bytes) -> Iterator[tuple[bytes, os.stat_result | None]]:
    """Every entry but the folders that hold something, as bytes; None stands for what we may not look at."""
    waiting = [below]
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(_joined(root, folder)) as entries:
                names = [(entry.name, found) for entry in entries if (found := _look(entry))]
        except FileNotFoundError:  # removed while we looked: it was never there
            continue
        except PermissionError:
            yield folder, None
            continue
        if not names and folder:
            yield folder, os.lstat(_joined(root, folder))
        for name, found in names:
            path = _joined(folder, name)
            if stat.S_ISDIR(found.st_mode):
                waiting.append(path)
            elif stat.S_ISREG(found.st_mode) and not os.access(_joined(root, path), os.R_OK):
                yield path, None
            else:
                yield path, found


def _joined(folder: bytes, name: bytes) -> bytes:
    return b"/".join(part for part in (folder, name) if part)


def _look(entry: os.DirEntry[bytes]) -> os.stat_result | None:
    try:
        return entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None


def _refusal(raw: bytes, size: int, prefix: str) -> Refusal | None:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return "not_utf8"
    if len(prefix.encode()) + len(raw) > KEY_BYTES:
        return "key_too_long"
    return "too_large" if size > OBJECT_BYTES else None


def _kind(mode: int) -> Left:
    if stat.S_ISLNK(mode):
        return "symlink"
    if stat.S_ISFIFO(mode):
        return "fifo"
    return "socket" if stat.S_ISSOCK(mode) else "device"
