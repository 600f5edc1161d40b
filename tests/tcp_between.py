"""A line between a client and a server that can be torn, or go silent for a while."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

BLOCK_BYTES = 65536
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER with no time left: closing sends a reset, whatever was still under way (socket(7))."""


class Wire:
    """What one address forwards to another, port for port."""

    def __init__(self, host: str, to: str, port: int) -> None:
        self.host, self._to, self._port = host, to, port
        self._loop = asyncio.new_event_loop()
        self._flows = asyncio.Event()
        self._flows.set()
        self._ends: set[asyncio.StreamWriter] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"wire {host}")

    def tear(self) -> None:
        """Every connection is reset at both ends."""
        self._loop.call_soon_threadsafe(self._tear)

    def hang(self, seconds: float) -> None:
        """Connections stay and new ones are accepted, but not a byte comes through for so long."""

        def silence() -> None:
            self._flows.clear()
            self._loop.call_later(seconds, self._flows.set)

        self._loop.call_soon_threadsafe(silence)

    def open(self) -> None:
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(self._serve, self.host, self._port), self._loop
        ).result(10)

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _close(self) -> None:
        self._server.close()
        self._tear()
        self._flows.set()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, beyond = await asyncio.open_connection(self._to, self._port)
        except OSError:
            writer.transport.abort()
            return
        self._ends |= {writer, beyond}
        await asyncio.gather(self._pump(reader, beyond), self._pump(there, writer))
        self._ends -= {writer, beyond}

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while block := await reader.read(BLOCK_BYTES):
                await self._flows.wait()
                writer.write(block)
                await writer.drain()
        writer.close()

    def _tear(self) -> None:
        for end in self._ends:
            open_: socket.socket = end.get_extra_info("socket")
            with suppress(OSError):
                open_.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            end.transport.abort()


@contextmanager
def wire(host: str, to: str, port: int) -> Iterator[Wire]:
    """`host:port` leads to `to:port` for the block."""
    line = Wire(host, to, port)
    line.open()
    try:
        yield line
    finally:
        line.close()
