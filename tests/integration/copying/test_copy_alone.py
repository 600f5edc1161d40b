"""`./namrong move` and `reconcile` without Airflow: what their exit status says is so."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from psycopg.conninfo import make_conninfo

from launcher import cli
from onboarding.addresses import Database
from onboarding.alone import Progress
from onboarding.alone.databases import move_database
from onboarding.errors import TryAgain
from onboarding.reconcile.databases import compare_databases

from .conftest import Source
from .plain import digest, large_objects, sequences

Run = Callable[..., tuple[int, list[dict[str, Any]]]]


def dsn(database: Database) -> str:
    return make_conninfo(
        host=database.host, port=database.port, dbname=database.name, user=database.user, password=database.password
    )


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """`run("move", "database", …)`: exit status and the events of --json."""

    def call(*arguments: str) -> tuple[int, list[dict[str, Any]]]:
        status = cli.main([*arguments, "--json"])
        return status, [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return call


@pytest.fixture
def target(nasty: Source, instance: Database) -> Database:
    return replace(instance, name=nasty.owner.name)


def move(run: Run, source: Source, target: Database, *more: str) -> tuple[int, list[dict[str, Any]]]:
    return run("move", "database", "--source", dsn(source.owner), "--target", dsn(target), *more)


def rows_of(database: Database) -> int:
    return sum(rows for rows, _ in digest(database).values())


def tell_nobody(_: Progress) -> None:
    pass


def test_a_database_is_moved_and_proven(nasty: Source, target: Database, run: Run, tmp_path: Path) -> None:
    status, events = move(run, nasty, target, "--report", str(tmp_path / "report.json"))
    assert status == 0, events
    assert [event["event"] for event in events][-2:] == ["moved", "compared"]
    assert digest(target)["public.kinds"] == digest(nasty.owner)["public.kinds"]
    assert rows_of(target) == rows_of(nasty.owner) > 15_000
    assert large_objects(target) == large_objects(nasty.owner)
    assert sequences(target) == sequences(nasty.owner)
    assert json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["equal"] is True
    with target.connect() as connection:
        assert connection.execute("SELECT to_regnamespace('namrong')").fetchone() == (None,)
        may = "SELECT has_table_privilege(rolname, 'kinds', 'UPDATE'), rolcanlogin FROM pg_roles WHERE rolname = %s"
        assert connection.execute(may, [nasty.service.user]).fetchone() == (True, False)


def test_what_objects_made_later_are_granted_comes_along(nasty: Source, target: Database, run: Run) -> None:
    maker, service = nasty.owner.user, nasty.service.user
    nasty.run(f"ALTER DEFAULT PRIVILEGES FOR ROLE {maker} IN SCHEMA public GRANT SELECT ON TABLES TO {service};"
              f"ALTER DEFAULT PRIVILEGES FOR ROLE {maker} REVOKE EXECUTE ON ROUTINES FROM PUBLIC")  # fmt: skip
    status, events = move(run, nasty, target)
    assert status == 0, events
    with target.connect() as connection:
        connection.execute("CREATE TABLE later (a int); CREATE FUNCTION late() RETURNS int LANGUAGE sql AS 'SELECT 1'")
        may = (
            "SELECT has_table_privilege(w, 'later', 'SELECT'), has_table_privilege(w, 'later', 'INSERT'),"
            " has_function_privilege(w, 'late()', 'EXECUTE') FROM (SELECT %s::name) AS who (w)"
        )
        assert connection.execute(may, [service]).fetchone() == (True, False, False)


def test_what_is_there_is_not_overwritten(nasty: Source, target: Database, run: Run) -> None:
    assert move(run, nasty, target)[0] == 0
    with target.connect() as connection:
        connection.execute("CREATE TABLE mine (a int)")
    status, events = move(run, nasty, target)
    assert (status, events[-1]["key"]) == (2, "alone.not_empty")
    with target.connect() as connection:
        assert connection.execute("SELECT count(*) FROM mine").fetchone() == (0,)


def test_resumed_after_the_last_note_was_taken_away_it_is_compared_and_as_good_as_moved(
    nasty: Source, target: Database, run: Run
) -> None:
    """As by a kill between the proof and its telling: nothing on the target says any more whose it is."""
    assert move(run, nasty, target)[0] == 0
    status, events = move(run, nasty, target, "--resume")
    assert status == 0, events
    (told,) = [event for event in events if event["event"] == "moved"]
    assert (told["rows"], told["bytes"]) == (0, 0)
    with target.connect() as connection:
        connection.execute("DELETE FROM composite_key WHERE a = 7")
    status, events = move(run, nasty, target, "--resume")
    assert (status, events[-1]["key"]) == (2, "alone.not_empty")


def test_a_difference_is_named(nasty: Source, target: Database, run: Run) -> None:
    assert move(run, nasty, target)[0] == 0
    sides = ("--source", dsn(nasty.owner), "--target", dsn(target))
    assert run("reconcile", *sides)[0] == 0
    with target.connect() as connection:
        connection.execute("DELETE FROM composite_key WHERE a = 7")
    status, events = run("reconcile", *sides)
    assert status == 1
    (table,) = [table for table in events[-1]["tables"] if not table["equal"]]
    assert (table["table"], table["missing"], table["extra"], table["changed"]) == ("public.composite_key", 1, 0, 0)


def test_one_page_for_people_stands_beside_the_json(nasty: Source, target: Database, run: Run, tmp_path: Path) -> None:
    reports = [tmp_path / "report.json", tmp_path / "report.html", tmp_path / "keys.html"]
    asked = [argument for path in reports[:2] for argument in ("--report", str(path))]
    assert move(run, nasty, target, *asked, "--lang", "th")[0] == 0
    written = reports[0].read_bytes()
    page = reports[1].read_text(encoding="utf-8")
    assert json.loads(written)["equal"] is True
    assert hashlib.sha256(written).hexdigest() in page
    assert str(nasty.owner) in page
    assert nasty.owner.password not in page
    assert "ตรงกัน" in page
    with target.connect() as connection:
        connection.execute("DELETE FROM composite_key WHERE a = 7")
    sides = ("--source", dsn(nasty.owner), "--target", dsn(target))
    assert run("reconcile", *sides, "--report", str(reports[2]), "--keys")[0] == 1
    assert "<code>b = b7, a = 7</code>" in reports[2].read_text(encoding="utf-8")
    assert reports[2].stat().st_mode & 0o077 == 0
    assert sorted(tmp_path.iterdir()) == sorted(reports)


def test_a_report_that_cannot_be_written_is_told_before_anything_is_moved(
    nasty: Source, target: Database, run: Run, tmp_path: Path
) -> None:
    status, events = move(run, nasty, target, "--report", str(tmp_path / "none" / "report.html"))
    assert (status, events[-1]["key"]) == (2, "alone.report_not_writable")
    with pytest.raises(TryAgain, match="does not exist"), target.connect():
        pass


def test_people_read_which_row(nasty: Source, target: Database, capsys: pytest.CaptureFixture[str]) -> None:
    move_database(nasty.owner, target, jobs=2, resume=False, tell=tell_nobody)
    with target.connect() as connection:
        connection.execute("DELETE FROM composite_key WHERE a = 7")
    assert cli.main(["reconcile", "--source", dsn(nasty.owner), "--target", dsn(target), "--lang", "th"]) == 1
    said = capsys.readouterr().out
    assert "missing    public.composite_key (" in said
    assert "ไม่ตรงกัน: 1 แถว" in said


def test_what_is_written_meanwhile_is_another_moment(nasty: Source, target: Database) -> None:
    def write_at_the_end(told: Progress) -> None:
        if told.step == "finish":
            nasty.run("INSERT INTO bulk_of_later VALUES (2); UPDATE composite_key SET d = d + 1 WHERE a = 7")

    nasty.run("CREATE TABLE bulk_of_later (id int PRIMARY KEY); INSERT INTO bulk_of_later VALUES (1)")
    moved = move_database(nasty.owner, target, jobs=2, resume=False, tell=write_at_the_end)
    assert moved.proven, moved.found.as_json()
    now = {one.table: one.unaccounted for one in compare_databases(nasty.owner, target).tables if not one.equal}
    assert set(now) == {"public.bulk_of_later", "public.composite_key"}


class Enough(Exception):
    pass


@pytest.fixture
def interrupted(nasty: Source, target: Database) -> Database:
    """A target on which every row has arrived and nothing was finished."""

    def stop(told: Progress) -> None:
        if told.step == "finish":
            raise Enough

    with pytest.raises(Enough):
        move_database(nasty.owner, target, jobs=2, resume=False, tell=stop)
    return target


@pytest.fixture
def no_autovacuum(nasty: Source) -> Iterator[None]:
    """Nobody but the test takes a transaction number: autovacuum's ANALYZE takes some at moments of its own."""
    with nasty.superuser() as connection:
        connection.execute("ALTER SYSTEM SET autovacuum = off")
        connection.execute("SELECT pg_reload_conf()")
        workers = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'autovacuum worker'"
        while connection.execute(workers).fetchone() != (0,):
            time.sleep(0.1)
        yield
        connection.execute("ALTER SYSTEM RESET autovacuum")
        connection.execute("SELECT pg_reload_conf()")


