"""Every bucket's versions and uploads: what they are in memory, their bytes in files."""

from __future__ import annotations

import secrets
import threading
from bisect import bisect_left, insort
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from moto.s3.models import FakeBucket, s3_backends

from sandbox.state import AwsError

NULL = "null"
"""The version id of what is written while versioning is off."""


@dataclass(frozen=True)
class Part:
    """A stretch of an object's bytes: a whole file."""

    path: Path
    size: int
    md5: str
    checksums: Mapping[str, str]
    number: int = 1
    modified: datetime | None = None


@dataclass
class Version:
    """One version of one object, or a delete marker (`parts` is None)."""

    key: str
    id: str
    modified: datetime
    parts: tuple[Part, ...] | None = None
    etag: str = ""
    checksums: dict[str, str] = field(default_factory=dict)
    checksum_type: str = "FULL_OBJECT"
    told: dict[str, Any] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    mode: str | None = None
    until: datetime | None = None
    legal_hold: bool = False

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(part.size for part in self.parts or ())


@dataclass
class Upload:
    """A multipart upload under way."""

    id: str
    key: str
    account: str
    started: datetime
    algorithm: str | None
    checksum_type: str
    params: Mapping[str, Any]
    parts: dict[int, Part] = field(default_factory=dict)


@dataclass
class Contents:
    """What is in one bucket. `keys` is sorted by code point, which is UTF-8's order."""

    versions: dict[str, list[Version]] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)
    uploads: dict[str, Upload] = field(default_factory=dict)


class Store:
    """All buckets. Hold `lock` to look or change, never while bytes move."""

    def __init__(self, folder: Path, now: Callable[[], datetime]) -> None:
        self._folder, self._now = folder, now
        self.lock = threading.RLock()
        self._contents: dict[int, tuple[FakeBucket, Contents]] = {}
        for number in range(256):
            (folder / f"{number:02x}").mkdir(mode=0o700, parents=True)

    def now(self) -> datetime:
        """The time in whole seconds, as S3 keeps it."""
        return self._now().replace(microsecond=0)

    def new_file(self) -> Path:
        """A path nobody uses."""
        name = secrets.token_hex(12)
        return self._folder / name[:2] / name[2:]

    def contents(self, found: FakeBucket) -> Contents:
        """What is in a bucket (by identity: a bucket made anew under an old name is empty)."""
        with self.lock:
            return self._contents.setdefault(id(found), (found, Contents()))[1]

    def forget(self, found: FakeBucket) -> None:
        """A deleted bucket's uploads go with it."""
        with self.lock:
            _, gone = self._contents.pop(id(found), (found, Contents()))
            for upload in gone.uploads.values():
                discard(upload.parts.values())

    def version(self, found: FakeBucket, key: str, version_id: str | None = None) -> Version:
        """The version asked for, or the current one; NoSuchKey, NoSuchVersion, and 405 for a delete marker."""
        with self.lock:
            versions = self.contents(found).versions.get(key, [])
            if version_id is None:
                if not versions or versions[-1].parts is None:
                    raise AwsError("NoSuchKey", "The specified key does not exist.", 404)
                return versions[-1]
            for version in versions:
                if version.id == version_id:
                    if version.parts is None:
                        raise AwsError("MethodNotAllowed", "The specified method is not allowed: a delete marker", 405)
                    return version
        raise AwsError("NoSuchVersion", "The specified version does not exist.", 404)

    def add(self, found: FakeBucket, version: Version) -> None:
        """Makes `version` the current one; while versioning is off or suspended it replaces the null version."""
        with self.lock:
            held = self.contents(found)
            versions = held.versions.setdefault(version.key, [])
            if not versions:
                insort(held.keys, version.key)
            if version.id == NULL:
                for old in [old for old in versions if old.id == NULL]:
                    versions.remove(old)
                    discard(old.parts or ())
            versions.append(version)

    def remove(self, found: FakeBucket, version: Version) -> None:
        """That version is no more."""
        with self.lock:
            held = self.contents(found)
            versions = held.versions[version.key]
            versions.remove(version)
            discard(version.parts or ())
            if not versions:
                del held.versions[version.key]
                del held.keys[bisect_left(held.keys, version.key)]

    def upload(self, found: FakeBucket, key: str, upload_id: str) -> Upload:
        """The upload under way; NoSuchUpload."""
        with self.lock:
            upload = self.contents(found).uploads.get(upload_id)
        if upload is None or upload.key != key:
            raise AwsError("NoSuchUpload", "The specified upload does not exist.", 404)
        return upload


def bucket(name: str) -> FakeBucket:
    """The bucket of that name, in whatever account it is; NoSuchBucket."""
    place = s3_backends.bucket_accounts.get(name)
    found = s3_backends[place[1]][place[0]].buckets.get(name) if place is not None else None
    if found is None:
        raise AwsError("NoSuchBucket", "The specified bucket does not exist", 404)
    result: FakeBucket = found
    return result


def new_version_id(found: FakeBucket) -> str:
    """An id for what is written now."""
    return secrets.token_urlsafe(24) if found.is_versioned else NULL


def versioned(found: FakeBucket) -> bool:
    """Whether versioning was ever switched on."""
    return found.versioning_status is not None


def discard(parts: Any) -> None:
    """Removes the parts' files; a reader that has one open reads on."""
    for part in parts:
        part.path.unlink(missing_ok=True)


def read(parts: tuple[Part, ...], first: int, count: int, block: int) -> Iterator[bytes]:
    """`count` bytes from byte `first` on, across parts."""
    for part in parts:
        if first >= part.size:
            first -= part.size
            continue
        if count <= 0:
            return
        with part.path.open("rb", buffering=0) as source:
            source.seek(first)
            left = min(count, part.size - first)
            while left and (data := source.read(min(left, block))):
                left -= len(data)
                count -= len(data)
                yield data
        first = 0
