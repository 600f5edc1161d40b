"""A service's own front end: the page by which it says whether it is well, answered out of its database.

Like the program of a service in use it looks up, for every answer, where the service's name leads now, and logs in
there with the service's own login.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any

import psycopg

PORT = 18_080
"""Fixed, because a manifest names it; on a loopback address that is the agency's alone."""
PAGE = "/health"
WITHIN_S = 5


class WebFront:
    """The front end at `host`, from `start` to `stop`; `login` is what libpq needs besides the address.

    Raises OSError when the port is taken there.
    """

    def __init__(self, host: str, login: dict[str, Any], leads_to: Callable[[], str]) -> None:
        class Answering(_Answers):
            def look(self) -> str:
                return _asked(leads_to(), login)

        try:
            self._server = _Server((host, PORT), Answering)
        except OSError as failure:
            raise OSError(f"the front end cannot listen at {host}:{PORT}: {failure}") from failure
        self._thread = threading.Thread(target=self._server.serve_forever, name=f"front end at {host}")

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends it; does nothing more when it never began."""
        if self._thread.ident is not None:
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    def server_bind(self) -> None:
        """Without the look-up of its own name in the DNS of a machine that may have none."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])


class _Answers(BaseHTTPRequestHandler):
    def look(self) -> str:
        """The database's address. Raises psycopg.Error or OSError when it does not answer."""
        raise NotImplementedError

    def do_GET(self) -> None:
        if self.path != PAGE:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        try:
            status, said = HTTPStatus.OK, {"database": self.look()}
        except (psycopg.Error, OSError) as failure:
            status, said = HTTPStatus.SERVICE_UNAVAILABLE, {"reason": type(failure).__name__}
        content = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Nothing: who asks knows what was answered."""


def _asked(address: str, login: dict[str, Any]) -> str:
    with psycopg.connect(host=address, connect_timeout=WITHIN_S, application_name="front end", **login) as session:
        session.execute("SELECT count(*) FROM pg_catalog.pg_class")
    return address
