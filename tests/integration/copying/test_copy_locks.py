"""A session that forgot a lock is named before a copy would wait for it without end."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest

from onboarding.databases.locks import demand_readable
from onboarding.errors import AskPerson

from .conftest import Source

MakeSource = Callable[[str], Source]
TABLE = 'CREATE TABLE "ใบสั่ง" (id int PRIMARY KEY)'
LOCK = 'LOCK TABLE "ใบสั่ง" IN ACCESS EXCLUSIVE MODE'


def test_who_holds_which_table_is_said(make_source: MakeSource) -> None:
    source = make_source(TABLE)
    with source.owner.connect() as forgotten:
        forgotten.execute(LOCK)
        with pytest.raises(AskPerson) as asked:
            demand_readable(source.owner, timedelta(seconds=0.3))
        told = str(asked.value.values["who"])
        assert 'public."ใบสั่ง"' in told
        assert f"pid {forgotten.info.backend_pid} ({source.owner.user}" in told
    demand_readable(source.owner, timedelta(0))


def test_a_lock_that_passes_is_waited_for(make_source: MakeSource) -> None:
    source = make_source(TABLE)
    with source.owner.connect() as busy:
        busy.execute(LOCK)
        done = threading.Timer(0.6, busy.rollback)
        done.start()
        demand_readable(source.owner, timedelta(seconds=20))
        done.join()


def test_what_only_writes_or_reads_is_in_nobodys_way(make_source: MakeSource) -> None:
    source = make_source(TABLE)
    with source.owner.connect() as busy:
        busy.execute('INSERT INTO "ใบสั่ง" VALUES (1)')
        demand_readable(source.owner, timedelta(0))
