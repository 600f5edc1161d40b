"""The verifier's own recall: every planted fault is found and named, and a clean copy raises no alarm.

The twelve classes are those of `benchmarks/planted.py`, here on a few thousand rows; objects and what else may go wrong
follow by themselves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from harmless import HARMLESS
from mutations import Pair, Proof, look_at_clean, prove, try_fault
from planted import CLASSES, row_deleted
from planting import Connection, named, statements

from onboarding.addresses import Database
from onboarding.reconcile.databases import compare_databases
from onboarding.reconcile.report import Comparison

ROWS = 3_000
SEEDS = (7, 2570)

BESIDES = """
CREATE TABLE dept (id int PRIMARY KEY, name text NOT NULL);
INSERT INTO dept SELECT g, 'กอง ' || g FROM generate_series(1, 20) g;
CREATE TABLE clerk (id int PRIMARY KEY, dept int CONSTRAINT works_in REFERENCES dept, since date DEFAULT '2026-01-01');
INSERT INTO clerk SELECT g, 1 + g % 20 FROM generate_series(1, 500) g;
CREATE INDEX by_dept ON clerk (dept);
CREATE TABLE short (id int PRIMARY KEY);
INSERT INTO short VALUES (1), (2), (3);
"""


@pytest.fixture(scope="module")
def pair(make_database: Callable[..., Database]) -> Iterator[Pair]:
    source, copy = make_database("recall", superuser=True), make_database("recall_copy", superuser=True)
    with source.connect(autocommit=True) as at_source, copy.connect(autocommit=True) as at_copy:
        for connection in (at_source, at_copy):
            for statement in [*statements(ROWS), BESIDES]:
                connection.execute(statement.encode())
        yield Pair(source, copy, at_source, at_copy)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", CLASSES)
def test_a_planted_fault_is_found_and_named_and_leaves_no_trace(pair: Pair, name: str, seed: int) -> None:
    proof = Proof()
    try_fault(pair, proof, name, CLASSES[name], seed)
    assert (proof.found[name], proof.named[name], proof.alarms) == (1, 1, 0)


def test_rows_in_another_physical_order_raise_no_alarm(pair: Pair) -> None:
    with pair.at_copy.transaction():
        pair.at_copy.execute(b"CREATE SCHEMA namrong; CREATE TABLE namrong.load (load text)")
    proof = prove(pair, seeds=0, clean=2 * len(HARMLESS))
    pair.at_copy.execute("DROP SCHEMA namrong CASCADE")
    assert (proof.clean, proof.alarms) == (2 * len(HARMLESS), 0)
    found = pair.compared(proof)
    assert found.source_rows == ROWS + 20 + 500 + 3
    assert (found.sequences.count, found.large_objects.count) == (3, 6)


@contextmanager
def nothing_at_all(copy: Connection, dice: Any) -> Iterator[list[Any]]:
    yield [("public.citizen", "missing", ("7",), ())]


@contextmanager
def more_than_told(copy: Connection, dice: Any) -> Iterator[list[Any]]:
    with row_deleted(copy, dice) as told:
        copy.execute("CREATE TABLE beside (a int)")
        yield told
        copy.execute("DROP TABLE beside")


@pytest.mark.parametrize(("plant", "found"), [(nothing_at_all, 0), (more_than_told, 1)])
def test_what_is_not_named_exactly_does_not_count(pair: Pair, plant: Any, found: int) -> None:
    proof = prove(pair, seeds=1, clean=0, classes={"x": plant})
    assert (proof.planted["x"], proof.found["x"], proof.named["x"]) == (1, found, 0)
    assert not proof.holds


def test_a_copy_that_differs_is_no_clean_one(pair: Pair) -> None:
    proof = Proof(planted=Counter("x"), named=Counter("x"))
    assert proof.holds
    pair.at_copy.execute("DELETE FROM clerk WHERE id = 1")
    look_at_clean(pair, proof, "planted on purpose")
    pair.at_copy.execute("INSERT INTO clerk SELECT 1, 2")
    assert proof.alarms == 1
    assert not proof.holds


@dataclass(frozen=True)
class Fault:
    """What else is done to a copy, how it is undone, and what must be named."""

    mutate: str
    undo: str
    found: list[tuple[Any, ...]]


FAULTS = {
    "a row that nobody wrote": Fault(
        "INSERT INTO clerk VALUES (9001, 7)", "DELETE FROM clerk WHERE id = 9001",
        [("public.clerk", "extra", ("9001",), ())],
    ),
    "a table emptied": Fault(
        "DELETE FROM short", "INSERT INTO short VALUES (1), (2), (3)",
        [("public.short", "missing", (key,), ()) for key in "123"],
    ),
    "an index missing": Fault(
        "DROP INDEX by_dept", "CREATE INDEX by_dept ON clerk (dept)",
        [("object", "indexes", "public.by_dept", "missing")]
    ),
    "an index that is not valid": Fault(
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'by_dept'::regclass",
        "UPDATE pg_index SET indisvalid = true WHERE indexrelid = 'by_dept'::regclass",
        [("object", "indexes", "public.by_dept", "different")],
    ),
    "a foreign key not valid": Fault(
        "ALTER TABLE clerk DROP CONSTRAINT works_in,"
        " ADD CONSTRAINT works_in FOREIGN KEY (dept) REFERENCES dept NOT VALID",
        "ALTER TABLE clerk VALIDATE CONSTRAINT works_in",
        [("object", "constraints", "public.clerk.works_in", "different")],
    ),
    "a default that is another": Fault(
        "ALTER TABLE clerk ALTER since SET DEFAULT '2026-01-02'",
        "ALTER TABLE clerk ALTER since SET DEFAULT '2026-01-01'",
        [("object", "columns", "public.clerk.since", "different")],
    ),
    "a privilege given": Fault(
        "GRANT DELETE ON clerk TO PUBLIC", "REVOKE DELETE ON clerk FROM PUBLIC",
        [("object", "grants", "table public.clerk to PUBLIC", "extra")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_what_else_differs_is_named(pair: Pair, name: str) -> None:
    fault = FAULTS[name]
    pair.at_copy.execute(fault.mutate.encode())
    found = pair.compared(Proof())
    said = named(found, pair.at_source, pair.at_copy)
    pair.at_copy.execute(fault.undo.encode())
    assert said == fault.found, found.as_json()
    assert compare_databases(pair.source, pair.copy).equal


def test_a_foreign_key_that_is_not_enforced_is_named(pair: Pair) -> None:
    pair.at_copy.execute("ALTER TABLE clerk DISABLE TRIGGER ALL")
    found: Comparison = compare_databases(pair.source, pair.copy)
    pair.at_copy.execute("ALTER TABLE clerk ENABLE TRIGGER ALL")
    assert {one.kind for one in found.objects.differences} == {"triggers"}
