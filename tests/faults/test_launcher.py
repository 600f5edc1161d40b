"""Whatever is killed, and when: no process of the checkout is left, and no lock."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from launcher import front, processes
from launcher.checkout import ROOT, Checkout
from launcher.supervisor import DEATHS

SMALL_RUN = Path(__file__).with_name("small_run.py")
GONE_WITHIN_S = 20.0
ALL = 1 + 2 * 4


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Checkout]:
    """An empty checkout (no pilots); whatever a failing test leaves there is ended."""
    made = empty_checkout(tmp_path)
    yield made
    front.take_down(made)


def empty_checkout(root: Path) -> Checkout:
    (root / "include" / "pilots").mkdir(parents=True)
    for room in ("launcher", "onboarding", "sandbox"):
        (root / "include" / room).symlink_to(ROOT / "include" / room)
    return Checkout(root)


def start(checkout: Checkout, how: str = "stay") -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "include")}
    return subprocess.Popen(
        [sys.executable, str(SMALL_RUN), str(checkout.root), how],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_until_up(process: subprocess.Popen[str]) -> int:
    """The supervisor's pid."""
    assert process.stdout is not None
    word, _, pid = process.stdout.readline().partition(" ")
    assert word == "up", "the small run did not come up"
    return int(pid)


def left_of(checkout: Checkout) -> list[psutil.Process]:
    return processes.marked(checkout.root)


def assert_all_there(checkout: Checkout, *, strays: int = 0) -> None:
    """The supervisor, and twice the component, its faithful child, its deaf child, its orphaned grandchild.

    "Up" is said before the last of them has begun, and one that is only just beginning cannot be told yet.
    """
    deadline = time.monotonic() + GONE_WITHIN_S
    while len(found := left_of(checkout)) != ALL + strays:
        assert time.monotonic() < deadline, found
        time.sleep(0.1)


def assert_nothing_left(checkout: Checkout) -> None:
    deadline = time.monotonic() + GONE_WITHIN_S
    while (left := left_of(checkout)) or checkout.is_locked():
        assert time.monotonic() < deadline, f"left: {left}, locked: {checkout.is_locked()}"
        time.sleep(0.1)


def test_the_small_run_has_orphans_and_deaf_children(checkout: Checkout) -> None:
    # Else the tests below would pass for a supervisor that only ends its own children.
    start(checkout, "detach").wait(30)
    assert_all_there(checkout)
    assert checkout.is_locked()
    assert front.take_down(checkout)
    assert_nothing_left(checkout)
    assert not front.take_down(checkout)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL], ids=lambda n: n.name)
def test_signal_to_the_front(checkout: Checkout, number: signal.Signals) -> None:
    process = start(checkout)
    wait_until_up(process)
    process.send_signal(number)
    assert process.wait(GONE_WITHIN_S) == (-signal.SIGKILL if number is signal.SIGKILL else 130)
    assert_nothing_left(checkout)


def test_kill_of_the_whole_process_group(checkout: Checkout) -> None:
    # `timeout -s KILL` and a closed terminal reach the front's group; the supervisor is in a session of its own.
    process = start(checkout)
    wait_until_up(process)
    os.killpg(process.pid, signal.SIGKILL)
    assert_nothing_left(checkout)


def test_kill_of_the_supervisor(checkout: Checkout) -> None:
    process = start(checkout)
    os.kill(wait_until_up(process), signal.SIGKILL)
    assert process.wait(GONE_WITHIN_S) == 3
    assert_nothing_left(checkout)


def test_kill_of_front_and_supervisor_together_is_mended_by_the_next_start(checkout: Checkout) -> None:
    process = start(checkout)
    supervisor = wait_until_up(process)
    process.kill()
    os.kill(supervisor, signal.SIGKILL)
    process.wait()
    second = start(checkout)
    wait_until_up(second)
    mine = {child.pid for child in psutil.Process(second.pid).children(recursive=True)}
    left = {process.pid for process in left_of(checkout)}
    assert left <= mine  # nothing of the first run
    assert len(left) == ALL
    second.terminate()
    second.wait(GONE_WITHIN_S)
    assert_nothing_left(checkout)


@pytest.mark.parametrize("delay_s", [0.3, 0.7, 0.9, 1.1])
def test_kill_while_starting(checkout: Checkout, delay_s: float) -> None:
    process = start(checkout)
    time.sleep(delay_s)
    process.kill()
    process.wait()
    assert_nothing_left(checkout)


def test_death_of_a_component_stops_the_rest_and_is_named(checkout: Checkout) -> None:
    process = start(checkout)
    wait_until_up(process)
    os.kill(checkout.holder()["components"]["first"], signal.SIGKILL)
    assert process.wait(GONE_WITHIN_S) == 3
    assert process.stdout is not None
    assert process.stdout.read().strip() == "first: killed by SIGKILL"
    assert_nothing_left(checkout)


def test_a_component_that_keeps_nothing_is_started_again_and_its_group_ends_with_it(checkout: Checkout) -> None:
    process = start(checkout)
    wait_until_up(process)
    assert process.stdout is not None
    killed: list[int] = []
    for death in range(DEATHS):
        assert_all_there(checkout, strays=2 * death)  # what left its group cannot be told from another's
        killed.append(checkout.holder()["components"]["second"])
        os.kill(killed[-1], signal.SIGKILL)
        assert process.stdout.readline() == "second killed by SIGKILL\n"
        deadline = time.monotonic() + GONE_WITHIN_S
        while checkout.holder()["components"]["second"] in killed:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    assert_all_there(checkout, strays=2 * DEATHS)
    os.kill(checkout.holder()["components"]["second"], signal.SIGKILL)
    assert process.wait(GONE_WITHIN_S) == 3  # it would not live
    assert process.stdout.read().strip() == "second: killed by SIGKILL"
    assert_nothing_left(checkout)


def test_second_start_is_refused_while_the_first_stays(checkout: Checkout) -> None:
    process = start(checkout)
    wait_until_up(process)
    assert start(checkout).wait(30) == 1
    assert process.poll() is None
    process.terminate()
    process.wait(GONE_WITHIN_S)
    assert_nothing_left(checkout)


def test_a_recorded_pid_that_is_somebody_elses_is_left_alone(checkout: Checkout) -> None:
    stranger = subprocess.Popen(["sleep", "60"])
    try:
        checkout.state.mkdir()
        checkout.run.mkdir()
        (checkout.run / "supervisor.json").write_text(json.dumps({"pid": stranger.pid}))
        with checkout.lock():
            assert not processes.is_marked(stranger.pid, checkout.root)
        front.take_down(checkout)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_two_checkouts_do_not_see_each_other(checkout: Checkout) -> None:
    # One path is the beginning of the other: a careless comparison would take one for the other.
    other = empty_checkout(checkout.root.with_name(checkout.root.name + "2"))
    try:
        start(checkout, "detach").wait(30)
        start(other, "detach").wait(30)
        front.take_down(checkout)
        assert left_of(checkout) == []
        assert_all_there(other)
    finally:
        front.take_down(other)
        shutil.rmtree(other.root, ignore_errors=True)
