"""An HTTP server on loopback for the length of a block."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


@contextmanager
def listening(
    handler: Callable[..., BaseHTTPRequestHandler],
    *,
    at: str = "127.0.0.1",
    port: int = 0,
    tls: ssl.SSLContext | None = None,
) -> Iterator[str]:
    """Its address, without a stroke at the end; https with `tls`."""
    made: Any = handler
    server = _Server((at, port), made)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://{at}:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
