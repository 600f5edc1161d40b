"""What in docs/ is made from code is what would be made now."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from launcher import reference, rooms_docs
from onboarding.ledger import GUARDED

ROOT = Path(__file__).parents[2]


def test_what_is_committed_is_what_would_be_made():
    # A process of its own: the sandbox's parts keep their state in moto, which is one for a whole process.
    ended = subprocess.run(
        [sys.executable, "-m", "launcher", "docs", "--check"], capture_output=True, text=True, check=False, timeout=60
    )
    assert (ended.returncode, ended.stdout) == (0, ""), f"run ./namrong docs: {ended.stdout} {ended.stderr}"


def test_a_page_that_is_missing_or_old_is_named_and_a_current_one_is_not(tmp_path):
    files = {"a.md": lambda root: "new\n", "b.md": lambda root: (root / "b.md").read_text().replace("old", "new")}
    (tmp_path / "b.md").write_text("prose, new\n")
    assert reference.outdated(tmp_path, files) == {"a.md": "new\n"}
    (tmp_path / "a.md").write_text("new\n")
    (tmp_path / "b.md").write_text("prose, old\n")
    assert reference.outdated(tmp_path, files) == {"b.md": "prose, new\n"}


def test_what_is_made_takes_its_place_and_prose_stays():
    page = f"before\n{reference.begin('tables')}\nold\n{reference.END}\nafter\n"
    again = reference.filled(page, "tables", "| new |")
    assert again == f"before\n{reference.begin('tables')}\n\n| new |\n\n{reference.END}\nafter\n"
    assert reference.filled(again, "tables", "| new |") == again


@pytest.mark.parametrize("page", ["prose only\n", f"{reference.begin('tables')}\nno end\n", reference.END])
def test_a_page_without_a_place_for_what_is_made_is_refused(page):
    with pytest.raises(ValueError, match="no place for tables"):
        reference.filled(page, "tables", "| new |")


def test_every_package_of_ours_is_a_room():
    packages = {
        str(path.parent.relative_to(ROOT))
        for top in ("include", "plugins")
        for path in (ROOT / top).rglob("*.py")
        if path.stem != "__init__"
    }
    assert packages | {"dags"} == set(rooms_docs.ROOMS)


def test_every_kind_of_record_is_described():
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "include" / "onboarding").rglob("*.py"))
    written = set(re.findall(r"""record\(\s*(?:[a-z_.]+,\s*)?"([a-z_]+)",""", code)) | set(
        re.findall(r'KIND = "(\w+)"', code)
    )
    assert {"readiness", "freeze", "approval", "trouble"} - written <= {"trouble"}
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert sorted(kind for kind in written | GUARDED if f"`{kind}`" not in page) == []
