"""S3's checksums, computed by the server and compared with what the client claims.

Source: Amazon S3 user guide, "Checking object integrity": algorithms, full-object and composite values.
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import anycrc  # type: ignore[import-untyped]  # it carries no types

from sandbox.state import AwsError

DEFAULT = "CRC64NVME"
"""What S3 computes when the client names no algorithm."""
UNKNOWN = ("XXHASH64", "XXHASH3", "XXHASH128")
_CRC32C, _CRC64NVME = anycrc.Model("CRC32-ISCSI"), anycrc.Model("CRC64-NVME")


class Digest(Protocol):
    """A running checksum."""

    def update(self, data: bytes, /) -> None:
        """Takes more bytes in."""

    def digest(self) -> bytes:
        """The value so far."""


class _Crc:
    def __init__(self, step: Any, width: int) -> None:
        self._step, self._width = step, width
        self._value = step(b"")

    def update(self, data: bytes, /) -> None:
        self._value = self._step(data, self._value)

    def digest(self) -> bytes:
        return int(self._value).to_bytes(self._width, "big")


def start(algorithm: str) -> Digest:
    """A running checksum; 501 for algorithms that are not done here."""
    match algorithm:
        case "CRC32":
            return _Crc(zlib.crc32, 4)
        case "CRC32C":
            return _Crc(_CRC32C.calc, 4)
        case "CRC64NVME":
            return _Crc(_CRC64NVME.calc, 8)
        case "SHA1" | "SHA256" | "SHA512" | "MD5":
            return hashlib.new(algorithm.lower(), usedforsecurity=False)
    if algorithm in UNKNOWN:
        raise AwsError("NotImplemented", f"the sandbox does not compute {algorithm}", 501)
    raise AwsError("InvalidRequest", "Checksum algorithm provided is unsupported.")


def text(value: bytes) -> str:
    """A checksum as S3 writes it."""
    return base64.b64encode(value).decode()


def named(params: Mapping[str, Any]) -> dict[str, str]:
    """The checksums that a call carries, by algorithm."""
    prefix = "Checksum"
    return {
        name.removeprefix(prefix).upper(): str(value)
        for name, value in params.items()
        if name.startswith(prefix) and name not in ("ChecksumAlgorithm", "ChecksumMode", "ChecksumType") and value
    }


def members(values: Mapping[str, str]) -> dict[str, str]:
    """Checksums as members of an answer."""
    return {f"Checksum{algorithm}": value for algorithm, value in values.items()}


def compare(claimed: Mapping[str, str], computed: Mapping[str, str]) -> None:
    """BadDigest unless every claim is what was computed."""
    for algorithm, value in claimed.items():
        try:
            sound = len(base64.b64decode(value, validate=True)) == len(base64.b64decode(computed[algorithm]))
        except ValueError:
            sound = False
        if not sound:
            raise AwsError("InvalidRequest", f"Value for x-amz-checksum-{algorithm.lower()} header is invalid.")
        if computed[algorithm] != value:
            raise AwsError("BadDigest", f"The {algorithm} you specified did not match the calculated checksum.")


def composite(algorithm: str, parts: Iterable[str]) -> str:
    """The checksum of the parts' checksums, with their number."""
    values = [base64.b64decode(part) for part in parts]
    digest = start(algorithm)
    for value in values:
        digest.update(value)
    return f"{text(digest.digest())}-{len(values)}"
