"""Runs a service there and back under a witness, with faults at seeded instants, and counts what was lost.

    python tests/faults/witness_trials.py --seeds 100
    python tests/faults/witness_trials.py --seeds 20 --faults none --rows 400000

Prints for each seed what was acknowledged, lost, duplicated and accepted by both sides, and how long the witness
waited at the switch and at the way back (last acknowledged write on the one side to the first on the other); then the
sums (of every fourth night with faults, whoever ran it dies for good under its freeze, and the service has to go on at
home by itself), and 3/N: the 95 % upper bound of the share of nights that lose something, when none of N did.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).resolve().parents[up] / room) for up, room in ((2, "include"), (1, ""))]

from conftest import free_port
from faults.disturbing import FAULTS, FULL, Fault, Stage, drawn, staged
from following_servers import Pair, make_pair, take_away

from onboarding.databases.freeze import frozen_at
from onboarding.databases.sessions import session
from onboarding.databases.writes import standing
from sandbox.postgres import bin_dir
from sandbox.witness.client import FILLER, TABLES
from sandbox.witness.judge import Verdict, judge, read

HERE = Path(__file__).resolve().parent
NIGHT_WITHIN_S = 300
LOOK_S = 0.005
FROZEN_FOR_S = 240.0
LEFT_FOR_S = 4.0
"""The freeze's deadline: of a night that shall come to its end, and of one that is left alone."""
LEFT = "left under its freeze"
EVERY_FOURTH, UNDER_IT_S, HOME_WITHIN_S, SOME_WRITES = 4, 0.4, 60.0, 10
HEAD = " seed  acked refused unknown  lost twice  both  switch s  back s  faults"


@dataclass(frozen=True)
class Trial:
    """One seed's night: the verdict, and what was done to it."""

    seed: int
    verdict: Verdict
    faults: Sequence[str]

    @property
    def left(self) -> bool:
        """Whether everybody of ours was dead from somewhere under the freeze on, and the switch not committed."""
        return LEFT in self.faults

    def row(self) -> str:
        seen = self.verdict
        waits = "".join(f"{wait:>8.2f}" for wait in seen.waits)
        return (
            f"{self.seed:>5} {seen.acknowledged:>6} {seen.refused:>7} {seen.unknown:>7} {len(seen.lost):>5}"
            f" {len(seen.duplicated):>5} {len(seen.both_sides):>5}  {waits}  {', '.join(self.faults) or '-'}"
        )


@contextmanager
def witnessing(pair: Pair, folder: Path, seed: int) -> Iterator[Path]:
    """The service's client, writing all the while; gives its log."""
    (folder / "address").write_text(pair.source.host)
    task = {"login": pair.as_json()["service"], "address": str(folder / "address"), "log": str(folder / "log"),
            "stop": str(folder / "stop"), "seed": seed}  # fmt: skip
    with subprocess.Popen([sys.executable, str(HERE / "writing.py")], stdin=subprocess.PIPE, text=True) as client:
        assert client.stdin is not None
        client.stdin.write(json.dumps(task))
        client.stdin.close()
        try:
            yield folder / "log"
        finally:
            (folder / "stop").touch()
            client.wait(timeout=60)
    assert client.returncode == 0


def trial(stage: Stage, folder: Path, seed: int, *, kinds: Sequence[str] = FAULTS, rows: int = 3000) -> Trial:
    """One night, faults and all, brought to its end. Raises AssertionError when it does not come to one."""
    chance = random.Random(seed)
    folder.mkdir()
    made = make_pair(stage.servers, TABLES + FILLER.format(rows=rows))
    pair = stage.by_wire(made) if kinds else made  # a wire of ours would count in what the witness waits
    done: list[str] = []
    left = bool(kinds) and seed % EVERY_FOURTH == 0
    task = {"pair": pair.as_json(), "state": str(folder / "state"), "address": str(folder / "address"),
            "within_s": LEFT_FOR_S if left else FROZEN_FOR_S}  # fmt: skip
    hosts = [pair.source.host, pair.target.host, pair.source.host]
    with witnessing(pair, folder, seed) as log:
        if left and _left_alone(task, folder, chance):
            done.append(LEFT)
            hosts = [pair.source.host]
            _goes_on_at_home(pair, log)
        else:
            for fault in drawn(chance, kinds) if not left else ():
                if _disturbed(stage, task, fault, folder):
                    done.append(str(fault))
            _brought_home(task, folder)
    with pair.source.connect(autocommit=True) as active:
        verdict = judge(read(log), active, hosts)
    take_away(stage.servers, made)
    return Trial(seed, verdict, done)


def _left_alone(task: dict[str, object], folder: Path, chance: random.Random) -> bool:
    """Kills the night for good somewhere under its last freeze; False when the switch was committed before."""
    night = _night(task, folder)
    while night.poll() is None and not _reached(folder, "caught up"):
        time.sleep(LOOK_S)
    pair = Pair.from_json(cast("dict[str, dict[str, Any]]", task["pair"]))
    while night.poll() is None and frozen_at(pair.source, pair.service.user) is None:
        time.sleep(LOOK_S)
    time.sleep(chance.uniform(0, UNDER_IT_S))
    night.kill()
    night.wait()
    with session(pair.source) as looking:  # and no more than looks: nobody comes by
        found = standing(looking, pair.service.user)
    assert found is not None, (folder / "said").read_text()[-3000:]
    return found.permanent_at is None


