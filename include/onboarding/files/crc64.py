"""CRC-64/NVME: what S3 can hold a whole object against that came in parts. SHA-256 it only knows part by part."""

from __future__ import annotations

import anycrc  # type: ignore[import-untyped]  # it carries no types

_MODEL = anycrc.Model("CRC64-NVME")


class Crc64:
    """A running checksum, as hashlib's are."""

    def __init__(self, start: bytes = b"") -> None:
        self._value = _MODEL.calc(start)

    def update(self, data: bytes, /) -> None:
        """Takes more bytes in."""
        self._value = _MODEL.calc(data, self._value)

    def digest(self) -> bytes:
        """The eight bytes so far, the highest first, as S3 encodes them."""
        return int(self._value).to_bytes(8, "big")
