"""Every file of a place against every object of a bucket, both ways, by SHA-256 of what is really there.

The mover's manifest is not asked: each source file is hashed anew, each object is downloaded and hashed. Names are
compared as bytes: case pairs, and one word in two Unicode forms, are different files.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from botocore.exceptions import ClientError, FlexibleChecksumError, IncompleteReadError

from onboarding.aws_errors import code_of, explaining
from onboarding.bandwidth import Take, unlimited
from onboarding.errors import Stop, TryAgain
from onboarding.places import Place
from onboarding.reconcile.files_report import FileDifference, FilesComparison
from onboarding.reconcile.files_report import named_files as named_files
from onboarding.reconcile.originals import UNTOLD, Originals, originals

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CHUNK_BYTES = 1024 * 1024
THREADS = 8  # below botocore's ten pooled connections of a client
READINGS = 3

KINDS: tuple[tuple[Callable[[int], bool], str], ...] = (
    (stat.S_ISLNK, "symlink"), (stat.S_ISFIFO, "fifo"), (stat.S_ISSOCK, "socket"), (stat.S_ISBLK, "device"),
    (stat.S_ISCHR, "device"),
)  # fmt: skip


def compare_files(
    root: Place, s3: S3Client, bucket: str, prefix: str, *, threads: int = THREADS, take: Take = unlimited
) -> FilesComparison:
    """The files of a place against the objects under `prefix`, to whose keys a file's relative path is appended.

    `take` is asked for the agency's line: the files of a source behind it, else the objects that are fetched over it.
    Raises Stop when there is no such folder, TryAgain when a side cannot be reached or S3 does not know the bucket.
    """
    if isinstance(root, Path):
        return _compared(_Folder(root), (), _Objects(s3, bucket, prefix, take), threads)
    with closing(originals(root, take)) as source:
        return _compared(source, UNTOLD[type(root)], _Objects(s3, bucket, prefix, unlimited), threads)


def _compared(source: Originals, untold: tuple[str, ...], objects: _Objects, threads: int) -> FilesComparison:
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
        theirs = dict(objects.listed())
        differences += [FileDifference("missing", path) for path in ours.keys() - theirs.keys()]
        differences += [FileDifference("extra", path) for path in theirs.keys() - ours.keys()]

        def compare(path: bytes) -> FileDifference | None:
            return _compare(source, path, objects, theirs[path])

        with ThreadPoolExecutor(threads, thread_name_prefix="reconcile") as pool:
            differences += [found for found in pool.map(compare, sorted(ours.keys() & theirs.keys())) if found]
    return FilesComparison(
        len(ours),
        len(theirs),
        sum(theirs.get(path, 0) if size is None else size for path, size in ours.items()),
        dict(sorted(excluded.items())),
        tuple(sorted(differences, key=lambda one: one.path)),
        untold,
    )


class _Folder:
    """A folder that this machine sees."""

    def __init__(self, root: Path) -> None:
        self._root = os.fsencode(root)
        if root.is_symlink() or not root.is_dir():
            raise Stop("reconcile.no_folder", where=str(root))

    def walk(self) -> Iterator[tuple[bytes, str, int | None]]:
        return iter(_walk(self._root))

    def read(self, path: bytes) -> tuple[bytes, int] | None:
        return _hash_of_file(os.path.join(self._root, path))  # noqa: PTH118 - bytes, which pathlib cannot hold

    def close(self) -> None:
        pass


def _walk(root: bytes) -> Iterator[tuple[bytes, str, int]]:
    """Relative path, kind and size of every entry but folders; links are not followed."""
    waiting = [b""]
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(os.path.join(root, folder)) as entries:  # noqa: PTH118 - bytes, which pathlib cannot hold
                found = [(entry.name, entry.stat(follow_symlinks=False)) for entry in entries]
        except OSError:
            yield folder, "unread", 0
            continue
        for name, status in found:
            path = folder + b"/" + name if folder else name
            if stat.S_ISDIR(status.st_mode):
                waiting.append(path)
            elif stat.S_ISREG(status.st_mode):
                yield path, "file", status.st_size
            else:
                yield path, next((kind for test, kind in KINDS if test(status.st_mode)), "other"), 0


@dataclass(frozen=True)
class _Objects:
    """What S3 holds under a prefix."""

    s3: S3Client
    bucket: str
    prefix: str
    take: Take

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}"

    def listed(self) -> Iterator[tuple[bytes, int]]:
        """The path that each object stands for, and its size."""
        for page in self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.prefix):
            for item in page.get("Contents", ()):
                yield item["Key"].removeprefix(self.prefix).encode(), item["Size"]

    def hash(self, path: bytes) -> bytes:
        """SHA-256 of the object's bytes."""
        digest = hashlib.sha256()
        found = self.s3.get_object(Bucket=self.bucket, Key=self.prefix + path.decode())
        for chunk in found["Body"].iter_chunks(CHUNK_BYTES):
            self.take(len(chunk))
            digest.update(chunk)
        return digest.digest()


def _compare(source: Originals, path: bytes, objects: _Objects, size: int) -> FileDifference | None:
    ours = source.read(path)
    if ours is None:
        return FileDifference("unread", path)
    if ours[1] != size:
        return FileDifference("changed", path)
    try:
        theirs = objects.hash(path)
    except ClientError as failure:
        if code_of(failure) in ("NoSuchKey", "404"):  # gone since it was listed
            return FileDifference("missing", path)
        raise
    except FlexibleChecksumError:  # what S3 sent is not what S3 says it was sent
        return FileDifference("changed", path)
    except IncompleteReadError as failure:
        raise TryAgain("reconcile.connection_lost", where=str(objects), reason="IncompleteRead") from failure
    return None if theirs == ours[0] else FileDifference("changed", path)


def _hash_of_file(path: bytes) -> tuple[bytes, int] | None:
    """SHA-256 and size of a file that stood still while it was read; None if it would not, or not let us."""
    try:
        for _ in range(READINGS):
            # a link put there since we looked is not followed
            with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb", buffering=0) as stream:
                before = os.fstat(stream.fileno())
                digest, size = _hashed(stream)
                after = os.fstat(stream.fileno())
            if (before.st_mtime_ns, before.st_size) == (after.st_mtime_ns, after.st_size) == (after.st_mtime_ns, size):
                return digest, size
    except OSError:
        pass
    return None


def _hashed(stream: BinaryIO | Any) -> tuple[bytes, int]:
    digest, size = hashlib.sha256(), 0
    while chunk := stream.read(CHUNK_BYTES):
        digest.update(chunk)
        size += len(chunk)
    return digest.digest(), size
