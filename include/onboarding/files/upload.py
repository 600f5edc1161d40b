"""Moves batches of files to S3, several at a time; killed anywhere and run again, it ends the same."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from onboarding.aws_errors import explaining
from onboarding.bandwidth import Take, unlimited
from onboarding.files import objects
from onboarding.files.moving import move_all
from onboarding.files.notes import MANIFEST_FOLDER, manifest_folder, write_notes
from onboarding.files.placing import Moved, Target
from onboarding.files.plan import Batch, refuse_shared_keys
from onboarding.files.scan import SourceFile, key_of
from onboarding.files.sources import at
from onboarding.places import Place

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True)
class BatchResult:
    """Files and bytes of a batch that are in S3 now; `skipped` of them were there before, with the same SHA-256."""

    files: int
    bytes: int
    skipped: int

    def as_json(self) -> dict[str, int]:
        return asdict(self)


@dataclass(frozen=True)
class Status:
    """How far a plan has come, by listing S3: `extra` objects are under the prefix and in no batch."""

    planned: int
    present: int
    missing: int
    extra: int
    bytes: int

    @property
    def complete(self) -> bool:
        """Nothing missing and nothing extra; says nothing about content (that is `reconcile`'s question)."""
        return self.missing == self.extra == 0

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"complete": self.complete}


def move_unit(
    root: Place,
    batch: Batch,
    s3: S3Client,
    bucket: str,
    *,
    prefix: str,
    replace: bool = False,
    at_a_time: int | None = None,
    take: Take = unlimited,
    told: Callable[[int], None] = lambda _: None,
) -> BatchResult:
    """Every file of the batch as an object that S3 has checked by SHA-256, and the batch's manifest.

    An object that is there with the same content counts as moved. With another content: Stop naming the key, or,
    under `replace` (the final load from a frozen source), the object is deleted first and written anew.
    `at_a_time` files are on their way together (None: as many as suit the source). What passes the agency's line asks
    `take` for it; `told` hears of each file that is there how large it was planned.
    Raises TryAgain when a file changes under every reading, Stop when one is gone since the plan was made.
    """
    require_prefix(prefix)
    refuse_shared_keys(batch.files, prefix)
    with explaining(f"s3://{bucket}/{prefix}"), at(root, take) as source:
        sent = unlimited if source.remote else take
        moved: list[Moved] = []
        try:
            with Target.opened(s3, bucket, prefix, batch=batch, replace=replace, take=sent) as target:

                def arrived(file: SourceFile, one: Moved) -> None:
                    moved.append(one)
                    told(file.size)

                move_all(source, batch.files, target, arrived, at_a_time)
        except BaseException:
            with suppress(Exception):  # spares the next attempt questions; this failure is what counts
                write_notes(s3, bucket, prefix, batch.id, (one.note for one in moved))
            raise
        write_notes(s3, bucket, prefix, batch.id, (one.note for one in moved))
    return BatchResult(len(moved), sum(one.note.size for one in moved), sum(one.adopted for one in moved))


def status(s3: S3Client, bucket: str, prefix: str, batches: Sequence[Batch]) -> Status:
    """How many of the planned files S3 lists under `prefix`, with the planned size."""
    require_prefix(prefix)
    with explaining(f"s3://{bucket}/{prefix}"):
        there = {found.key: found.size for found in objects.listed(s3, bucket, prefix)}
    planned = {key_of(prefix, file.path): file.size for batch in batches for file in batch.files}
    present = [key for key, size in planned.items() if there.get(key) == size]
    extra = len(there.keys() - planned.keys())
    return Status(len(planned), len(present), len(planned) - len(present), extra, sum(planned[key] for key in present))


def clean_up(s3: S3Client, bucket: str, prefix: str, *, keep: Collection[str] = ()) -> int:
    """Removes what lies under `prefix` but the files of `keep` (paths), and unfinished uploads; gives how many.

    With nothing to keep the manifests go too. In a versioned bucket the versions stay: a deletion is a marker.
    """
    require_prefix(prefix)
    kept = {key_of(prefix, path) for path in keep}
    with explaining(f"s3://{bucket}/{prefix}"):
        ended = objects.abort_uploads(s3, bucket, prefix)
        unwanted = [found.key for found in objects.listed(s3, bucket, prefix) if found.key not in kept]
        if not kept:
            unwanted += [found.key for found in objects.listed(s3, bucket, manifest_folder(prefix))]
        objects.delete(s3, bucket, unwanted)
    return ended + len(unwanted)


def require_prefix(prefix: str) -> None:
    """Raises ValueError for a prefix that would mix with a neighbour's: it is a folder name and ends in `/`."""
    if not prefix.endswith("/") or prefix.startswith("/") or MANIFEST_FOLDER in prefix.split("/"):
        raise ValueError(f"a prefix is like 'documents/', not {prefix!r}")
