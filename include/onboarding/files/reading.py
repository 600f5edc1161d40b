"""Reading a source file so that what was hashed is what was there: never through a link, never half changed."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from onboarding.errors import Stop, TryAgain

CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Content:
    """What was read: SHA-256 of the whole and of each part of `part_size` bytes."""

    size: int
    sha256: bytes
    parts: tuple[bytes, ...]
    part_size: int
    mtime_ns: int


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


def identity(stream: BinaryIO) -> tuple[int, ...]:
    """What changes when somebody writes to the open file or puts another in its place."""
    found = os.fstat(stream.fileno())
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def read(stream: BinaryIO, part_size_of: Callable[[int], int]) -> Content:
    """The file's hashes; leaves the stream at its start. Raises Changed when it was written to meanwhile."""
    before = identity(stream)
    part_size = part_size_of(before[2])
    stream.seek(0)
    whole, parts, size = hashlib.sha256(), [hashlib.sha256()], 0
    while chunk := stream.read(min(CHUNK_BYTES, part_size - size % part_size)):
        if size and size % part_size == 0:
            parts.append(hashlib.sha256())
        whole.update(chunk)
        parts[-1].update(chunk)
        size += len(chunk)
    if identity(stream) != before or size != before[2]:
        raise Changed
    stream.seek(0)
    return Content(size, whole.digest(), tuple(part.digest() for part in parts), part_size, before[3])


def still_there(root: Path, path: str, stream: BinaryIO) -> bool:
    """Whether `path` still leads to the very file that is open, unchanged."""
    with suppress(Stop), opened(root, path) as again:
        return identity(again) == identity(stream)
    return False
