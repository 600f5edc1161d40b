"""Moves batches of files to S3, several at a time; killed anywhere and run again, it ends the same."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from onboarding.aws_errors import code_of, explaining
from onboarding.errors import Stop, TryAgain
from onboarding.files import objects
from onboarding.files.plan import Batch, refuse_shared_keys
from onboarding.files.reading import Changed, Content, opened, read, still_there
from onboarding.files.scan import SourceFile, key_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

IN_FLIGHT = 8  # below botocore's 10 pooled connections per client
READINGS = 3
MANIFEST_FOLDER = "_manifest"


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
    adopted: bool

    def line(self) -> str:
        noted = {"path": self.path, "size": self.content.size, "sha256": self.content.sha256.hex()}
        return json.dumps(noted | {"mtime_ns": self.content.mtime_ns}, ensure_ascii=False) + "\n"


def manifest_key(prefix: str, batch: str) -> str:
    """Where the list of what a batch read lies: `_manifest/` beside the prefix, so that no file can have that key."""
    above, _, own = prefix.rstrip("/").rpartition("/")
    return "/".join(part for part in (above, MANIFEST_FOLDER, own, f"{batch}.jsonl") if part)


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
        there = _present(s3, bucket, prefix, batch)

        def move(file: SourceFile) -> _Moved:
            return _move_file(root, file, s3, bucket, key_of(prefix, file.path), there, replace=replace)

        moved = sorted(_all(move, batch.files, in_flight), key=lambda m: m.path.encode())
        lines = "".join(m.line() for m in moved).encode()
        objects.put_small(s3, bucket, manifest_key(prefix, batch.id), lines)
    return BatchResult(len(moved), sum(m.content.size for m in moved), sum(m.adopted for m in moved))


def status(s3: S3Client, bucket: str, prefix: str, batches: Sequence[Batch]) -> Status:
    """How many of the planned files S3 lists under `prefix`, with the planned size."""
    require_prefix(prefix)
    with explaining(f"s3://{bucket}/{prefix}"):
        there = dict(objects.listed(s3, bucket, prefix))
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
        unwanted = [key for key, _ in objects.listed(s3, bucket, prefix) if key not in kept]
        if not kept:
            notes = manifest_key(prefix, "").removesuffix(".jsonl")
            unwanted += [key for key, _ in objects.listed(s3, bucket, notes)]
        objects.delete(s3, bucket, unwanted)
    return ended + len(unwanted)


def require_prefix(prefix: str) -> None:
    """Raises ValueError for a prefix that would mix with a neighbour's: it is a folder name and ends in `/`."""
    if not prefix.endswith("/") or prefix.startswith("/") or MANIFEST_FOLDER in prefix.split("/"):
        raise ValueError(f"a prefix is like 'documents/', not {prefix!r}")


def _present(s3: S3Client, bucket: str, prefix: str, batch: Batch) -> frozenset[str]:
    wanted = {key_of(prefix, file.path) for file in batch.files}
    return frozenset(key for key, _ in objects.listed(s3, bucket, prefix) if key in wanted)


def _all(move: Callable[[SourceFile], _Moved], files: Sequence[SourceFile], in_flight: int) -> list[_Moved]:
    """All results, or the first failure once those under way have ended; what was not begun is not begun."""
    with ThreadPoolExecutor(in_flight, thread_name_prefix="upload") as pool:
        waiting = [pool.submit(move, file) for file in files]
        try:
            return [done.result() for done in as_completed(waiting)]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _move_file(
    root: Path, file: SourceFile, s3: S3Client, bucket: str, key: str, there: frozenset[str], *, replace: bool
) -> _Moved:
    for _ in range(READINGS):
        try:
            with opened(root, file.path) as stream:
                content = read(stream, objects.part_size)
                if still_there(root, file.path, stream):
                    adopted = _place(s3, bucket, key, stream, content, known=key in there, replace=replace)
                    return _Moved(file.path, content, adopted)
        except Changed:
            continue
    raise TryAgain("files.changing", where=repr(file.path), readings=READINGS)


def _place(s3: S3Client, bucket: str, key: str, stream: Any, content: Content, *, known: bool, replace: bool) -> bool:
    """Whether the object was there already. Raises Stop when another content is, and must not be replaced."""
    if not known and objects.put(s3, bucket, key, stream, content):
        return False
    if _holds(s3, bucket, key, content):
        return True
    if not replace:
        raise Stop("files.different", where=repr(key))
    objects.delete(s3, bucket, [key])
    stream.seek(0)
    if not objects.put(s3, bucket, key, stream, content):
        raise TryAgain("files.rival", where=repr(key))
    return False


def _holds(s3: S3Client, bucket: str, key: str, content: Content) -> bool:
    try:
        return objects.holds(s3, bucket, key, content)
    except ClientError as failure:
        if code_of(failure) in ("404", "NoSuchKey", "NotFound"):  # deleted since it was listed, or a lost race
            raise TryAgain("files.rival", where=repr(key)) from failure
        raise
