"""Everything a folder holds, name by name, in bytes as the file system has them."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator


def walk(root: bytes) -> Iterator[tuple[bytes, os.stat_result | None]]:
    """Every entry below `root` but the folders that hold something, as it is come upon: relative path, what it is.

    None stands for what we may not look at or read. No link is followed.
    """
    waiting = [b""]
    while waiting:
        folder = waiting.pop()
        here = _joined(root, folder)
        try:
            with os.scandir(here) as entries:
                names = [(entry.name, found) for entry in entries if (found := _look(entry))]
        except FileNotFoundError:  # removed while we looked: it was never there
            continue
        except PermissionError:
            yield folder, None
            continue
        if not names and folder:
            yield folder, os.lstat(here)
        for name, found in names:
            path = _joined(folder, name)
            if stat.S_ISDIR(found.st_mode):
                waiting.append(path)
            elif stat.S_ISREG(found.st_mode) and not os.access(_joined(here, name), os.R_OK):
                yield path, None
            else:
                yield path, found


def _joined(folder: bytes, name: bytes) -> bytes:
    return b"%b/%b" % (folder, name) if folder and name else folder or name


def _look(entry: os.DirEntry[bytes]) -> os.stat_result | None:
    try:
        return entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None