def _goes_on_at_home(pair: Pair, log: Path) -> None:
    """Nobody comes: the deadline passes, and after it the service's writes are taken where they were."""
    deadline = time.monotonic() + LEFT_FOR_S + HOME_WITHIN_S
    while frozen_at(pair.source, pair.service.user) is not None:
        assert time.monotonic() < deadline, "still frozen"
        time.sleep(LOOK_S)
    taken = _taken(log)
    while _taken(log) < taken + SOME_WRITES:
        assert time.monotonic() < deadline + HOME_WITHIN_S, "the service does not write"
        time.sleep(0.1)


def _taken(log: Path) -> int:
    return log.read_bytes().count(b'"acked"')


def _night(task: dict[str, object], folder: Path) -> subprocess.Popen[str]:
    with (folder / "said").open("a") as said:
        night = subprocess.Popen(
            [sys.executable, str(HERE / "night.py")], stdin=subprocess.PIPE, stderr=said, text=True,
            env=os.environ | {"PATH": f"{bin_dir()}{os.pathsep}{os.environ['PATH']}"},
        )  # fmt: skip
    assert night.stdin is not None
    night.stdin.write(json.dumps(task))
    night.stdin.close()
    return night


def _disturbed(stage: Stage, task: dict[str, object], fault: Fault, folder: Path) -> bool:
    """Whether the night was at work when its trouble came; afterwards it is at work no more."""
    night = _night(task, folder)
    while night.poll() is None and not _reached(folder, fault.step):
        time.sleep(LOOK_S)
    try:
        night.wait(timeout=fault.after)
        return False
    except subprocess.TimeoutExpired:
        pass
    if fault.kind == "killed":
        night.kill()
    else:
        stage.disturb(fault.kind)
    night.wait(timeout=NIGHT_WITHIN_S)
    return True


def _brought_home(task: dict[str, object], folder: Path) -> None:
    """Attempts until one comes to the end, as a scheduler's retries would."""
    deadline = time.monotonic() + NIGHT_WITHIN_S
    while time.monotonic() < deadline:
        night = _night(task, folder)
        night.wait(timeout=NIGHT_WITHIN_S)
        if night.returncode == 0:
            return
        time.sleep(0.5)
    raise AssertionError((folder / "said").read_text()[-3000:])


def _reached(folder: Path, step: str) -> bool:
    state = folder / "state"
    return not step or (state.exists() and step in json.loads(state.read_text()))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seeds", type=int, default=10, metavar="N")
    parser.add_argument("--first", type=int, default=1, metavar="SEED")
    parser.add_argument("--faults", choices=("all", "none"), default="all")
    parser.add_argument("--disk", action="store_true", help="the instance has a disk of its own that fills up (root)")
    parser.add_argument("--rows", type=int, default=3000, metavar="N", help="rows that are there before")
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="namrong-witness-"))
    folder.chmod(0o755)  # the servers run as another user
    kinds = (*FAULTS, *([FULL] if asked.disk else [])) if asked.faults == "all" else ()
    trials: list[Trial] = []
    print(HEAD)
    try:
        with staged(folder, free_port(), with_disk=asked.disk) as stage:
            for seed in range(asked.first, asked.first + asked.seeds):
                trials.append(trial(stage, folder / str(seed), seed, kinds=kinds, rows=asked.rows))
                print(trials[-1].row(), *trials[-1].verdict.lost[:5], *trials[-1].verdict.duplicated[:5],
                      *trials[-1].verdict.both_sides, sep="\n  ", flush=True)  # fmt: skip
    finally:
        shutil.rmtree(folder)
    return _summed(trials)


def _summed(trials: Sequence[Trial]) -> int:
    seen = [one.verdict for one in trials]
    wrong = sum(not one.clean for one in seen)
    lost, twice, both = (sum(len(getattr(one, what)) for one in seen) for what in ("lost", "duplicated", "both_sides"))
    acked = sum(one.acknowledged for one in seen)
    print(
        f"acknowledged {acked}, lost {lost}, duplicated {twice}, both sides {both}; {wrong} of {len(seen)} nights wrong"
    )
    print(f"{sum(one.left for one in trials)} nights left under their freeze for good: the service went on at home")
    if seen and not wrong:
        print(f"at most {min(1.0, 3 / len(seen)):.1%} of nights lose something (3/N, 95 %)")
    for number, what in enumerate(("switch", "way back")):
        waits = sorted(one.waits[number] for one in seen if len(one.waits) > number)
        if waits:
            late = waits[min(len(waits) - 1, int(0.95 * len(waits)))]
            print(f"{what}: witness waited {statistics.median(waits):.2f} s (median), {late:.2f} s (p95, {len(waits)})")
    return 0 if not wrong else 1


if __name__ == "__main__":
    sys.exit(main())
