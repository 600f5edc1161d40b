"""What tells that a file, or its copy, is still the one that was read: for a proof of what changed since.

Why nothing is missed. A file that was found equal is left unread as long as both stamps are what they were before and
after it was read. On a disk every write gives the inode a new change time, which nobody can set (the modification time
anybody can): the stamp is made of it, of the inode's number and of the size, on a file opened for it, so that an NFS
client asks its server. A change time that is young tells nothing: a second write within the clock's tick, or one to a
page that is mapped in memory and still dirty, would leave it as it is; so a stamp counts only when the file has been
left alone for SETTLED_S, twice what Linux keeps a dirty page for. In S3 an object's ETag changes with its content
(S3 API Reference, "Object"); the time of its last modification is asked besides.

Places that tell less (SFTP, web servers: whole seconds, set by whoever writes) have no stamp: all is read each time.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime

Stamps = Mapping[str, tuple[str, str]]
"""Path → stamp of the file and of the object, of those that were proven alike."""

NONE: Stamps = {}
SETTLED_S = 60.0


def of_file(path: bytes, began: float) -> str | None:
    """The stamp of a file; None when it cannot be opened, or was changed less than SETTLED_S before `began`, or since.

    `began` is when the comparison did, in seconds since 1970, as change times count them.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            status = os.fstat(descriptor)
        finally:
            os.close(descriptor)
    except OSError:
        return None
    if began - status.st_ctime < SETTLED_S:
        return None
    return f"{status.st_ino}:{status.st_size}:{status.st_mtime_ns}:{status.st_ctime_ns}"


def of_object(etag: str, modified: datetime) -> str:
    """The stamp of an object in S3, from a listing or from an answer."""
    return f"{etag}:{int(modified.timestamp())}"
