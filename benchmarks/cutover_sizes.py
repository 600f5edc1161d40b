"""The freeze and the way back as a witness sees them, by the size of the database.

    PYTHONPATH=include:tests python benchmarks/cutover_sizes.py --gb 0.1 1 4 --times 20

Two servers of our own on this machine. For each size one database is copied, followed, and proven row by row while it
is watched; then its service, which writes all the while, goes there and back so many times. Each time the night is what
the journey does under its freeze: drain, both schemas, what changed since the full proof compared, sequences, the way
back armed and proven, the switch committed, the target opened, the name turned. Not in it: files, Route 53 and its
probes, Airflow. (A journey copies anew for a second night; here the way there is armed again on the way back, under
that freeze, which makes it longer than it is.)

Prints p50 and p95 of how long the witness waited, from the last acknowledged write on the one side to the first on the
other, and exits with 1 if a write was lost, is there twice, or was taken by both sides.
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).resolve().parents[1] / room) for room in ("include", "tests")]

import following_journey as journey
from conftest import free_port
from faults.witness_trials import witnessing
from following_servers import Pair, Servers, make_pair, take_away, two_servers

from onboarding.databases import deadline, sequences
from onboarding.databases.follow import closing, drain, lag, turn
from onboarding.databases.follow.drift import drift
from onboarding.databases.follow.feeds import Feed
from onboarding.reconcile.changes.proving import compare_changed
from onboarding.reconcile.changes.rounds import prove_round
from onboarding.reconcile.changes.standing import Began, stand
from onboarding.reconcile.changes.watches import Watch, Watches, open_watch
from onboarding.reconcile.databases import compare_databases
from onboarding.reconcile.report import Comparison
from sandbox.postgres import bin_dir
from sandbox.witness.client import FILLER, TABLES
from sandbox.witness.judge import Verdict, judge, read

BYTES_PER_ROW = 175
"""Of the filler, with its key's index, as PostgreSQL stores it."""
WITHIN = timedelta(minutes=2)
BETWEEN_S = 0.5
"""The service writes for so long on either side before it is moved on."""


@dataclass
class Nights:
    """One database's nights; each has feeds of its own."""

    pair: Pair
    address: Path
    watches: Watches
    proven: Began | None = None
    fence: int = 1

    def feed(self, way: str, night: int) -> Feed:
        source, target = self.pair.source, self.pair.target
        ends = (source, target, source) if way == "to" else (target, source, target)
        return self.pair.forward if (way, night) == ("to", 0) else Feed(f"namrong_{source.name}_{way}_{night}", *ends)

    def copy_and_prove(self) -> None:
        open_watch(self.watches.source)
        self.proven = (journey.copy(self.pair, self.fence), stand(self.watches))[1]
        self.fence += 1
        journey.follow(self.pair, self.fence)
        closing.close(self.pair.back, fence=self.fence)  # made by `follow`; each night has its own
        turn.prepare(self.feed("back", 0), fence=self.fence)
        demand_equal(compare_databases(self.pair.source, self.pair.target, sequences="at_least"), moving=True)

    def there(self, night: int) -> None:
        """The night: from a target that is near to a service that writes on it."""
        forward, back, proven = self.feed("to", night), self.feed("back", night), self._proven()
        catch_up(forward)
        prove_round(self.watches, proven, lambda: bool(catch_up(forward)))
        frozen = journey.freeze_source(self.pair, WITHIN, f"night {night}")
        drain.drain(forward, frozen_at=frozen, fence=self.fence)
        if found := drift(forward):
            raise SystemExit(f"the schemas differ: {found}")
        sequences.set_sequences(self.pair.source, self.pair.target)
        demand_equal(compare_changed(self.watches, proven, record=1))
        turn.arm(forward, back, fence=self.fence)
        deadline.make_permanent(self.pair.source, self.pair.service.user, attempt=f"night {night}")
        journey.open_target(self.pair)
        self._turn(self.pair.target.host)
        closing.close(forward, fence=self.fence)

    def home(self, night: int) -> None:
        """The way back, and the next night's way there."""
        back, forward = self.feed("back", night), self.feed("to", night + 1)
        turn.prepare(forward, fence=self.fence)
        closed = journey.freeze_target(self.pair)
        drain.drain(back, frozen_at=closed, fence=self.fence)
        sequences.set_sequences(self.pair.target, self.pair.source)
        turn.arm(back, forward, fence=self.fence)
        journey.open_source(self.pair)
        self._turn(self.pair.source.host)
        closing.close(back, fence=self.fence)
        turn.prepare(self.feed("back", night + 1), fence=self.fence)

    def _proven(self) -> Began:
        assert self.proven is not None
        return self.proven

    def _turn(self, host: str) -> None:
        beside = self.address.with_suffix(".new")
        beside.write_text(host)
        beside.replace(self.address)


