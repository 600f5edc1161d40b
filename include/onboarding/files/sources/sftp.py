"""A folder of an SFTP server, asked through one connection that is made anew when it breaks."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import asyncssh
from asyncssh import SFTPClient, SFTPClientFile

from onboarding.errors import AskPerson, Stop
from onboarding.files.sources import WHOLE_BYTES, Changed, Facts, Kind, Lost, Seen, require_inside
from onboarding.places import SftpFolder

T = TypeVar("T")

ANSWERS_WITHIN_S = 120
CONNECTS_WITHIN_S = 20
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
        stream: SFTPClientFile = self._ask(lambda sftp: sftp.open(full, "rb"), repr(path))
        try:
            yield SftpFile(self._line, full, stream, looked)
        finally:
            with suppress(Lost, asyncssh.Error):
                self._line.ask(lambda _: stream.close())

    def _ask(self, question: Callable[[SFTPClient], Awaitable[Any]], where: str) -> Any:
        try:
            return self._line.ask(question)
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

    def __init__(self, line: Line, full: bytes, stream: SFTPClientFile, looked: asyncssh.SFTPAttrs) -> None:
        self._line, self._full, self._stream, self._before = line, full, stream, _identity(looked)
        self._place = 0
        self.facts = Facts(
            looked.size or 0, None if looked.mtime is None else looked.mtime * 10**9,
            mode=looked.permissions, owner=looked.uid, group=looked.gid,
            version=None if looked.mtime is None else f"{looked.mtime}-{looked.size}",
        )  # fmt: skip

    def read(self, size: int = -1, /) -> bytes:
        wanted = self.facts.size - self._place + 1 if size < 0 else size  # one more: it may have grown
        blocks: list[bytes] = []
        while wanted > 0 and (block := self._block(min(wanted, BLOCK_BYTES))):
            blocks.append(block)
            wanted -= len(block)
        return b"".join(blocks)

    def _block(self, size: int) -> bytes:
        try:
            block = self._line.ask(lambda _: self._stream.read(size, self._place))
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


class Line:
    """One SFTP session on a thread of its own, which others ask; made when first needed, and anew after a break."""

    def __init__(self, place: SftpFolder) -> None:
        self._place = place
        self._connection: asyncssh.SSHClientConnection | None = None
        self._session: SFTPClient | None = None
        self._connecting = asyncio.Lock()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="sftp", daemon=True)
        self._thread.start()

    def ask(self, question: Callable[[SFTPClient], Awaitable[T]]) -> T:
        """The answer. Raises asyncssh.SFTPError for a server's no, Lost when the line broke."""
        return asyncio.run_coroutine_threadsafe(self._answer(question), self._loop).result()

    async def _answer(self, question: Callable[[SFTPClient], Awaitable[T]]) -> T:
        sftp = await self._open()
        try:
            return await asyncio.wait_for(question(sftp), ANSWERS_WITHIN_S)
        except (asyncssh.SFTPConnectionLost, asyncssh.SFTPNoConnection, asyncssh.DisconnectError, OSError) as failure:
            self._drop(sftp)
            raise Lost(where=str(self._place), reason=type(failure).__name__) from failure

    async def _open(self) -> SFTPClient:
        async with self._connecting:
            if self._session is None:
                self._connection = await _connected(self._place)
                self._session = await self._connection.start_sftp_client(path_encoding=None)
            return self._session

    def _drop(self, broken: SFTPClient) -> None:
        if self._session is broken and self._connection is not None:
            self._connection.abort()
            self._session = self._connection = None

    def close(self) -> None:
        """Ends the session and the thread."""
        connection = self._connection
        if connection is not None:
            self._loop.call_soon_threadsafe(connection.abort)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _connected(place: SftpFolder) -> asyncssh.SSHClientConnection:
    """A connection to the very host that is meant. Raises AskPerson when it is another, or does not let us in."""
    options: dict[str, Any] = {}
    if place.host_key:
        options["known_hosts"] = ([asyncssh.import_public_key(place.host_key)], [], [])
    if place.key:
        options |= {"client_keys": [asyncssh.import_private_key(place.key)], "agent_path": None}
    elif place.password:
        options |= {"password": place.password, "client_keys": None, "agent_path": None}
    try:
        return await asyncssh.connect(
            place.host, place.port, username=place.user, connect_timeout=CONNECTS_WITHIN_S,
            login_timeout=CONNECTS_WITHIN_S, keepalive_interval=15, **options,
        )  # fmt: skip
    except asyncssh.HostKeyNotVerifiable as failure:
        raise AskPerson("files.host_unknown", where=str(place)) from failure
    except asyncssh.PermissionDenied as failure:
        raise AskPerson("files.login_refused", where=str(place)) from failure
    except (OSError, asyncssh.Error) as failure:
        raise Lost(where=str(place), reason=type(failure).__name__) from failure


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
