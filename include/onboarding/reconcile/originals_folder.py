"""The files of a folder that this machine sees, read for the verifier alone."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from onboarding.errors import Stop
from onboarding.reconcile.files_stamps import of_file

CHUNK_BYTES = 1024 * 1024
READINGS = 3

KINDS: tuple[tuple[Callable[[int], bool], str], ...] = (
    (stat.S_ISLNK, "symlink"), (stat.S_ISFIFO, "fifo"), (stat.S_ISSOCK, "socket"), (stat.S_ISBLK, "device"),
    (stat.S_ISCHR, "device"),
)  # fmt: skip


class OnDisk:
    """A folder that this machine sees."""

    def __init__(self, root: Path, began: float) -> None:
        self._root, self._began = os.fsencode(root), began
        if root.is_symlink() or not root.is_dir():
            raise Stop("reconcile.no_folder", where=str(root))

    def walk(self) -> Iterator[tuple[bytes, str, int | None]]:
        return iter(_walk(self._root))

    def read(self, path: bytes) -> tuple[bytes, int] | None:
        return _hash_of_file(os.path.join(self._root, path))  # noqa: PTH118 - bytes, which pathlib cannot hold

    def stamp(self, path: bytes) -> str | None:
        return of_file(os.path.join(self._root, path), self._began)  # noqa: PTH118 - bytes, which pathlib cannot hold

    def close(self) -> None:
        pass


def _walk(root: bytes) -> Iterator[tuple[bytes, str, int]]:
    """Relative path, kind and size of every entry but folders; links are not followed."""
    waiting = [b""]
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(os.path.join(root, folder)) as entries:  # noqa: PTH118 - bytes, which pathlib cannot hold
                found = [(entry.name, entry.stat(follow_symlinks=False)) for entry in entries]
        except OSError:
            yield folder, "unread", 0
            continue
        for name, status in found:
            path = folder + b"/" + name if folder else name
            if stat.S_ISDIR(status.st_mode):
                waiting.append(path)
            elif stat.S_ISREG(status.st_mode):
                yield path, "file", status.st_size
            else:
                yield path, next((kind for test, kind in KINDS if test(status.st_mode)), "other"), 0


def _hash_of_file(path: bytes) -> tuple[bytes, int] | None:
    """SHA-256 and size of a file that stood still while it was read; None if it would not, or not let us."""
    try:
        for _ in range(READINGS):
            # a link put there since we looked is not followed
            with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb", buffering=0) as stream:
                before = os.fstat(stream.fileno())
                digest, size = _hashed(stream)
                after = os.fstat(stream.fileno())
            if (before.st_mtime_ns, before.st_size) == (after.st_mtime_ns, after.st_size) == (after.st_mtime_ns, size):
                return digest, size
    except OSError:
        pass
    return None


def _hashed(stream: BinaryIO | Any) -> tuple[bytes, int]:
    digest, size = hashlib.sha256(), 0
    while chunk := stream.read(CHUNK_BYTES):
        digest.update(chunk)
        size += len(chunk)
    return digest.digest(), size
