"""A request's body, from the wire to a file: unwrapped, digested and checked on the way, never whole in memory."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.s3 import checksums, framing
from sandbox.state import AwsError, Call

LARGEST = 5 * 1024**3
"""Bytes of one PutObject or UploadPart (Amazon S3 user guide)."""


@dataclass(frozen=True)
class Received:
    """A body that has arrived whole: where it lies, and what it is."""

    path: Path
    size: int
    md5: str
    checksums: dict[str, str]


def receive(call: Call, path: Path, wanted: Iterable[str]) -> Received:
    """The body in the new file `path`, with `wanted` checksums; every claim about it has been compared.

    BadDigest, InvalidDigest, IncompleteBody, XAmzContentSHA256Mismatch, EntityTooLarge leave no file behind.
    """
    trailers: dict[str, str] = {}
    claimed = checksums.named(call.params)
    announced = _announced(call.environ)
    digests = {name: checksums.start(name) for name in {*wanted, *claimed, *announced, "MD5", "SHA256"} if name}
    if _payload_hash(call.environ) is None and "SHA256" not in {*wanted, *claimed, *announced}:
        del digests["SHA256"]
    try:
        size = _write(path, framing.blocks(_own(call), trailers), digests)
        computed = {name: checksums.text(digest.digest()) for name, digest in digests.items()}
        _check(
            call, size, claimed, {name: trailers.get(f"x-amz-checksum-{name.lower()}") for name in announced}, computed
        )
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    kept = {*wanted, *claimed, *announced}
    md5 = base64.b64decode(computed["MD5"]).hex()
    return Received(path, size, md5, {name: value for name, value in computed.items() if name in kept})


def _write(path: Path, blocks: Iterator[bytes], digests: Mapping[str, checksums.Digest]) -> int:
    size = 0
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb", buffering=0) as target:
        for block in blocks:
            size += len(block)
            if size > LARGEST:
                raise AwsError("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
            for digest in digests.values():
                digest.update(block)
            target.write(block)
    return size


def _check(
    call: Call, size: int, claimed: Mapping[str, str], trailing: Mapping[str, str | None], computed: Mapping[str, str]
) -> None:
    declared = call.environ.get("HTTP_X_AMZ_DECODED_CONTENT_LENGTH")
    if declared is not None and int(declared) != size:
        raise AwsError("IncompleteBody", "The request body terminated unexpectedly")
    payload = _payload_hash(call.environ)
    if payload is not None and base64.b64decode(computed["SHA256"]).hex() != payload:
        raise AwsError("XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match")
    given = call.params.get("ContentMD5")
    if given is not None:
        try:
            sound = len(base64.b64decode(given, validate=True)) == 16
        except binascii.Error:
            sound = False
        if not sound:
            raise AwsError("InvalidDigest", "The Content-MD5 you specified was invalid.")
        if given != computed["MD5"]:
            raise AwsError("BadDigest", "The Content-MD5 you specified did not match what we received.")
    checksums.compare(claimed, computed)
    for name, value in trailing.items():
        if value is None:
            raise AwsError("MalformedTrailerError", f"The request contained no trailer x-amz-checksum-{name.lower()}.")
        checksums.compare({name: value}, computed)


def _own(call: Call) -> dict[str, Any]:
    """The request's environment, in which the reader leaves a bounded stream."""
    if not isinstance(call.environ, dict):
        raise TypeError("a WSGI environment is a dict")
    return call.environ


def _announced(environ: Mapping[str, Any]) -> list[str]:
    """The algorithms whose values come after the body."""
    names = str(environ.get("HTTP_X_AMZ_TRAILER", "")).lower().split(",")
    return [name.strip().removeprefix("x-amz-checksum-").upper() for name in names if "x-amz-checksum-" in name]


def _payload_hash(environ: Mapping[str, Any]) -> str | None:
    """The SHA-256 that the signature covers, unless the payload is unsigned or signed in chunks.

    Chunk signatures are not checked: the length, and every checksum that is given, are.
    """
    given = str(environ.get("HTTP_X_AMZ_CONTENT_SHA256", "")).lower()
    return given if len(given) == 64 else None
