"""What PostgreSQL's own output plugin says, message by message (protocol version 1; PostgreSQL's manual, 54.9).

Written by us because no library that is kept up reads it here: the one of that name on PyPI rested in 2022, and needs
another driver. Only what a verifier asks for is kept: which table, and the texts of the old and the new row.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final


class Untold(Enum):
    """A value that the message leaves out: stored out of line, and not changed."""

    UNCHANGED = "unchanged"


Value = str | Untold | None
Row = tuple[Value, ...]


class NotUnderstood(Exception):
    """A message that this reader does not know: nothing after it can be vouched for. Holds no row data."""


@dataclass(frozen=True)
class Described:
    """A table as the messages after this one mean it."""

    oid: int
    schema: str
    name: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Begin:
    """A transaction begins: the position of its commit record, and its number (32 bits)."""

    commits_at: int
    xid: int


@dataclass(frozen=True)
class Commit:
    """The position after the commit record."""

    end: int


@dataclass(frozen=True)
class Changed:
    """A row that was inserted (no old), updated, or deleted (no new). An update tells the old row only if it must."""

    table: int
    old: Row | None
    new: Row | None


@dataclass(frozen=True)
class Truncated:
    """Tables that were emptied, by number."""

    tables: tuple[int, ...]


Message = Described | Begin | Commit | Changed | Truncated

SILENT: Final = frozenset("OYM")  # origin, type, a message of somebody's: nothing of rows


def read(data: bytes) -> Message | None:
    """The message, None for one that says nothing of rows. Raises NotUnderstood."""
    kind = chr(data[0]) if data else ""
    try:
        message = _read(kind, _Reader(data, 1))
    except (struct.error, IndexError, UnicodeDecodeError, ValueError) as failure:
        raise NotUnderstood(f"{kind!r}: {type(failure).__name__}") from None
    if message is None and kind not in SILENT:
        raise NotUnderstood(repr(kind))
    return message


def _read(kind: str, body: _Reader) -> Message | None:
    match kind:
        case "B":
            commits_at, _, xid = body.take("!QQI")
            return Begin(commits_at, xid)
        case "C":
            return Commit(body.take("!BQQQ")[2])
        case "R":
            return _described(body)
        case "I":
            table, _ = body.take("!Ic")
            return Changed(table, None, body.row())
        case "U" | "D":
            return _changed(kind, body)
        case "T":
            count, _ = body.take("!IB")
            return Truncated(body.take(f"!{count}I"))
    return None


def _described(body: _Reader) -> Described:
    (oid,) = body.take("!I")
    schema, name = body.text(), body.text()
    _, count = body.take("!cH")
    columns = []
    for _ in range(count):
        body.take("!B")
        columns.append(body.text())
        body.take("!Ii")
    return Described(oid, schema or "pg_catalog", name, tuple(columns))


def _changed(kind: str, body: _Reader) -> Changed:
    table, part = body.take("!Ic")
    old = None
    if part in (b"K", b"O"):
        old = body.row()
        if kind == "U":
            (part,) = body.take("!c")
    if part != b"N" and (kind == "U" or old is None):
        raise ValueError(part)
    return Changed(table, old, body.row() if kind == "U" else None)


@dataclass
class _Reader:
    data: bytes
    at: int

    def take(self, form: str) -> tuple[Any, ...]:
        found = struct.unpack_from(form, self.data, self.at)
        self.at += struct.calcsize(form)
        return found

    def text(self) -> str:
        end = self.data.index(0, self.at)
        found = self.data[self.at : end].decode()
        self.at = end + 1
        return found

    def row(self) -> Row:
        (count,) = self.take("!H")
        return tuple(self._value() for _ in range(count))

    def _value(self) -> Value:
        (kind,) = self.take("!c")
        if kind == b"n":
            return None
        if kind == b"u":
            return Untold.UNCHANGED
        if kind != b"t":
            raise ValueError(kind)
        (length,) = self.take("!I")
        if self.at + length > len(self.data):
            raise ValueError(length)
        self.at += length
        return self.data[self.at - length : self.at].decode()
