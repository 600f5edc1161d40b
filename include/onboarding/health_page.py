"""The page by which a service says of itself that it is well, asked over HTTP."""

from __future__ import annotations

import ssl
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import HTTPError

from onboarding.errors import Stop, TryAgain

TIMEOUT = urllib3.Timeout(total=10)
WELL, ILL = range(200, 300), range(500, 600)


def ask(url: str, address: str) -> None:
    """A GET to that address, in the name of the host in `url`: `Host`, and for https whose certificate it must be.

    Whatever 2xx it answers is well; redirects are not followed, no proxy is used and no content is read. Raises
    TryAgain when nobody answers or with 5xx, Stop on any other answer: a page that is not there comes to be by nobody's
    waiting.
    """
    try:
        with _pool(url, address) as pool:
            answer = pool.request(
                "GET",
                urlsplit(url).path or "/",
                headers={"Host": urlsplit(url).netloc},
                redirect=False,
                preload_content=False,
            )
            answer.close()
    except HTTPError as failure:
        raise TryAgain("traffic.bad_page", where=url, address=address, reason=str(failure)) from failure
    if answer.status not in WELL:
        kind = TryAgain if answer.status in ILL else Stop
        raise kind("traffic.bad_page", where=url, address=address, reason=f"HTTP {answer.status}")


def host_of(url: str) -> str:
    """Whose page it is."""
    return str(urlsplit(url).hostname)


def _pool(url: str, address: str) -> urllib3.HTTPConnectionPool:
    said = urlsplit(url)
    if said.scheme == "http":
        return urllib3.HTTPConnectionPool(address, said.port, timeout=TIMEOUT, retries=False)
    return urllib3.HTTPSConnectionPool(
        address,
        said.port,
        timeout=TIMEOUT,
        retries=False,
        ssl_context=ssl.create_default_context(),
        server_hostname=host_of(url),
        assert_hostname=host_of(url),
    )
