"""Reading a source file so that what was hashed is what was there, and is read once."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from onboarding.files.crc64 import Crc64
from onboarding.files.sources import WHOLE_BYTES, Changed, Facts, OpenFile

CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Content:
    """What was read: SHA-256; for files that go in parts CRC-64/NVME too; `body` for small files only.

    `facts` are those of the file when it was opened.
    """

    size: int
    sha256: bytes
    crc64: bytes | None
    facts: Facts
    body: bytes | None = field(default=None, repr=False, compare=False)


def read(file: OpenFile, *, parts_from: int) -> Content:
    """The file's hashes; leaves a local one at its start. Raises Changed when it was written to meanwhile.

    Files of more than `parts_from` bytes go in parts.
    """
    size = file.facts.size
    hashes = Hashes(with_crc64=size > parts_from)
    file.seek(0)
    body = _whole(file, size) if size <= WHOLE_BYTES else None
    if body is not None:
        hashes.update(body)
    else:
        while chunk := file.read(CHUNK_BYTES):
            hashes.update(chunk)
    if hashes.size != size or not file.unchanged():
        raise Changed
    return hashes.content(file.facts, body)


def _whole(file: OpenFile, size: int) -> bytes:
    """All bytes that it had when it was opened: one read of a share or a line may bring less."""
    body = file.read(size)
    while len(body) < size and (more := file.read(size - len(body))):
        body += more
    return body


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

    def content(self, facts: Facts, body: bytes | None = None) -> Content:
        """All of it, of a file of which this is told."""
        crc64 = self._crc64.digest() if self._crc64 is not None else None
        return Content(self.size, self._sha256.digest(), crc64, facts, body)
