"""pg_dump and pg_restore never carry a password where others can see it, nor a citizen's row into a message."""

from __future__ import annotations

import stat
from pathlib import Path

import psycopg
import pytest

from onboarding.addresses import Database
from onboarding.databases import programs
from onboarding.databases.sessions import told
from onboarding.errors import AskPerson, Stop, TryAgain

SECRET = "s:e\\cret"
PLACE = Database("db.example", 5432, "it's = x", "owner", SECRET, resolve=lambda host: "127.0.0.9")


def install(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    program = folder / "pg_dump"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(folder), prepend=":")


def test_the_password_goes_through_a_nameless_file_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, 'echo "$@"; env; stat -Lc "%a %h %F" "$PGPASSFILE"; cat "$PGPASSFILE"', monkeypatch)
    monkeypatch.setenv("PGPASSWORD", "somebody else's")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not for pg_dump")
    said = programs.run("pg_dump", ["--one", "--two"], PLACE).decode()
    shown, _, secret_file = said.rpartition("600 0 regular file\n")  # no name anywhere: a kill leaves nothing
    assert "--one --two" in shown and "PGHOSTADDR=127.0.0.9" in shown and "PGDATABASE=it's = x" in shown
    assert "cret" not in shown and "somebody" not in shown and "AWS_" not in shown
    assert secret_file == "*:*:*:*:s\\:e\\\\cret\n"


def test_a_database_name_is_never_an_option() -> None:
    assert programs.connection_string(PLACE) == "dbname='it\\'s = x'"


@pytest.mark.parametrize(
    ("stderr", "kind"),
    [
        ("pg_dump: error: connection to server at h failed: FATAL:  the database system is starting up", TryAgain),
        ("pg_restore: error: could not execute query: ERROR:  insert or update violates foreign key\n"
         "DETAIL:  Key (citizen)=(1234567890123) is not present.", Stop),
    ],
)  # fmt: skip
def test_a_failure_says_why_without_a_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stderr: str, kind: type[Exception]
) -> None:
    (tmp_path / "stderr").write_text(stderr)
    install(tmp_path, f"cat {tmp_path}/stderr >&2; exit 1", monkeypatch)
    with pytest.raises(kind) as failed:
        programs.run("pg_dump", [], PLACE)
    assert "error:" in str(failed.value) and "1234567890123" not in str(failed.value)


def test_a_program_that_is_not_there_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(AskPerson, match="pg_dump"):
        programs.run("pg_dump", [], PLACE)


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (psycopg.errors.AdminShutdown("x"), TryAgain),
        (psycopg.errors.TooManyConnections("x"), TryAgain),
        (psycopg.errors.DiskFull("x"), TryAgain),
        (psycopg.OperationalError("the connection is lost"), TryAgain),
        (psycopg.errors.UniqueViolation('duplicate key "1234567890123"'), Stop),
        (psycopg.errors.InvalidTextRepresentation('invalid input: "1234567890123"'), Stop),
    ],
)
def test_a_server_error_says_who_acts_next_without_a_row(failure: psycopg.Error, kind: type[Exception]) -> None:
    with pytest.raises(kind) as turned, told("postgresql://owner@db/x"):
        raise failure
    assert "1234567890123" not in str(turned.value) and type(failure).__name__ in str(turned.value)
