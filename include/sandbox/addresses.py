"""A loopback subnet and a port that no other checkout uses: every PostgreSQL server of one checkout shares the port."""

from __future__ import annotations

import secrets
import socket
from dataclasses import dataclass

FIRST_PORT, LAST_PORT = 20_000, 32_000  # below the range from which Linux takes ports for outgoing connections
ATTEMPTS = 200


@dataclass(frozen=True)
class Places:
    """Where to listen; what is 0 or empty is chosen. In a container of its own, a sandbox can be at a known place."""

    port: int = 0
    names_port: int = 0
    subnet: str = ""
    service_port: int = 0


def claim(places: Places) -> tuple[str, int, socket.socket]:
    """("127.A.B", port, the socket that holds the claim on 127.A.B.1 for as long as it is open)."""
    for _ in range(ATTEMPTS):
        subnet = places.subnet or f"127.{2 + secrets.randbelow(253)}.{secrets.randbelow(255)}"
        port = places.service_port or FIRST_PORT + secrets.randbelow(LAST_PORT - FIRST_PORT)
        held = socket.socket()
        try:
            held.bind((f"{subnet}.1", port))
            held.listen(1)
        except OSError:
            held.close()
            continue
        return subnet, port, held
    raise OSError("no free loopback address and port found")
