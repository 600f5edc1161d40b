"""A real HTTP server between a client and an S3 server: it forwards, remembers, and does what a test asks of it."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from urllib.parse import unquote, urlsplit

from loopback import listening


@dataclass
class Passed:
    """One request as it came, with the status that it was answered."""

    method: str
    key: str
    query: str
    headers: dict[str, str]
    body: bytes = field(repr=False)
    status: int = 0

    @property
    def writes_file(self) -> bool:
        """Whether it would write an object, or a part of one, that is no note of ours."""
        return self.method == "PUT" and self.key.count("/") > 1 and "_manifest" not in self.key

    @property
    def by_obstore(self) -> bool:
        return self.headers.get("user-agent") == "namrong"


@dataclass
class Between:
    """`meddle` sees each request before it goes on, and may wait, change its body, or answer by itself (a status)."""

    url: str
    passed: list[Passed] = field(default_factory=list)
    meddle: Callable[[Passed], int | None] = lambda _: None

    def puts(self) -> list[Passed]:
        """Requests that would write a file or a part of one."""
        return [one for one in self.passed if one.writes_file]


@contextmanager
def between(endpoint: str) -> Iterator[Between]:
    """Stands before `endpoint` for the block."""
    behind = urlsplit(endpoint)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def forward(self) -> None:
            parts = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(int(headers.get("content-length", 0)))
            request = Passed(self.command, unquote(parts.path), parts.query, headers, body)
            found.passed.append(request)
            if (status := found.meddle(request)) is not None:
                request.status = status
                self.answer(status, [], b"")
                return
            connection = http.client.HTTPConnection(str(behind.hostname), behind.port)
            sent = {name: value for name, value in self.headers.items() if name.lower() != "expect"}
            connection.request(self.command, self.path, request.body, sent)
            answer = connection.getresponse()
            content, request.status = answer.read(), answer.status
            self.answer(answer.status, answer.getheaders(), content)
            connection.close()

        def answer(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
            self.send_response_only(status)
            for name, value in headers:
                if name.lower() not in ("connection", "transfer-encoding", "content-length"):
                    self.send_header(name, value)
            length = {name.lower(): value for name, value in headers}.get("content-length")
            self.send_header("Content-Length", length if length and not content else str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = forward

        def log_message(self, *_: object) -> None:
            pass

    found = Between("")
    with listening(Handler) as found.url:
        yield found
