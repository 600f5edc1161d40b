"""Places that several pilots share, as the streams that one agency's server bears: so many at a time, whoever asks.

A place is a session lock in the ledger's database: it needs no clock, and is free again as soon as its holder is dead.
A holder that only lost the ledger works on without it, so that for a while there may be one more than `most`: a place
spares a server, it does not protect data (fences do).
"""

from __future__ import annotations

import hashlib
import time
from datetime import timedelta

import psycopg

from onboarding.errors import TryAgain

PATIENCE = timedelta(hours=1)
LOOK_S = 1.0


def take_place(connection: psycopg.Connection, of: str, most: int, patience: timedelta = PATIENCE) -> int:
    """Waits for one of the places 1 to `most` of `of`; it is this session's until the session ends.

    Who asks with another `most` heeds that one. Raises TryAgain when none became free in time.
    """
    deadline = time.monotonic() + patience.total_seconds()
    while True:
        for place in range(1, most + 1):
            taken = connection.execute("SELECT pg_try_advisory_lock(%s)", [_key(of, place)]).fetchone()
            if taken == (True,):
                return place
        if time.monotonic() > deadline:
            raise TryAgain("ledger.no_place", where=of, most=most, seconds=round(patience.total_seconds()))
        time.sleep(LOOK_S)


def _key(of: str, place: int) -> int:
    return int.from_bytes(hashlib.sha256(f"lease {of}#{place}".encode()).digest()[:8], signed=True)
