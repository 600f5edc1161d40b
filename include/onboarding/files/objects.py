"""What S3 says it holds, by listing, by checksum and by its bytes; our own notes; taking away."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.header import Header
from typing import TYPE_CHECKING, Literal

from botocore.exceptions import ClientError

from onboarding.aws_errors import code_of
from onboarding.errors import Stop
from onboarding.files.reading import Content
from onboarding.files.sources import Facts

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectIdentifierTypeDef, ObjectTypeDef

MIB = 1024 * 1024
PART_BYTES = 16 * MIB
PARTS = 10_000
"""Most parts of one upload (S3 User Guide, "Amazon S3 multipart upload limits")."""

TAKEN = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412", "409"})
WRONG_BYTES = frozenset({"BadDigest", "InvalidDigest", "IncompleteBody", "XAmzContentSHA256Mismatch"})


def part_size(size: int) -> int:
    """Bytes per part of a file of `size` bytes."""
    return max(PART_BYTES, -(-size // (PARTS * MIB)) * MIB)


@dataclass(frozen=True)
class Listed:
    """An object as a listing tells it. The ETag changes with the content (S3 API Reference, "Object")."""

    key: str
    size: int
    etag: str


def listed(s3: S3Client, bucket: str, prefix: str, between: tuple[str, str] | None = None) -> Iterator[Listed]:
    """Every object under a prefix; of those `between` two keys (both included) S3 is asked for little more."""
    pages = s3.get_paginator("list_objects_v2")
    if between is None:
        for page in pages.paginate(Bucket=bucket, Prefix=prefix):
            yield from map(_listed, page.get("Contents", ()))
        return
    first, last = (key.encode() for key in between)
    # S3 begins behind a key: behind the first one without its end, and perhaps a few others, comes the first one
    for page in pages.paginate(Bucket=bucket, Prefix=prefix, StartAfter=between[0][:-1]):
        for item in page.get("Contents", ()):
            if item["Key"].encode() > last:
                return
            if item["Key"].encode() >= first:
                yield _listed(item)


def _listed(item: ObjectTypeDef) -> Listed:
    return Listed(item["Key"], item["Size"], item["ETag"])


def checksum(content: Content) -> tuple[Literal["ChecksumSHA256", "ChecksumCRC64NVME"], str]:
    """What S3 reports of the whole object, by name and value: SHA-256, or CRC-64/NVME when it came in parts."""
    if content.crc64 is not None:
        return "ChecksumCRC64NVME", encoded(content.crc64)
    return "ChecksumSHA256", encoded(content.sha256)


def etag_if_holds(s3: S3Client, bucket: str, key: str, content: Content, *, checks: bool = True) -> str | None:
    """The ETag of the object at `key` if it has exactly this content.

    By S3's checksum; by its bytes when it has none of ours, or when this store does not check what it is sent
    (`checks`).
    """
    head = s3.head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
    if head["ContentLength"] != content.size:
        return None
    for name, ours in (checksum(content), ("ChecksumSHA256", encoded(content.sha256))):
        known = head.get(name) if checks else None
        if isinstance(known, str) and "-" not in known:  # a stroke: of parts, and not of the whole
            return head["ETag"] if known == ours else None
    # put there by other means: only its bytes tell
    return head["ETag"] if holds(s3, bucket, key, head["ETag"], content) else None


def holds(s3: S3Client, bucket: str, key: str, etag: str, content: Content) -> bool:
    """Whether the object, downloaded and hashed, is this content."""
    digest = hashlib.sha256()
    for chunk in s3.get_object(Bucket=bucket, Key=key, IfMatch=etag)["Body"].iter_chunks(MIB):
        digest.update(chunk)
    return digest.digest() == content.sha256


def checks_what_it_is_sent(s3: S3Client, bucket: str, key: str) -> bool:
    """Whether this store holds a body against its SHA-256: asked with one that does not match.

    S3 refuses it, so nothing is at `key` afterwards; what another store keeps is deleted again.
    """
    try:
        s3.put_object(Bucket=bucket, Key=key, Body=b"not of this SHA-256", ChecksumSHA256=encoded(bytes(32)))
    except ClientError as failure:
        if code_of(failure) in WRONG_BYTES:
            return True
        raise
    s3.delete_object(Bucket=bucket, Key=key)
    return False


def put_small(s3: S3Client, bucket: str, key: str, body: bytes) -> None:
    """Our own note, replaced when it was there before."""
    s3.put_object(Bucket=bucket, Key=key, Body=body, ChecksumSHA256=encoded(hashlib.sha256(body).digest()))


def abort_uploads(s3: S3Client, bucket: str, prefix: str, *, exactly: bool = False) -> int:
    """Ends uploads in parts that were begun under `prefix` and never completed; gives how many."""
    count = 0
    for page in s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, Prefix=prefix):
        for upload in page.get("Uploads", ()):
            if not exactly or upload["Key"] == prefix:
                s3.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
                count += 1
    return count


def delete(s3: S3Client, bucket: str, keys: Sequence[str]) -> None:
    """Removes objects, a thousand at a time. Raises Stop naming the first that S3 would not let go."""
    plain = [key for key in keys if key.isprintable()]
    for key in set(keys) - set(plain):  # XML, which a request for many is, cannot carry every character
        s3.delete_object(Bucket=bucket, Key=key)
    for first in range(0, len(plain), 1000):
        some: list[ObjectIdentifierTypeDef] = [{"Key": key} for key in plain[first : first + 1000]]
        failed = s3.delete_objects(Bucket=bucket, Delete={"Objects": some, "Quiet": True}).get("Errors", [])
        if failed:
            raise Stop("files.not_deleted", where=repr(failed[0].get("Key")), reason=failed[0].get("Code", ""))


def metadata(facts: Facts, **ours: str) -> dict[str, str]:
    """What an object keeps of its file: time of change in nanoseconds, permissions, numbers of owner and group.

    Only what its source tells; what the file had as an object already comes first, and `ours` replaces it.

    Under the names that AWS's own file services write and read back (FSx for Lustre User Guide, "POSIX metadata support
    for data repositories").
    """
    told = {
        "file-mtime": None if facts.mtime_ns is None else f"{facts.mtime_ns}ns",
        "file-permissions": None if facts.mode is None else f"0{facts.mode:o}",
        "file-owner": facts.owner, "file-group": facts.group,
    }  # fmt: skip
    known = {name: str(value) for name, value in told.items() if value is not None}
    return known | {name: _ascii(value) for name, value in facts.metadata.items()} | ours


def _ascii(value: str) -> str:
    """As S3 itself gives back what a header cannot carry (RFC 2047)."""
    return value if value.isascii() else Header(value, "utf-8", maxlinelen=10_000).encode()


def encoded(digest: bytes) -> str:
    """A digest as S3's headers carry it."""
    return base64.b64encode(digest).decode()
