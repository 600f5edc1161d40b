"""Whoever can do anything in the ledger's database still cannot change what it says unseen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from onboarding.evidence import verify
from onboarding.ledger import Ledger
from onboarding.programme.commands import verify_evidence
from onboarding.records import GENESIS, Record, link
from onboarding.stages.pilot import Pilot
from sandbox.postgres import Cluster

from .conftest import World

Superuser = psycopg.Connection[tuple[object, ...]]


@pytest.fixture
def copy(world: World, straight: Pilot, repeated: Pilot, pg_cluster: Cluster) -> Iterator[tuple[Ledger, Superuser]]:
    """A copy of the journey's ledger, row by row, with its superuser logged in and every guard switched off."""
    name = f"{world.owner.name}_copy"
    with pg_cluster.connect() as admin:
        admin.autocommit = True
        admin.execute(f"DROP DATABASE IF EXISTS {name}".encode())
        world.ledger.close()
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {world.owner.name}".encode())
    superuser = pg_cluster.connect(name)
    superuser.autocommit = True
    superuser.execute("ALTER TABLE ledger.records DISABLE TRIGGER ALL")
    ledger = Ledger(replace(world.writer, name=name, user="postgres", password=pg_cluster.password))
    yield ledger, superuser
    ledger.close()
    superuser.close()


def middle(ledger: Ledger) -> Record:
    records = ledger.records()
    return records[len(records) // 2]


def test_the_ledger_of_the_journey_holds(world: World, copy: tuple[Ledger, Superuser]) -> None:
    ledger, _ = copy
    found = verify(ledger, world.anchors())
    assert found.ok and found.records > 300 and found.anchored > 200
    lines: list[str] = []
    pilot = world.pilot("p02")
    s3, bucket = pilot.management.client("s3"), pilot.settings.anchor_bucket
    assert verify_evidence(ledger, s3, bucket, "th", lines.append) == 0
    assert found.head.hash in "\n".join(lines)


def test_the_writing_role_may_change_nothing(world: World, straight: Pilot) -> None:
    for attempt in (
        "UPDATE ledger.records SET body = body", "DELETE FROM ledger.records", "TRUNCATE ledger.records",
        "ALTER TABLE ledger.records DISABLE TRIGGER ALL", "DROP TABLE ledger.records",
    ):  # fmt: skip
        with world.writer.connect() as writer, pytest.raises(psycopg.errors.InsufficientPrivilege):
            writer.execute(attempt.encode())


def flip(ledger: Ledger, superuser: Superuser) -> int:
    record = next(record for record in ledger.records(kind="reconciled"))
    text = record.text.replace('"unaccounted":0', '"unaccounted":1', 1)
    assert text != record.text
    superuser.execute("UPDATE ledger.records SET body = %s WHERE seq = %s", [text, record.seq])
    return record.seq


def another_time(ledger: Ledger, superuser: Superuser) -> int:
    seq = middle(ledger).seq
    superuser.execute("UPDATE ledger.records SET at = at - interval '1 microsecond' WHERE seq = %s", [seq])
    return seq


def delete(ledger: Ledger, superuser: Superuser) -> int:
    seq = middle(ledger).seq
    superuser.execute("DELETE FROM ledger.records WHERE seq = %s", [seq])
    return seq


def swap(ledger: Ledger, superuser: Superuser) -> int:
    seq = middle(ledger).seq
    for was, becomes in ((seq, 10**9), (seq + 1, seq), (10**9, seq + 1)):
        superuser.execute("UPDATE ledger.records SET seq = %s WHERE seq = %s", [becomes, was])
    return seq


def cut_off(ledger: Ledger, superuser: Superuser) -> int:
    seq = middle(ledger).seq
    superuser.execute("DELETE FROM ledger.records WHERE seq >= %s", [seq])
    return seq


def rewrite(ledger: Ledger, superuser: Superuser) -> int:
    """An approver's name replaced, and every hash from there on recomputed: from inside, a perfect chain."""
    records = ledger.records()
    first = next(record for record in records if record.kind == "approval")
    text = first.text.replace("approver1", "approver9")
    assert text != first.text
    changed, before = [], GENESIS
    for record in records:
        body = text if record.seq == first.seq else record.text
        new = replace(record, text=body, prev_hash=before)
        before = link(new.prev_hash, new)
        if record.seq >= first.seq:
            changed.append((body, new.prev_hash, before, record.seq))
    superuser.execute("ALTER TABLE ledger.records DROP CONSTRAINT records_prev_hash_key")
    superuser.execute("ALTER TABLE ledger.records DROP CONSTRAINT records_hash_key")
    with superuser.cursor() as cursor:
        cursor.executemany("UPDATE ledger.records SET body = %s, prev_hash = %s, hash = %s WHERE seq = %s", changed)
    return first.seq


@pytest.mark.parametrize(
    ("tamper", "expected", "inside"),
    [
        (flip, "altered", True), (another_time, "altered", True), (delete, "missing", True),
        (swap, "reordered", True), (cut_off, "truncated", False), (rewrite, "rewritten", False),
    ],
)  # fmt: skip
def test_tampering_is_found(
    world: World,
    copy: tuple[Ledger, Superuser],
    tamper: Callable[[Ledger, Superuser], int],
    expected: str,
    inside: bool,
) -> None:
    ledger, superuser = copy
    seq = tamper(ledger, superuser)
    found = verify(ledger, world.anchors())
    assert not found.ok
    assert expected in {problem.what for problem in found.problems}, found.problems
    if inside:
        assert seq in {problem.seq for problem in found.problems if problem.what == expected}
    # What the chain itself cannot show is shown by the anchors alone.
    assert verify(ledger, []).ok is not inside
    assert _exit_status(world, ledger) == 1


def _exit_status(world: World, ledger: Ledger) -> int:
    pilot = world.pilot("p02")
    said: list[Any] = []
    return verify_evidence(ledger, pilot.management.client("s3"), pilot.settings.anchor_bucket, "en", said.append)
