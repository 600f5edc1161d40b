"""One intent, one effect: whoever dies where, and however many ask."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from onboarding.errors import Stop
from onboarding.ledger import Ledger

TESTS = Path(__file__).resolve().parents[1]
WORKER = TESTS / "once_worker.py"
KEY = "organizations:CreateAccount:-:p02-prod@pilots.example"


class World:
    """Where effects happen; looking for one and making one are counted."""

    def __init__(self) -> None:
        self.effects: list[str] = []
        self.looked = 0

    def find(self) -> dict[str, str] | None:
        self.looked += 1
        return {"id": self.effects[0]} if self.effects else None

    def perform(self) -> dict[str, str]:
        self.effects.append(f"effect-{len(self.effects)}")
        return {"id": self.effects[-1]}


def ask(ledger: Ledger, world: World, *, pilot: str = "p02", n: int = 1, perform=None):
    return ledger.once(pilot, KEY, "CreateAccount", {"n": n}, find=world.find, perform=perform or world.perform)


def kinds(ledger: Ledger) -> list[str]:
    return [record.kind for record in ledger.records()]


def test_it_happens_once_and_the_result_stays(ledger):
    world = World()
    results = [ask(ledger, world) for _ in range(3)]
    assert results == [{"id": "effect-0"}] * 3
    assert (world.effects, world.looked) == (["effect-0"], 1)
    assert kinds(ledger) == ["intent", "intent_result"]


def test_the_intent_is_written_before_the_effect(ledger):
    seen: list[list[str]] = []
    ask(ledger, World(), perform=lambda: seen.append(kinds(ledger)) or {"id": "x"})
    assert seen == [["intent"]]


def test_what_is_there_already_is_adopted(ledger):
    world = World()
    world.effects = ["made by hand"]
    assert ask(ledger, world) == {"id": "made by hand"}
    assert world.effects == ["made by hand"]
    assert [r.body["adopted"] for r in ledger.records(kind="intent_result")] == [True]


def test_a_lost_reply_is_adopted(ledger):
    world = World()

    def lose_reply() -> dict[str, str]:
        world.perform()
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        ask(ledger, world, perform=lose_reply)
    assert kinds(ledger) == ["intent"]
    assert ask(ledger, world) == {"id": "effect-0"}
    assert world.effects == ["effect-0"]


def test_an_open_intent_without_effect_is_performed_again(ledger):
    world = World()

    def refuse() -> dict[str, str]:
        raise ConnectionRefusedError

    with pytest.raises(ConnectionRefusedError):
        ask(ledger, world, perform=refuse)
    assert ask(ledger, world) == {"id": "effect-0"}
    assert kinds(ledger) == ["intent", "intent_result"]


def test_another_request_under_the_same_key_stops(ledger):
    world = World()
    ask(ledger, world)
    with pytest.raises(Stop) as refused:
        ask(ledger, world, n=2)
    assert refused.value.key == "ledger.another_request"
    assert world.effects == ["effect-0"]


def test_two_pilots_share_one_effect(ledger):
    world = World()
    assert ask(ledger, world, pilot="p02") == ask(ledger, world, pilot="p05")
    assert world.effects == ["effect-0"]


def start(house, world: Path, die_at: str = "", seconds: float = 0) -> subprocess.Popen[str]:
    database = {
        "host": house.writer.host, "port": house.writer.port, "name": house.writer.name,
        "user": house.writer.user, "password": house.writer.password,
    }  # fmt: skip
    worker = subprocess.Popen(
        [sys.executable, str(WORKER)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(TESTS.parent / "include")},
    )
    worker.stdin.write(json.dumps({"database": database, "world": str(world), "die_at": die_at, "seconds": seconds}))
    worker.stdin.close()
    worker.stdin = None
    return worker


POINTS = [
    "before the intent", "find begins", "find ends", "perform begins", "the effect happened", "before the result",
    "the result is written",
]  # fmt: skip


@pytest.mark.parametrize("point", POINTS)
def test_killed_between_any_two_steps_the_effect_still_happens_once(house, tmp_path, point):
    killed = start(house, tmp_path, point)
    assert killed.wait(30) == -signal.SIGKILL

    second = start(house, tmp_path)
    answer, _ = second.communicate(timeout=30)
    effects = [effect.name for effect in tmp_path.iterdir()]
    assert [json.loads(answer)["id"]] == effects
    with house.owner.connect() as owner:
        intents = owner.execute("SELECT key, result ->> 'id' FROM ledger.intents").fetchall()
    assert intents == [("s:Create:-:x", effects[0])]


def test_processes_that_ask_at_once_do_not_both_perform(house, tmp_path):
    crowd = [start(house, tmp_path, seconds=0.5) for _ in range(4)]
    answers = {worker.communicate(timeout=60)[0] for worker in crowd}
    assert len(list(tmp_path.iterdir())) == 1
    assert len(answers) == 1


def test_the_lock_of_a_killed_process_is_free_at_once(house, tmp_path):
    hung = start(house, tmp_path, seconds=60)
    deadline = time.monotonic() + 30
    while not house.open().records(kind="intent") and time.monotonic() < deadline:
        time.sleep(0.05)
    waiting = start(house, tmp_path)
    time.sleep(1)
    assert waiting.poll() is None
    hung.kill()
    hung.wait()
    assert json.loads(waiting.communicate(timeout=20)[0])["id"] == next(tmp_path.iterdir()).name
