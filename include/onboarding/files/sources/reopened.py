"""Bytes that a server sends once from their start on: who wants to go back asks for them anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from onboarding.files.sources import Lost


class Answer(Protocol):
    """What a server is sending."""

    def read(self, amt: int | None = None, /) -> bytes: ...
    def close(self) -> None: ...


Sent = TypeVar("Sent", bound=Answer)


class Reopened(Generic[Sent]):
    """An answer as a stream. `again` gives another from the start, or raises Changed; `broken`: failures of a line."""

    def __init__(
        self, answer: Sent, again: Callable[[], Sent], *, path: str, broken: tuple[type[Exception], ...]
    ) -> None:
        self.answer, self._again, self._path, self._broken = answer, again, path, broken
        self._place = 0

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes. Raises Lost when the answer broke off."""
        try:
            block = self.answer.read(None if size < 0 else size)
        except self._broken as failure:
            raise Lost(where=repr(self._path), reason=type(failure).__name__) from failure
        self._place += len(block)
        return block

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Back to the start."""
        if (offset, whence) != (0, 0):
            raise OSError("only back to the start")
        if self._place:
            self.answer.close()
            self.answer, self._place = self._again(), 0
        return 0

    def tell(self) -> int:
        """Where the next byte is read."""
        return self._place
