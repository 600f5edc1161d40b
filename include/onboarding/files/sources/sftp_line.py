"""The connection to an SFTP server: on a thread of its own, asked by many, made anew when it breaks."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

import asyncssh
from asyncssh import SFTPClient, SSHClientConnection

from onboarding.errors import AskPerson
from onboarding.files.sources import Lost
from onboarding.places import SftpFolder

T = TypeVar("T")

log = logging.getLogger(__name__)

ANSWERS_WITHIN_S = 120
CONNECTS_WITHIN_S = 20


@dataclass(frozen=True, eq=False)
class Session:
    """What was opened in a session is known to it alone. `closed` is done once its connection has ended."""

    connection: SSHClientConnection
    sftp: SFTPClient
    closed: asyncio.Task[None]


class Line:
    """The session that stands, opened when first needed."""

    def __init__(self, place: SftpFolder) -> None:
        self._place = place
        self._session: Session | None = None
        self._connecting = asyncio.Lock()
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(_leave)
        self._thread = threading.Thread(target=self._loop.run_forever, name="sftp", daemon=True)
        self._thread.start()

    def session(self) -> Session:
        """The one that stands. Raises AskPerson for another host or a login refused, Lost when nobody answers."""
        return self._run(self._open())

    def ask(self, question: Callable[[SFTPClient], Awaitable[T]], session: Session | None = None) -> T:
        """The answer of that session, or of the one that stands.

        Raises asyncssh.SFTPError for a server's no, Lost when the line broke or nothing came for two minutes.
        """
        return self._run(self._answer(question, session))

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _answer(self, question: Callable[[SFTPClient], Awaitable[T]], session: Session | None) -> T:
        session = session or await self._open()
        answer = asyncio.ensure_future(question(session.sftp))
        try:
            return await _sooner(answer, session.closed)
        except (asyncssh.SFTPConnectionLost, asyncssh.SFTPNoConnection, asyncssh.DisconnectError, OSError) as failure:
            self._drop(session)
            raise Lost(where=str(self._place), reason=type(failure).__name__) from failure

    async def _open(self) -> Session:
        async with self._connecting:
            if self._session is None or self._session.closed.done():
                self._session = await _connected(self._place)
            return self._session

    def _drop(self, broken: Session) -> None:
        broken.connection.abort()
        if self._session is broken:
            self._session = None

    def close(self) -> None:
        """Ends the session and the thread."""
        self._run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        if self._session is not None:
            self._session.connection.abort()
            await self._session.closed
            await self._session.sftp.wait_closed()


def _leave(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What asyncssh leaves of reads that broke off: whoever asked was told already."""
    log.debug("sftp: %s", context.get("exception") or context.get("message"))


async def _sooner(answer: asyncio.Future[T], closed: asyncio.Task[None]) -> T:
    """The answer; ConnectionResetError when the connection ended first: asyncssh leaves some questions to such a
    connection waiting for ever."""
    either: set[asyncio.Future[Any]] = {answer, closed}
    await asyncio.wait(either, timeout=ANSWERS_WITHIN_S, return_when=asyncio.FIRST_COMPLETED)
    if answer.done():
        return answer.result()
    answer.cancel()
    raise ConnectionResetError if closed.done() else TimeoutError


async def _connected(place: SftpFolder) -> Session:
    """A session of the very host that is meant. Raises AskPerson when it is another, or does not let us in."""
    try:
        options = _options(place)
        connection = await asyncssh.connect(
            place.address, place.port, username=place.user, connect_timeout=CONNECTS_WITHIN_S,
            login_timeout=CONNECTS_WITHIN_S, keepalive_interval=15, **options,
        )  # fmt: skip
        return await _started(connection)
    except asyncssh.HostKeyNotVerifiable as failure:
        raise AskPerson("files.host_unknown", where=str(place)) from failure
    except asyncssh.PermissionDenied as failure:
        raise AskPerson("files.login_refused", where=str(place)) from failure
    except asyncssh.KeyImportError as failure:
        raise AskPerson("files.bad_key", where=str(place)) from failure
    except (OSError, asyncssh.Error) as failure:
        raise Lost(where=str(place), reason=type(failure).__name__) from failure


def _options(place: SftpFolder) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if place.host_key:
        options["known_hosts"] = ([asyncssh.import_public_key(place.host_key)], [], [])
    if place.key:
        options |= {"client_keys": [asyncssh.import_private_key(place.key)], "agent_path": None}
    elif place.password:
        options |= {"password": place.password, "client_keys": None, "agent_path": None}
    return options


async def _started(connection: SSHClientConnection) -> Session:
    closed = asyncio.create_task(connection.wait_closed())
    started = asyncio.ensure_future(connection.start_sftp_client(path_encoding=None))
    try:
        return Session(connection, await _sooner(started, closed), closed)
    except BaseException:
        connection.abort()
        raise
