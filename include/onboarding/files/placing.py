"""One file on its way: read, sent, or known again when it is there already."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from botocore.exceptions import ClientError

from onboarding.aws_errors import code_of
from onboarding.errors import Stop, TryAgain
from onboarding.files import objects
from onboarding.files.notes import Note, manifest_folder, read_notes
from onboarding.files.parts import Parts
from onboarding.files.reading import Changed, Content, opened, read, still_there
from onboarding.files.scan import SourceFile, key_of
from onboarding.files.sending import Sender

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

READINGS = 3
GONE = frozenset({"404", "NoSuchKey", "NotFound", "412", "PreconditionFailed"})


@dataclass(frozen=True)
class Moved:
    """A file that is in S3 now; `adopted` when it was there before, with the same SHA-256."""

    note: Note
    adopted: bool


@dataclass(frozen=True)
class Target:
    """Where files go, what lies there (ETag by key), and what earlier attempts left noted."""

    s3: S3Client
    bucket: str
    prefix: str
    there: Mapping[str, str]
    noted: Mapping[str, Note]
    sender: Sender
    replace: bool

    @classmethod
    @contextmanager
    def opened(cls, s3: S3Client, bucket: str, prefix: str, *, replace: bool = False) -> Iterator[Target]:
        """The target as one listing and the manifest tell it; threads that send parts end with the block."""
        there = {found.key: found.etag for found in objects.listed(s3, bucket, prefix)}
        noted = read_notes(s3, bucket, prefix)
        with Parts() as parts:
            sender = Sender(s3, bucket, f"{manifest_folder(prefix)}probe", parts)
            yield cls(s3, bucket, prefix, there, noted, sender, replace)


def move_file(root: Path, file: SourceFile, target: Target) -> Moved:
    """The file as an object of exactly its bytes.

    Raises TryAgain when it changes under every reading, Stop when it is gone, or when another content lies at its key
    and must not be replaced.
    """
    for _ in range(READINGS):
        try:
            with opened(root, file.path) as stream:
                if moved := _moved(root, file.path, stream, target):
                    return moved
        except Changed:
            continue
    raise TryAgain("files.changing", where=repr(file.path), readings=READINGS)


def _moved(root: Path, path: str, stream: BinaryIO, target: Target) -> Moved | None:
    """None when the path does not lead to this file any more."""

    def settled() -> bool:
        return still_there(root, path, stream)

    key = key_of(target.prefix, path)
    large = objects.in_parts(os.fstat(stream.fileno()).st_size)
    if large and key not in target.there and (sent := target.sender.put_parts(key, stream, settled)):
        return _arrived(path, *sent)
    content = read(stream, objects.in_parts)
    return _placed(path, key, stream, content, target, settled) if settled() else None


def _placed(
    path: str, key: str, stream: BinaryIO, content: Content, target: Target, settled: Callable[[], bool]
) -> Moved:
    large = objects.in_parts(content.size)  # those were sent before, if they could be
    there = target.there.get(key)
    if there is None and not large and (etag := target.sender.put_whole(key, stream, content)):
        return _arrived(path, content, etag)
    note = target.noted.get(path)
    if there is not None and note is not None and (note.etag, note.sha256) == (there, content.sha256.hex()):
        # this SHA-256 was checked when the note was written, and by its ETag the object is the same since
        return _arrived(path, content, there, adopted=True)
    if etag := _etag_if_holds(target, key, content):
        return _arrived(path, content, etag, adopted=True)
    if not target.replace:
        raise Stop("files.different", where=repr(key))
    objects.delete(target.s3, target.bucket, [key])
    return _replaced(path, key, stream, content, target, settled)


def _replaced(
    path: str, key: str, stream: BinaryIO, content: Content, target: Target, settled: Callable[[], bool]
) -> Moved:
    """The file in the place of what was deleted."""
    if objects.in_parts(content.size):
        if sent := target.sender.put_parts(key, stream, settled):
            return _arrived(path, *sent)
    else:
        stream.seek(0)
        if etag := target.sender.put_whole(key, stream, content):
            return _arrived(path, content, etag)
    raise TryAgain("files.rival", where=repr(key))


def _arrived(path: str, content: Content, etag: str, *, adopted: bool = False) -> Moved:
    """What is left to know; the content itself is let go."""
    return Moved(Note(path, content.size, content.sha256.hex(), content.mtime_ns, etag), adopted)


def _etag_if_holds(target: Target, key: str, content: Content) -> str | None:
    try:
        checks = target.sender.checks()
        return objects.etag_if_holds(target.s3, target.bucket, key, content, checks=checks)
    except ClientError as failure:
        if code_of(failure) in GONE:  # a rival was quicker
            raise TryAgain("files.rival", where=repr(key)) from failure
        raise
