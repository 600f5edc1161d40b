"""The sandbox's nameserver: static names, RDS endpoints, and the records that Route 53 has in sync.

One loopback port, UDP and TCP. It stands for the whole tree of nameservers: for a zone the records of that zone
answer, a CNAME is followed to wherever it leads, and every name nobody made does not exist (NXDOMAIN). Nothing is
cached and nothing asked elsewhere; answers carry their records' TTL, and of weighted records one is drawn per
question (Amazon Route 53 developer guide, "Weighted routing").
"""

from __future__ import annotations

import ipaddress
import random
import socketserver
import struct
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from sandbox.state import SandboxState

LOOPBACK = "127.0.0.1"
NAME_TTL_S = 5
"""TTL of a static name; an RDS endpoint's on AWS."""
LONGEST_CHAIN = 8
UDP_BYTES = 512


class Key(NamedTuple):
    """One record: lower-case name without the last dot, type, and the set identifier of a weighted one."""

    name: str
    kind: str
    identifier: str = ""


@dataclass(frozen=True)
class Record:
    """What a record answers. `weight` is None for a simple one."""

    ttl: int
    values: tuple[str, ...]
    weight: int | None = None


@dataclass
class Zone:
    """A hosted zone as the world sees it: the records that are in sync."""

    name: str
    records: Mapping[Key, Record]


class Resolver:
    """Answers from `state.names` and from `state.zones` (by id; the first made of several of one name counts)."""

    def __init__(self, state: SandboxState) -> None:
        self._state = state

    def answer(self, question: dns.message.Message) -> dns.message.Message:
        """The response to one question."""
        response = dns.message.make_response(question, recursion_available=True)
        response.flags |= dns.flags.AA
        if len(question.question) != 1 or question.question[0].rdclass != dns.rdataclass.IN:
            response.set_rcode(dns.rcode.NOTIMP)
            return response
        asked = question.question[0]
        kind = dns.rdatatype.to_text(asked.rdtype)
        name = asked.name.to_text(omit_final_dot=True).lower()
        for _ in range(LONGEST_CHAIN):
            found = self._records(name, kind)
            if found is None:
                response.set_rcode(dns.rcode.NXDOMAIN)
                break
            found_kind, record = found
            if record is None:
                break
            response.answer.append(_answered(name, found_kind, record))
            if found_kind != "CNAME" or kind == "CNAME":
                break
            name = record.values[0].removesuffix(".").lower()
        else:
            response.set_rcode(dns.rcode.SERVFAIL)
        return response

    def _records(self, name: str, kind: str) -> tuple[str, Record | None] | None:
        """The record for `name`, or its CNAME; (kind, None) for another type; None if the name does not exist."""
        leads_to = self._state.names.get(name)
        if leads_to is not None:
            return _static(leads_to, kind)
        zone = self._zone(name)
        records = zone.records if zone is not None else {}
        for owner in (name, "*." + name.partition(".")[2]):
            kinds = {key.kind for key in records if key.name == owner}
            for wanted in (kind, "CNAME"):
                if wanted in kinds:
                    return wanted, draw(record for key, record in records.items() if key[:2] == (owner, wanted))
            if kinds:
                return kind, None
        below = any(key.name.endswith("." + name) for key in records)
        return (kind, None) if below or (zone is not None and zone.name == name) else None

    def _zone(self, name: str) -> Zone | None:
        mine = [
            zone for zone in list(self._state.zones.values()) if name == zone.name or name.endswith("." + zone.name)
        ]
        return max(mine, key=lambda zone: len(zone.name), default=None)


def _static(leads_to: str, kind: str) -> tuple[str, Record | None]:
    """What a name leads to that nobody keeps in Route 53: an address, or another name."""
    owner_kind = "A" if is_address(leads_to) else "CNAME"
    if owner_kind == "A" and kind != "A":
        return kind, None
    return owner_kind, Record(NAME_TTL_S, (leads_to,))


def is_address(text: str) -> bool:
    """Whether that is an IPv4 address."""
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return True


def _answered(name: str, kind: str, record: Record) -> dns.rrset.RRset:
    # a name in a record's value is absolute with or without its last dot, as in Route 53
    data = [dns.rdata.from_text("IN", kind, value, dns.name.root, relativize=False) for value in record.values]
    return dns.rrset.from_rdata(dns.name.from_text(name), record.ttl, *data)


def draw(records: Iterable[Record]) -> Record:
    """One record by weight; weight 0 only when all have it."""
    choices = list(records)
    weights = [1 if record.weight is None else record.weight for record in choices]
    return random.choices(choices, weights if any(weights) else None)[0]  # noqa: S311  # a draw, not a secret


class _Server:
    """Mixed into the UDP and TCP servers: both ask one resolver."""

    daemon_threads = True
    resolver: Resolver

    def answer(self, wire: bytes, most: int) -> bytes | None:
        """The response in wire form, or None for what is no question."""
        try:
            question = dns.message.from_wire(wire)
        except dns.exception.DNSException:
            return None
        response = self.resolver.answer(question)
        try:
            return response.to_wire(max_size=max(most, question.payload))
        except dns.exception.TooBig:
            response.answer.clear()
            response.flags |= dns.flags.TC
            return response.to_wire()


class _Udp(_Server, socketserver.ThreadingUDPServer):
    pass


class _Tcp(_Server, socketserver.ThreadingTCPServer):
    allow_reuse_address = True


class _OverUdp(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        wire, socket = self.request
        said = self.server.answer(wire, UDP_BYTES)  # type: ignore[attr-defined]  # ours, see _Server
        if said is not None:
            socket.sendto(said, self.client_address)


class _OverTcp(socketserver.StreamRequestHandler):
    timeout = 5

    def handle(self) -> None:
        while len(length := self.rfile.read(2)) == 2:
            said = self.server.answer(self.rfile.read(struct.unpack("!H", length)[0]), 65535)  # type: ignore[attr-defined]  # ours, see _Server
            if said is None:
                return
            self.wfile.write(struct.pack("!H", len(said)) + said)


def install(state: SandboxState) -> None:
    """Answers from here on, at `state.nameserver` ("127.0.0.1:port")."""
    udp, tcp = _bound(state.names_port)
    servers: tuple[Any, ...] = (udp, tcp)
    for server in servers:
        server.resolver = Resolver(state)
        threading.Thread(target=server.serve_forever, name="dns", daemon=True).start()
        state.on_stop(server.server_close)
        state.on_stop(server.shutdown)
    state.nameserver = f"{LOOPBACK}:{udp.server_address[1]}"


def _bound(port: int) -> tuple[_Udp, _Tcp]:
    """Both servers on that port, or with 0 on one that was free for both."""
    for _ in range(50):
        udp = _Udp((LOOPBACK, port), _OverUdp)
        try:
            return udp, _Tcp((LOOPBACK, udp.server_address[1]), _OverTcp)
        except OSError:
            udp.server_close()
    raise OSError("no port is free for both UDP and TCP")
