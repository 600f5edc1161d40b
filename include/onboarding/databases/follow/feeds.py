"""One direction of following: who publishes, who subscribes, and how the one server reaches the other."""

from __future__ import annotations

import re
from dataclasses import dataclass

from psycopg.conninfo import make_conninfo

from onboarding.addresses import CONNECT_TIMEOUT_S, Database

NAME = re.compile(r"namrong_[a-z0-9_]{1,55}", re.ASCII)  # a slot's name: lower case, at most 63 bytes


@dataclass(frozen=True)
class Feed:
    """Publication, slot and subscription of one name, from `publisher` to `subscriber`.

    Both are logins as we reach them. `reached` is the publisher as the subscriber's *server* reaches it (a name that
    this server resolves, a port that is open to it), with a login that may replicate; its password is kept there by
    PostgreSQL, readable by superusers. Give each load a name of its own: a slot belongs to one copy.
    """

    name: str
    publisher: Database
    subscriber: Database
    reached: Database

    def __post_init__(self) -> None:
        if NAME.fullmatch(self.name) is None:
            raise ValueError(f"no name for a feed: {self.name!r}")

    def __str__(self) -> str:
        return f"{self.name}: {self.publisher} → {self.subscriber}"

    def conninfo(self) -> str:
        """How the subscriber's server connects, password included: never to be shown."""
        there = self.reached
        tls = {"sslrootcert": there.sslrootcert} if there.sslrootcert else {}
        return make_conninfo(
            host=there.host, port=there.port, dbname=there.name, user=there.user, password=there.password,
            sslmode=there.sslmode, connect_timeout=CONNECT_TIMEOUT_S, **tls,
        )  # fmt: skip
