"""The names on a page that a web server made of a folder. A page may lie: nothing that it says leads out of itself."""

from __future__ import annotations

from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import unquote_to_bytes, urlsplit

from onboarding.errors import Stop

TITLES = ("index of ", "directory listing for ")
"""How Apache's, nginx', lighttpd's and Python's own pages begin their title. Any other page may be the folder's own
`index.html`, behind which its files are not seen."""

SKIPPED = frozenset({"mailto", "javascript"})


@dataclass(frozen=True)
class Name:
    """Something directly in the folder, in the server's own bytes; `outside` when it is not (as the page has it)."""

    raw: bytes
    folder: bool = False
    outside: bool = False


def names(page: bytes, url: str) -> list[Name]:
    """What the page at `url` lists, each once. Raises Stop when it is no listing."""
    read = _Page()
    read.feed(page.decode("utf-8", "replace"))
    if not read.title.strip().lower().startswith(TITLES):
        raise Stop("files.no_listing", where=url, reason=repr(read.title.strip()[:60]))
    found = {name: None for link in read.links if (name := _name(link, url))}
    return list(found)


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.title, self.links = "", list[str]()
        self._in_title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in_title = tag == "title"
        if tag == "a" and (link := dict(attrs).get("href")):
            self.links.append(link)

    def handle_endtag(self, _tag: str) -> None:
        self._in_title = False

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title += data


def _name(link: str, url: str) -> Name | None:
    """None for the ways up, and for those that sort the page."""
    said, here = urlsplit(link.strip()), urlsplit(url)
    if said.scheme in SKIPPED:
        return None
    elsewhere = Name(link.encode(), outside=True)
    if (said.scheme or here.scheme, said.netloc or here.netloc) != (here.scheme, here.netloc):
        return elsewhere
    steps = _steps(said.path, here.path)
    base = _decoded(here.path)[:-1]
    is_folder = steps[-1:] == [b""]
    if is_folder and base[: len(steps) - 1] == steps[:-1]:  # the folder itself, or one above it
        return None
    own = steps[len(base) :]
    if steps[: len(base)] != base or said.query or len(own) != 1 + is_folder or not _is_name(own[0]):
        return elsewhere
    return Name(own[0], folder=is_folder)


def _steps(path: str, here: str) -> list[bytes]:
    """The steps from the server's root that a link's path means at the page `here`; the last is empty for a folder.

    Above the root is the root (RFC 3986, 5.2.4).
    """
    steps: list[str] = [] if path.startswith("/") else here.split("/")[:-1][1:]
    *said, last = path.removeprefix("/").split("/") if path else [""]
    if last in (".", ".."):
        said, last = [*said, last], ""
    for step in said:
        if step == "..":
            del steps[-1:]
        elif step != ".":
            steps.append(step)
    return [unquote_to_bytes(step) for step in (*steps, last)]


def _decoded(path: str) -> list[bytes]:
    return [unquote_to_bytes(step) for step in path.removeprefix("/").split("/")]


def _is_name(step: bytes) -> bool:
    return step not in (b"", b".", b"..") and b"/" not in step and b"\0" not in step
