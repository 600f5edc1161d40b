"""Moves batches of files to S3, several at a time; killed anywhere and run again, it ends the same."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from botocore.exceptions import ClientError

from onboarding.aws_errors import code_of, explaining
from onboarding.errors import Stop, TryAgain
from onboarding.files import objects
from onboarding.files.notes import MANIFEST_FOLDER, Note, manifest_folder, read_notes, write_notes
from onboarding.files.plan import Batch, refuse_shared_keys
from onboarding.files.reading import Changed, Content, opened, read, still_there
from onboarding.files.scan import SourceFile, key_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

IN_FLIGHT = 8  # below botocore's 10 pooled connections per client
READINGS = 3


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


@dataclass(frozen=True)
class _Moved:
    path: str
    content: Content
    etag: str
    adopted: bool


@dataclass(frozen=True)
class _Target:
    """Where a batch goes, what lies there (ETag by key), and what earlier attempts left noted."""

    s3: S3Client
    bucket: str
    prefix: str
    there: Mapping[str, str]
    noted: Mapping[str, Note]
    replace: bool


def move_unit(
    root: Path,
    batch: Batch,
    s3: S3Client,
    bucket: str,
    *,
    prefix: str,
    replace: bool = False,
    in_flight: int = IN_FLIGHT,
) -> BatchResult:
    """Every file of the batch as an object that S3 has checked by SHA-256, and the batch's manifest.

    An object that is there with the same content counts as moved. With another content: Stop naming the key, or,
    under `replace` (the final load from a frozen source), the object is deleted first and written anew.
    Raises TryAgain when a file changes under every reading, Stop when one is gone since the plan was made.
    """
    require_prefix(prefix)
    refuse_shared_keys(batch.files, prefix)
    with explaining(f"s3://{bucket}/{prefix}"):
        there = {found.key: found.etag for found in objects.listed(s3, bucket, prefix)}
        target = _Target(s3, bucket, prefix, there, read_notes(s3, bucket, prefix), replace)
        moved = _all(lambda file: _move_file(root, file, target), batch.files, in_flight)
        notes = [Note(m.path, m.content.size, m.content.sha256.hex(), m.content.mtime_ns, m.etag) for m in moved]
        write_notes(s3, bucket, prefix, batch.id, notes)
    return BatchResult(len(moved), sum(m.content.size for m in moved), sum(m.adopted for m in moved))


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


def _all(move: Callable[[SourceFile], _Moved], files: Sequence[SourceFile], in_flight: int) -> list[_Moved]:
    """All results, or the first failure once those under way have ended; what was not begun is not begun."""
    with ThreadPoolExecutor(in_flight, thread_name_prefix="upload") as pool:
        waiting = [pool.submit(move, file) for file in files]
        try:
            return [done.result() for done in as_completed(waiting)]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _move_file(root: Path, file: SourceFile, target: _Target) -> _Moved:
    for _ in range(READINGS):
        try:
            with opened(root, file.path) as stream:
                content = read(stream, objects.part_size)
                if still_there(root, file.path, stream):
                    return _place(file.path, stream, content, target)
        except Changed:
            continue
    raise TryAgain("files.changing", where=repr(file.path), readings=READINGS)


def _place(path: str, stream: BinaryIO, content: Content, target: _Target) -> _Moved:
    """The file, moved or adopted. Raises Stop when another content is there and must not be replaced."""
    key = key_of(target.prefix, path)
    there = target.there.get(key)
    if there is None and (etag := objects.put(target.s3, target.bucket, key, stream, content)):
        return _Moved(path, content, etag, adopted=False)
    note = target.noted.get(path)
    if there is not None and note is not None and (note.etag, note.sha256) == (there, content.sha256.hex()):
        # S3 checked this SHA-256 when the note was written, and by its ETag the object is the same since
        return _Moved(path, content, there, adopted=True)
    if etag := _etag_if_holds(target, key, content):
        return _Moved(path, content, etag, adopted=True)
    if not target.replace:
        raise Stop("files.different", where=repr(key))
    objects.delete(target.s3, target.bucket, [key])
    stream.seek(0)
    if etag := objects.put(target.s3, target.bucket, key, stream, content):
        return _Moved(path, content, etag, adopted=False)
    raise TryAgain("files.rival", where=repr(key))


def _etag_if_holds(target: _Target, key: str, content: Content) -> str | None:
    try:
        return objects.etag_if_holds(target.s3, target.bucket, key, content)
    except ClientError as failure:
        if code_of(failure) in ("404", "NoSuchKey", "NotFound", "412", "PreconditionFailed"):  # a rival was quicker
            raise TryAgain("files.rival", where=repr(key)) from failure
        raise
