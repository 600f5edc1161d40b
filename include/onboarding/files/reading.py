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
from onboarding.files.crc64 import Crc64

CHUNK_BYTES = 1024 * 1024
KEPT_BYTES = 2 * 1024 * 1024
"""Up to this size the bytes are kept once they were read, so that they are read once and sent as they were hashed."""


@dataclass(frozen=True)
class Content:
    """What was read: SHA-256; for files that go in parts CRC-64/NVME too; `body` for small files only.

    `mtime_ns`, `mode` (with the kind of file), `owner` and `group` (numbers) are those of the open file.
    """

    size: int
    sha256: bytes
    crc64: bytes | None
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


def read(stream: BinaryIO, in_parts: Callable[[int], bool]) -> Content:
    """The file's hashes; leaves the stream at its start. Raises Changed when it was written to meanwhile.

    `in_parts` says for a size in bytes whether such a file goes in parts.
    """
    before = os.fstat(stream.fileno())
    hashes = Hashes(with_crc64=in_parts(before.st_size))
    stream.seek(0)
    body = None
    if before.st_size <= KEPT_BYTES:
        body = stream.read()
        hashes.update(body)
    else:
        while chunk := stream.read(CHUNK_BYTES):
            hashes.update(chunk)
    if identity(os.fstat(stream.fileno())) != identity(before) or hashes.size != before.st_size:
        raise Changed
    stream.seek(0)
    return hashes.content(before, body)


class Hashes:
    """What is made of a file's bytes as they pass, once each."""

    def __init__(self, *, with_crc64: bool) -> None:
        self.size = 0
        self._sha256 = hashlib.sha256()
        self._crc64 = Crc64() if with_crc64 else None

    def update(self, data: bytes) -> None:
        """Takes more bytes in."""
        self.size += len(data)
        self._sha256.update(data)
        if self._crc64 is not None:
            self._crc64.update(data)

    def content(self, found: os.stat_result, body: bytes | None = None) -> Content:
        """All of it, of a file that is as `found` tells."""
        crc64 = self._crc64.digest() if self._crc64 is not None else None
        return Content(
            self.size, self._sha256.digest(), crc64, found.st_mtime_ns, found.st_mode, found.st_uid, found.st_gid, body
        )


def still_there(root: Path, path: str, stream: BinaryIO) -> bool:
    """Whether `path` still leads to the very file that is open, unchanged."""
    try:
        found = os.stat(b"%b/%b" % (os.fsencode(root), path.encode()), follow_symlinks=False)  # noqa: PTH116 - bytes
    except OSError:
        return False
    return identity(found) == identity(os.fstat(stream.fileno()))
