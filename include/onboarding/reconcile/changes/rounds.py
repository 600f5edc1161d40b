"""Round after round while changes flow: what changed since the full proof, and is equal, is pending no more.

Why nothing is missed. The full proof saw every row of the source at a moment S equal to the target's at a moment T. The
source's watch began before S and the target's before T, so a row that differs in the end was changed after S there, or
after T here, and a watch told its key: it is pending, unless a round cleared it. A round clears a key only if

- the rows are equal in one snapshot of each side, and
- each side's snapshot sees the latest change of that key which is kept for that side.

Any change that those snapshots do not see is therefore not kept yet (two changes of one row follow one another: the
second waits until the first is visible), and when it is read from its slot, the key is pending again. Without such a
change the row still is what the snapshots saw: equal. Positions alone would not do: a slot tells of a transaction as
soon as its commit is on disk, an instant before snapshots see it.

A difference is certain, not only a lag, when the engine had proven that all of the source's changes up to a position
were applied before the target was read, and no later change of that key came up to now.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from onboarding.reconcile.changes import pending as kept
from onboarding.reconcile.changes.asking import Looked, asked, look
from onboarding.reconcile.changes.draining import drain, mark
from onboarding.reconcile.changes.pending import Pending, batches, keys
from onboarding.reconcile.changes.sessions import Connection, one_at_a_time
from onboarding.reconcile.changes.standing import Began, demand_standing
from onboarding.reconcile.changes.vouching import Vouched, vouched
from onboarding.reconcile.changes.watches import EXCLUDED, Watches
from onboarding.reconcile.databases import comparing_both
from onboarding.reconcile.relations import Name, relations
from onboarding.reconcile.sides import Side
from onboarding.reconcile.tables import Comparing

MOST_PER_ROUND = 50_000


@dataclass(frozen=True)
class Round:
    """What a round saw: keys looked at and found equal, keys still pending, and tables that certainly differ.

    `behind`: the engine could not show that the source's changes had been applied, so that nothing is certain.
    """

    looked: int
    cleared: int
    pending: int
    behind: bool = False
    differing: Mapping[Name, tuple[str, ...]] = field(default_factory=dict)


def prove_round(watches: Watches, proven: Began, applied: Callable[[], bool], *, most: int = MOST_PER_ROUND) -> Round:
    """Pending keys whose rows are equal now are pending no more.

    `applied` waits until all that was committed on the source before the call is applied on the target, and says
    whether it is. Raises WatchLost.
    """
    with one_at_a_time(watches.target.kept, watches.target.name) as connection:
        demand_standing(watches, proven)
        drain(watches.source, mark(watches.source))
        arrived = applied()
        drain(watches.target, mark(watches.target))
        vouching = vouched(watches)
        with comparing_both(watches.source.database, watches.target.database) as comparing:
            seen = list(_seen(connection, watches, comparing, vouching, most))
        for one in seen:
            kept.clear(connection, watches, one.equal)
        differing: dict[Name, tuple[str, ...]] = {}
        if arrived and any(one.differing for one in seen):
            drain(watches.source, mark(watches.source))
            differing = dict(_certain(connection, watches, seen))
    looked = sum(one.looked for one in seen)
    cleared = sum(len(one.equal) for one in seen)
    return Round(looked, cleared, kept.how_many(watches), not arrived, differing)


@dataclass(frozen=True)
class Seen:
    """One batch of one table: keys that are done with, and those that differ though nothing is on its way there."""

    table: Name
    looked: int
    equal: list[Pending]
    differing: list[Pending]
    columns: tuple[str, ...]


def _seen(
    connection: Connection, watches: Watches, comparing: Comparing, vouching: Vouched, most: int
) -> Iterator[Seen]:
    ours, theirs = (relations(side, EXCLUDED) for side in (comparing.source, comparing.target))
    horizons = tuple(Horizon.of(side) for side in (comparing.source, comparing.target))
    for name in kept.tables(connection, watches):
        if vouching.reason(name) or name not in ours or name not in theirs:
            continue  # read wholly under the freeze, whatever is pending
        for batch in batches(connection, watches, name):
            found = look(comparing, asked(comparing, ours[name], theirs[name], vouching.keys[name]), keys(batch))
            yield _judged(name, batch, found, horizons)
            most -= len(batch)
            if most <= 0:
                return


def _judged(name: Name, batch: Sequence[Pending], found: Looked, horizons: tuple[Horizon, ...]) -> Seen:
    settled = [one for one in batch if horizons[0].sees(one.source_xid) and horizons[1].sees(one.target_xid)]
    differing = {row.key for row in found.differences.named}
    if not differing <= {one.key for one in batch}:  # equal to its index and written otherwise: all of them stay
        return Seen(name, len(batch), [], [], ())
    columns = tuple(column for column, _ in found.differences.columns)
    equal = [one for one in settled if one.key not in differing]
    return Seen(name, len(batch), equal, [one for one in settled if one.key in differing], columns)


def _certain(connection: Connection, watches: Watches, seen: Iterable[Seen]) -> Iterator[tuple[Name, tuple[str, ...]]]:
    for one in seen:
        if kept.unchanged(connection, watches, one.differing):
            yield one.table, one.columns


@dataclass(frozen=True)
class Horizon:
    """Which transactions a snapshot sees, asked by their 32-bit numbers, as the log tells them."""

    below: int
    running: frozenset[int]

    @classmethod
    def of(cls, side: Side) -> Horizon:
        """The side's own (`pg_current_snapshot`: xmin:xmax:those in between that run)."""
        _, below, running = str(side.ask("SELECT pg_current_snapshot()::text")[0][0]).split(":")
        return cls(int(below), frozenset(int(one) % 2**32 for one in running.split(",") if one))

    def sees(self, xid: int | None) -> bool:
        """Numbers are counted in a circle: one up to half of it before the snapshot's end is in its past."""
        return xid is None or (xid not in self.running and 0 < (self.below - xid) % 2**32 < 2**31)
