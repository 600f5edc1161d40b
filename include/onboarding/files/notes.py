"""The manifest: what each batch read from the source, noted beside the objects it became."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from onboarding.files import objects

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

MANIFEST_FOLDER = "_manifest"
SUFFIX = ".jsonl"


@dataclass(frozen=True)
class Note:
    """One file as it was read, with the ETag of the object that was checked against `sha256` (hex).

    `mtime_ns` and `version` (see `Facts`) only where the source tells.
    """

    path: str
    size: int
    sha256: str
    mtime_ns: int | None
    etag: str
    version: str | None = None


def manifest_folder(prefix: str) -> str:
    """`_manifest/` beside the prefix, where no file of ours can have its key: `a/b/` has `a/_manifest/b/`."""
    above, _, own = prefix.rstrip("/").rpartition("/")
    return "/".join(part for part in (above, MANIFEST_FOLDER, own) if part) + "/"


def manifest_key(prefix: str, batch: str) -> str:
    """The key of one batch's notes, in JSON lines."""
    return f"{manifest_folder(prefix)}{batch}{SUFFIX}"


def write_notes(s3: S3Client, bucket: str, prefix: str, batch: str, notes: Iterable[Note]) -> None:
    """Leaves the notes of one batch in order of path bytes, in place of earlier ones."""
    ordered = sorted(notes, key=lambda note: note.path.encode())
    lines = "".join(json.dumps(_told(note), ensure_ascii=False) + "\n" for note in ordered)
    objects.put_small(s3, bucket, manifest_key(prefix, batch), lines.encode())


def _told(note: Note) -> dict[str, object]:
    return {name: value for name, value in vars(note).items() if name != "version" or value is not None}


def read_notes(s3: S3Client, bucket: str, prefix: str) -> dict[str, Note]:
    """What all batches have noted so far, by path."""
    return {note.path: note for key in _noted(s3, bucket, prefix) for note in _notes(s3, bucket, key)}


def read_notes_around(s3: S3Client, bucket: str, prefix: str, batch: str, paths: tuple[str, str]) -> dict[str, Note]:
    """What was noted of the files from the first to the last of these paths, by path.

    Batches are stretches of one order: the batch's own notes are read, and its neighbours', as far as an earlier plan
    divided the files elsewhere. What is missed so is only asked for once more.
    """
    keys = _noted(s3, bucket, prefix)
    own = bisect_left(keys, manifest_key(prefix, batch))
    first, last = (path.encode() for path in paths)
    notes = {note.path: note for key in keys[own : own + 1] for note in _notes(s3, bucket, key)}
    for key in reversed(keys[:own]):
        if notes and min(map(str.encode, notes)) <= first:
            break
        notes |= {note.path: note for note in _notes(s3, bucket, key)}
    for key in keys[own + 1 :]:
        if notes and max(map(str.encode, notes)) >= last:
            break
        notes |= {note.path: note for note in _notes(s3, bucket, key)}
    return notes


def _noted(s3: S3Client, bucket: str, prefix: str) -> list[str]:
    keys = (found.key for found in objects.listed(s3, bucket, manifest_folder(prefix)))
    return sorted(key for key in keys if key.endswith(SUFFIX))


def _notes(s3: S3Client, bucket: str, key: str) -> Iterator[Note]:
    body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    for line in body.splitlines():  # bytes: only \n and \r divide, which JSON escapes
        yield Note(**json.loads(line))


def keep_notes(s3: S3Client, bucket: str, prefix: str, batches: Collection[str]) -> None:
    """Takes away the notes of all other batches: of another division of the same files."""
    kept = {manifest_key(prefix, batch) for batch in batches}
    there = [found.key for found in objects.listed(s3, bucket, manifest_folder(prefix))]
    objects.delete(s3, bucket, [key for key in there if key.endswith(SUFFIX) and key not in kept])
