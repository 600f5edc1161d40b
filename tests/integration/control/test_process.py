"""One sandbox process: it starts whole, stops clean, dies with its parent, and never wipes what is not its own."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

from sandbox_process import INCLUDE, client, running, wait_for

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(INCLUDE)}


def command(folder: Path, *more: str) -> list[str]:
    state, ready = str(folder / "state"), str(folder / "ready.json")
    return [sys.executable, "-m", "sandbox", "--state", state, "--ready", ready, *more]


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def port_of(cloud: dict[str, Any]) -> int:
    return int(cloud["endpoint"].rpartition(":")[2])


def test_two_at_once_share_nothing_and_leave_nothing(tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    with running(folders[0]) as one, running(folders[1]) as two:
        assert one["management_account"] != two["management_account"]
        assert (one["subnet"], one["service_port"]) != (two["subnet"], two["service_port"])
        assert stat.S_IMODE((folders[0] / "ready.json").stat().st_mode) == 0o600
        client(one, "iam").create_group(GroupName="mine")
        assert client(two, "iam").list_groups()["Groups"] == []
        listening = [port_of(one), port_of(two)]
        assert all(answers(port) for port in listening)
    assert not any(answers(port) for port in listening)
    assert not any((folder / "ready.json").exists() for folder in folders)


def test_it_ends_with_its_standard_input(tmp_path: Path) -> None:
    process = subprocess.Popen(command(tmp_path, "--watch-stdin"), stdin=subprocess.PIPE, env=ENVIRONMENT)
    try:
        wait_for((tmp_path / "ready.json").exists, 60)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()


def test_it_ends_with_its_parent(tmp_path: Path) -> None:
    between = "import subprocess, sys; print(subprocess.Popen(sys.argv[1:]).pid, flush=True); sys.stdin.read()"
    parent = subprocess.Popen(
        [sys.executable, "-c", between, *command(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=ENVIRONMENT,
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    wait_for((tmp_path / "ready.json").exists, 60)
    port = port_of(json.loads((tmp_path / "ready.json").read_text()))
    parent.kill()
    parent.wait()
    try:
        wait_for(lambda: not answers(port), 20)
    except AssertionError:
        os.kill(child, signal.SIGKILL)
        raise


def test_it_wipes_its_own_folder_and_nobody_elses(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    (state / "thesis.txt").write_text("years of work")
    refused = subprocess.run(command(tmp_path), env=ENVIRONMENT, capture_output=True, text=True, timeout=60)
    assert refused.returncode != 0
    assert "no sandbox made" in refused.stderr
    assert (state / "thesis.txt").read_text() == "years of work"
    (state / "thesis.txt").unlink()
    for _ in range(2):
        with running(tmp_path, stop_with=signal.SIGINT) as cloud:
            assert client(cloud, "iam").list_groups()["Groups"] == []
            client(cloud, "iam").create_group(GroupName="earlier")
