"""Every file of a place against every object of a bucket, both ways, by SHA-256 of what is really there.

The mover's manifest is not asked: each source file is hashed anew, each object is downloaded and hashed. Names are
compared as bytes: case pairs, and one word in two Unicode forms, are different files.

Under a freeze only what changed since such a proof need be read: `files_stamps` says how that is known.
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError, FlexibleChecksumError, IncompleteReadError

from onboarding.aws_errors import code_of, explaining
from onboarding.bandwidth import Take, unlimited
from onboarding.errors import TryAgain
from onboarding.places import Place
from onboarding.reconcile.files_report import FileDifference, FilesComparison
from onboarding.reconcile.files_report import named_files as named_files
from onboarding.reconcile.files_stamps import Stamps, of_object
from onboarding.reconcile.originals import UNTOLD, Originals, originals
from onboarding.reconcile.originals_folder import OnDisk

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CHUNK_BYTES = 1024 * 1024
THREADS = 8  # below botocore's ten pooled connections of a client


def compare_files(
    root: Place,
    s3: S3Client,
    bucket: str,
    prefix: str,
    *,
    threads: int = THREADS,
    take: Take = unlimited,
    proven: Stamps | None = None,
    began: float | None = None,
) -> FilesComparison:
    """The files of a place against the objects under `prefix`, to whose keys a file's relative path is appended.

    `proven` are the stamps of an earlier comparison (NONE if there was none): a file and an object that are still those
    are not read, and the result has stamps of its own. Without it none are asked for. `began` is when this one does, in
    seconds since 1970 (now). `take` is asked for the agency's line: the files of a source behind it, else the objects
    that are fetched over it.
    Raises Stop when there is no such folder, TryAgain when a side cannot be reached or S3 does not know the bucket.
    """
    if isinstance(root, Path):
        return _compared(
            OnDisk(root, time.time() if began is None else began),
            (),
            _Objects(s3, bucket, prefix, take),
            threads,
            proven,
        )
    with closing(originals(root, take)) as source:
        return _compared(source, UNTOLD[type(root)], _Objects(s3, bucket, prefix, unlimited), threads, proven)


def _compared(
    source: Originals, untold: tuple[str, ...], objects: _Objects, threads: int, proven: Stamps | None
) -> FilesComparison:
    excluded: Counter[str] = Counter()
    differences: list[FileDifference] = []
    ours: dict[bytes, int | None] = {}
    for path, kind, size in source.walk():
        if kind == "file":
            ours[path] = size
        elif kind == "unread":
            differences.append(FileDifference("unread", path))
        else:
            excluded[kind] += 1
    with explaining(str(objects)):
        theirs = {one.path: one for one in objects.listed()}
        differences += [FileDifference("missing", path) for path in ours.keys() - theirs.keys()]
        differences += [FileDifference("extra", path) for path in theirs.keys() - ours.keys()]

        def look(path: bytes) -> _Looked:
            if proven is None:
                return _Looked(_compare(source, objects, theirs[path])[0])
            return _look(source, theirs[path], objects, proven.get(path.decode()))

        with ThreadPoolExecutor(threads, thread_name_prefix="reconcile") as pool:
            looked = dict(zip(both := sorted(ours.keys() & theirs.keys()), pool.map(look, both), strict=True))
        differences += [one.difference for one in looked.values() if one.difference]
    return FilesComparison(
        len(ours),
        len(theirs),
        sum(_size(theirs.get(path)) if size is None else size for path, size in ours.items()),
        dict(sorted(excluded.items())),
        tuple(sorted(differences, key=lambda one: one.path)),
        untold,
        sum(one.unread for one in looked.values()),
        {path.decode(): one.stamps for path, one in looked.items() if one.stamps and not one.difference},
    )


@dataclass(frozen=True)
class _Looked:
    """What became of one file: how it differs, the stamps it was proven under, whether those spared the reading."""

    difference: FileDifference | None = None
    stamps: tuple[str, str] | None = None
    unread: bool = False


def _look(source: Originals, theirs: _Listed, objects: _Objects, proven: tuple[str, str] | None) -> _Looked:
    ours = source.stamp(theirs.path)
    if ours is not None and (ours, theirs.stamp) == proven:
        return _Looked(None, proven, unread=True)
    difference, read = _compare(source, objects, theirs)
    still = ours is not None and source.stamp(theirs.path) == ours and read == theirs.stamp
    return _Looked(difference, (str(ours), theirs.stamp) if still else None)


def _size(listed: _Listed | None) -> int:
    return listed.size if listed else 0


@dataclass(frozen=True)
class _Listed:
    """An object as the listing tells it: the path that it stands for, its size, its stamp."""

    path: bytes
    size: int
    stamp: str


@dataclass(frozen=True)
class _Objects:
    """What S3 holds under a prefix."""

    s3: S3Client
    bucket: str
    prefix: str
    take: Take

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}"

    def listed(self) -> Iterator[_Listed]:
        """Every object under the prefix."""
        for page in self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.prefix):
            for item in page.get("Contents", ()):
                path = item["Key"].removeprefix(self.prefix).encode()
                yield _Listed(path, item["Size"], of_object(item["ETag"], item["LastModified"]))

    def hash(self, path: bytes) -> tuple[bytes, str]:
        """SHA-256 of the object's bytes, and its stamp."""
        digest = hashlib.sha256()
        found = self.s3.get_object(Bucket=self.bucket, Key=self.prefix + path.decode())
        for chunk in found["Body"].iter_chunks(CHUNK_BYTES):
            self.take(len(chunk))
            digest.update(chunk)
        return digest.digest(), of_object(found["ETag"], found["LastModified"])


def _compare(source: Originals, objects: _Objects, listed: _Listed) -> tuple[FileDifference | None, str]:
    """How they differ, if they do, and the stamp of the object that was read."""
    path = listed.path
    ours = source.read(path)
    if ours is None:
        return FileDifference("unread", path), ""
    if ours[1] != listed.size:
        return FileDifference("changed", path), ""
    try:
        theirs, stamp = objects.hash(path)
    except ClientError as failure:
        if code_of(failure) in ("NoSuchKey", "404"):  # gone since it was listed
            return FileDifference("missing", path), ""
        raise
    except FlexibleChecksumError:  # what S3 sent is not what S3 says it was sent
        return FileDifference("changed", path), ""
    except IncompleteReadError as failure:
        raise TryAgain("reconcile.connection_lost", where=str(objects), reason="IncompleteRead") from failure
    return None if theirs == ours[0] else FileDifference("changed", path), stamp
