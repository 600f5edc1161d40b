"""The memory that many hands share: never more than there is, and nobody waits for ever."""

from __future__ import annotations

import threading
import time

from onboarding.files.crew import Room, each


def test_what_is_in_memory_never_exceeds_the_room() -> None:
    room, counting = Room(100), threading.Lock()
    sizes = [n * 37 % 61 for n in range(500)]
    now = most = done = 0

    def take(size: int) -> None:
        nonlocal now, most, done
        with room.of(size):
            with counting:
                now += size
                most = max(most, now)
            time.sleep(0.0005)  # for others to be in the room too
            with counting:
                now -= size
                done += 1

    each(take, sizes, 32)
    assert (done, now) == (500, 0) and 60 < most <= 100


def test_what_is_larger_than_the_room_goes_alone() -> None:
    room, inside = Room(100), []

    def take(size: int) -> None:
        with room.of(size):
            inside.append(size)
            assert size <= 100 or inside == [size]
            inside.remove(size)

    each(take, [500, 10, 700, 10, 10] * 20, 8)
    assert inside == []


def test_room_is_given_back_by_a_hand_that_fails() -> None:
    room = Room(100)
    for _ in range(3):
        try:
            with room.of(100):
                raise KeyError
        except KeyError:
            pass
    with room.of(100):
        pass
