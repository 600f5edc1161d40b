"""A source behind an agency's line: what is read of its files asks for the line first."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from onboarding.bandwidth import Take
from onboarding.files.sources import OpenFile, Seen, Source

PIECE_BYTES = 256 * 1024
"""Read at a time, so that a line that is shared is not taken for seconds on end."""


class Metered:
    """Another source, read no faster than its line may be used. Listings do not count."""

    def __init__(self, source: Source, take: Take) -> None:
        self._source, self._take = source, take
        self.remote, self.parts_from = source.remote, source.parts_from

    def entries(self) -> Iterator[Seen]:
        return self._source.entries()

    @contextmanager
    def opened(self, path: str) -> Iterator[OpenFile]:
        with self._source.opened(path) as file:
            yield MeteredFile(file, self._take)

    def close(self) -> None:
        self._source.close()


class MeteredFile:
    """An open file of such a source."""

    def __init__(self, file: OpenFile, take: Take) -> None:
        self._file, self._take = file, take
        self.facts = file.facts
        self.seek, self.tell, self.unchanged = file.seek, file.tell, file.unchanged

    def read(self, size: int = -1, /) -> bytes:
        block = self._file.read(PIECE_BYTES if size < 0 else min(size, PIECE_BYTES))
        self._take(len(block))
        return block
