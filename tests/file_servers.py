"""Servers of files for tests, on loopback: an SFTP server (asyncssh's own), and a web server that lists its folders."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any

import asyncssh
from loopback import listening

PASSWORD = "ความลับ-of-the-agency"


class Account(asyncssh.SSHServer):
    """Lets in `agency` by its password."""

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == ("agency", PASSWORD)


@dataclass
class SftpServer:
    """`cut` ends every connection as it stands."""

    port: int
    host_key: str
    cut: Callable[[], None]


@contextmanager
def sftp_server(root: Path) -> Iterator[SftpServer]:
    """Serves `root` as `/` for the block."""
    key = asyncssh.generate_private_key("ssh-ed25519")
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    connections: list[Any] = []

    class Connected(Account):
        def connection_made(self, conn: Any) -> None:
            connections.append(conn)

    def session(chan: Any) -> asyncssh.SFTPServer:
        return asyncssh.SFTPServer(chan, chroot=bytes(root))

    def run(work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, loop).result(30)

    async def cut() -> None:
        for one in connections:
            one.abort()
        connections.clear()

    async def listen() -> Any:
        return await asyncssh.listen(
            "127.0.0.1", 0, server_factory=Connected, server_host_keys=[key], sftp_factory=session
        )

    server = run(listen())
    try:
        yield SftpServer(server.get_port(), key.export_public_key().decode().strip(), lambda: run(cut()))
    finally:
        run(cut())
        server.close()
        run(server.wait_closed())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@dataclass
class WebServer:
    """`pages` are answered in place of what lies at a path; `cut_once` are paths that break off in the middle once."""

    url: str
    pages: dict[str, bytes] = field(default_factory=dict)
    cut_once: set[str] = field(default_factory=set)
    asked: list[tuple[str, str]] = field(default_factory=list)


@contextmanager
def web_server(root: Path) -> Iterator[WebServer]:
    """Serves `root` with listings for the block."""

    class Handler(SimpleHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            found.asked.append((self.command, self.path))
            if (page := found.pages.get(self.path)) is not None:
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(page)))
                self.end_headers()
                self.wfile.write(page)
            elif self.path in found.cut_once:
                found.cut_once.discard(self.path)
                self.send_response(200)
                self.send_header("Content-Length", "1000000")
                self.end_headers()
                self.wfile.write(b"only the beginning")
                self.close_connection = True
            else:
                super().do_GET()

        def log_message(self, *_: object) -> None:
            pass

    found = WebServer("")
    with listening(partial(Handler, directory=str(root))) as url:
        found.url = f"{url}/"
        yield found
