"""Secrets, settings and the lock of one checkout."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from launcher import airflow_config, settings
from launcher.checkout import ROOT, AlreadyRunning, Checkout, write_private


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    made = Checkout(tmp_path)
    made.state.mkdir(mode=0o700)
    made.start_clean()
    return made


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_secrets_are_made_once_per_checkout_and_private(checkout: Checkout, tmp_path: Path) -> None:
    made = checkout.secrets(("owner_p02",))
    assert checkout.secrets() == made
    assert mode(checkout.state / "secrets.json") == 0o600
    assert made["login:owner_p02"]
    assert len(made["jwt_secret"]) >= 64  # HS512 wants as many bytes
    other = Checkout(tmp_path / "other")
    other.state.mkdir(parents=True)
    assert not set(made.values()) & set(other.secrets(("owner_p02",)).values())


def test_start_clean_keeps_the_secrets_and_throws_the_rest_away(checkout: Checkout) -> None:
    made = checkout.secrets()
    (checkout.run / "left").touch()
    checkout.start_clean()
    assert not (checkout.run / "left").exists()
    assert checkout.secrets() == made
    assert mode(checkout.run) == 0o700


def test_a_private_file_is_replaced_whole(checkout: Checkout) -> None:
    path = checkout.run / "file"
    write_private(path, "one")
    write_private(path, "two")
    assert path.read_text() == "two"
    assert mode(path) == 0o600
    assert sorted(entry.name for entry in checkout.run.iterdir() if "file" in entry.name) == ["file"]


def test_the_lock_is_held_by_one_and_freed_by_a_kill(checkout: Checkout) -> None:
    holding = (
        f"import sys, time; sys.path.insert(0, {str(ROOT / 'include')!r})\n"
        f"from launcher.checkout import *\n"
        f"with Checkout(Path({str(checkout.root)!r})).lock():\n"
        " print('held', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", holding], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    assert checkout.is_locked()
    with pytest.raises(AlreadyRunning), checkout.lock(patience_s=0.3):
        pytest.fail("two held one lock")
    holder.kill()
    holder.wait()
    with checkout.lock(patience_s=5):
        assert checkout.is_locked()
    assert not checkout.is_locked()


def test_airflows_settings_hold_the_secrets_and_its_environment_does_not(checkout: Checkout) -> None:
    chosen = settings.choose(("p02",), 1.0, 7, 5)
    settings.save(chosen, checkout)
    assert settings.load(checkout) == chosen
    secrets = checkout.secrets()
    path = airflow_config.write(checkout, chosen, {**secrets, "fernet_key": "with%percent"})
    assert mode(path) == 0o600
    assert secrets["jwt_secret"] in path.read_text()
    assert "with%%percent" in path.read_text()
    cloud = {"aws_endpoint_url": "http://127.0.0.1:1", "nameserver": "127.0.0.1:2", "secret_key": "hidden"}
    environment = airflow_config.airflow_environment(checkout, cloud, Path("/programs"))
    assert environment["AWS_ENDPOINT_URL"] == "http://127.0.0.1:1"
    assert environment["NAMRONG_NAMESERVER"] == "127.0.0.1:2"
    assert not {*secrets.values(), "hidden"} & set(environment.values())
    assert Path(environment["HOME"]).is_relative_to(checkout.run)
    assert "/programs" in environment["PATH"].split(os.pathsep)


def test_ports_are_free_and_differ() -> None:
    chosen = settings.choose((), 1.0, 7, 5)
    assert chosen.api_port != chosen.home_port
