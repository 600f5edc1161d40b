"""The ledger: append-only, chained, one writer at a time."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise

import psycopg
import pytest
from psycopg import sql

from onboarding.cutover.state import MOVES, CutoverState
from onboarding.errors import Stop, TryAgain
from onboarding.ledger import Ledger
from onboarding.ledger_schema import ensure_schema
from onboarding.records import GENESIS, canonical, link

S = CutoverState


def test_a_record_comes_back_as_it_was_written(ledger, house):
    written = ledger.record("p02", "moved_rows", "เอกสาร", {"rows": 3, "note": "น้ำ\u0e4d", "n": [1, None]}, run="r1")

    (read,) = house.open().records(pilot="p02")
    assert read == written
    assert (read.seq, read.prev_hash, read.run, read.at) == (1, GENESIS, "r1", house.clock.now)
    assert read.body == {"rows": 3, "note": "น้ำ\u0e4d", "n": [1, None]}


def test_the_database_chains_as_we_do(ledger):
    for number in range(5):
        ledger.record("p02", "k,|", f"a{number}:'\"", {"ก": number, "b": [1.5, "x\\y"]}, run="๑")

    previous = GENESIS
    for record in ledger.records():
        assert record.prev_hash == previous
        assert link(previous, record) == record.hash
        previous = record.hash
    assert (ledger.head().seq, ledger.head().hash) == (5, previous)


def test_the_head_of_an_empty_ledger_is_the_beginning(ledger):
    assert (ledger.head().seq, ledger.head().hash) == (0, GENESIS)


def test_records_are_found_by_pilot_kind_subject_and_place(ledger):
    for pilot in ("p02", "p05"):
        for kind in ("a", "b", "c"):
            ledger.record(pilot, kind, f"{kind}-1", {})
    assert [r.seq for r in ledger.records(pilot="p05")] == [4, 5, 6]
    assert [r.seq for r in ledger.records(kind="b")] == [2, 5]
    assert [r.seq for r in ledger.records(kind=("a", "c"), after=1)] == [3, 4, 6]
    assert [r.seq for r in ledger.records(pilot="p02", subject="c-1")] == [3]
    assert [r.seq for r in ledger.records(limit=2)] == [1, 2]
    latest = ledger.latest("p05", "b")
    assert latest is not None
    assert latest.seq == 5
    assert ledger.latest("p05", "b", "other") is None


@pytest.mark.parametrize(
    "body",
    [
        {"x": float("nan")}, {"x": "a\0b"}, {"a\0b": 1}, {"x": "\ud800"}, {"x": object()}, {1: 2}, {"x": b""},
        {"at": datetime(2026, 1, 1)}, {"login": {"MasterUserPassword": "hunter2"}},
    ],
)  # fmt: skip
def test_what_is_no_evidence_is_refused(ledger, body):
    with pytest.raises(Stop) as refused:
        ledger.record("p02", "k", "s", body)
    assert refused.value.key == "ledger.body_refused"
    assert ledger.head().seq == 0


def test_one_content_has_one_text():
    assert (
        canonical({"b": 1, "a": Decimal("1.50")}) == canonical({"a": Decimal("1.50"), "b": 1}) == b'{"a":"1.50","b":1}'
    )
    assert canonical({"at": datetime(2026, 1, 1, tzinfo=UTC)}) == b'{"at":"2026-01-01T00:00:00+00:00"}'
    assert canonical({"x": "\\u0000", "ManageMasterUserPassword": True}) != b""


def test_a_crowd_leaves_no_gap_and_no_fork(house):
    ledgers = [house.open() for _ in range(4)]
    with ThreadPoolExecutor(8) as crowd:
        list(crowd.map(lambda n: ledgers[n % 4].record("p02", "k", str(n), {}), range(200)))

    records = ledgers[0].records()
    assert [r.seq for r in records] == list(range(1, 201))
    assert all(later.prev_hash == earlier.hash for earlier, later in pairwise(records))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger.records SET body = '{}'",
        "DELETE FROM ledger.records",
        "TRUNCATE ledger.records",
        "ALTER TABLE ledger.records DISABLE TRIGGER ALL",
        "DROP TABLE ledger.records",
        "CREATE TABLE ledger.mine ()",
        "CREATE TABLE public.mine ()",
        "CREATE TEMPORARY TABLE records ()",
        "CREATE SCHEMA mine",
        "CREATE OR REPLACE FUNCTION ledger.chain() RETURNS trigger LANGUAGE sql AS ''",
        "SET session_replication_role = replica",
        "SELECT setval('ledger.numbers', 1)",
        "SELECT nextval('ledger.numbers')",
        "COPY ledger.records TO PROGRAM 'cat'",
    ],
)
def test_the_writer_can_only_add_and_read(house, ledger, statement):
    ledger.record("p02", "k", "s", {"n": 1})
    with house.owner.connect() as owner:
        owner.execute("CREATE SEQUENCE ledger.numbers")

    with house.writer.connect() as writer, pytest.raises(psycopg.errors.InsufficientPrivilege):
        writer.execute(statement)
    assert [r.body for r in ledger.records()] == [{"n": 1}]


def test_the_schema_itself_counts_without_sequences(house):
    with house.owner.connect() as owner:
        assert owner.execute("SELECT count(*) FROM pg_sequences").fetchone() == (0,)


@pytest.mark.parametrize(
    "statement",
    ["UPDATE ledger.records SET body = '{}'", "DELETE FROM ledger.records", "TRUNCATE ledger.records"],
)
def test_even_the_owner_is_stopped_by_the_triggers(house, ledger, statement):
    ledger.record("p02", "k", "s", {"n": 1})
    with house.owner.connect() as owner, pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
        owner.execute(statement)


def test_the_writer_cannot_choose_its_place_in_the_chain(house, ledger):
    ledger.record("p02", "k", "first", {})
    with house.writer.connect() as writer:
        writer.execute(
            "INSERT INTO ledger.records (seq, at, pilot, kind, subject, body, prev_hash, hash) "
            "VALUES (99, now(), 'p02', 'k', 'forged', '{}', repeat('a', 64), repeat('b', 64))"
        )
    first, forged = ledger.records()
    assert (forged.seq, forged.prev_hash) == (2, first.hash)
    assert link(first.hash, forged) == forged.hash


def test_a_reader_reads(house, ledger):
    ledger.record("p02", "stage", "intake", {"stage": "intake", "state": "entered"})
    reader = house.owner.as_user(f"{house.owner.name}_reader", "r")
    with house.owner.connect() as owner:
        owner.execute(sql.SQL("ALTER ROLE {} LOGIN PASSWORD 'r'").format(sql.Identifier(reader.user)))
    with reader.connect() as connection:
        assert connection.execute("SELECT stage, state FROM ledger.stage_events").fetchall() == [("intake", "entered")]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(
                "INSERT INTO ledger.records (at, pilot, kind, subject, body) VALUES (now(),'p','k','s','{}')"
            )


def test_setting_up_again_keeps_everything_and_changes_the_password(house, ledger):
    ledger.record("p02", "k", "s", {})
    ensure_schema(house.owner, writer=house.writer.user, writer_password="another", reader=None)

    assert Ledger(house.owner.as_user(house.writer.user, "another"), house.clock).head().seq == 1
    with pytest.raises(TryAgain):
        Ledger(house.writer, house.clock).head()


def test_several_set_up_at_once(make_database):
    owner = make_database("ledger")
    barrier = threading.Barrier(4)

    def set_up(_: int) -> None:
        barrier.wait()
        ensure_schema(owner, writer=f"{owner.name}_w", writer_password="w", reader=f"{owner.name}_r")

    with ThreadPoolExecutor(4) as crowd:
        list(crowd.map(set_up, range(4)))
    assert Ledger(owner.as_user(f"{owner.name}_w", "w")).head().seq == 0


def test_a_connection_that_the_server_closed_is_not_used_again(house, ledger):
    ledger.record("p02", "k", "1", {})
    with house.owner.connect() as owner:
        owner.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid()"
        )
    ledger.record("p02", "k", "2", {})
    assert ledger.head().seq == 2


def test_a_fork_gets_connections_of_its_own(ledger):
    ledger.record("p02", "k", "parent", {})
    child = os.fork()
    if child == 0:
        try:
            ledger.record("p02", "k", "child", {})
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    ledger.record("p02", "k", "parent", {})
    assert [r.subject for r in ledger.records()] == ["parent", "child", "parent"]


def test_fences_rise_strictly_in_a_crowd(house):
    ledgers = [house.open() for _ in range(3)]
    with ThreadPoolExecutor(6) as crowd:
        tokens = list(crowd.map(lambda n: ledgers[n % 3].next_fence("p02", "registry"), range(30)))
    assert sorted(tokens) == list(range(1, 31))
    assert ledgers[0].next_fence("p02", "other") == 1
    assert ledgers[0].next_fence("p05", "registry") == 1


def test_a_fence_is_handed_out_once_even_past_our_code(house, ledger):
    ledger.next_fence("p02", "registry")
    with house.writer.connect() as writer, pytest.raises(psycopg.errors.UniqueViolation, match="one_fence"):
        writer.execute(
            "INSERT INTO ledger.records (at, pilot, kind, subject, body) "
            "VALUES (now(), 'p02', 'fence', 'registry', '{\"token\": 1}')"
        )


def test_guarded_kinds_have_their_own_ways_in(ledger):
    for kind in ("intent", "intent_result", "fence", "cutover"):
        with pytest.raises(Stop):
            ledger.record("p02", kind, "s", {"token": 1, "step": 1})


def test_the_moves_of_a_cutover():
    assert {(a.value, b.value) for a, after in MOVES.items() for b in after} == {
        ("PLANNED", "REHEARSED"), ("REHEARSED", "REHEARSED"), ("REHEARSED", "FROZEN"), ("REHEARSED", "PLANNED"),
        ("FROZEN", "SWITCHED"), ("FROZEN", "ROLLED_BACK"),
        ("SWITCHED", "COMMITTED"), ("SWITCHED", "ROLLED_BACK"),
        ("COMMITTED", "CLOSED"), ("COMMITTED", "ROLLED_BACK"),
        ("ROLLED_BACK", "PLANNED"), ("ROLLED_BACK", "REHEARSED"),
    }  # fmt: skip


def test_a_cutover_goes_its_way_and_back(ledger):
    assert ledger.cutover_state("p02") is S.PLANNED
    journey = [S.REHEARSED, S.FROZEN, S.SWITCHED, S.ROLLED_BACK, S.REHEARSED, S.FROZEN]
    for expected, to in zip([S.PLANNED, *journey], journey, strict=False):
        ledger.advance("p02", expected=expected, to=to, body={"fence": 7})

    here = ledger.cutover("p02")
    assert (here.state, here.step, here.epoch, here.why) == (S.FROZEN, 6, 2, {"fence": 7})
    assert ledger.cutover_state("p05") is S.PLANNED


@pytest.mark.parametrize("to", [S.SWITCHED, S.COMMITTED, S.CLOSED, S.PLANNED, S.FROZEN, S.ROLLED_BACK])
def test_a_move_that_does_not_exist_is_refused(ledger, to):
    with pytest.raises(Stop) as refused:
        ledger.advance("p02", expected=S.PLANNED, to=to, body={})
    assert refused.value.key == "ledger.cutover_move_refused"
    assert ledger.head().seq == 0


def test_of_two_that_move_a_cutover_on_one_wins(house):
    house.open().advance("p02", expected=S.PLANNED, to=S.REHEARSED, body={})

    def freeze(who: int) -> bool:
        try:
            house.open().advance("p02", expected=S.REHEARSED, to=S.FROZEN, body={"who": who})
        except Stop as late:
            return late.key != "ledger.cutover_elsewhere"
        return True

    with ThreadPoolExecutor(6) as crowd:
        won = list(crowd.map(freeze, range(6)))
    assert won.count(True) == 1
    assert house.open().cutover("p02").why == {"who": won.index(True)}


def test_a_step_is_taken_once_even_past_our_code(house, ledger):
    ledger.advance("p02", expected=S.PLANNED, to=S.REHEARSED, body={})
    with house.writer.connect() as writer, pytest.raises(psycopg.errors.UniqueViolation, match="one_cutover_step"):
        writer.execute(
            "INSERT INTO ledger.records (at, pilot, kind, subject, body) VALUES (now(), 'p02', 'cutover', 'x', %s)",
            ('{"step": 1, "to": "FROZEN"}',),
        )
