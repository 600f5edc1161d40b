"""A folder moved to a bucket by one process, several files at a time; run again, it goes on where it was."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from onboarding.alone import Progress, Tell
from onboarding.files.plan import plan
from onboarding.files.upload import move_unit, require_prefix

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BATCHES = 16


@dataclass(frozen=True)
class MovedFiles:
    """Files and bytes that are in the bucket now; `skipped` of them were there before with the same content."""

    files: int
    bytes: int
    skipped: int
    seconds: float


def move_files(root: Path, s3: S3Client, bucket: str, prefix: str, *, jobs: int, tell: Tell) -> MovedFiles:
    """Every file under `root` as an object under `prefix` that S3 has checked by SHA-256, `jobs` at a time.

    What lies there with the same content counts as moved; with another content it is left alone (Stop). Raises what
    `plan` and `move_unit` raise.
    """
    require_prefix(prefix)
    began = time.monotonic()
    tell(Progress("scan"))
    batches = plan(root, BATCHES, prefix=prefix)
    files = size = skipped = 0
    for number, batch in enumerate(batches, 1):
        moved = move_unit(root, batch, s3, bucket, prefix=prefix, in_flight=jobs)
        files, size, skipped = files + moved.files, size + moved.bytes, skipped + moved.skipped
        tell(Progress("files", number, len(batches), files, size))
    return MovedFiles(files, size, skipped, round(time.monotonic() - began, 3))
