"""One file on its way: read, sent, or known again when it is there already."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from onboarding.aws_errors import code_of
from onboarding.bandwidth import Take, unlimited
from onboarding.errors import Stop, TryAgain
from onboarding.files import objects
from onboarding.files.notes import Note, manifest_folder, read_notes, read_notes_around
from onboarding.files.parts import Parts
from onboarding.files.plan import Batch
from onboarding.files.reading import Content, read
from onboarding.files.scan import SourceFile, key_of
from onboarding.files.sending import Sender
from onboarding.files.sources import WHOLE_BYTES, Changed, Lost, OpenFile, Source

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

READINGS = 3
AFTER_A_BREAK_S = 0.5
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
    def opened(
        cls,
        s3: S3Client,
        bucket: str,
        prefix: str,
        *,
        batch: Batch | None = None,
        replace: bool = False,
        take: Take = unlimited,
    ) -> Iterator[Target]:
        """The target as one listing and the manifest tell it, of a batch or of all that is under the prefix.

        Threads that send parts end with the block.
        """
        between = None
        if batch is None:
            noted = read_notes(s3, bucket, prefix)
        else:
            ends = batch.files[0].path, batch.files[-1].path
            noted = read_notes_around(s3, bucket, prefix, batch.id, ends)
            between = key_of(prefix, ends[0]), key_of(prefix, ends[1])
        there = {found.key: found.etag for found in objects.listed(s3, bucket, prefix, between)}
        with Parts(take) as parts:
            sender = Sender(s3, bucket, f"{manifest_folder(prefix)}probe", parts, take)
            yield cls(s3, bucket, prefix, there, noted, sender, replace)


def prepared(source: Source, file: SourceFile, target: Target) -> Callable[[], Moved]:
    """The file read, if it is small, and what is left to do. A large one is read as it is sent.

    Raises Stop when it is gone; what is called raises what `move_file` raises.
    """
    try:
        with source.opened(file.path) as opened:
            if known := _known(file.path, opened, target):
                return lambda: known
            if opened.facts.size <= WHOLE_BYTES:
                content = read(opened, parts_from=source.parts_from)
                return partial(_sent, source, file, opened, content, target)  # closed: its bytes are in `content`
    except (Changed, Lost):
        return partial(move_file, source, file, target, READINGS - 1)
    return partial(move_file, source, file, target)


def move_file(source: Source, file: SourceFile, target: Target, readings: int = READINGS) -> Moved:
    """The file as an object of exactly its bytes, read so many times at most.

    Raises TryAgain when it changes under every reading or its source breaks off each time, Stop when it is gone, or
    when another content lies at its key and must not be replaced.
    """
    for left in reversed(range(readings)):
        try:
            with source.opened(file.path) as opened:
                return _moved(source.parts_from, file.path, opened, target)
        except Changed:
            continue
        except Lost:
            if not left:
                raise
            time.sleep(AFTER_A_BREAK_S)
    raise TryAgain("files.changing", where=repr(file.path), readings=READINGS)


def _sent(source: Source, file: SourceFile, opened: OpenFile, content: Content, target: Target) -> Moved:
    try:
        return _placed(source.parts_from, file.path, opened, content, target)
    except Changed:
        return move_file(source, file, target, READINGS - 1)


def _moved(parts_from: int, path: str, file: OpenFile, target: Target) -> Moved:
    if known := _known(path, file, target):
        return known
    key = key_of(target.prefix, path)
    if target.there.get(key) is None and file.facts.size > parts_from and (sent := target.sender.put_parts(key, file)):
        return _arrived(path, *sent)
    return _placed(parts_from, path, file, read(file, parts_from=parts_from), target)


def _known(path: str, file: OpenFile, target: Target) -> Moved | None:
    """What was noted of the file, if by both sides' word it is the same as when it was moved."""
    there, note, version = target.there.get(key_of(target.prefix, path)), target.noted.get(path), file.facts.version
    if there and note and version and (note.etag, note.version) == (there, version) and not target.replace:
        return Moved(note, adopted=True)
    return None


def _placed(parts_from: int, path: str, file: OpenFile, content: Content, target: Target) -> Moved:
    key = key_of(target.prefix, path)
    large = content.size > parts_from  # those were sent before, if they could be
    there = target.there.get(key)
    if there is None and not large and (etag := target.sender.put_whole(key, file, content)):
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
    sent = target.sender.put_parts(key, file) if large else _whole(target, key, file, content)
    if sent is None:
        raise TryAgain("files.rival", where=repr(key))
    return _arrived(path, *sent)


def _whole(target: Target, key: str, file: OpenFile, content: Content) -> tuple[Content, str] | None:
    etag = target.sender.put_whole(key, file, content)
    return (content, etag) if etag else None


def _arrived(path: str, content: Content, etag: str, *, adopted: bool = False) -> Moved:
    """What is left to know; the content itself is let go."""
    facts = content.facts
    return Moved(Note(path, content.size, content.sha256.hex(), facts.mtime_ns, etag, facts.version), adopted)


def _etag_if_holds(target: Target, key: str, content: Content) -> str | None:
    try:
        checks = target.sender.checks()
        return objects.etag_if_holds(target.s3, target.bucket, key, content, checks=checks)
    except ClientError as failure:
        if code_of(failure) in GONE:  # a rival was quicker
            raise TryAgain("files.rival", where=repr(key)) from failure
        raise