def catch_up(feed: Feed) -> Sequence[lag.Lag]:
    samples: list[lag.Lag] = []
    while not lag.caught_up(samples, journey.LIMIT):
        samples.append(lag.sample(feed))
    return samples


def demand_equal(found: Comparison, *, moving: bool = False) -> None:
    """While changes flow a copy is behind, and that is no fault of the copy."""
    if found.unknown or (found.unaccounted_rows and not moving):
        raise SystemExit(f"not proven: {found.unaccounted_rows} rows, {found.unknown}")


def nights(servers: Servers, folder: Path, rows: int, times: int) -> tuple[Verdict, int]:
    """That many nights with a witness over a database of so many rows; and its bytes."""
    folder.mkdir()
    pair = make_pair(servers, TABLES + FILLER.format(rows=rows))
    name = f"namrong_{pair.source.name}_seen"
    watches = Watches(Watch(name, "source", pair.source, pair.target), Watch(name, "target", pair.target, pair.target))
    made = Nights(pair, folder / "address", watches)
    with witnessing(pair, folder, 1) as log:
        made.copy_and_prove()
        for night in range(times):
            made.there(night)
            time.sleep(BETWEEN_S)
            made.home(night)
            time.sleep(BETWEEN_S)
    with pair.source.connect(autocommit=True) as active:
        size = active.execute("SELECT pg_database_size(current_database())").fetchone()
        verdict = judge(read(log), active, [pair.source.host] + [pair.target.host, pair.source.host] * times)
    take_away(servers, pair)
    return verdict, int(str(size[0])) if size else 0


def told(what: str, waits: Sequence[float]) -> str:
    ordered = sorted(waits)
    late = ordered[math.ceil(0.95 * len(ordered)) - 1]
    return f"{what} p50 {statistics.median(ordered):.2f} s, p95 {late:.2f} s ({len(ordered)})"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gb", type=float, nargs="+", default=[0.1, 1.0, 4.0])
    parser.add_argument("--times", type=int, default=20)
    asked = parser.parse_args()
    os.environ["PATH"] = f"{bin_dir()}{os.pathsep}{os.environ['PATH']}"
    wrong = False
    with tempfile.TemporaryDirectory() as where:
        folder = Path(where)
        folder.chmod(0o755)  # the servers run as another user
        with two_servers(folder, free_port()) as servers:
            for gb in asked.gb:
                seen, size = nights(servers, folder / f"{gb}", int(gb * 1e9 / BYTES_PER_ROW), asked.times)
                counts = f"lost {len(seen.lost)}, twice {len(seen.duplicated)}, both sides {len(seen.both_sides)}"
                print(f"{size / 1e9:.2f} GB: {told('there', seen.waits[::2])}; {told('back', seen.waits[1::2])};"
                      f" {seen.acknowledged} acknowledged, {counts}", flush=True)  # fmt: skip
                wrong |= not seen.clean
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
