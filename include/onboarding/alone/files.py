"""The files of a place moved to a bucket by one process, several at a time; run again, it goes on where it was."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from onboarding.alone import Progress, Tell
from onboarding.bandwidth import Take, unlimited
from onboarding.files.folder import move_folder
from onboarding.files.upload import BatchResult
from onboarding.places import Place

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

TOLD_EVERY_S = 1.0


@dataclass(frozen=True)
class MovedFiles:
    """Files and bytes that are in the bucket now; `skipped` of them were there before with the same content."""

    files: int
    bytes: int
    skipped: int
    seconds: float


def move_files(
    root: Place, s3: S3Client, bucket: str, prefix: str, *, jobs: int | None, tell: Tell, take: Take = unlimited
) -> MovedFiles:
    """Every file under `root` as an object under `prefix` that S3 has checked by SHA-256, `jobs` at a time.

    None: as many as suit the source. What lies there with the same content counts as moved; with another content it is
    left alone (Stop). Raises what `move_folder` raises.
    """
    began = last = time.monotonic()
    tell(Progress("scan"))

    def arrived(sofar: BatchResult) -> None:
        nonlocal last
        if time.monotonic() - last >= TOLD_EVERY_S:
            last = time.monotonic()
            tell(Progress("files", items=sofar.files, bytes=sofar.bytes))

    moved = move_folder(root, s3, bucket, prefix=prefix, at_a_time=jobs, tell=arrived, take=take)
    tell(Progress("files", items=moved.files, bytes=moved.bytes))
    return MovedFiles(moved.files, moved.bytes, moved.skipped, round(time.monotonic() - began, 3))
