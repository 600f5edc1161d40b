"""The whole programme in memory, kept up with the ledger: only records after the last one known are read."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from onboarding.ledger import Ledger
from onboarding.programme.standing import KINDS, Standing
from onboarding.records import Record

PAGE = 5_000
"""Records read at a time, so that a first reading of a long ledger holds few of them."""


@dataclass
class Programme:
    """Every pilot's standing. `seq` and `hash` are the last record's that was folded in: what the figures rest on."""

    seq: int = 0
    hash: str = ""
    pilots: dict[str, Standing] = field(default_factory=dict)

    def take(self, record: Record) -> None:
        """One more record, in the ledger's order."""
        pilot = self.pilots.get(record.pilot)
        if pilot is None:
            pilot = self.pilots[record.pilot] = Standing(record.pilot)
        pilot.take(record)
        self.seq, self.hash = record.seq, record.hash


class Reading:
    """One process's view of a ledger. Safe for several threads.

    The ledger is append-only and numbered without a gap, one writer at a time: no record appears behind one that was
    read, so a fold that goes on from the last number is the fold from nothing.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._programme = Programme()
        self._alone = threading.Lock()

    @contextmanager
    def current(self) -> Iterator[Programme]:
        """The programme as the ledger has it now; nobody else reads on until the block ends. Change nothing in it."""
        with self._alone:
            while page := self._ledger.records(kind=KINDS, after=self._programme.seq, limit=PAGE):
                for record in page:
                    self._programme.take(record)
                if len(page) < PAGE:
                    break
            yield self._programme
