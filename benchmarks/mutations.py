"""The verifier's proof of itself: faults planted in a copy, each found and named; clean copies, and no alarm.

`PYTHONPATH=include:plugins .namrong/venv/bin/python benchmarks/mutations.py [--seeds 25] [--rows 1000000]
[--clean 100]`

Two servers of our own; the copy is made by `pg_dump` and `psql`, and its server prints everything otherwise. A fault
(`planted.py`) counts as found when the two are said to differ, and as named when all of it is named and nothing else:
table, key, kind and columns. After each fault is taken back the copy must be equal again; clean copies hold the same
rows in another physical order. Exit status 1 unless every fault is named and no clean copy raises an alarm.
"""

from __future__ import annotations

import argparse
import os
import random
import secrets
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harmless import HARMLESS
from planted import CLASSES, Plant
from planting import Connection, named, size, statements

from onboarding.addresses import Database
from onboarding.reconcile.databases import compare_databases
from onboarding.reconcile.report import Comparison
from sandbox.postgres import Cluster, bin_dir

PORT = 55433
NAME = "registry"
SERVER = {"fsync": "off", "max_wal_size": "4GB", "shared_buffers": "256MB", "autovacuum": "off"}
OTHERWISE = {"timezone": "Asia/Bangkok", "datestyle": "SQL, DMY", "intervalstyle": "sql_standard",
             "extra_float_digits": "0", "bytea_output": "escape"}  # fmt: skip


@dataclass
class Proof:
    """What was planted, found, named; false alarms among how many looks at an equal copy; seconds of each look."""

    planted: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    named: Counter[str] = field(default_factory=Counter)
    clean: int = 0
    alarms: int = 0
    seconds: list[float] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Something was planted, all of it was named, and nothing else was."""
        return bool(self.planted) and self.named == self.planted and not self.alarms


@dataclass(frozen=True)
class Pair:
    """A source and its copy, and a session on each."""

    source: Database
    copy: Database
    at_source: Connection
    at_copy: Connection
    jobs: int = 2

    def compared(self, proof: Proof) -> Comparison:
        """One look at both, timed."""
        began = time.monotonic()
        found = compare_databases(self.source, self.copy, jobs=self.jobs)
        proof.seconds.append(time.monotonic() - began)
        return found


def try_fault(pair: Pair, proof: Proof, name: str, plant: Plant, seed: int) -> None:
    """Plants one fault, looks, takes it back, looks again."""
    proof.planted[name] += 1
    with plant(pair.at_copy, random.Random(f"{name}/{seed}")) as expected:
        comparison = pair.compared(proof)
        said = named(comparison, pair.at_source, pair.at_copy)
    proof.found[name] += not comparison.equal
    right = said == sorted(expected, key=repr) and not comparison.equal
    proof.named[name] += right
    if not right:
        print(f"  {name}, seed {seed}: named {said[:5]}, planted {expected[:5]}", flush=True)
    look_at_clean(pair, proof, f"{name}, seed {seed}, taken back")


def look_at_clean(pair: Pair, proof: Proof, what: str) -> None:
    """A look at a copy that is equal."""
    comparison = pair.compared(proof)
    proof.clean += 1
    if not comparison.equal:
        proof.alarms += 1
        print(f"  false alarm, {what}: {named(comparison, pair.at_source, pair.at_copy)[:5]}", flush=True)


def prove(pair: Pair, *, seeds: int, clean: int, classes: Mapping[str, Plant] = CLASSES) -> Proof:
    """Every class under every seed, then `clean` looks at copies that differ in nothing that counts."""
    proof = Proof()
    for seed in range(seeds):
        for name, plant in classes.items():
            try_fault(pair, proof, name, plant, seed)
        print(f"seed {seed + 1} of {seeds}: {proof.named.total()} of {proof.planted.total()} named", flush=True)
    for number in range(clean):
        dice = random.Random(f"clean/{number}")
        change = dice.choice(HARMLESS)
        change(pair.at_copy, dice)
        look_at_clean(pair, proof, f"{change.__name__}, {number}")
    return proof


def told(proof: Proof, rows: int) -> str:
    """The table that is printed; an upper bound of 95 % by the rule of three (Hanley, JAMA 249:1743, 1983)."""
    lines = [f"{name:<26} found {proof.found[name]:>3}, named {proof.named[name]:>3} of {planted:>3}"
             for name, planted in proof.planted.items()]  # fmt: skip
    total = proof.planted.total()
    if proof.holds:
        each = min(proof.planted.values())
        lines.append(f"all {total} named: with 95 % confidence fewer than {3 / total:.1%} of such faults are missed,"
                     f" of each class by itself fewer than {min(1, 3 / each):.0%}")  # fmt: skip
    times = sorted(proof.seconds)
    lines.append(f"false alarms: {proof.alarms} of {proof.clean} looks at an equal copy")
    lines.append(f"a look at {rows:,} rows: median {times[len(times) // 2]:.1f} s, at most {times[-1]:.1f} s")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seeds", type=int, default=25, metavar="N")
    parser.add_argument("--rows", type=int, default=1_000_000, metavar="N")
    parser.add_argument("--clean", type=int, default=100, metavar="N")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="namrong-bench-") as folder:
        Path(folder).chmod(0o755)  # the servers run as another user
        source, target = (
            Cluster(Path(folder) / host, host, PORT, "prover", secrets.token_urlsafe(), SERVER | settings)
            for host, settings in (("127.0.0.1", {}), ("127.0.0.2", OTHERWISE))
        )
        try:
            for cluster in (source, target):
                cluster.create()
                cluster.start()
            fill(source, asked.rows)
            copy(source, target)
            with source.connect(NAME) as at_source, target.connect(NAME) as at_copy:
                rows = sum(size(at_copy, table) for table in ("citizen", "parcel", "visit"))
                at_copy.execute("SET extra_float_digits = 1")  # the bit that is planted must be seen by who plants it
                print(f"{rows:,} rows on {source.host}:{PORT}, copied to {target.host}:{PORT}", flush=True)
                pair = Pair(address(source), address(target), at_source, at_copy)
                proof = prove(pair, seeds=asked.seeds, clean=asked.clean)
        finally:
            source.stop()
            target.stop()
    print(told(proof, rows))
    return 0 if proof.holds else 1


def fill(source: Cluster, rows: int) -> None:
    with source.connect() as connection:
        connection.execute(f"CREATE DATABASE {NAME}")
    with source.connect(NAME) as connection:
        for statement in statements(rows):
            connection.execute(statement.encode())


def copy(source: Cluster, target: Cluster) -> None:
    """By PostgreSQL's own tools: what is proven here is the verifier, not a mover of ours."""
    with target.connect() as connection:
        connection.execute(f"CREATE DATABASE {NAME}")
    with subprocess.Popen([bin_dir() / "pg_dump", NAME], env=login(source), stdout=subprocess.PIPE) as giving:
        subprocess.run([bin_dir() / "psql", "-qX", "-v", "ON_ERROR_STOP=1", NAME], env=login(target),
                       stdin=giving.stdout, check=True, stdout=subprocess.DEVNULL)  # fmt: skip
    assert giving.returncode == 0


def login(cluster: Cluster) -> dict[str, str]:
    return {**os.environ, "PGHOST": cluster.host, "PGPORT": str(cluster.port), "PGUSER": cluster.superuser,
            "PGPASSWORD": cluster.password}  # fmt: skip


def address(cluster: Cluster) -> Database:
    return Database(cluster.host, cluster.port, NAME, cluster.superuser, cluster.password, resolve=lambda host: host)


if __name__ == "__main__":
    sys.exit(main())
