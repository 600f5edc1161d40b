"""How far a followed database is behind while it is written to: `python benchmarks/follow_lag.py --rate 1000`.

Two servers of our own on this machine, a table of `--rows` rows copied under the slot's snapshot, then one client that
makes `--rate` row changes a second (inserts, updates and deletes by key, ten to a transaction) for `--seconds`, while
the lag is sampled as the gate does it. Prints the rate that was reached and the lag's median, p95 and maximum.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).resolve().parents[1] / room) for room in ("include", "tests")]

import following_journey as journey
from conftest import free_port
from following_servers import Pair, make_pair, two_servers

from onboarding.databases.follow import closing, lag
from sandbox.postgres import bin_dir

TABLE = """
CREATE TABLE fact (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz DEFAULT now(), body text);
INSERT INTO fact (body) SELECT repeat(md5(n::text), 3) FROM generate_series(1, {rows}) n;
"""
PER_TRANSACTION = 10
BETWEEN_SAMPLES_S = 0.25


class Writer(threading.Thread):
    """Keeps to the rate as long as the server does; `changes` says what came of it."""

    def __init__(self, pair: Pair, rate: int, rows: int) -> None:
        super().__init__(daemon=True)
        self._pair, self._rate, self._rows = pair, rate, rows
        self.changes, self.ended = 0, threading.Event()

    def run(self) -> None:
        began = time.monotonic()
        with self._pair.service.connect() as connection, connection.cursor() as cursor:
            while not self.ended.is_set():
                first = 1 + self.changes % self._rows
                for number in range(first, first + 3):
                    cursor.execute("UPDATE fact SET at = clock_timestamp() WHERE id = %s", [number])
                cursor.execute("DELETE FROM fact WHERE id IN (%s, %s)", [first + 3, first + 4])
                cursor.execute("INSERT INTO fact (body) SELECT 'ก' FROM generate_series(1, 5)")
                connection.commit()
                self.changes += PER_TRANSACTION
                time.sleep(max(0.0, began + self.changes / self._rate - time.monotonic()))


def measured(pair: Pair, rate: int, seconds: float, rows: int) -> None:
    journey.copy(pair, 1)
    journey.follow(pair, 1)
    journey.catch_up(pair)
    writer = Writer(pair, rate, rows)
    began = time.monotonic()
    writer.start()
    samples = []
    while time.monotonic() - began < seconds:
        samples.append(lag.sample(pair.forward))
        time.sleep(BETWEEN_SAMPLES_S)
    writer.ended.set()
    writer.join()
    reached = writer.changes / (time.monotonic() - began)
    behind = sorted(sample.seconds if sample.seconds is not None else float("inf") for sample in samples)
    late = behind[min(len(behind) - 1, int(0.95 * len(behind)))]
    print(f"asked for {rate} changes/s, reached {reached:,.0f}; {len(samples)} samples")
    print(f"lag: median {statistics.median(behind):.2f} s, p95 {late:.2f} s, most {behind[-1]:.2f} s;"
          f" most {max(sample.bytes for sample in samples) / 1e6:.1f} MB")  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rate", type=int, default=1000, metavar="N")
    parser.add_argument("--seconds", type=float, default=30, metavar="S")
    parser.add_argument("--rows", type=int, default=200_000, metavar="N")
    asked = parser.parse_args()
    os.environ["PATH"] = f"{bin_dir()}{os.pathsep}{os.environ['PATH']}"
    with tempfile.TemporaryDirectory(prefix="namrong-bench-") as folder:
        Path(folder).chmod(0o755)  # the servers run as another user
        with two_servers(Path(folder), free_port()) as servers:
            pair = make_pair(servers, TABLE.format(rows=asked.rows))
            measured(pair, asked.rate, asked.seconds, asked.rows)
            for feed in (pair.forward, pair.back):
                closing.close(feed, fence=2)
    return 0


if __name__ == "__main__":
    sys.exit(main())
