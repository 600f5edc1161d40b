"""Which files move together: batches that can be retried one by one."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from onboarding.errors import Stop
from onboarding.files.scan import SourceFile, key_of, require_movable, scan
from onboarding.places import Place

BATCH_BYTES, BATCH_FILES, MOST_BATCHES = 4 << 30, 20_000, 1_000
"""A batch is minutes of work, so that what a failed one costs is minutes; Airflow maps a task over 1,024 at most."""
FILE_COST_BYTES = 256 * 1024
"""What a request costs beside its bytes, so that 10,000 small files are not planned as one light batch."""


@dataclass(frozen=True)
class Batch:
    """Files of one retryable unit, in order of path bytes."""

    id: str
    files: tuple[SourceFile, ...]

    @property
    def size(self) -> int:
        """Bytes when it was planned."""
        return sum(file.size for file in self.files)

    def as_json(self) -> dict[str, Any]:
        """JSON types only; see `from_json`."""
        return {"id": self.id, "files": [[file.path, file.size] for file in self.files]}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """The batch that `as_json` gave. Where its paths lead is looked at when they are opened."""
        files = tuple(SourceFile(str(path), int(size)) for path, size in stored["files"])
        return cls(str(stored["id"]), files)


def plan(root: Place, batches: int, *, prefix: str = "") -> list[Batch]:
    """Batches balanced by bytes and number; the same folder gives the same plan.

    At most `batches` of them, or as many more as it takes for none to be more than some 4 GiB or 20,000 files.

    Raises Stop when something in the folder cannot move (see `assess`), when there is nothing, or when two files
    would become one object.
    """
    found = scan(root, prefix=prefix)
    require_movable(root, found.refused, len(found.files))
    refuse_shared_keys(found.files, prefix)
    return balance(found.files, batches_for(len(found.files), sum(file.size for file in found.files), batches))


def batches_for(files: int, size: int, batches: int) -> int:
    """How many batches so many files of so many bytes are divided into."""
    return max(batches, min(max(-(-size // BATCH_BYTES), -(-files // BATCH_FILES)), MOST_BATCHES))


def refuse_shared_keys(files: Sequence[SourceFile], prefix: str) -> None:
    """Raises Stop when two files have one key."""
    seen: set[str] = set()
    for file in files:
        key = key_of(prefix, file.path)
        if key in seen:
            raise Stop("files.one_key", where=repr(key))
        seen.add(key)


def balance(files: Sequence[SourceFile], batches: int) -> list[Batch]:
    """The files in order of path bytes, divided where the batches weigh about the same.

    A batch is a stretch of that order, which is also S3's: so it asks S3 for its own stretch of keys alone.
    """
    if batches < 1:
        raise ValueError("at least one batch")
    waiting = deque(sorted(files, key=lambda f: f.path.encode()))
    left = sum(map(_weight, waiting))
    shares: list[tuple[SourceFile, ...]] = []
    while waiting:
        behind = min(batches, len(files)) - len(shares) - 1
        fair, size = left / (behind + 1), 0
        share: list[SourceFile] = []
        # half of a file may stick out: as often as not it does not
        while len(waiting) > behind and (not share or not behind or size + _weight(waiting[0]) / 2 <= fair):
            size += _weight(waiting[0])
            share.append(waiting.popleft())
        shares.append(tuple(share))
        left -= size
    return [Batch(f"batch-{number:04d}", share) for number, share in enumerate(shares, 1)]


def _weight(file: SourceFile) -> int:
    return file.size + FILE_COST_BYTES
