"""A whole folder by one process: sent while it is still being looked through, and noted as it arrives."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

from onboarding.aws_errors import explaining
from onboarding.bandwidth import Take, unlimited
from onboarding.files.moving import move_all
from onboarding.files.notes import Note, keep_notes, write_notes
from onboarding.files.placing import Moved, Target
from onboarding.files.scan import movable
from onboarding.files.sources import at
from onboarding.files.upload import BatchResult, require_prefix
from onboarding.places import Place

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

NOTED_TOGETHER = 10_000
"""Files of one note: what a killed move has to ask S3 about again, at most, beside what was under way."""


def move_folder(
    root: Place,
    s3: S3Client,
    bucket: str,
    *,
    prefix: str,
    at_a_time: int | None = None,
    tell: Callable[[BatchResult], None] = lambda _: None,
    noted_together: int = NOTED_TOGETHER,
    take: Take = unlimited,
) -> BatchResult:
    """Every file under `root` as an object that S3 has checked by SHA-256, and the manifest; `tell` hears of each file.

    S3 is listed once. An object that is there with the same content counts as moved. Raises Stop when something cannot
    move, naming how many: what was sent until the first was found stays, nothing is sent after it. Else as `move_unit`.
    """
    require_prefix(prefix)
    with explaining(f"s3://{bucket}/{prefix}"), at(root, take) as source, ExitStack() as opened:
        sent = unlimited if source.remote else take
        target = opened.enter_context(Target.opened(s3, bucket, prefix, take=sent))
        arrivals = _Arrivals(target, tell, noted_together)
        try:
            files = movable(source, str(root), prefix=prefix)
            move_all(source, files, target, lambda _, moved: arrivals.add(moved), at_a_time)
        except BaseException:
            with suppress(Exception):  # the next attempt asks S3 about what is not noted; this failure is what counts
                arrivals.write()
            raise
        arrivals.write()
        keep_notes(s3, bucket, prefix, arrivals.written)
    return arrivals.result


class _Arrivals:
    """What has arrived, counted, and noted so many files at a time. Threads share it."""

    def __init__(self, target: Target, tell: Callable[[BatchResult], None], together: int) -> None:
        self._target, self._tell, self._together = target, tell, together
        self._adding = threading.Lock()
        self._unwritten: list[Note] = []
        self.written: list[str] = []
        self.result = BatchResult(0, 0, 0)

    def add(self, moved: Moved) -> None:
        with self._adding:
            sofar, note = self.result, moved.note
            self.result = BatchResult(sofar.files + 1, sofar.bytes + note.size, sofar.skipped + moved.adopted)
            self._unwritten.append(note)
            self._tell(self.result)
            full = len(self._unwritten) >= self._together
        if full:
            self.write()

    def write(self) -> None:
        """Notes what is not noted yet; the others go on meanwhile."""
        with self._adding:
            notes, self._unwritten = self._unwritten, []
            name = f"folder-{len(self.written) + 1:06d}"
            if notes:
                self.written.append(name)
        if notes:
            write_notes(self._target.s3, self._target.bucket, self._target.prefix, name, notes)
