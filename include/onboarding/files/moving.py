"""Many files on their way together."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from onboarding.files.crew import Job, Room, each
from onboarding.files.placing import Moved, Target, prepared
from onboarding.files.scan import SourceFile
from onboarding.files.sources import WHOLE_BYTES, Source

HERE, FROM_AFAR = 256, 64
"""Files at a time, of this machine or a share, and of an agency's server, which has its own work to do.

A small file costs us a tenth of a millisecond, and S3's answer takes 20 to 50. More would want more open files than
many systems let a process have (1,024: each has a connection, and may have a file).
"""

IN_MEMORY_BYTES = 64 * WHOLE_BYTES
"""Of small files on their way, whatever the number of hands."""

LEAST_BYTES = 64 * 1024
"""What a file counts for at least: so what is read ahead is some thousand files at most."""


def move_all(
    source: Source,
    files: Iterable[SourceFile],
    target: Target,
    arrived: Callable[[SourceFile, Moved], None],
    at_a_time: int | None,
) -> None:
    """Every file as an object of exactly its bytes; `arrived` is told of each, by many threads.

    `at_a_time` files are on their way together; None: as many as suit the source. Raises what the first file that fails
    raises (`prepared`); no other is begun then.
    """

    def read(file: SourceFile) -> Job:
        send = prepared(source, file, target)
        return lambda: arrived(file, send())

    hands = at_a_time or (FROM_AFAR if source.remote else HERE)
    each(read, files, hands, room=Room(IN_MEMORY_BYTES), size=_in_memory)


def _in_memory(file: SourceFile) -> int:
    """What counts for it from its reading until it was sent; a large one is never whole in memory."""
    return max(file.size, LEAST_BYTES) if file.size <= WHOLE_BYTES else LEAST_BYTES
