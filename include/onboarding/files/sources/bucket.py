"""Objects of another bucket, at AWS or at a store of the agency's own that speaks S3."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    FlexibleChecksumError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
)

from onboarding.aws_errors import code_of, explaining
from onboarding.errors import Stop
from onboarding.files.sources import WHOLE_BYTES, Changed, Facts, Seen
from onboarding.files.sources.reopened import Reopened
from onboarding.places import BucketFolder

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BROKEN = (
    ConnectionClosedError, FlexibleChecksumError, IncompleteReadError, ReadTimeoutError, ResponseStreamingError,
)  # fmt: skip
GONE = frozenset({"404", "NoSuchKey", "NotFound"})
OTHER = frozenset({"412", "PreconditionFailed"})
REFUSED = frozenset({"403", "AccessDenied", "InvalidObjectState"})
ARCHIVED = frozenset({"GLACIER", "DEEP_ARCHIVE"})
"""Classes whose objects are restored before they can be read (S3 User Guide, "Working with archived objects")."""

HEADERS = ("ContentType", "CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage")


class Bucket:
    """What lies under one prefix. An ETag changes with the content, and S3 never shows half an object."""

    remote = True
    parts_from = WHOLE_BYTES

    def __init__(self, place: BucketFolder) -> None:
        self._place = place
        self._s3: S3Client = place.cloud.client("s3")

    def entries(self) -> Iterator[Seen]:
        where = self._place
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=where.bucket, Prefix=where.prefix)
        with explaining(str(where)):
            for page in pages:
                for item in page.get("Contents", ()):
                    path = item["Key"].removeprefix(where.prefix).encode()
                    if item.get("StorageClass") in ARCHIVED:
                        yield Seen(path, "unreadable")
                    elif path or item["Size"]:  # without either it is the mark that a console leaves of a folder
                        yield Seen(path, "file" if path else "no_file", item["Size"])

    @contextmanager
    def opened(self, path: str) -> Iterator[BucketFile]:
        key = self._place.prefix + path
        with explaining(repr(path)):
            file = BucketFile(self._s3, self._place.bucket, key, path)
        try:
            yield file
        finally:
            file.close()

    def close(self) -> None:
        """The client lives on with its cloud."""


class BucketFile:
    """An open object; its bytes come as they are asked for."""

    def __init__(self, s3: S3Client, bucket: str, key: str, path: str) -> None:
        self._s3, self._at, self._path = s3, {"Bucket": bucket, "Key": key}, path
        answer: Any = self._get()
        self._etag = answer["ETag"]
        self._stream = Reopened(answer["Body"], self._same, path=path, broken=BROKEN)
        self.read, self.seek, self.tell = self._stream.read, self._stream.seek, self._stream.tell
        self.facts = Facts(
            answer["ContentLength"], int(answer["LastModified"].timestamp() * 1000) * 1_000_000,
            version=self._etag, metadata=answer.get("Metadata", {}),
            headers={name: answer[name] for name in HEADERS if answer.get(name)},
        )  # fmt: skip

    def _get(self, **condition: str) -> Any:
        asked: dict[str, Any] = {**self._at, **condition}
        try:
            return self._s3.get_object(**asked)
        except ClientError as failure:
            raise _meaning(failure, self._path) from failure

    def _same(self) -> Any:
        return self._get(IfMatch=self._etag)["Body"]

    def unchanged(self) -> bool:
        asked: Any = self._at
        try:
            return bool(self._s3.head_object(**asked)["ETag"] == self._etag)
        except ClientError as failure:
            if code_of(failure) in GONE:
                return False
            raise

    def close(self) -> None:
        self._stream.answer.close()


def _meaning(failure: ClientError, path: str) -> Exception:
    code = code_of(failure)
    if code in GONE:
        return Stop("files.gone", where=repr(path))
    if code in REFUSED:
        return Stop("files.unreadable", where=repr(path))
    return Changed() if code in OTHER else failure
