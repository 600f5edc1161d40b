"""A folder that a web server lists: its pages are read for names, its files asked for one by one."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from urllib.parse import quote_from_bytes

import urllib3
from urllib3.exceptions import HTTPError

from onboarding.errors import AskPerson, Stop
from onboarding.files.sources import WHOLE_BYTES, Changed, Facts, Lost, Seen, require_inside
from onboarding.files.sources.autoindex import Name, names
from onboarding.files.sources.reopened import Reopened
from onboarding.places import WebFolder

ASKED_TOGETHER = 16
CONNECTIONS = 64
TRIES = 3
PAGE_BYTES = 64 * 1024 * 1024
DEEPEST_BYTES = 1024  # longer paths are no keys: so a folder that lists itself comes to an end
TIMEOUT = urllib3.Timeout(connect=10, read=60)


class Web:
    """A listing by its address. Redirections are not followed: they could lead anywhere.

    What the server hides from its listing (names with a leading dot, often) cannot be seen, and sizes are asked for one
    by one.
    """

    remote = True
    parts_from = WHOLE_BYTES

    def __init__(self, place: WebFolder) -> None:
        self._place = place
        headers = {"User-Agent": "namrong", "Accept-Encoding": "identity"}
        if place.user:
            headers |= urllib3.make_headers(basic_auth=f"{place.user}:{place.password}")
        self._pool = urllib3.PoolManager(headers=headers, retries=False, timeout=TIMEOUT, maxsize=CONNECTIONS)

    def entries(self) -> Iterator[Seen]:
        waiting = [b""]
        with ThreadPoolExecutor(ASKED_TOGETHER, thread_name_prefix="web") as pool:
            while waiting:
                folder = waiting.pop()
                found = self._listed(folder)
                if not found and folder:
                    yield Seen(folder, "folder")
                for seen in pool.map(lambda name, under=folder: self._seen(under, name), found):
                    if seen.kind == "folder":
                        waiting.append(seen.path)
                    else:
                        yield seen

    def _listed(self, folder: bytes) -> list[Name]:
        url = self._url(folder + b"/" if folder else b"")
        for left in reversed(range(TRIES)):
            try:
                page = self._page(url)
            except Lost:
                if not left:
                    raise
            else:
                return names(page, url)
        raise AssertionError("the last listing returned or raised")

    def _page(self, url: str) -> bytes:
        answer = self._asked("GET", url)
        try:
            page = answer.read(PAGE_BYTES)
        except HTTPError as failure:
            raise Lost(where=url, reason=type(failure).__name__) from failure
        finally:
            answer.close()
        if answer.status in (401, 403):
            raise AskPerson("files.login_refused", where=url)
        if answer.status != 200:
            raise Stop("files.no_listing", where=url, reason=f"HTTP {answer.status}")
        return page

    def _seen(self, folder: bytes, name: Name) -> Seen:
        path = b"%b/%b" % (folder, name.raw) if folder else name.raw
        if name.outside:
            return Seen(path, "outside")
        if name.folder:
            return Seen(path, "folder" if len(path) <= DEEPEST_BYTES else "outside")
        for left in reversed(range(TRIES)):
            try:
                answer = self._asked("HEAD", self._url(path))
            except Lost:
                if not left:
                    raise
            else:
                answer.release_conn()
                if answer.status in (401, 403):
                    return Seen(path, "unreadable")
                size = answer.headers.get("Content-Length", "")
                known = answer.status == 200 and size.isdecimal()
                return Seen(path, "file", int(size)) if known else Seen(path, "no_file")
        raise AssertionError("the last question returned or raised")

    @contextmanager
    def opened(self, path: str) -> Iterator[WebFile]:
        file = WebFile(self, path, self._url(require_inside(path)))
        try:
            yield file
        finally:
            file.close()

    def _url(self, path: bytes) -> str:
        return self._place.url + "/".join(quote_from_bytes(step, safe="") for step in path.split(b"/"))

    def _asked(self, method: str, url: str) -> urllib3.BaseHTTPResponse:
        try:
            answer = self._pool.request(method, url, preload_content=False, decode_content=False, redirect=False)
        except HTTPError as failure:
            raise Lost(where=url, reason=type(failure).__name__) from failure
        if answer.status == 429 or answer.status >= 500:
            answer.close()
            raise Lost(where=url, reason=f"HTTP {answer.status}")
        return answer

    asked = _asked

    def close(self) -> None:
        self._pool.clear()


class WebFile:
    """A file that the server is sending."""

    def __init__(self, web: Web, path: str, url: str) -> None:
        self._web, self._path, self._url = web, path, url
        answer = self._get()
        self._before = _identity(answer)
        self._stream = Reopened(answer, self._same, path=path, broken=(HTTPError,))
        self.read, self.seek, self.tell = self._stream.read, self._stream.seek, self._stream.tell
        etag, _, size = self._before
        if not size.isdecimal():
            raise Stop("files.no_length", where=repr(path))
        self.facts = Facts(int(size), _mtime_ns(answer), version=etag if etag.startswith('"') else None)

    def _get(self) -> urllib3.BaseHTTPResponse:
        answer = self._web.asked("GET", self._url)
        if answer.status == 200:
            return answer
        answer.close()
        key = "files.unreadable" if answer.status in (401, 403) else "files.gone"
        raise Stop(key, where=repr(self._path))

    def _same(self) -> urllib3.BaseHTTPResponse:
        answer = self._get()
        if _identity(answer) != self._before:
            answer.close()
            raise Changed
        return answer

    def unchanged(self) -> bool:
        answer = self._web.asked("HEAD", self._url)
        answer.release_conn()
        return answer.status == 200 and _identity(answer) == self._before

    def close(self) -> None:
        """Gives the connection back, or ends it when not all was read."""
        if self._stream.tell() < self.facts.size:
            self._stream.answer.close()
        else:
            self._stream.answer.release_conn()


def _identity(answer: urllib3.BaseHTTPResponse) -> tuple[str, str, str]:
    headers = answer.headers
    return headers.get("ETag", ""), headers.get("Last-Modified", ""), headers.get("Content-Length", "")


def _mtime_ns(answer: urllib3.BaseHTTPResponse) -> int | None:
    try:
        return int(parsedate_to_datetime(answer.headers.get("Last-Modified", "")).timestamp()) * 10**9
    except ValueError:
        return None
