"""What in docs/ is made from code is what would be made now."""

import subprocess
import sys
from pathlib import Path

import pytest

from launcher import reference

ROOT = Path(__file__).parents[2]


def test_what_is_committed_is_what_would_be_made():
    # A process of its own: the sandbox's parts keep their state in moto, which is one for a whole process.
    ended = subprocess.run(
        [sys.executable, "-m", "launcher", "docs", "--check"], capture_output=True, text=True, check=False, timeout=60
    )
    assert (ended.returncode, ended.stdout) == (0, ""), f"run ./namrong docs: {ended.stdout} {ended.stderr}"


def test_a_page_that_is_missing_or_old_is_named_and_a_current_one_is_not(tmp_path):
    files = {"a.md": lambda path: "new\n", "b.md": lambda path: path.read_text().replace("old", "new")}
    (tmp_path / "b.md").write_text("prose, new\n")
    assert reference.outdated(tmp_path, files) == {"a.md": "new\n"}
    (tmp_path / "a.md").write_text("new\n")
    (tmp_path / "b.md").write_text("prose, old\n")
    assert reference.outdated(tmp_path, files) == {"b.md": "prose, new\n"}


def test_a_page_without_a_place_for_what_is_made_is_refused(tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "sandbox.md").write_text("prose only\n")
    with pytest.raises(ValueError, match="has no place"):
        reference.outdated(tmp_path)
