"""kill -9 of `./namrong move database` at a random moment, then `--resume`: what was lost, doubled, moved again.

`PYTHONPATH=include:plugins .namrong/venv/bin/python benchmarks/kill_mover.py [--trials 300] [--size 0.1]`. The servers
and the data are those of `move_database.py`. Each trial begins with no database on the target. What arrived is
compared by this file's own SQL, not by the verifier: rows and a sum of hashes per table. Rows moved again are counted
by the target's server (`n_tup_ins` counts what was undone too), weighed by their table's bytes. Exit status 1 unless
nothing was lost or doubled and the second call succeeded each time.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from move_database import NAME, ROOT, address, emptied, filled, passwords, two_servers

from sandbox.postgres import Cluster

TABLES = ("account", "citizen", "request")
AGAIN_AT_MOST = 0.02
SETTLED_WITHIN_S = 10.0
ENDED = "compared"  # the event with which a move ends


@dataclass(frozen=True)
class Trial:
    """One kill: during which step, what the second call said, whether all is equal, and the share moved again."""

    step: str
    status: int
    equal: bool
    again: float


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--trials", type=int, default=300, metavar="N")
    parser.add_argument("--size", type=float, default=0.1, metavar="X")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with two_servers() as (source, target, folder):
        print(f"source: {filled(source, asked.size) / 1e6:,.0f} MB")
        mover = Mover(source, target, folder)
        return told([mover.trial(random.Random(asked.seed + number)) for number in range(asked.trials)])


class Mover:
    """Moves, kills and compares between two servers."""

    def __init__(self, source: Cluster, target: Cluster, folder: Path) -> None:
        self._source, self._target = source, target
        self._log = folder / "events"
        secrets = passwords(folder, source, target)
        self._environment = {**os.environ, "PYTHONPATH": str(ROOT / "include"), "PGPASSFILE": str(secrets)}
        self._expected = contents(source)
        self._weights = sizes(source)
        began = time.monotonic()
        self._emptied()
        assert self._start().wait() == 0, self._log.read_text()
        self._seconds = time.monotonic() - began

    def trial(self, chance: random.Random) -> Trial:
        """One kill of a move that had not told its end yet: there is nothing to resume after."""
        step = ENDED
        while step == ENDED:
            self._emptied()
            first = self._start()
            time.sleep(chance.uniform(0.1, self._seconds))
            first.kill()
            first.wait()
            step = last_step(self._log)
        status = self._start("--resume").wait()
        found = Trial(step, status, status == 0 and contents(self._target) == self._expected, self._again())
        print(json.dumps(found.__dict__), flush=True)
        return found

    def _start(self, *options: str) -> subprocess.Popen[bytes]:
        ends = "--source", address(self._source), "--target", address(self._target)
        command = [sys.executable, "-m", "launcher", "move", "database", *ends, "--jobs", "2", "--json", *options]
        with self._log.open("wb") as log:
            return subprocess.Popen(command, env=self._environment, stdout=log, stderr=log)

    def _emptied(self) -> None:
        """No database, and none of the sessions that a killed mover left at work."""
        emptied(self._target)
        with self._target.connect() as connection:
            connection.execute("DROP DATABASE IF EXISTS namrong WITH (FORCE)")

    def _again(self) -> float:
        """The share of all bytes that went to the target more than once."""
        more = inserted(self._target)
        surplus = sum((more[table] / self._expected[table][0] - 1) * self._weights[table] for table in TABLES)
        return round(surplus / sum(self._weights.values()), 5)


def contents(cluster: Cluster) -> dict[str, tuple[int, int]]:
    """Rows and the sum of their hashes by table."""
    with cluster.connect(NAME) as connection:
        rows = {
            table: connection.execute(
                f"SELECT count(*), coalesce(sum(hashtextextended(t::text, 7)), 0) FROM {table} t".encode()
            ).fetchone()
            for table in TABLES
        }
    return {table: (int(str(row[0])), int(str(row[1]))) for table, row in rows.items() if row is not None}


def sizes(cluster: Cluster) -> dict[str, int]:
    with cluster.connect(NAME) as connection:
        rows = connection.execute(
            "SELECT name, pg_table_size(name::regclass) FROM unnest(%s::text[]) AS name", [list(TABLES)]
        )
        return {str(name): int(str(size)) for name, size in rows}


def inserted(cluster: Cluster) -> dict[str, int]:
    """Rows that were ever inserted, undone ones too; waited for until the server has counted those of the last."""
    deadline = time.monotonic() + SETTLED_WITHIN_S
    with cluster.connect(NAME) as connection:
        while True:
            rows = connection.execute("SELECT relname, n_tup_ins FROM pg_stat_user_tables")
            counted = {str(name): int(str(count)) for name, count in rows}
            connection.execute("SELECT pg_stat_clear_snapshot()")
            if all(counted.get(table) for table in TABLES) or time.monotonic() > deadline:
                return {table: counted.get(table, 0) for table in TABLES}
            time.sleep(0.1)


def last_step(log: Path) -> str:
    """What the killed one was at, by the last event it wrote down."""
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.startswith("{")]
    told = [json.loads(line) for line in lines if line.endswith("}")]
    return str(told[-1].get("step", told[-1].get("event"))) if told else "start"


def told(trials: list[Trial]) -> int:
    wrong = [trial for trial in trials if trial.status != 0 or not trial.equal]
    again = [trial.again for trial in trials]
    print(f"{len(trials)} kills, by step: {dict(Counter(trial.step for trial in trials))}")
    print(f"not moved and proven by the second call, or not equal: {len(wrong)}"
          + ("" if wrong else f" (below {3 / len(trials):.3f} with 95 % confidence)"))  # fmt: skip
    print(f"moved again: median {statistics.median(again):.2%}, at most {max(again):.2%};"
          f" {sum(share > AGAIN_AT_MOST for share in again)} trials above {AGAIN_AT_MOST:.0%}")  # fmt: skip
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
