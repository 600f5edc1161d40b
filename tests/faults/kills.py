"""Runs a demonstration, kills tasks at work with SIGKILL, and demands that it ends as if nobody had.

    python tests/faults/kills.py --mode child --kills 10 --pilots p02,p05,p09
    python tests/faults/kills.py --mode supervisor --kills 10 --here

`child` is the process in which a task's own code runs. `supervisor` is its parent, a worker of the executor: what
it leaves is an orphan that goes on until it needs Airflow. `stalled` kills the supervisor too, but stops the orphan
until the next attempt is at work, and lets it go on then: only fences keep the two apart. `scheduler` and `triggerer`
kill Airflow's own process of that name while such a task is at work, with all workers of the scheduler. A snapshot dies
with the triggerer that held it, and its load begins anew.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).resolve().parents[up] / room) for up, room in ((2, "include"), (1, ""))]

import psutil
import psycopg
from checkouts import environment, make_checkout
from faults.task_processes import Pair, Tables, Task, at_work

from launcher import front, processes
from launcher.checkout import ROOT, Checkout
from launcher.supervisor import DEATHS
from onboarding.manifests import load_folder

COMPONENTS = ("scheduler", "triggerer")
MODES = ("child", "supervisor", "stalled", *COMPONENTS)
# Where an effect is made, or many rows and files move: one kill each before any other is drawn.
TELLING = ("request_account", "copy_rows", "move_files", "finish_load", "freeze", "shift_traffic")
OTHERS = (
    "receive", "assess", "place_and_guard", "apply_baseline", "grant_access", "request_targets", "plan_files",
    "hold_snapshot", "prepare_load", "back_up", "restore_backup", "prove_restore", "reconcile", "expect",
    "ask_golden_queries", "rehearse", "approve_cutover_1", "approve_cutover_2", "prove", "release", "revoke_access",
    "declare", "gate_account_made", "gate_migration", "gate_validation", "gate_cutover",
)  # fmt: skip
FOLLOWED = {"freeze": "switch_over", "shift_traffic": "switch_over", "prove": "begin_following", "release": "gate_near"}
"""What a pilot that is followed has instead."""
ANY = ""
LATEST_S = 1.0
"""Tasks are killed up to so long after they were first seen: most live for a second or two."""
BESIDE_S = 1.5
"""A stalled orphan goes on so long after the next attempt was first seen."""
LOOK_S = 0.03
ENDS_WITHIN_S = 1800
HOLDS = {"unaccounted_rows": 0, "unaccounted_files": 0, "duplicate_side_effects": 0}


@dataclass
class Order:
    """One kill to be made: of that task of that pilot (ANY: the next one seen), so long after it was first seen.

    `leaf` is the task's name, with its groups or without.
    """

    mode: str
    pilot: str
    leaf: str
    wait_s: float
    missed: int = 0

    def fits(self, task: Task) -> bool:
        return self.leaf == ANY or (task.dag == f"onboard_{self.pilot}" and self.leaf in (task.leaf, task.name))


@dataclass
class Kill:
    """A kill that was made, and how it went on."""

    mode: str
    task: Task
    at_s: float
    after_s: float
    orphan: psutil.Process | None
    again_s: float | None = None
    orphan_s: float | None = None
    stalled: bool = False
    attempt: int = 0
    ended: str = ""

    def go_on(self) -> None:
        """Lets a stopped orphan run again."""
        self.stalled = False
        if self.orphan is not None and _lives(self.orphan):
            self.orphan.resume()

    def row(self) -> str:
        again = "-" if self.again_s is None else f"{self.again_s:.0f}"
        orphan = "-" if self.orphan_s is None else f"{self.orphan_s:.1f}"
        return (
            f"{self.mode:<10} {self.at_s:>6.1f} {self.task!s:<48} {self.task.attempt:>3} {self.after_s:>5.2f} "
            f"{self.task.state:<8} {again:>6} {orphan:>7} {self.attempt:>4} {self.ended}"
        )


HEAD = f"{'killed':<10} {'at s':>6} {'task':<48} try  aged {'was':<8} {'again':>6} {'orphan':>7} last end"


def orders(modes: Sequence[str], count: int, pilots: Sequence[str], chance: random.Random) -> list[Order]:
    """That many for each mode: the telling tasks first, then others; each pilot in turn.

    A component that died more often than DEATHS would end the run.
    """
    drawn = []
    manifests = load_folder(ROOT / "include" / "pilots").manifests
    for turn, mode in enumerate(modes):
        leaves = [*chance.sample(TELLING, len(TELLING)), *chance.sample(OTHERS, len(OTHERS))]
        for number in range(min(count, DEATHS) if mode in COMPONENTS else count):
            pilot, leaf = pilots[(number + turn) % len(pilots)], leaves[number % len(leaves)]
            leaf = FOLLOWED.get(leaf, leaf) if manifests[pilot].follows else leaf
            drawn.append(Order(mode, pilot, leaf, chance.uniform(0, LATEST_S)))
    return drawn


@dataclass
class Killer:
    """Watches the tasks of a running checkout and carries out the orders."""

    checkout: Checkout
    open: list[Order]
    began: float = field(default_factory=time.monotonic)
    made: list[Kill] = field(default_factory=list)
    _tables: Tables | None = None
    _seen: dict[str, float] = field(default_factory=dict)
    _aimed: dict[str, Order] = field(default_factory=dict)
    _noted: float = 0.0

    def look(self) -> None:
        """Once: aims at what is new, kills what is due, notes how the killed ones go on."""
        try:
            self._look()
        except psycopg.OperationalError:
            self._tables = None  # not up yet, or down already

    def _look(self) -> None:
        if self._tables is None:
            if not (self.checkout.run / "airflow_setup.json").exists():
                return
            self._tables = Tables(self.checkout)
        now, found = time.monotonic(), at_work(self.checkout)
        self._seen = {identity: since for identity, since in self._seen.items() if identity in found | self._aimed}
        for identity in found.keys() - self._seen.keys():
            self._seen[identity] = now
            self._aim(identity)
        for identity, order in list(self._aimed.items()):
            if identity not in found:
                self._missed(identity, order)
            elif now - self._seen[identity] >= order.wait_s:
                self._kill(identity, order, found[identity], now - self._seen[identity])
        if now - self._noted > 0.5:
            self._noted = now
            self._note()

    def _aim(self, identity: str) -> None:
        task = self._tables.task(identity) if self._tables else None
        if task is None:
            return
        for kill in self.made:
            if kill.again_s is None and kill.task.instance == task.instance and task.attempt > kill.task.attempt:
                kill.again_s = time.monotonic() - self.began - kill.at_s
        often = sum(kill.task.instance == task.instance for kill in self.made)
        order = next((order for order in self.open if order.fits(task)), None)
        if order is not None and often < task.retries and task.attempt <= task.retries:
            self.open.remove(order)
            self._aimed[identity] = order

    def _missed(self, identity: str, order: Order) -> None:
        """It was over before its time: sooner at the next of its kind, if there are more; and then at any."""
        del self._aimed[identity]
        again = order.leaf in ("copy_rows", "move_files", "finish_load") and order.missed == 0
        leaf = order.leaf if again else ANY
        self.open.append(replace(order, leaf=leaf, wait_s=order.wait_s / 2, missed=order.missed + 1))

    def _kill(self, identity: str, order: Order, pair: Pair, age: float) -> None:
        task = self._tables.task(identity) if self._tables else None
        if task is None or not (
            self._kill_component(order.mode) if order.mode in COMPONENTS else pair.kill(order.mode)
        ):
            return  # its child is not there yet, or no more: looked at again in a moment
        del self._aimed[identity]
        orphan = None if order.mode in ("child", "triggerer") else pair.child
        stalled = order.mode == "stalled"
        self.made.append(Kill(order.mode, task, time.monotonic() - self.began, age, orphan, stalled=stalled))

    def _kill_component(self, name: str) -> bool:
        pid = self.checkout.holder().get("components", {}).get(name)
        try:
            psutil.Process(pid).kill()
        except (TypeError, psutil.NoSuchProcess):
            return False  # being started again
        return True

    def _note(self) -> None:
        for kill in self.made:
            since = time.monotonic() - self.began - kill.at_s
            if kill.stalled and kill.again_s is not None and since > kill.again_s + BESIDE_S:
                kill.go_on()
            if kill.orphan is not None and kill.orphan_s is None and not _lives(kill.orphan):
                kill.orphan_s = since
            if self._tables is not None:
                kill.attempt, kill.ended = self._tables.standing(kill.task)


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


@dataclass
class Outcome:
    """A demonstration that ended, and what was done to it."""

    status: int
    output: str
    report: dict[str, Any]
    kills: list[Kill]
    left: int

    def wrong(self, asked: int) -> Iterator[str]:
        """What is not as it would be had nobody killed anything."""
        if self.status != 0:
            yield f"the demonstration ended with {self.status}"
        if len(self.kills) != asked:
            yield f"{len(self.kills)} kills instead of {asked}"
        yield from (
            f"{name}: {self.report.get(name)}" for name, wanted in HOLDS.items() if self.report.get(name) != wanted
        )
        if not self.report.get("goal") or self.report.get("live") != self.report.get("goal"):
            yield f"{self.report.get('live')} of {self.report.get('goal')} live"
        if not self.report.get("ledger", {}).get("verified"):
            yield "the ledger was not verified"
        yield from (
            f"{kill.task} was not tried again"
            for kill in self.kills
            if kill.again_s is None and kill.mode not in COMPONENTS  # a task outlives a triggerer's death
        )
        yield from (f"{kill.task} ended {kill.ended}" for kill in self.kills if not self._ended_well(kill))
        if self.left:
            yield f"{self.left} processes were left behind"

    def _ended_well(self, kill: Kill) -> bool:
        """Done, or (a unit of a load whose snapshot died with a triggerer, whoever killed it) left to `finish_load`."""
        left_out = kill.task.leaf == "copy_rows" and kill.ended == "skipped"
        return kill.ended in ("success", "gone") or (left_out and any(one.mode == "triggerer" for one in self.kills))


def run(checkout: Checkout, ordered: list[Order], pilots: Sequence[str], scale: float) -> Outcome:
    """One demonstration from start to end, with those kills."""
    report = checkout.state / "kills-report.json"
    report.unlink(missing_ok=True)
    shutil.rmtree(checkout.run, ignore_errors=True)  # what an earlier run said about itself
    words = ["demo", "--exit", "--report", str(report), "--pilots", ",".join(pilots), "--scale", str(scale)]
    log = checkout.state / "kills.log"
    with log.open("w") as out:
        demo = subprocess.Popen(
            [str(checkout.python), "-m", "launcher", *words],
            env=environment(checkout), stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
        )  # fmt: skip
    killer = Killer(checkout, list(ordered))
    try:
        while demo.poll() is None:
            if time.monotonic() - killer.began > ENDS_WITHIN_S:
                demo.terminate()
                demo.wait(90)
                break
            killer.look()
            time.sleep(LOOK_S)
    finally:
        for kill in killer.made:
            kill.go_on()
        if demo.poll() is None:
            demo.terminate()
            demo.wait(90)
        left = len(processes.marked(checkout.root))
        front.take_down(checkout)
    found = json.loads(report.read_text()) if report.exists() else {}
    return Outcome(demo.returncode, log.read_text(errors="replace"), found, killer.made, left)


@contextmanager
def own_checkout() -> Iterator[Checkout]:
    with tempfile.TemporaryDirectory(prefix="namrong-kills-") as folder:
        yield make_checkout(Path(folder) / "checkout")


def main() -> int:
    asked = _arguments()
    pilots = asked.pilots.split(",")
    modes = MODES if asked.mode == "all" else (asked.mode,)
    ordered = orders(modes, asked.kills, pilots, random.Random(asked.seed))
    if asked.here:
        outcome = run(Checkout(), ordered, pilots, asked.scale)
    else:
        with own_checkout() as checkout:
            outcome = run(checkout, ordered, pilots, asked.scale)
    print(HEAD, *(kill.row() for kill in outcome.kills), sep="\n")
    wrong = list(outcome.wrong(len(ordered)))
    figures = ("goal", "live", *HOLDS, "seconds")
    print(", ".join(f"{name} {outcome.report.get(name)}" for name in figures))
    print(*(f"{one['id']}: {one['witness']}" for one in outcome.report.get("pilots", ()) if "witness" in one), sep="\n")
    print(*(f"  ✘ {line}" for line in wrong), sep="\n")
    if wrong:
        print(outcome.output[-4000:])
    return 1 if wrong else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mode", choices=(*MODES, "all"), default="all")
    parser.add_argument("--kills", type=int, default=10, help="of each kind")
    parser.add_argument("--pilots", default="p02,p05,p09")
    parser.add_argument("--scale", type=float, default=0.1)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--here", action="store_true", help=f"in this checkout ({ROOT.name}), whose logs then stay")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
