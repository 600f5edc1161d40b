"""Where files come from, one module for each kind of place: found one by one, opened one by one, read once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from onboarding.bandwidth import Take, unlimited
from onboarding.errors import Stop, TryAgain
from onboarding.places import BucketFolder, Place, SftpFolder

SINGLE_PUT_BYTES = 64 * 1024 * 1024
"""Up to this size what may be read twice goes to S3 in one request: in parts 60 files of 4 MiB took twice the processor
(0.97 s against 0.47) and a quarter more time, and the second reading comes from the machine's own cache."""

WHOLE_BYTES = 2 * 1024 * 1024
"""Up to this size a file is kept in memory once it was read; what comes over a line goes in parts from here on."""

Kind = Literal["file", "folder", "symlink", "fifo", "socket", "device", "unreadable", "outside", "no_file"]


@dataclass(frozen=True)
class Seen:
    """Something that a source shows: its path below the root in the source's own bytes.

    A folder only when it holds nothing. `unreadable` may not be looked at by us; `outside` is what a listing names
    beyond itself; `no_file` is named like a file and is not answered for as one.
    """

    path: bytes
    kind: Kind
    size: int = 0


@dataclass(frozen=True)
class Facts:
    """What a source tells of a file as it is opened; None for what it cannot tell.

    By the same `version` the same content is known again without being read; None where only reading tells.
    `metadata` and `headers` (S3's names: ContentType, …) are those that it has as an object already.
    """

    size: int
    mtime_ns: int | None
    mode: int | None = None
    owner: int | None = None
    group: int | None = None
    version: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


class Changed(Exception):
    """The file was not the same before and after it was read."""


class Lost(TryAgain):
    """A source stopped answering in the middle."""

    def __init__(self, key: str = "files.source_lost", *, where: str = "", **values: object) -> None:
        super().__init__(key, where=where, **values)


class OpenFile(Protocol):
    """A file of a source, open at its start. Reading raises Lost when the source breaks off."""

    facts: Facts

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes, perhaps fewer than `size`; none at the end."""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Goes to a place in a local file; elsewhere only back to the start. Raises Changed when that is another."""

    def tell(self) -> int:
        """Where the next byte is read."""

    def unchanged(self) -> bool:
        """Whether its path still leads to it, as it was when it was opened."""


class Source(Protocol):
    """A place that is open. Threads share it."""

    remote: bool
    """Whether its bytes come over a line: then they are read once only, and count against a limit."""

    parts_from: int
    """Files of more bytes go to S3 in parts."""

    def entries(self) -> Iterator[Seen]:
        """Everything below its root, as it is come upon, links never followed. Raises Stop when there is no root."""

    def opened(self, path: str) -> AbstractContextManager[OpenFile]:
        """The file at `path`. Raises Stop when it is gone or may not be read, Lost when the source does not answer."""

    def close(self) -> None:
        """Lets go of its connections."""


@contextmanager
def at(place: Place, take: Take = unlimited) -> Iterator[Source]:
    """The source at this place for the block; what comes over a line asks `take` for it.

    Imported only when asked for: most runs need one kind.
    """
    source = _at(place)
    if source.remote and take is not unlimited:
        from onboarding.files.sources.metered import Metered

        source = Metered(source, take)
    try:
        yield source
    finally:
        source.close()


def _at(place: Place) -> Source:
    if isinstance(place, Path):
        from onboarding.files.sources.local import Local

        return Local(place)
    if isinstance(place, SftpFolder):
        from onboarding.files.sources.sftp import Sftp

        return Sftp(place)
    if isinstance(place, BucketFolder):
        from onboarding.files.sources.bucket import Bucket

        return Bucket(place)
    from onboarding.files.sources.web import Web

    return Web(place)


def require_inside(path: str) -> bytes:
    """The path in bytes. Raises Stop when it could lead out of its root: a plan is stored, and may be tampered with."""
    if "\0" in path or {"", ".", ".."} & set(path.split("/")):
        raise Stop("files.bad_path", where=repr(path))
    return path.encode()
