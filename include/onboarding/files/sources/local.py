"""A folder that this machine sees, its own or mounted: never through a link, never half changed."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from onboarding.errors import Stop, TryAgain
from onboarding.files.sources import SINGLE_PUT_BYTES, Facts, Kind, Seen, require_inside
from onboarding.files.walking import walk


class Local:
    """A folder by its path."""

    remote = False
    parts_from = SINGLE_PUT_BYTES

    def __init__(self, root: Path) -> None:
        self._root = root

    def entries(self) -> Iterator[Seen]:
        if self._root.is_symlink() or not self._root.is_dir():
            raise Stop("files.no_folder", where=str(self._root))
        for path, found in walk(os.fsencode(self._root)):
            yield Seen(path, "unreadable") if found is None else Seen(path, _kind(found.st_mode), found.st_size)

    @contextmanager
    def opened(self, path: str) -> Iterator[LocalFile]:
        """The regular file at `path`, opened step by step so that no link is followed on the way."""
        raw = require_inside(path)
        with os.fdopen(_descriptor(self._root, raw, repr(path)), "rb", buffering=0) as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                raise Stop("files.gone", where=repr(path))
            yield LocalFile(b"%b/%b" % (os.fsencode(self._root), raw), stream)

    def close(self) -> None:
        """Nothing is held open between files."""


class LocalFile:
    """An open file."""

    def __init__(self, path: bytes, stream: BinaryIO) -> None:
        self._path, self._stream = path, stream
        self._before = found = os.fstat(stream.fileno())
        self.facts = Facts(found.st_size, found.st_mtime_ns, found.st_mode, found.st_uid, found.st_gid)
        self.read, self.seek, self.tell = stream.read, stream.seek, stream.tell

    def unchanged(self) -> bool:
        try:
            there = os.stat(self._path, follow_symlinks=False)  # noqa: PTH116 - bytes
        except OSError:
            return False
        return _identity(there) == _identity(os.fstat(self._stream.fileno())) == _identity(self._before)


def _identity(found: os.stat_result) -> tuple[int, ...]:
    """What changes when somebody writes to the file or puts another in its place."""
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _descriptor(root: Path, path: bytes, shown: str) -> int:
    *folders, name = path.split(b"/")
    try:
        here = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
        try:
            for folder in folders:
                below = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=here)
                os.close(here)
                here = below
            # O_NONBLOCK: a file that became a pipe must not hang us
            return os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=here)
        finally:
            os.close(here)
    except (FileNotFoundError, NotADirectoryError) as failure:
        raise Stop("files.gone", where=shown) from failure
    except PermissionError as failure:
        raise Stop("files.unreadable", where=shown) from failure
    except OSError as failure:
        if failure.errno == errno.ELOOP:  # a link was put in its place
            raise Stop("files.gone", where=shown) from failure
        raise TryAgain("files.not_opened", where=shown, reason=failure.strerror) from failure


def _kind(mode: int) -> Kind:
    if stat.S_ISREG(mode):
        return "file"
    if stat.S_ISDIR(mode):
        return "folder"
    if stat.S_ISLNK(mode):
        return "symlink"
    if stat.S_ISFIFO(mode):
        return "fifo"
    return "socket" if stat.S_ISSOCK(mode) else "device"
