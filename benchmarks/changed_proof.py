"""The proof under the freeze by the size of a table: `python benchmarks/changed_proof.py --rows 10000 1000000`.

Two servers of our own on this machine; for each size one table, copied, proven while watched, and followed. Then
`--changed` rows are updated, everything has arrived, and the proof is timed: what changed since, and everything again.
Prints the median of `--times` of either, and the ratio of the largest size to the smallest.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).resolve().parents[1] / room) for room in ("include", "tests")]

import following_journey as journey
from conftest import free_port
from following_servers import Pair, make_pair, run, two_servers

from onboarding.reconcile.changes.proving import compare_changed
from onboarding.reconcile.changes.standing import stand
from onboarding.reconcile.changes.watches import Watch, Watches, open_watch
from onboarding.reconcile.databases import compare_databases
from onboarding.reconcile.report import Comparison
from sandbox.postgres import bin_dir

TABLE = """
CREATE TABLE fact (id bigint PRIMARY KEY, at timestamptz DEFAULT now(), body text);
INSERT INTO fact (id, body) SELECT n, repeat(md5(n::text), 3) FROM generate_series(1, {rows}) n;
"""


def measured(pair: Pair, rows: int, changed: int, times: int) -> tuple[float, float]:
    """Seconds for what changed, and for everything."""
    name = f"namrong_{pair.source.name}_seen"
    watches = Watches(Watch(name, "source", pair.source, pair.target), Watch(name, "target", pair.target, pair.target))
    open_watch(watches.source)
    journey.copy(pair, 1)
    proven = stand(watches)
    timed(lambda: compare_databases(pair.source, pair.target, sequences="at_least"))
    journey.follow(pair, 2)
    partly, wholly = [], []
    for turn in range(times):
        spread = f"id % {max(1, rows // changed)} = 0"
        run(pair.service, f"UPDATE fact SET body = '{turn}' WHERE {spread}")
        journey.catch_up(pair)
        partly.append(timed(lambda: compare_changed(watches, proven, record=1, sequences="at_least"), changed))
        wholly.append(timed(lambda: compare_databases(pair.source, pair.target, sequences="at_least"), rows))
    return statistics.median(partly), statistics.median(wholly)


def timed(prove: Callable[[], Comparison], rows: int = 0) -> float:
    began = time.monotonic()
    found = prove()
    if found.unaccounted_rows or found.unknown or found.source_rows < rows:
        raise SystemExit(f"not proven: {found.unaccounted_rows} rows, {found.unknown}, {found.source_rows} compared")
    return time.monotonic() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 1_000_000])
    parser.add_argument("--changed", type=int, default=1_000)
    parser.add_argument("--times", type=int, default=5)
    asked = parser.parse_args()
    os.environ["PATH"] = f"{bin_dir()}{os.pathsep}{os.environ['PATH']}"
    found: dict[int, tuple[float, float]] = {}
    with tempfile.TemporaryDirectory() as folder, two_servers(Path(folder), free_port()) as servers:
        for rows in sorted(asked.rows):
            pair = make_pair(servers, TABLE.format(rows=rows))
            found[rows] = measured(pair, rows, asked.changed, asked.times)
            print(f"{rows:>10,} rows: {asked.changed:,} changed {found[rows][0]:.2f} s, all {found[rows][1]:.2f} s")
    first, last = found[min(found)], found[max(found)]
    print(f"largest to smallest: changed {last[0] / first[0]:.2f}, all {last[1] / first[1]:.2f}")


if __name__ == "__main__":
    main()
