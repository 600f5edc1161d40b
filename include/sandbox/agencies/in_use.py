"""A service in use: its own program writes all day long, wherever the service's name leads, and keeps what it was told.

The log and the file that makes it rest lie in the agency's folder (`at_rest`): who counts what is there wants the
program to hold still for a moment.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dns.exception
import dns.resolver

from sandbox.witness.client import Witness

log = logging.getLogger("sandbox.agencies")

PAUSE_S = 0.1
LOG, REST, RESTING = "witness.jsonl", "witness.rest", "witness.resting"
LOOK_UP_WITHIN_S = 2.0
BETWEEN_LOOKS_S = 0.02


class Program:
    """The program of one agency, writing from `start` to `stop`; `home` is where its database was all along."""

    def __init__(self, folder: Path, login: dict[str, Any], home: str, name: str, nameserver: str, seed: int) -> None:
        self._rest, self._resting = folder / REST, folder / RESTING
        self._stopped = threading.Event()
        leads_to = look_up_of(name, nameserver, home)
        chance = random.Random(seed)  # noqa: S311 (what it writes next is no secret)
        self._witness = Witness(login, leads_to, folder / LOG, chance, pause_s=PAUSE_S)
        self._thread = threading.Thread(target=self._run, name=f"witness {name}")

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends it; does nothing when it never began."""
        self._stopped.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        try:
            self._witness.go_on(self._stopped.is_set, self._rests)
        except Exception:
            log.exception("the program of a service in use has ended")

    def _rests(self) -> bool:
        if not self._rest.exists():
            self._resting.unlink(missing_ok=True)
            return False
        self._resting.touch()
        return True


def look_up_of(name: str, nameserver: str, home: str) -> Callable[[], str]:
    """Where the name leads now; `home` as long as nobody has moved it into the cloud, or nobody is there to ask."""
    if not nameserver:
        return lambda: home
    host, _, port = nameserver.rpartition(":")
    asking = dns.resolver.Resolver(configure=False)
    asking.nameservers, asking.port, asking.lifetime = [host], int(port), LOOK_UP_WITHIN_S

    def look_up() -> str:
        try:
            return str(asking.resolve(name, "A")[0])
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return home
        except dns.exception.DNSException as failure:
            raise OSError(f"{name}: {failure}") from failure

    return look_up


@contextmanager
def at_rest(folder: Path, *, patience: Callable[[], bool]) -> Iterator[Path]:
    """The log of the program in that folder, which writes nothing meanwhile; `patience` says whether to wait on."""
    (folder / RESTING).unlink(missing_ok=True)
    (folder / REST).touch()
    try:
        while not (folder / RESTING).exists():
            if not patience():
                raise TimeoutError(folder)
            time.sleep(BETWEEN_LOOKS_S)
        yield folder / LOG
    finally:
        (folder / REST).unlink(missing_ok=True)
