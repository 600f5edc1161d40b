"""Where a name leads now: one IPv4 address per look-up, nothing kept."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from functools import cache
from typing import Any

from onboarding.errors import TryAgain

Resolver = Callable[[str], str]


def resolver(nameserver: str | None) -> Resolver:
    """A look-up of one IPv4 address per call, uncached, so that a changed record is seen at once.

    `nameserver` is `host:port`; None asks the machine's own resolver.
    """

    def resolve(name: str) -> str:
        try:
            return str(ipaddress.ip_address(name))
        except ValueError:
            pass
        if name == "localhost":
            return "127.0.0.1"
        return _looked_up(name, nameserver)

    return resolve


def _looked_up(name: str, nameserver: str | None) -> str:
    import dns.exception  # 0.1 s, which an address in figures needs not

    try:
        return str(_asked(nameserver).resolve(name, "A", lifetime=5)[0])
    except dns.exception.DNSException as failure:
        raise TryAgain("addresses.name_not_found", where=name, reason=type(failure).__name__) from failure


@cache
def _asked(nameserver: str | None) -> Any:
    import dns.resolver

    asked = dns.resolver.Resolver(configure=nameserver is None)
    asked.cache = None
    if nameserver is not None:
        host, _, port = nameserver.rpartition(":")
        asked.nameservers, asked.port = [host], int(port)
    return asked
