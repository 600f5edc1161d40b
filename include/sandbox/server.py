"""One loopback port, one thread per call."""

from __future__ import annotations

import threading
from typing import Any

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import BaseWSGIServer, make_server

from sandbox.gateway import Gateway

LOOPBACK = "127.0.0.1"


class QuietHandler(MotoRequestHandler):
    """Says nothing per request: the audit log is the record, and a client that hangs up is no news."""

    def log_request(self, code: Any = "-", size: Any = "-") -> None:
        """Nothing."""

    def connection_dropped(self, error: BaseException, environ: Any = None) -> None:
        """Closes our end too: HTTP/1.1 would wait for a next request on a connection that has lost a reply."""
        self.close_connection = True


class Server:
    """Serves the gateway on a free loopback port until `stop`."""

    def __init__(self, gateway: Gateway, port: int = 0) -> None:
        self._server: BaseWSGIServer = make_server(LOOPBACK, port, gateway, threaded=True, request_handler=QuietHandler)
        self._thread = threading.Thread(target=self._server.serve_forever, name="gateway", daemon=True)

    @property
    def port(self) -> int:
        """The one it listens on."""
        return self._server.server_port

    def start(self) -> None:
        """Returns at once; connections are accepted from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Accepts no more; calls under way are cut off with the process."""
        self._server.shutdown()
        self._server.server_close()