def last_arrival(target: Database) -> object:
    with target.connect() as connection:
        return connection.execute("SELECT max(at) FROM namrong.checkpoints").fetchone()


@pytest.mark.parametrize(
    ("resume", "written", "kept"), [(True, False, True), (True, True, False), (False, False, False)]
)
def test_resumed_only_on_the_very_same_moment(
    nasty: Source, no_autovacuum: None, interrupted: Database, *, resume: bool, written: bool, kept: bool
) -> None:
    before, after, steps = last_arrival(interrupted), [], []
    if written:
        nasty.run("UPDATE composite_key SET d = d + 1 WHERE a = 7")

    def look(told: Progress) -> None:
        steps.append(told.step)
        if told.step == "finish":
            after.append(last_arrival(interrupted))

    moved = move_database(nasty.owner, interrupted, jobs=2, resume=resume, tell=look)
    assert moved.proven
    assert (after == [before]) is kept
    assert ("anew" in steps) is (resume and written)


def test_a_password_may_stand_in_the_password_file(
    nasty: Source, target: Database, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "pgpass"
    file.write_text("".join(f"{one.host}:*:*:{one.user}:{one.password}\n" for one in (nasty.owner, target)))
    file.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(file))
    without = (f"host={one.host} port={one.port} dbname={one.name} user={one.user}" for one in (nasty.owner, target))
    source, into = without
    status, events = run("move", "database", "--source", source, "--target", into)
    assert status == 0, events


