"""Connections for the rows themselves: asyncpg hands on what the server sent as it came, not row by row.

(psycopg's COPY gives a message per row, as libpq does: four times the processor time for the same bytes, measured on
three million rows.) What is no row stays with psycopg.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar
from urllib.parse import urlencode

import asyncpg

from onboarding.addresses import CONNECT_TIMEOUT_S, Database
from onboarding.databases.sessions import PINNED, explained, named_only
from onboarding.databases.snapshot import IMPORTING, SEES, importing, sees
from onboarding.errors import Stop, TryAgain

Result = TypeVar("Result")

IN_FLIGHT = 16
"""Chunks, of some 64 KiB each, that may wait for the slower server."""


def run(work: Callable[[], Coroutine[Any, Any, Result]], *databases: Database) -> Result:
    """The result of `work()`, in an event loop of its own that finds these databases where their resolver says."""
    addresses = {database.host: database.resolve(database.host) for database in databases}
    with asyncio.Runner(loop_factory=lambda: _Loop(addresses)) as runner:
        return runner.run(work())


class Stream(asyncpg.Connection):  # type: ignore[misc]
    """A connection that knows whose it is, so that a failure is told of the right side."""

    where: str = ""


@asynccontextmanager
async def stream(database: Database, label: str) -> AsyncIterator[Stream]:
    """A pinned connection; `label` tells the server whose it is. Its errors become ours, as in `sessions.told`."""
    # the host's name stays, for its certificate; the loop knows the address
    tls = {"sslmode": database.sslmode, **({"sslrootcert": database.sslrootcert} if database.sslrootcert else {})}
    with _told(str(database)):
        connection = await asyncpg.connect(
            f"postgresql://?{urlencode(tls)}",
            host=database.host, port=database.port, database=database.name, user=database.user,
            password=database.password or None, timeout=CONNECT_TIMEOUT_S, statement_cache_size=0,
            server_settings={"application_name": label}, connection_class=Stream,
        )  # fmt: skip
        connection.where = str(database)
        try:
            await connection.execute(PINNED)
            yield connection
        finally:
            # what is still open is undone; waiting for a goodbye could hang on a server that is gone
            connection.terminate()


PLACES = ("schema", "table", "column", "constraint", "data_type")


@contextmanager
def _told(where: str) -> Iterator[None]:
    try:
        yield
    except asyncpg.PostgresError as failure:
        named = (getattr(failure, f"{what}_name", None) for what in PLACES)
        raise explained(where, failure.sqlstate or "", named_only(failure, *named)) from failure
    except (asyncpg.InterfaceError, OSError, TimeoutError) as failure:
        raise TryAgain("databases.interrupted", where=where, reason=type(failure).__name__) from failure


async def begin_on_snapshot(reading: Stream, snapshot_id: str, lock_patience_ms: int) -> None:
    """Opens the transaction that all that is read comes from. Raises Stop when the snapshot is gone."""
    with _told(reading.where):
        await reading.execute("BEGIN")
        await reading.execute(IMPORTING)
        try:
            await reading.execute(importing(snapshot_id))
        except (asyncpg.UndefinedObjectError, asyncpg.InvalidParameterValueError) as gone:
            raise Stop("databases.snapshot_gone", where=reading.where) from gone
        if await reading.fetchval(SEES) != sees(snapshot_id):
            raise Stop("databases.snapshot_gone", where=reading.where)
        await reading.execute(f"SET LOCAL lock_timeout = {lock_patience_ms}")


async def pass_through(
    reading: Stream, query: str, writing: Stream, *, schema: str, table: str, columns: list[str], form: str
) -> tuple[int, int, int]:
    """Rows read, rows written and bytes, of one COPY into another; `form` is `binary` or `text`."""
    chunks: asyncio.Queue[bytes] = asyncio.Queue(IN_FLIGHT)
    size = 0

    async def give(chunk: bytes) -> None:
        nonlocal size
        size += len(chunk)
        await chunks.put(chunk)

    async def read() -> str:
        with _told(reading.where):
            said = await reading.copy_from_query(query, output=give, format=form)
        await chunks.put(b"")
        return str(said)

    async def taken() -> AsyncIterator[bytes]:
        while chunk := await chunks.get():
            yield chunk

    async def write() -> str:
        # no list of columns: a table may have none of its own
        into = {"schema_name": schema, "columns": columns or None}
        with _told(writing.where):
            return str(await writing.copy_to_table(table, source=taken(), format=form, **into))

    both = [asyncio.ensure_future(read()), asyncio.ensure_future(write())]
    try:
        said = await asyncio.gather(*both)
    except BaseException:
        for one in both:
            one.cancel()
        await asyncio.gather(*both, return_exceptions=True)
        raise
    read_rows, written_rows = (int(words.split()[-1]) for words in said)
    return read_rows, written_rows, size


class _Loop(asyncio.SelectorEventLoop):
    """Names are looked up by our own resolver, beforehand."""

    def __init__(self, addresses: Mapping[str, str]) -> None:
        super().__init__()
        self._addresses = addresses

    async def getaddrinfo(self, host: Any, port: Any, **kinds: Any) -> Any:
        """The address that the resolver gave for the name."""
        kinds["flags"] = kinds.get("flags", 0) | socket.AI_NUMERICHOST
        return socket.getaddrinfo(self._addresses[str(host)], port, **kinds)
