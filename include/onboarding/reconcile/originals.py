"""The files of a place that is no local folder, read for the verifier alone: with nothing of what the mover knows."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from html import unescape
from typing import Protocol
from urllib.parse import quote_from_bytes, unquote_to_bytes, urljoin

import urllib3
from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError

from onboarding.aws_errors import explaining
from onboarding.bandwidth import Take, unlimited
from onboarding.errors import AskPerson, Stop, TryAgain
from onboarding.places import BucketFolder, SftpFolder, WebFolder
from onboarding.reconcile.files_stamps import of_object

CHUNK_BYTES = 1024 * 1024
PAGE_BYTES = 64 * CHUNK_BYTES
LONGEST_PATH = 1024
LINK = re.compile(rb"""<a\s[^>]*?href\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)
LISTING = re.compile(rb"<title>\s*(index of|directory listing for) ", re.IGNORECASE)
UNTOLD = {SftpFolder: ("coarse",), BucketFolder: (), WebFolder: ("coarse", "hidden")}
"""What each kind of place cannot tell: changes within a second; names that it does not list."""

Found = tuple[bytes, str, int | None]
"""Path, kind (`file`, `unread`, or what is left out), size where the place tells it."""


class Originals(Protocol):
    """A place that is open for reading. Threads share it."""

    def walk(self) -> Iterator[Found]:
        """Everything that it shows but folders."""

    def read(self, path: bytes) -> tuple[bytes, int] | None:
        """SHA-256 and size of a file that stood still while it was read; None if it would not, or not let us."""

    def stamp(self, path: bytes) -> str | None:
        """What the file's next change will change (`files_stamps`); None where nothing does, or it is just changing."""

    def close(self) -> None: ...


def originals(place: SftpFolder | BucketFolder | WebFolder, take: Take = unlimited) -> Originals:
    """The place, open; what is read of its files asks `take` for the agency's line."""
    if isinstance(place, SftpFolder):
        from onboarding.reconcile.originals_sftp import OnSftp

        return OnSftp(place, take)
    return _InBucket(place, take) if isinstance(place, BucketFolder) else _OnWeb(place, take)


class _InBucket:
    def __init__(self, place: BucketFolder, take: Take) -> None:
        self._place, self._s3, self._take = place, place.cloud.client("s3"), take

    def walk(self) -> Iterator[Found]:
        bucket, prefix = self._place.bucket, self._place.prefix
        with explaining(str(self._place)):
            for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
                for item in page.get("Contents", ()):
                    if item["Key"] != prefix or item["Size"]:
                        yield item["Key"][len(prefix) :].encode(), "file", item["Size"]

    def read(self, path: bytes) -> tuple[bytes, int] | None:
        digest, size = hashlib.sha256(), 0
        try:
            answer = self._s3.get_object(Bucket=self._place.bucket, Key=self._place.prefix + path.decode())
            for chunk in answer["Body"].iter_chunks(CHUNK_BYTES):
                self._take(len(chunk))
                digest.update(chunk)
                size += len(chunk)
        except (ClientError, BotoCoreError):
            return None
        return (digest.digest(), size) if size == answer["ContentLength"] else None

    def stamp(self, path: bytes) -> str | None:
        try:
            told = self._s3.head_object(Bucket=self._place.bucket, Key=self._place.prefix + path.decode())
        except (ClientError, BotoCoreError):
            return None
        return of_object(told["ETag"], told["LastModified"])

    def close(self) -> None:
        pass


class _OnWeb:
    def __init__(self, place: WebFolder, take: Take) -> None:
        self._url, self._take = place.url, take
        headers = {"Accept-Encoding": "identity"}
        if place.user:
            headers |= urllib3.make_headers(basic_auth=f"{place.user}:{place.password}")
        self._pool = urllib3.PoolManager(headers=headers, timeout=urllib3.Timeout(connect=10, read=60), maxsize=16)

    def walk(self) -> Iterator[Found]:
        waiting = [b""]
        while waiting:
            folder = waiting.pop()
            here = self._url + _quoted(folder)
            answer = self._get(here)
            page = answer.read(PAGE_BYTES)
            if answer.status in (401, 403):
                raise AskPerson("reconcile.login_refused", where=here)
            if answer.status != 200 or not LISTING.search(page):
                raise Stop("reconcile.no_listing", where=here)
            for link in dict.fromkeys(one or other for one, other in LINK.findall(page)):
                to = urljoin(here, unescape(link.decode("utf-8", "replace")))
                bare = to.split("?")[0].split("#")[0]
                below, there = unquote_to_bytes(here), unquote_to_bytes(bare)  # Apache writes %e0 where we write %E0
                if to.startswith("mailto:") or (bare.endswith("/") and below.startswith(there)):
                    continue  # up, or the page itself in another order
                name = there[len(below) : -1 if bare.endswith("/") else None] if there.startswith(below) else b""
                if bare != to or name in (b"", b".", b"..") or b"/" in name or b"\0" in name:
                    yield link, "unread", None  # it leads elsewhere: whoever lists that proves nothing
                elif not bare.endswith("/"):
                    yield folder + name, "file", None
                elif len(folder + name) > LONGEST_PATH:
                    yield folder + name, "unread", None
                else:
                    waiting.append(folder + name + b"/")

    def read(self, path: bytes) -> tuple[bytes, int] | None:
        digest, size, url = hashlib.sha256(), 0, self._url + _quoted(path)
        try:
            answer = self._pool.request("GET", url, preload_content=False, redirect=False, retries=3)
            for chunk in answer.stream(CHUNK_BYTES, decode_content=False):
                self._take(len(chunk))
                digest.update(chunk)
                size += len(chunk)
            after = self._pool.request("HEAD", url, redirect=False, retries=3)
        except HTTPError:
            return None
        told = [(one.status, one.headers.get("Last-Modified"), one.headers.get("ETag")) for one in (answer, after)]
        whole = str(size) == answer.headers.get("Content-Length") == after.headers.get("Content-Length")
        return (digest.digest(), size) if whole and told[0] == told[1] and answer.status == 200 else None

    def stamp(self, _path: bytes) -> str | None:
        return None

    def _get(self, url: str) -> urllib3.BaseHTTPResponse:
        try:
            return self._pool.request("GET", url, preload_content=False, redirect=False, retries=3)
        except HTTPError as failure:
            raise TryAgain("reconcile.connection_lost", where=url, reason=type(failure).__name__) from failure

    def close(self) -> None:
        self._pool.clear()


def _quoted(path: bytes) -> str:
    return "/".join(quote_from_bytes(step, safe="") for step in path.split(b"/"))
