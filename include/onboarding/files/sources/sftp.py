"""A folder of an SFTP server and its files."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import asyncssh
from asyncssh import SFTPClient, SFTPClientFile

from onboarding.errors import Stop
from onboarding.files.sources import WHOLE_BYTES, Changed, Facts, Kind, Lost, Seen, require_inside
from onboarding.files.sources.sftp_line import Line, Session
from onboarding.places import SftpFolder

BLOCK_BYTES = 1024 * 1024
LISTINGS = 3

GONE = (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath, asyncssh.SFTPNotADirectory)
KINDS: dict[int, Kind] = {
    asyncssh.FILEXFER_TYPE_REGULAR: "file", asyncssh.FILEXFER_TYPE_DIRECTORY: "folder",
    asyncssh.FILEXFER_TYPE_SYMLINK: "symlink", asyncssh.FILEXFER_TYPE_SOCKET: "socket",
    asyncssh.FILEXFER_TYPE_FIFO: "fifo",
}  # fmt: skip


class Sftp:
    """A folder by its path on the server, names in the server's own bytes.

    The protocol tells the time of change in whole seconds: a file that is written to twice within one, and ends as long
    as it was, looks unchanged.
    """

    remote = True
    parts_from = WHOLE_BYTES

    def __init__(self, place: SftpFolder) -> None:
        self._where = str(place)
        self._root = place.path.rstrip("/").encode() or (b"/" if place.path else b".")
        self._line = Line(place)

    def entries(self) -> Iterator[Seen]:
        if _kind(self._ask(lambda sftp: sftp.stat(self._root), self._where)) != "folder":
            raise Stop("files.no_folder", where=self._where)
        waiting = [b""]
        while waiting:
            folder = waiting.pop()
            found = self._listed(folder)
            if not found and folder:
                yield Seen(folder, "folder")
            for one in found:
                if one.kind == "folder":
                    waiting.append(one.path)
                else:
                    yield one

    def _listed(self, folder: bytes) -> list[Seen]:
        """One folder, all of it before any of it, so that a listing that breaks off is simply made again."""

        async def listing(sftp: SFTPClient) -> list[Seen]:
            here = self._full(folder)
            return [_seen(folder, entry) async for entry in sftp.scandir(here) if entry.filename not in (b".", b"..")]

        for left in reversed(range(LISTINGS)):
            try:
                return self._line.ask(listing)
            except GONE:  # removed while we looked: it was never there
                return []
            except asyncssh.SFTPPermissionDenied:
                return [Seen(folder, "unreadable")]
            except Lost:
                if not left:
                    raise
        raise AssertionError("the last listing returned or raised")

    @contextmanager
    def opened(self, path: str) -> Iterator[SftpFile]:
        full = self._full(require_inside(path))
        looked = self._ask(lambda sftp: sftp.lstat(full), repr(path))
        if _kind(looked) != "file":
            raise Stop("files.gone", where=repr(path))
        session = self._line.session()
        stream: SFTPClientFile = self._ask(lambda sftp: sftp.open(full, "rb"), repr(path), session)
        try:
            yield SftpFile(self._line, full, session, stream, looked)
        finally:
            with suppress(Lost, asyncssh.Error):
                self._line.ask(lambda _: stream.close(), session)

    def _ask(self, question: Callable[[SFTPClient], Awaitable[Any]], where: str, session: Session | None = None) -> Any:
        try:
            return self._line.ask(question, session)
        except GONE as failure:
            raise Stop("files.gone", where=where) from failure
        except asyncssh.SFTPPermissionDenied as failure:
            raise Stop("files.unreadable", where=where) from failure
        except asyncssh.SFTPError as failure:
            raise Lost(where=where, reason=failure.reason) from failure

    def _full(self, path: bytes) -> bytes:
        return self._root.rstrip(b"/") + b"/" + path if path else self._root

    def close(self) -> None:
        self._line.close()


class SftpFile:
    """An open file of the server."""

    def __init__(
        self, line: Line, full: bytes, session: Session, stream: SFTPClientFile, looked: asyncssh.SFTPAttrs
    ) -> None:
        self._line, self._full, self._session, self._stream = line, full, session, stream
        self._before, self._place = _identity(looked), 0
        self.facts = Facts(
            looked.size or 0, None if looked.mtime is None else looked.mtime * 10**9,
            mode=looked.permissions, owner=looked.uid, group=looked.gid,
            version=None if looked.mtime is None else f"{looked.mtime}-{looked.size}",
        )  # fmt: skip

    def read(self, size: int = -1, /) -> bytes:
        # what it has grown by meanwhile is for `unchanged` to see: asking for more costs one more question a file
        wanted = self.facts.size - self._place if size < 0 else size
        blocks: list[bytes] = []
        while wanted > 0 and (block := self._block(min(wanted, BLOCK_BYTES))):
            blocks.append(block)
            wanted -= len(block)
        return b"".join(blocks)

    def _block(self, size: int) -> bytes:
        try:
            block = self._line.ask(lambda _: self._stream.read(size, self._place), self._session)
        except asyncssh.SFTPError as failure:
            raise Lost(where=repr(self._full), reason=failure.reason) from failure
        self._place += len(block)
        return bytes(block)  # type: ignore[arg-type]  # opened as bytes

    def seek(self, offset: int, whence: int = 0, /) -> int:
        if (offset, whence) != (0, 0):
            raise OSError("only back to the start")
        self._place = 0
        return 0

    def tell(self) -> int:
        return self._place

    def unchanged(self) -> bool:
        try:
            return _identity(self._line.ask(lambda sftp: sftp.lstat(self._full))) == self._before
        except asyncssh.SFTPError as failure:
            raise Changed from failure


def _seen(folder: bytes, entry: asyncssh.SFTPName) -> Seen:
    name = entry.filename if isinstance(entry.filename, bytes) else entry.filename.encode()
    path = b"%b/%b" % (folder, name) if folder else name
    if not name or b"/" in name or b"\0" in name:
        return Seen(path, "outside")
    return Seen(path, _kind(entry.attrs), entry.attrs.size or 0)


def _kind(attrs: asyncssh.SFTPAttrs) -> Kind:
    return KINDS.get(attrs.type, "device")


def _identity(attrs: asyncssh.SFTPAttrs) -> tuple[object, ...]:
    return attrs.type, attrs.size, attrs.mtime
