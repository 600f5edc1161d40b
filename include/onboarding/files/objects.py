"""What S3 says it holds, and putting one file there so that S3 itself has checked every byte."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from botocore.exceptions import ClientError

from onboarding.aws_errors import code_of
from onboarding.errors import Stop, TryAgain
from onboarding.files.reading import Changed, Content

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import HeadObjectOutputTypeDef, ObjectIdentifierTypeDef

MIB = 1024 * 1024
SINGLE_PUT_BYTES = 64 * MIB
PART_BYTES = 16 * MIB
IN_MEMORY_BYTES = 8 * MIB
PARTS = 10_000
"""Most parts of one upload (S3 User Guide, "Amazon S3 multipart upload limits")."""

TAKEN = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412", "409"})
WRONG_BYTES = frozenset({"BadDigest", "InvalidDigest", "IncompleteBody", "XAmzContentSHA256Mismatch"})


def part_size(size: int) -> int:
    """Bytes per part; a function of the size alone, so that composite checksums can be compared years later."""
    return max(PART_BYTES, -(-size // (PARTS * MIB)) * MIB)


@dataclass(frozen=True)
class Listed:
    """An object as a listing tells it. The ETag changes with the content (S3 API Reference, "Object")."""

    key: str
    size: int
    etag: str


def listed(s3: S3Client, bucket: str, prefix: str) -> Iterator[Listed]:
    """Every object under a prefix."""
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        yield from (Listed(item["Key"], item["Size"], item["ETag"]) for item in page.get("Contents", ()))


def checksum(content: Content) -> str:
    """What S3 reports as ChecksumSHA256: of the whole, or `composite-parts` for an upload in parts."""
    if content.size <= SINGLE_PUT_BYTES:
        return _encoded(content.sha256)
    return f"{_encoded(hashlib.sha256(b''.join(content.parts)).digest())}-{len(content.parts)}"


def etag_if_holds(s3: S3Client, bucket: str, key: str, content: Content) -> str | None:
    """The ETag of the object at `key` if it has exactly this content, by S3's checksum or, lacking one, its bytes."""
    head = s3.head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
    return head["ETag"] if _same(s3, bucket, key, head, content) else None


def _same(s3: S3Client, bucket: str, key: str, head: HeadObjectOutputTypeDef, content: Content) -> bool:
    if head["ContentLength"] != content.size:
        return False
    known = head.get("ChecksumSHA256")
    if known is not None and known == checksum(content):
        return True
    if known is not None and "-" not in known:
        return known == _encoded(content.sha256)
    # put there by other means, or in other parts: only its bytes tell
    digest = hashlib.sha256()
    for chunk in s3.get_object(Bucket=bucket, Key=key, IfMatch=head["ETag"])["Body"].iter_chunks(MIB):
        digest.update(chunk)
    return digest.digest() == content.sha256


def put(s3: S3Client, bucket: str, key: str, stream: BinaryIO, content: Content) -> str | None:
    """Write-once upload: the new object's ETag, once S3 has checked it; None when something was there before.

    Raises Changed when the bytes sent are not those that were hashed.
    """
    try:
        if content.size <= SINGLE_PUT_BYTES:
            told, etag = _put_whole(s3, bucket, key, stream, content)
        else:
            told, etag = _put_parts(s3, bucket, key, stream, content)
    except ClientError as failure:
        if code_of(failure) in TAKEN:
            return None
        if code_of(failure) in WRONG_BYTES:
            raise Changed from failure
        raise
    if told != checksum(content) and etag_if_holds(s3, bucket, key, content) != etag:
        raise TryAgain("files.not_as_sent", where=repr(key))
    return etag


def put_small(s3: S3Client, bucket: str, key: str, body: bytes) -> None:
    """Our own note, replaced when it was there before."""
    s3.put_object(Bucket=bucket, Key=key, Body=body, ChecksumSHA256=_encoded(hashlib.sha256(body).digest()))


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


def _put_whole(s3: S3Client, bucket: str, key: str, stream: BinaryIO, content: Content) -> tuple[str | None, str]:
    body = stream.read() if content.size <= IN_MEMORY_BYTES else stream
    answer = s3.put_object(
        Bucket=bucket, Key=key, Body=body, IfNoneMatch="*", ChecksumSHA256=_encoded(content.sha256),
        Metadata=_metadata(content),
    )  # fmt: skip
    return answer.get("ChecksumSHA256"), answer["ETag"]


def _put_parts(s3: S3Client, bucket: str, key: str, stream: BinaryIO, content: Content) -> tuple[str | None, str]:
    abort_uploads(s3, bucket, key, exactly=True)  # of an attempt that was killed
    upload = s3.create_multipart_upload(
        Bucket=bucket, Key=key, ChecksumAlgorithm="SHA256", Metadata=_metadata(content)
    )["UploadId"]  # fmt: skip
    try:
        parts: list[Any] = []
        for number, digest in enumerate(content.parts, 1):
            sent = s3.upload_part(
                Bucket=bucket, Key=key, UploadId=upload, PartNumber=number, Body=stream.read(content.part_size),
                ChecksumSHA256=_encoded(digest),
            )  # fmt: skip
            parts.append({"PartNumber": number, "ETag": sent["ETag"], "ChecksumSHA256": _encoded(digest)})
        answer = s3.complete_multipart_upload(
            Bucket=bucket, Key=key, UploadId=upload, IfNoneMatch="*", MultipartUpload={"Parts": parts}
        )
    except BaseException:
        s3.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload)
        raise
    return answer.get("ChecksumSHA256"), answer["ETag"]


def _metadata(content: Content) -> Mapping[str, str]:
    return {"sha256": content.sha256.hex(), "mtime-ns": str(content.mtime_ns)}


def _encoded(digest: bytes) -> str:
    return base64.b64encode(digest).decode()
