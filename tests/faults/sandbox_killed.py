"""Kills the sandbox, AWS and the followed service's target with it, in the middle of p03's night; nothing may be lost.

    PYTHONPATH=include:plugins:tests python tests/faults/sandbox_killed.py --times 6 --seed 7

The sandbox keeps AWS's control plane in memory: without it a run cannot go on, so it must end, say which part died, and
leave no process. What was written is on disk: both servers are started once more, and what the service's program was
told is held against the side that it was told by last.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).resolve().parents[up] / room) for up, room in ((2, "include"), (1, ""))]

import psutil
import psycopg
from checkouts import environment
from faults.kills import LOOK_S, own_checkout
from faults.task_processes import Tables, at_work

from launcher import front, processes
from launcher.checkout import Checkout
from launcher.commands import FAILED
from sandbox import privileges, server_files
from sandbox.agencies.database import WITNESS
from sandbox.agencies.in_use import LOG
from sandbox.postgres import bin_dir
from sandbox.witness.judge import Verdict, judge, read

PILOT = "p03"
MOMENTS = {"begin_following": 6.0, "ramp_reads": 5.0, "switch_over": 6.0, "gate_soak": 2.0}
"""In which task the sandbox dies, and at most so many seconds after it was first seen."""
ENDS_WITHIN_S = 600
ANSWERS_WITHIN_S = 60


@dataclass(frozen=True)
class Trial:
    """What was killed when, how the run ended, and what the program was told against what is there."""

    leaf: str
    after_s: float
    status: int
    said: bool
    left: int
    sides: int
    verdict: Verdict

    def wrong(self) -> Iterator[str]:
        if self.status != FAILED:
            yield f"the run ended with {self.status} instead of {FAILED}"
        if not self.said:
            yield "it did not say that the sandbox died"
        if self.left:
            yield f"{self.left} processes were left behind"
        if not self.verdict.clean:
            yield f"lost {self.verdict.lost}, twice {self.verdict.duplicated}, both sides {self.verdict.both_sides}"

    def row(self) -> str:
        seen = self.verdict
        return (
            f"{self.leaf:<16} {self.after_s:>5.2f} s  {seen.acknowledged:>6} acknowledged on {self.sides} side(s), lost"
            f" {len(seen.lost)}, twice {len(seen.duplicated)}, both sides {len(seen.both_sides)}; status {self.status}"
        )


def run(checkout: Checkout, leaf: str, after_s: float, scale: float) -> Trial:
    """One demonstration of one pilot whose sandbox dies then."""
    log = checkout.state / "killed.log"
    with log.open("w") as out:
        demo = subprocess.Popen(
            [str(checkout.python), "-m", "launcher", "demo", "--exit", "--pilots", PILOT, "--scale", str(scale)],
            env=environment(checkout), stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        wait_for(checkout, demo, leaf)
        time.sleep(after_s)
        told = json.loads((checkout.run / "agencies.json").read_text())["pilots"][PILOT]
        targets = list(servers_below(checkout))
        psutil.Process(checkout.holder()["components"]["sandbox"]).kill()
        demo.wait(ENDS_WITHIN_S)
    finally:
        if demo.poll() is None:
            demo.terminate()
            demo.wait(90)
        left = len(processes.marked(checkout.root))
        front.take_down(checkout)
    said = "sandbox" in next((line for line in log.read_text().splitlines() if "SIGKILL" in line), "")
    sides, verdict = judged(told, targets)
    return Trial(leaf, after_s, demo.returncode, said, left, sides, verdict)


def wait_for(checkout: Checkout, demo: subprocess.Popen[bytes], leaf: str) -> None:
    """Until that task is at work. Raises RuntimeError when the run ends before."""
    tables: Tables | None = None
    while demo.poll() is None:
        try:
            if tables is None and (checkout.run / "airflow_setup.json").exists():
                tables = Tables(checkout)
            for identity in at_work(checkout) if tables else ():
                task = tables.task(identity) if tables else None
                if task is not None and task.leaf == leaf:
                    return
        except psycopg.OperationalError:
            tables = None  # not up yet
        time.sleep(LOOK_S)
    raise RuntimeError(f"the demonstration ended with {demo.returncode} before {leaf}")


def servers_below(checkout: Checkout) -> Iterator[Path]:
    """The data directories of all RDS instances that run now."""
    for pid in (checkout.run / "sandbox" / "rds").glob("*/data/postmaster.pid"):
        yield pid.parent


def judged(told: dict[str, Any], targets: list[Path]) -> tuple[int, Verdict]:
    """How many sides acknowledged writes, and the log against the last of them, found again after the end."""
    home = Path(told["program"])
    lines = read(home / LOG)
    sides = [side for side, _ in groupby(line["side"] for line in lines if line["end"] == "acked")]
    folders = {address_of(folder): folder for folder in (*targets, home / "pgdata")}
    with served(folders[sides[-1]], sides[-1], told) as active:
        active.execute(f"SET search_path = {WITNESS}".encode())
        return len(sides), judge(lines, active, sides[:2])


def address_of(folder: Path) -> str:
    """Where the server of that data directory listens, by its own settings."""
    found = re.search(r"^listen_addresses = '([0-9.]+)'$", (folder / server_files.OWN_SETTINGS).read_text(), re.M)
    if found is None:
        raise LookupError(f"{folder} listens nowhere")
    return found[1]


@contextmanager
def served(folder: Path, address: str, told: dict[str, Any]) -> Iterator[psycopg.Connection[Any]]:
    """A session of the service on that server, started for it and stopped again."""
    (folder / "postmaster.pid").unlink(missing_ok=True)  # of a server that is known to be dead
    with ExitStack() as held:
        server = privileges.start(
            [str(bin_dir() / "postgres"), "-D", str(folder)],
            stdout=subprocess.DEVNULL, env=server_files.environment(), cwd=folder.parent,
        )  # fmt: skip
        held.callback(server.wait)
        held.callback(server.terminate)
        login = {"user": told["service"]["user"], "password": told["service"]["password"]}
        deadline = time.monotonic() + ANSWERS_WITHIN_S
        while True:
            try:
                at = psycopg.connect(host=address, port=told["port"], dbname=told["database"], autocommit=True, **login)
                break
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
        with at as session:
            yield session


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=4)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--scale", type=float, default=0.05)
    asked = parser.parse_args()
    chance, leaves, wrong = random.Random(asked.seed), list(MOMENTS), 0
    for number in range(asked.times):
        leaf = leaves[number % len(leaves)]
        with own_checkout() as checkout:
            trial = run(checkout, leaf, chance.uniform(0, MOMENTS[leaf]), asked.scale)
        print(trial.row(), *(f"  ✘ {line}" for line in trial.wrong()), sep="\n", flush=True)
        wrong += bool(list(trial.wrong()))
    print(f"{asked.times} kills of the sandbox, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
