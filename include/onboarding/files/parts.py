"""Large files in parts: read once, hashed as they are read, each part sent while the next is read.

S3 holds each part against its CRC-64/NVME, and the whole against that of all bytes; the manifest has the SHA-256.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Any

from onboarding.bandwidth import Take, unlimited
from onboarding.files import objects
from onboarding.files.crc64 import Crc64
from onboarding.files.outgoing import outgoing
from onboarding.files.reading import Content, Hashes
from onboarding.files.sources import Changed, OpenFile

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

SENDERS = 8
IN_MEMORY = 12
"""Parts in memory, of all files together: those being sent, and some read ahead.

As many files at a time: more would only be begun, and after a kill begun anew.
"""


@dataclass(frozen=True)
class _Sent:
    number: int
    etag: str
    checksum: str


class Parts:
    """Sends parts of several files, `SENDERS` at a time; a context manager whose threads end with the block."""

    def __init__(self, take: Take = unlimited) -> None:
        self._take = take
        self._senders = ThreadPoolExecutor(SENDERS, thread_name_prefix="parts")
        self._room, self._files = BoundedSemaphore(IN_MEMORY), BoundedSemaphore(IN_MEMORY)

    def __enter__(self) -> Parts:
        return self

    def __exit__(self, *_: object) -> None:
        self._senders.shutdown(cancel_futures=True)

    def put(self, s3: S3Client, bucket: str, key: str, file: OpenFile) -> tuple[Content, str | None, str]:
        """What was read and sent, the checksum that S3 tells of it, and the new object's ETag.

        The object appears at once, after the file was found to be still where it was, and as it was; until then it may
        end as if it had never begun. Raises Changed when the file was written to meanwhile, ClientError with a code of
        `objects.TAKEN` when an object was there before.
        """
        with self._files:
            return self._put(s3, bucket, key, file)

    def _put(self, s3: S3Client, bucket: str, key: str, file: OpenFile) -> tuple[Content, str | None, str]:
        objects.abort_uploads(s3, bucket, key, exactly=True)  # of an attempt that was killed
        facts = file.facts
        headers: dict[str, Any] = dict(facts.headers)
        begun = s3.create_multipart_upload(
            Bucket=bucket, Key=key, ChecksumAlgorithm="CRC64NVME", ChecksumType="FULL_OBJECT",
            Metadata=objects.metadata(facts), **headers,
        )  # fmt: skip
        upload = begun["UploadId"]
        sent: list[_Sent] = []
        under_way: deque[Future[_Sent]] = deque()
        try:
            hashes = Hashes(with_crc64=True)
            for number, block in enumerate(self._blocks(file, facts.size), 1):
                under_way.append(self._senders.submit(self._send, s3, bucket, key, upload, number, block))
                hashes.update(block)
                while under_way and under_way[0].done():  # a failure ends the reading
                    sent.append(under_way.popleft().result())
            sent += [one.result() for one in under_way]
            if not file.unchanged():
                raise Changed
            content = hashes.content(facts)
            answer = s3.complete_multipart_upload(
                Bucket=bucket, Key=key, UploadId=upload, IfNoneMatch="*", MultipartUpload={"Parts": _named(sent)},
                ChecksumCRC64NVME=objects.checksum(content)[1], ChecksumType="FULL_OBJECT",
            )  # fmt: skip
        except BaseException:
            self._give_up(under_way)
            s3.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload)
            raise
        return content, answer.get("ChecksumCRC64NVME"), answer["ETag"]

    def _blocks(self, file: OpenFile, size: int) -> Iterator[bytes]:
        """The file in parts; each waits until there is room for it. Raises Changed when it has another size."""
        file.seek(0)
        for missing in range(size, 0, -objects.part_size(size)):
            self._room.acquire()
            try:
                block = _filled(file, min(missing, objects.part_size(size)))
            except BaseException:
                self._room.release()
                raise
            if len(block) < min(missing, objects.part_size(size)):
                self._room.release()
                raise Changed
            yield block

    def _send(self, s3: S3Client, bucket: str, key: str, upload: str, number: int, block: bytes) -> _Sent:
        try:
            checksum = objects.encoded(Crc64(block).digest())
            body = outgoing(block, self._take)
            sent = s3.upload_part(
                Bucket=bucket, Key=key, UploadId=upload, PartNumber=number, Body=body, ChecksumCRC64NVME=checksum
            )
        finally:
            self._room.release()
        return _Sent(number, sent["ETag"], checksum)

    def _give_up(self, under_way: deque[Future[_Sent]]) -> None:
        """What was not begun gives its room back; what is under way ends first, or it would outlive the upload."""
        for one in under_way:
            if one.cancel():
                self._room.release()
        wait(under_way)


def _filled(file: OpenFile, size: int) -> bytes:
    """The next `size` bytes, fewer only at the end: one read of a share may bring less."""
    block = file.read(size)
    while block and len(block) < size and (more := file.read(size - len(block))):
        block += more
    return block


def _named(sent: list[_Sent]) -> list[CompletedPartTypeDef]:
    return [{"PartNumber": one.number, "ETag": one.etag, "ChecksumCRC64NVME": one.checksum} for one in sent]
