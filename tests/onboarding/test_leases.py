"""Places that several pilots share: never more at a time than there are, and free again when their holder is dead."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest

from onboarding.errors import TryAgain

AT_ONCE = timedelta(0)
SERVER = "db.p04.agency.example:5432"


def test_there_are_so_many_places_and_no_more(ledger):
    with ledger.lease(SERVER, 2, patience=AT_ONCE) as first, ledger.lease(SERVER, 2, patience=AT_ONCE) as second:
        assert {first, second} == {1, 2}
        with pytest.raises(TryAgain, match="all 2 places"), ledger.lease(SERVER, 2, patience=AT_ONCE):
            pass
        with ledger.lease("another:5432", 1, patience=AT_ONCE) as other:
            assert other == 1
    with ledger.lease(SERVER, 1, patience=AT_ONCE) as again:
        assert again == 1


def test_who_comes_late_waits_for_a_place_and_gets_it(ledger):
    order = []

    def late():
        with ledger.lease(SERVER, 1, patience=timedelta(seconds=20)):
            order.append("late")

    with ledger.lease(SERVER, 1, patience=AT_ONCE):
        waiting = threading.Thread(target=late)
        waiting.start()
        time.sleep(0.3)
        order.append("early")
    waiting.join(20)
    assert order == ["early", "late"]


def test_a_place_is_free_when_its_holder_is_dead(house, ledger):
    with ledger.lease(SERVER, 1, patience=AT_ONCE):
        with house.owner.connect(autocommit=True) as owner:
            owner.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks"
                " WHERE locktype = 'advisory' AND granted AND pid <> pg_backend_pid()"
            )
        with ledger.lease(SERVER, 1, patience=timedelta(seconds=5)) as place:
            assert place == 1


def test_a_crowd_is_never_more_than_it_may_be(ledger):
    at_work, most, alone = 0, 0, threading.Lock()

    def work():
        nonlocal at_work, most
        with ledger.lease(SERVER, 3, patience=timedelta(seconds=30)):
            with alone:
                at_work += 1
                most = max(most, at_work)
            time.sleep(0.2)
            with alone:
                at_work -= 1

    crowd = [threading.Thread(target=work) for _ in range(8)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join(60)
    assert (most, at_work) == (3, 0)
