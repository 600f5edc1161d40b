"""What `move` and `reconcile` say of a difference, and what they take."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from launcher import by_hand
from launcher.by_hand_voice import Voice
from launcher.cli import parser
from onboarding.reconcile.files_report import FileDifference, FilesComparison
from onboarding.reconcile.merging import Differences, RowDifference
from onboarding.reconcile.pseudonyms import Pseudonyms
from onboarding.reconcile.report import Comparison
from onboarding.reconcile.tables import TableComparison

SIDES = ("reconcile", "--source", "x", "--target", "y")


def test_a_file_is_told_after_what_is_wrong_with_it(capsys: pytest.CaptureFixture[str]) -> None:
    found = FilesComparison(1, 0, 5, differences=(FileDifference("missing", "คำขอ.pdf".encode()),))
    assert not Voice("en", as_json=False).compared(found, Pseudonyms.forgotten())
    assert "    missing    คำขอ.pdf\n" in capsys.readouterr().out


def test_a_row_is_told_by_its_key_or_its_place(capsys: pytest.CaptureFixture[str]) -> None:
    keyed = RowDifference("changed", ("สาขา", "7"), "ab" * 32, ("name",))
    placed = RowDifference("duplicated", (), "cd" * 32, place="(7,3)")
    differences = Differences(changed=1, duplicated=1, named=(keyed, placed))
    found = Comparison((TableComparison("public.t", 3, 4, differences=differences),))
    Voice("en", as_json=False).compared(found, Pseudonyms.forgotten())
    said = capsys.readouterr().out
    assert "changed    public.t (สาขา, 7) name" in said
    assert "duplicated public.t (ctid (7,3))" in said


@pytest.mark.parametrize(("said", "share"), [("1", 1.0), ("0.25", 0.25)])
def test_a_share_of_the_time_is_taken(said: str, share: float) -> None:
    assert parser().parse_args([*SIDES, "--source-share", said]).source_share == share


@pytest.mark.parametrize("said", ["0", "1.5", "-1", "nan", "half"])
def test_a_share_that_is_none_is_refused(said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args([*SIDES, f"--source-share={said}"])
    assert "--source-share" in capsys.readouterr().err


def test_both_reports_may_be_asked_for() -> None:
    asked = parser().parse_args([*SIDES, "--report", "a.html", "--report", "a.json"])
    assert [path.name for path in asked.report] == ["a.html", "a.json"]
    assert parser().parse_args([*SIDES]).report == []


@pytest.mark.parametrize(("what", "engine", "only"), [("database", "follow", "copy"), ("files", "copy", "upload")])
def test_another_engine_is_refused_and_the_one_there_is_named(
    what: str, engine: str, only: str, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = parser().parse_args(["move", what, *SIDES[1:], "--engine", engine])
    assert by_hand.move(asked) == by_hand.REFUSED
    assert f"--engine {engine}" in (said := capsys.readouterr().out) and f"give {only}" in said


def test_who_moves_files_does_not_wait_for_what_databases_need() -> None:
    told = "import sys, launcher.cli, launcher.by_hand_files; sys.exit('psycopg' in sys.modules)"
    subprocess.run([sys.executable, "-c", told], check=True, env={"PYTHONPATH": os.pathsep.join(sys.path)})
