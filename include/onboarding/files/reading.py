"""Reading a source file so that what was hashed is what was there: never through a link, never half changed."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from onboarding.errors import Stop, TryAgain

CHUNK_BYTES = 1024 * 1024
KEPT_BYTES = 2 * 1024 * 1024
"""Up to this size the bytes are kept once they were read, so that they are read once and sent as they were hashed."""


@dataclass(frozen=True)
class Content:
    """What was read: SHA-256 of the whole and of each part of `part_size` bytes; `body` for small files only.

    `mtime_ns`, `mode` (with the kind of file), `owner` and `group` (numbers) are those of the open file.
    """

    size: int
    sha256: bytes
    parts: tuple[bytes, ...]
    part_size: int
    mtime_ns: int
    mode: int
    owner: int
    group: int
    body: bytes | None = field(default=None, repr=False, compare=False)


class Changed(Exception):
    """The file was not the same before and after it was read."""


@contextmanager
def opened(root: Path, path: str) -> Iterator[BinaryIO]:
    """The regular file at `path` below `root`, opened step by step so that no link is followed on the way.

    Raises Stop when it is gone or no regular file any more, TryAgain when the share does not answer.
    """
    *folders, name = path.encode().split(b"/")
    try:
        here = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
        try:
            for folder in folders:
                below = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=here)
                os.close(here)
                here = below
            # O_NONBLOCK: a file that became a pipe must not hang us
            descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=here)
        finally:
            os.close(here)
    except (FileNotFoundError, NotADirectoryError) as failure:
        raise Stop("files.gone", where=repr(path)) from failure
    except PermissionError as failure:
        raise Stop("files.unreadable", where=repr(path)) from failure
    except OSError as failure:
        if failure.errno == errno.ELOOP:  # a link was put in its place
            raise Stop("files.gone", where=repr(path)) from failure
        raise TryAgain("files.not_opened", where=repr(path), reason=failure.strerror) from failure
    with os.fdopen(descriptor, "rb", buffering=0) as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise Stop("files.gone", where=repr(path))
        yield stream


def identity(found: os.stat_result) -> tuple[int, ...]:
    """What changes when somebody writes to the file or puts another in its place."""
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def read(stream: BinaryIO, part_size_of: Callable[[int], int]) -> Content:
    """The file's hashes; leaves the stream at its start. Raises Changed when it was written to meanwhile."""
    before = os.fstat(stream.fileno())
    part_size = part_size_of(before.st_size)
    stream.seek(0)
    body = None
    if before.st_size <= min(part_size, KEPT_BYTES):
        body = stream.read()
        size, whole, parts = _of_one(body)
    else:
        size, whole, parts = _hashed(stream, part_size if before.st_size > part_size else None)
    if identity(os.fstat(stream.fileno())) != identity(before) or size != before.st_size:
        raise Changed
    stream.seek(0)
    return content_of(before, whole, parts, part_size, body)


def content_of(
    found: os.stat_result, whole: bytes, parts: tuple[bytes, ...], part_size: int, body: bytes | None = None
) -> Content:
    """What was read of a file that is as `found` tells."""
    return Content(
        found.st_size, whole, parts, part_size, found.st_mtime_ns, found.st_mode, found.st_uid, found.st_gid, body
    )


def _of_one(body: bytes) -> tuple[int, bytes, tuple[bytes, ...]]:
    digest = hashlib.sha256(body).digest()
    return len(body), digest, (digest,)


def _hashed(stream: BinaryIO, part_size: int | None) -> tuple[int, bytes, tuple[bytes, ...]]:
    """Size, SHA-256 of the whole and of each part; without a part size the whole is the only part, hashed once."""
    whole, parts, size = hashlib.sha256(), [hashlib.sha256()], 0
    while chunk := stream.read(min(CHUNK_BYTES, part_size - size % part_size) if part_size else CHUNK_BYTES):
        whole.update(chunk)
        if part_size:
            if size and size % part_size == 0:
                parts.append(hashlib.sha256())
            parts[-1].update(chunk)
        size += len(chunk)
    return size, whole.digest(), tuple(part.digest() for part in parts) if part_size else (whole.digest(),)


def still_there(root: Path, path: str, stream: BinaryIO) -> bool:
    """Whether `path` still leads to the very file that is open, unchanged."""
    try:
        found = os.stat(os.path.join(os.fsencode(root), path.encode()), follow_symlinks=False)  # noqa: PTH116, PTH118 - bytes
    except OSError:
        return False
    return identity(found) == identity(os.fstat(stream.fileno()))
