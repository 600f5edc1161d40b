"""The checkout's own environment: made once, made anew after a kill, from the index that pip is set up for."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from launcher import install, package_index
from launcher.checkout import ROOT

NAMRONG = ROOT / "namrong"


def test_pip_settings_are_said_in_uvs_words() -> None:
    listed = "\n".join(
        [
            ":env:.cert='/certs/ca.pem'",
            "global.extra-index-url='https://a.example/simple\\nhttps://b.example/simple'",
            "global.find-links='/wheels /more'",
            "global.index-url='https://global.example/simple'",
            "install.index-url='https://install.example/simple'",
            "global.timeout='77'",
            "global.something-else='1'",
            "not a setting",
        ]
    )
    found = package_index.for_uv(listed, {})
    assert found == {
        "SSL_CERT_FILE": "/certs/ca.pem",
        "UV_INDEX": "https://a.example/simple https://b.example/simple",
        "UV_FIND_LINKS": "/wheels,/more",
        "UV_DEFAULT_INDEX": "https://install.example/simple",
        "UV_HTTP_TIMEOUT": "77",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_SYSTEM_CERTS": "true",
    }


def test_pips_variables_win_over_its_files_and_uvs_own_over_both() -> None:
    listed = "global.index-url='https://file.example'\n:env:.index-url='https://env.example'"
    assert package_index.for_uv(listed, {})["UV_DEFAULT_INDEX"] == "https://env.example"
    assert package_index.for_uv(listed, {"UV_DEFAULT_INDEX": "https://mine.example"}) == {
        "UV_DEFAULT_INDEX": "https://mine.example",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_SYSTEM_CERTS": "true",
    }


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout whose lock names nothing, with this checkout's installer, so that no network is needed."""
    (tmp_path / install.LOCK).write_text("")
    (tmp_path / ".namrong").mkdir()
    installer = ROOT / ".namrong" / "bootstrap"
    install.ensure_uv(ROOT / ".namrong")
    (tmp_path / ".namrong" / "bootstrap").symlink_to(installer)
    return tmp_path


def identity(python: Path) -> tuple[int, int]:
    folder = python.parent.parent.stat()
    return folder.st_ino, folder.st_mtime_ns


def test_installs_once_and_keeps_it_to_its_owner(checkout: Path) -> None:
    python = install.ensure(checkout)
    before = identity(python)
    assert stat.S_IMODE((checkout / ".namrong").stat().st_mode) == 0o700
    assert install.ensure(checkout) == python
    assert identity(python) == before
    assert subprocess.check_output([python, "-c", "import sys; print(sys.prefix)"], text=True).strip() == str(
        checkout / ".namrong" / "venv"
    )


def test_a_changed_lock_is_installed(checkout: Path) -> None:
    python = install.ensure(checkout)
    stamp = python.parent.parent / "installed.txt"
    before = stamp.read_text()
    (checkout / install.LOCK).write_text("# nothing, said differently\n")
    install.ensure(checkout)
    assert stamp.read_text() != before


def test_a_killed_installation_is_made_anew(checkout: Path) -> None:
    venv = install.ensure(checkout).parent.parent
    (venv / "half_installed").touch()
    (venv / "installed.txt").unlink()
    (venv.parent / "venv.changing").touch()
    install.ensure(checkout)
    assert not (venv / "half_installed").exists()
    assert not (venv.parent / "venv.changing").exists()
    assert (venv / "installed.txt").exists()


def test_a_failed_installation_says_what_to_do_and_is_not_taken_for_a_good_one(checkout: Path) -> None:
    wheel = "no-such-package-of-namrong==1.0 --hash=sha256:" + "0" * 64
    (checkout / install.LOCK).write_text(wheel + "\n")
    ended = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT / 'include')!r})\n"
         f"from launcher import install; sys.exit(install.run({str(checkout)!r}, []))"],
        capture_output=True, text=True, check=False,
        # An index that cannot be reached: nothing of this may touch a real one.
        env={**os.environ, "UV_DEFAULT_INDEX": "http://127.0.0.1:9/simple", "UV_INDEX": "", "UV_FIND_LINKS": "",
             "UV_HTTP_RETRIES": "0", "UV_CACHE_DIR": str(checkout / "cache")},
    )  # fmt: skip
    assert ended.returncode == 3
    assert "PIP_INDEX_URL" in ended.stderr
    assert not (checkout / ".namrong" / "venv" / "installed.txt").exists()


def test_the_first_script_needs_nothing_but_the_standard_library() -> None:
    ended = subprocess.run(
        [sys.executable, "-S", "-E", str(NAMRONG), "--help"],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": ""},
    )
    assert ended.returncode == 0, ended.stderr
    for command in ("demo", "up", "down", "test", "check", "verify-evidence", "report", "lock"):
        assert f"    {command}" in ended.stdout