def test_a_pilots_database_is_left_alone(nasty: Source, interrupted: Database, run: Run) -> None:
    with interrupted.connect() as connection:
        connection.execute("UPDATE namrong.load SET load = 'rehearsal-1'")
    before = last_arrival(interrupted)
    status, events = move(run, nasty, interrupted)
    assert (status, events[-1]["key"]) == (2, "alone.a_pilots")
    assert last_arrival(interrupted) == before


@pytest.mark.parametrize(
    ("source", "status", "key"),
    [
        ("no equals sign", 2, "alone.no_address"),
        ("postgresql://me@127.0.0.1:1/x?target_session_attrs=any", 2, "alone.no_address"),
        ("postgresql://127.0.0.1:1/x", 2, "alone.no_address"),
        ("host=127.0.0.1 user=me dbname=x port=1,2", 2, "alone.no_address"),
        ("postgresql://me@127.0.0.1:1/x", 3, "addresses.database_unreachable"),
    ],
)
def test_refused_or_failed_says_which_and_what_to_do(run: Run, source: str, status: int, key: str) -> None:
    found, events = run("reconcile", "--source", source, "--target", "postgresql://me@127.0.0.1:1/y")
    assert (found, events[-1]["key"]) == (status, key)
    assert "→" in events[-1]["th"] and "→" in events[-1]["en"]


def test_a_certificate_is_demanded_where_asked(nasty: Source) -> None:
    # the test's servers have none: demanding one must fail, and preferring one must not
    with replace(nasty.owner, sslmode="prefer").connect() as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    with pytest.raises(TryAgain, match="SSL"):
        replace(nasty.owner, sslmode="require").connect()
