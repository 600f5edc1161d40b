"""Putting one file into a bucket so that nothing is replaced and the store itself has checked every byte."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from onboarding.aws_errors import code_of
from onboarding.bandwidth import Take, unlimited
from onboarding.errors import TryAgain
from onboarding.files import objects
from onboarding.files.lane import Lane
from onboarding.files.outgoing import count_when_sent, outgoing
from onboarding.files.parts import Parts
from onboarding.files.reading import Content
from onboarding.files.sources import Changed, OpenFile

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class Sender:
    """One bucket to send files to; `probe` is a key that no file of ours has. Threads share it."""

    def __init__(self, s3: S3Client, bucket: str, probe: str, parts: Parts, take: Take = unlimited) -> None:
        self._s3, self._bucket, self._probe, self._parts, self._take = s3, bucket, probe, parts, take
        count_when_sent(s3)
        self._lane = Lane(s3, bucket)
        self._asking = threading.Lock()
        self._checks: bool | None = None

    def checks(self) -> bool:
        """Whether the store refuses bytes that are not of their SHA-256, as S3 does; asked once, when first needed."""
        with self._asking:
            if self._checks is None:
                self._checks = objects.checks_what_it_is_sent(self._s3, self._bucket, self._probe)
            return self._checks

    def put_whole(self, key: str, file: OpenFile, content: Content) -> str | None:
        """Write-once: the new object's ETag, once it is checked; None when something was there before.

        Raises Changed when the bytes sent are not those that were hashed.
        """
        checks = self.checks()
        kept = objects.metadata(content.facts, sha256=content.sha256.hex())
        headers: dict[str, Any] = dict(content.facts.headers)
        plain = content.body is not None and not headers  # the lane carries no headers of an object's own
        if content.body is not None and plain:
            self._take(content.size)
            if etag := self._lane.put(key, content.body, kept):
                self._require(key, content, etag, told=objects.checksum(content)[1] if checks else None)
                return etag
        if content.body is None:
            file.seek(0)
        body = outgoing(file if content.body is None else content.body, self._take)
        try:
            answer = self._s3.put_object(
                Bucket=self._bucket, Key=key, Body=body, IfNoneMatch="*",
                ChecksumSHA256=objects.encoded(content.sha256), Metadata=kept, **headers,
            )  # fmt: skip
        except ClientError as failure:
            _require_taken(failure)
            return None
        self._require(key, content, answer["ETag"], told=answer.get("ChecksumSHA256") if checks else None)
        return answer["ETag"]

    def put_parts(self, key: str, file: OpenFile) -> tuple[Content, str] | None:
        """Write-once, read only once: what was sent, and the new object's ETag; None when something was there before.

        Raises Changed when the file did not stand still.
        """
        checks = self.checks()
        try:
            content, told, etag = self._parts.put(self._s3, self._bucket, key, file)
        except ClientError as failure:
            _require_taken(failure)
            return None
        self._require(key, content, etag, told=told if checks else None)
        return content, etag

    def _require(self, key: str, content: Content, etag: str, *, told: str | None) -> None:
        """Raises TryAgain unless the object is this content, by what the store told, or else by what it holds."""
        if told == objects.checksum(content)[1]:
            return
        if objects.etag_if_holds(self._s3, self._bucket, key, content, checks=self.checks()) != etag:
            raise TryAgain("files.not_as_sent", where=repr(key))


def _require_taken(failure: ClientError) -> None:
    """That an object was there before; raises Changed for bytes refused, the failure for all else."""
    if code_of(failure) in objects.TAKEN:
        return
    if code_of(failure) in objects.WRONG_BYTES:
        raise Changed from failure
    raise failure
