"""Two crews on one queue: what is read is sent, a failure ends it, memory has an end, and nobody waits for ever."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from onboarding.files.crew import LOOKED_AT, SENDERS_AT_FIRST, Room, each

WIDE = 1 << 30


def test_everything_is_read_and_sent_once() -> None:
    sent: list[int] = []
    each(lambda item: partial(sent.append, item), range(3000), 64, room=Room(WIDE))
    assert sorted(sent) == list(range(3000))


def test_what_is_made_is_taken_while_others_work() -> None:
    done = threading.Event()

    def items() -> Iterator[str]:
        yield "first"
        assert done.wait(30)  # never, if all had to be made before the first is worked on
        yield "second"

    worked: list[str] = []

    def read(item: str) -> Callable[[], None]:
        return lambda: (worked.append(item), done.set())[0]

    each(read, items(), 3, room=Room(WIDE))
    assert worked == ["first", "second"]


def test_the_first_failure_of_the_sending_is_raised_and_nothing_is_sent_after_it() -> None:
    begun: list[int] = []

    def send(item: int) -> None:
        begun.append(item)
        if item == 3:
            raise LookupError(item)

    with pytest.raises(LookupError):
        each(lambda item: partial(send, item), range(1000), 1, room=Room(WIDE))
    assert begun == [0, 1, 2, 3]


@pytest.mark.parametrize("room", [WIDE, 5])
def test_the_first_failure_of_the_reading_is_raised_and_room_is_given_back(room: int) -> None:
    sent: list[int] = []

    def read(item: int) -> Callable[[], None]:
        if item == 700:
            raise LookupError(item)
        return partial(sent.append, item)

    memory = Room(room)
    with pytest.raises(LookupError):
        each(read, iter(range(10_000)), 16, room=memory, size=lambda _: 1)
    assert set(sent) <= set(range(700))
    memory.take(room)  # for ever, if anybody still had some


@pytest.mark.parametrize(("slow", "together"), [("reading", 24), ("sending", 24)])
def test_as_many_are_called_as_it_takes(slow: str, together: int) -> None:
    """They meet, or the barrier breaks and so does the test. The first few are read by one."""
    barrier, sent, counting = threading.Barrier(together), [], threading.Lock()

    def meet() -> None:
        barrier.wait(30)

    def read(item: int) -> Callable[[], None]:
        if slow == "reading":
            meet() if item >= LOOKED_AT else time.sleep(0.01)
        return partial(send, item)

    def send(item: int) -> None:
        if slow == "sending":
            meet()
        with counting:
            sent.append(item)

    many = together * 3 + (LOOKED_AT if slow == "reading" else 0)
    each(read, range(many), together, room=Room(WIDE))
    assert len(sent) == many


def test_no_more_send_than_there_is_work_for() -> None:
    names: set[str] = set()

    def read(_: int) -> Callable[[], None]:
        time.sleep(0.001)
        return lambda: names.add(threading.current_thread().name)

    each(read, range(100), 256, room=Room(WIDE))
    assert 1 <= len(names) <= 4 * SENDERS_AT_FIRST


def test_what_is_in_memory_never_exceeds_the_room() -> None:
    counting = threading.Lock()
    now = most = done = 0

    def read(size: int) -> Callable[[], None]:
        nonlocal now, most
        with counting:
            now += size
            most = max(most, now)
        return partial(send, size)

    def send(size: int) -> None:
        nonlocal now, done
        time.sleep(0.0005)  # for others to be in the room too
        with counting:
            now -= size
            done += 1

    each(read, [n * 37 % 61 for n in range(500)], 32, room=Room(100), size=lambda size: size)
    assert (done, now) == (500, 0) and 60 < most <= 100


def test_what_is_larger_than_the_room_goes_alone() -> None:
    room, inside = Room(100), []

    def read(size: int) -> Callable[[], None]:
        inside.append(size)
        assert size <= 100 or inside == [size]
        return partial(inside.remove, size)

    each(read, [500, 10, 700, 10, 10] * 20, 8, room=room, size=lambda size: size)
    assert inside == []


INTERRUPTED = """
import os, signal, threading
from onboarding.files.crew import Room, each

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job is started without it

def work():
    print("begun", flush=True)
    threading.Event().wait()  # for ever, as a very large file would

try:
    each(lambda item: work, [1], 2, room=Room(1))
except KeyboardInterrupt:
    os._exit(130)
"""


def test_an_interruption_does_not_wait_for_what_is_under_way() -> None:
    environment = {"PYTHONPATH": str(Path(__file__).parents[2] / "include"), "PATH": os.defpath}
    with subprocess.Popen([sys.executable, "-c", INTERRUPTED], stdout=subprocess.PIPE, env=environment) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"begun\n"
        try:
            for _ in range(60):  # one that comes while the interpreter tidies up is lost
                child.send_signal(signal.SIGINT)
                with suppress(subprocess.TimeoutExpired):
                    child.wait(1)
                    break
        finally:
            child.kill()
    assert child.returncode == 130
