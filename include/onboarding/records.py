"""What one ledger record is, and the link that chains it to the one before."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any
from uuid import UUID

from onboarding.errors import Stop

GENESIS = "0" * 64
"""What the first record links to."""

SECRET = re.compile(r"(password|passwd|secret_?access_?key|session_?token|private_?key)$", re.IGNORECASE)
"""Names under which a text is a secret: what is once in the ledger stays there."""


@dataclass(frozen=True)
class Head:
    """The end of the chain: how many records there are and the hash of the last."""

    seq: int
    hash: str


@dataclass(frozen=True)
class Record:
    """One piece of evidence. `text` is the exact body that was hashed, `body` the same, parsed."""

    seq: int
    at: datetime
    pilot: str
    kind: str
    subject: str
    run: str
    text: str
    prev_hash: str
    hash: str

    @cached_property
    def body(self) -> Mapping[str, Any]:
        """The parsed body."""
        parsed: Mapping[str, Any] = json.loads(self.text)
        return parsed


def canonical(body: Mapping[str, Any]) -> bytes:
    """One JSON text (UTF-8) per content: keys sorted, no spaces, no NaN, times in UTC.

    Dates, times, Decimal and UUID become text. Raises Stop for what is no JSON, and for NUL and lone surrogates,
    which PostgreSQL's jsonb refuses.
    """
    try:
        text = json.dumps(_plain(body), sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        encoded = text.encode()
    except (TypeError, ValueError, RecursionError) as failure:
        raise Stop("ledger.body_refused", reason=str(failure)) from failure
    if "\\u0000" in text and "\0" in "".join(_texts(json.loads(text))):
        raise Stop("ledger.body_refused", reason="a text holds the character NUL")
    return encoded


def link(prev_hash: str, record: Record) -> str:
    """SHA-256 (hex) over the previous hash and every field of `record`, each with its length in bytes.

    The same as `ledger.chain()` in sql/ledger.sql: the database writes it, this reads it.
    """
    at = record.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    fields = (prev_hash, str(record.seq), at, record.pilot, record.kind, record.subject, record.run, record.text)
    encoded = [field.encode() for field in fields]
    return hashlib.sha256(b"".join(b"%d:%b," % (len(field), field) for field in encoded)).hexdigest()


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, str):
        return str(value)  # an enumeration's value, not its name
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            raise TypeError("a key is not text")
        if leaks := [key for key, item in value.items() if SECRET.search(key) and isinstance(item, str)]:
            raise ValueError(f"{leaks[0]} looks like a secret")
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise TypeError("a time has no zone")
        return value.astimezone(UTC).isoformat()
    if isinstance(value, (date, Decimal, UUID)):
        return str(value)
    raise TypeError(f"{type(value).__name__} is no JSON")


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [*value, *(text for item in value.values() for text in _texts(item))]
    return [text for item in value for text in _texts(item)] if isinstance(value, list) else []
