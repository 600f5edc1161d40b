"""The files of an SFTP server, read for the verifier alone."""

from __future__ import annotations

import asyncio
import hashlib
import stat
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from typing import Any, TypeVar

import asyncssh

from onboarding.bandwidth import Take, unlimited
from onboarding.errors import AskPerson, OnboardingError, TryAgain
from onboarding.places import SftpFolder

T = TypeVar("T")
Found = tuple[bytes, str, int | None]

BROKEN = (asyncssh.SFTPConnectionLost, asyncssh.SFTPNoConnection, asyncssh.DisconnectError, OSError)
CHUNK_BYTES = 1024 * 1024
WAIT_S = 120


class OnSftp:
    """One session, asked by many threads; a line that breaks ends the comparison."""

    def __init__(self, place: SftpFolder, take: Take = unlimited) -> None:
        self._take = take
        self._place, self._root = place, place.path.rstrip("/").encode() or (b"/" if place.path else b".")
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="originals", daemon=True)
        self._thread.start()
        try:
            self._connection, self._sftp = self._wait(self._connected())
        except BaseException as failure:
            self._stop()
            if isinstance(failure, (OSError, asyncssh.Error)):
                raise _refusal(failure, str(place)) from failure
            raise

    async def _connected(self) -> tuple[asyncssh.SSHClientConnection, asyncssh.SFTPClient]:
        place, how = self._place, dict[str, Any]()
        if place.host_key:
            how["known_hosts"] = ([asyncssh.import_public_key(place.host_key)], [], [])
        if place.password or place.key:
            how |= {"agent_path": None, "client_keys": [asyncssh.import_private_key(place.key)] if place.key else None}
        if place.password:
            how["password"] = place.password
        connection = await asyncssh.connect(place.address, place.port, username=place.user, connect_timeout=20, **how)
        return connection, await connection.start_sftp_client(path_encoding=None)

    def walk(self) -> Iterator[Found]:
        waiting = [b""]
        while waiting:
            folder = waiting.pop()
            for path, kind, size in self._run(self._listed(folder)):
                if kind == "folder":
                    waiting.append(path + b"/")
                else:
                    yield path, kind, size

    async def _listed(self, folder: bytes) -> list[Found]:
        try:
            return [one async for one in self._entries(folder)]
        except BROKEN:
            raise
        except asyncssh.SFTPError:
            return [(folder.rstrip(b"/"), "unread", None)]

    async def _entries(self, folder: bytes) -> AsyncIterator[Found]:
        async for entry in self._sftp.scandir(self._root.rstrip(b"/") + b"/" + folder):
            name, mode = bytes(entry.filename), entry.attrs.permissions or 0  # type: ignore[arg-type]  # bytes asked
            if name not in (b".", b".."):
                yield folder + name, _kind(mode) if b"/" not in name else "unread", entry.attrs.size

    def read(self, path: bytes) -> tuple[bytes, int] | None:
        try:
            return self._run(self._read(self._root.rstrip(b"/") + b"/" + path))
        except asyncssh.SFTPError:
            return None

    def stamp(self, _path: bytes) -> str | None:
        return None

    async def _read(self, path: bytes) -> tuple[bytes, int] | None:
        digest, size = hashlib.sha256(), 0
        before = await self._sftp.lstat(path)
        if not stat.S_ISREG(before.permissions or 0):
            return None
        async with self._sftp.open(path, "rb") as stream:
            # not once more for the end: whether it has grown, its size afterwards tells
            while size < (before.size or 0) and (chunk := await asyncio.wait_for(stream.read(CHUNK_BYTES), WAIT_S)):
                if self._take is not unlimited:  # a wait must not hold up what others ask on this loop
                    await asyncio.to_thread(self._take, len(chunk))
                digest.update(bytes(chunk))  # type: ignore[arg-type]  # opened as bytes
                size += len(chunk)
        after = await self._sftp.lstat(path)
        still = (before.mtime, before.size) == (after.mtime, after.size) == (after.mtime, size)
        return (digest.digest(), size) if still else None

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._wait(self._while_connected(work))

    async def _while_connected(self, work: Coroutine[Any, Any, T]) -> T:
        """asyncssh never answers some of what was asked of a connection that just ended."""
        asked, ended = asyncio.create_task(work), asyncio.create_task(self._connection.wait_closed())
        either: set[asyncio.Task[Any]] = {asked, ended}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        for task in either:
            task.cancel()  # no more than a word to one that is done
        try:
            if asked.done():
                return asked.result()
        except BROKEN as failure:
            raise self._lost() from failure
        raise self._lost()

    def _lost(self) -> TryAgain:
        return TryAgain("reconcile.connection_lost", where=str(self._place), reason="SFTP")

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def close(self) -> None:
        self._wait(self._end())
        self._stop()

    async def _end(self) -> None:
        self._connection.abort()
        await self._connection.wait_closed()
        await self._sftp.wait_closed()

    def _stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


def _refusal(failure: Exception, where: str) -> OnboardingError:
    if isinstance(failure, asyncssh.HostKeyNotVerifiable):
        return AskPerson("reconcile.host_unknown", where=where)
    if isinstance(failure, asyncssh.PermissionDenied):
        return AskPerson("reconcile.login_refused", where=where)
    return TryAgain("reconcile.connection_lost", where=where, reason=type(failure).__name__)


def _kind(mode: int) -> str:
    if stat.S_ISDIR(mode):
        return "folder"
    if stat.S_ISREG(mode):
        return "file"
    named = {stat.S_IFLNK: "symlink", stat.S_IFIFO: "fifo", stat.S_IFSOCK: "socket"}
    return named.get(stat.S_IFMT(mode), "device")
