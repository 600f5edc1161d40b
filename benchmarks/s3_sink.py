"""An S3 server that keeps no content, so that what is timed is the client: heads are read, bodies are dropped.

`python benchmarks/s3_sink.py PORT [MS]`, on 127.0.0.1; each answer comes so many milliseconds late, as over a line. It
knows listing (always empty), HEAD, PUT, and uploads in parts.
A body of up to 1 MiB that comes with x-amz-checksum-sha256 is held against it, refused as S3 refuses it, and told back
as S3 tells it, because a client may ask whether its checksums are looked at. A longer one is dropped unseen and its
checksum believed: hashing it would take the processor from the client. Signatures are not looked at.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import sys
from typing import cast
from urllib.parse import parse_qs, urlsplit

import uvloop

CHECKED_BYTES = 1024 * 1024
ROOM_BYTES = 512 * 1024
CHECKSUM = "x-amz-checksum-sha256"
OF_PARTS = "x-amz-checksum-crc64nvme"
XML = '<?xml version="1.0" encoding="UTF-8"?>'
EMPTY_LIST = f"{XML}<ListBucketResult><IsTruncated>false</IsTruncated><KeyCount>0</KeyCount></ListBucketResult>"

LATE_S = int(sys.argv[2]) / 1000 if len(sys.argv) > 2 else 0.0

_sizes: dict[str, int] = {}
_parts: dict[str, dict[int, int]] = {}


class Connection(asyncio.BufferedProtocol):
    """One client's connection, request after request; what arrives is read into the same room again and again."""

    def __init__(self) -> None:
        self._room = memoryview(bytearray(ROOM_BYTES))
        self._head = bytearray()
        self._missing = self._length = 0
        self._digest: hashlib._Hash | None = None
        self._request: tuple[str, str, dict[str, str]] | None = None
        self._transport: asyncio.WriteTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)  # uvloop's is one, by its methods

    def get_buffer(self, _: int) -> memoryview:
        return self._room

    def buffer_updated(self, count: int) -> None:
        data = self._room[:count]
        while data:
            if self._request is None:
                before = len(self._head)
                self._head += data
                end = self._head.find(b"\r\n\r\n")
                if end < 0:
                    return
                data = data[end + 4 - before :]
                self._begin(bytes(self._head[:end]))
                self._head.clear()
            body, data = data[: self._missing], data[self._missing :]
            self._missing -= len(body)
            if self._digest is not None:
                self._digest.update(body)
            if not self._missing:
                if LATE_S:
                    asyncio.get_running_loop().call_later(LATE_S, self._answer)
                else:
                    self._answer()

    def _begin(self, head: bytes) -> None:
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        self._request = method, target, headers
        self._missing = self._length = int(headers.get("content-length", 0))
        checked = CHECKSUM in headers and self._length <= CHECKED_BYTES
        self._digest = hashlib.sha256() if checked else None
        if "100-continue" in headers.get("expect", "").lower():
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _answer(self) -> None:
        assert self._request is not None
        method, target, headers = self._request
        self._request = None
        if self._digest is not None and self._digest.digest() != base64.b64decode(headers[CHECKSUM]):
            self._send("400 Bad Request", f"{XML}<Error><Code>BadDigest</Code><Message>SHA-256</Message></Error>")
            return
        self._send(*answer(method, target, self._length, headers), quiet=method == "HEAD")

    def _send(self, status: str, body: str = "", *more: str, quiet: bool = False) -> None:
        length = [] if quiet and more else [f"Content-Length: {len(body)}"]
        lines = [f"HTTP/1.1 {status}", "Server: sink", 'ETag: "sink-1"', *length, *more, "", "" if quiet else body]
        self._transport.write("\r\n".join(lines).encode())


def answer(method: str, target: str, length: int, headers: dict[str, str]) -> tuple[str, ...]:
    """Status line, body and further headers."""
    parts = urlsplit(target)
    asked = parse_qs(parts.query, keep_blank_values=True)
    if method == "PUT":
        if "partNumber" in asked:
            _parts.setdefault(parts.path, {})[int(asked["partNumber"][0])] = length
        else:
            _sizes[parts.path] = length
        return "200 OK", "", *([f"{CHECKSUM}: {headers[CHECKSUM]}"] if CHECKSUM in headers else [])
    if method == "HEAD":
        if parts.path.count("/") == 1:
            return "200 OK", "", "Content-Length: 0"
        if parts.path not in _sizes:
            return "404 Not Found", "", "Content-Length: 0"
        return "200 OK", "", f"Content-Length: {_sizes[parts.path]}", "Last-Modified: Mon, 23 Nov 2026 00:00:00 GMT"
    if method == "POST" and "uploads" in asked:
        return "200 OK", f"{XML}<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>"
    if method == "POST":
        return "200 OK", completed(parts.path, _parts.pop(parts.path, {}), headers.get(OF_PARTS, ""))
    if "uploads" in asked:
        return "200 OK", f"{XML}<ListMultipartUploadsResult></ListMultipartUploadsResult>"
    return ("204 No Content",) if method == "DELETE" else ("200 OK", EMPTY_LIST)


def completed(path: str, lengths: dict[int, int], checksum: str) -> str:
    """What S3 answers when the last part is there."""
    _sizes[path] = sum(lengths.values())
    told = f"<ChecksumCRC64NVME>{checksum}</ChecksumCRC64NVME>" if checksum else ""
    return f'{XML}<CompleteMultipartUploadResult><ETag>"sink-2"</ETag>{told}</CompleteMultipartUploadResult>'


async def serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
