"""A request's payload as it comes off the wire, out of its aws-chunked framing if it has one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from sandbox.state import AwsError

BLOCK = 1 << 20
LONGEST_LINE = 16 * 1024


def blocks(environ: dict[str, Any], trailers: dict[str, str]) -> Iterator[bytes]:
    """The payload; aws-chunked framing is taken off, what follows it goes to `trailers`."""
    raw = _Wire(environ)
    if str(environ.get("HTTP_X_AMZ_CONTENT_SHA256", "")).startswith("STREAMING-"):
        yield from _unframed(raw, trailers)
        return
    while block := raw.read(BLOCK):
        yield block
    raw.must_be_complete()


def _unframed(raw: _Wire, trailers: dict[str, str]) -> Iterator[bytes]:
    while True:
        try:
            left = int(raw.line().partition(b";")[0], 16)
        except ValueError as problem:
            raise AwsError("IncompleteBody", "The request body is not aws-chunked") from problem
        if left == 0:
            break
        while left:
            block = raw.read(min(left, BLOCK))
            if not block:
                raise AwsError("IncompleteBody", "The request body terminated unexpectedly")
            left -= len(block)
            yield block
        if raw.line():
            raise AwsError("IncompleteBody", "The request body is not aws-chunked")
    while line := raw.line():
        name, _, value = line.decode("latin-1").partition(":")
        trailers[name.strip().lower()] = value.strip()


class _Bounded:
    """Reads what the request carries and not a byte more, whoever reads on when we have stopped."""

    def __init__(self, read: Callable[[int], bytes], length: int) -> None:
        self._read, self.left = read, length

    def read(self, most: int) -> bytes:
        """Up to `most` bytes; b"" at the end."""
        block = self._read(min(most, self.left))
        self.left = self.left - len(block) if block else 0
        return block


class _Wire:
    """The request's raw body, by blocks or by lines."""

    def __init__(self, environ: dict[str, Any]) -> None:
        self._missing = 0
        if not environ.get("wsgi.input_terminated"):
            if "CONTENT_LENGTH" not in environ:
                raise AwsError("MissingContentLength", "You must provide the Content-Length HTTP header.", 411)
            self._missing = int(environ["CONTENT_LENGTH"] or 0)
            environ["wsgi.input"] = _Bounded(environ["wsgi.input"].read, self._missing)
        self._read: Callable[[int], bytes] = environ["wsgi.input"].read
        self._ahead = b""

    def read(self, most: int) -> bytes:
        """Up to `most` bytes; b"" at the end."""
        if self._ahead:
            block, self._ahead = self._ahead[:most], self._ahead[most:]
            return block
        block = self._read(most)
        self._missing -= len(block)
        return block

    def line(self) -> bytes:
        """The next line without its CR LF; b"" at the end."""
        while b"\n" not in self._ahead:
            if len(self._ahead) > LONGEST_LINE:
                raise AwsError("IncompleteBody", "The request body is not aws-chunked")
            held, self._ahead = self._ahead, b""
            more = self.read(BLOCK)
            self._ahead = held + more
            if not more:
                break
        line, _, self._ahead = self._ahead.partition(b"\n")
        return line.rstrip(b"\r")

    def must_be_complete(self) -> None:
        """IncompleteBody when the client went away before the end."""
        if self._missing > 0:
            raise AwsError("IncompleteBody", "You did not provide the number of bytes specified by Content-Length")
