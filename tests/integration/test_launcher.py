"""The real thing, once: `./namrong up` in a checkout of its own; every login asked over REST; then a kill."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import psutil
import pytest
from checkouts import environment, make_checkout

from launcher import approving, front, processes
from launcher.checkout import Checkout
from launcher.rest import Airflow, RestError

SMALL_DAGS = Path(__file__).with_name("launcher_dags")
UP_WITHIN_S = 240
GONE_WITHIN_S = 30.0


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """A running checkout with small DAGs, started as `./namrong` does it, with an empty home."""
    made = make_checkout(tmp_path_factory.mktemp("checkout"), SMALL_DAGS)
    up = subprocess.run(
        [sys.executable, "-m", "launcher", "up", "--detach",
         "--pilots", "p02", "--scale", "0.01", "--parallelism", "3"],
        env=environment(made), capture_output=True, text=True, timeout=UP_WITHIN_S, check=False,
    )  # fmt: skip
    assert up.returncode == 0, up.stdout + up.stderr
    try:
        yield made
    finally:
        front.take_down(made)


@pytest.fixture(scope="module")
def url(checkout: Checkout) -> str:
    return str(checkout.holder()["url"])


def enter(checkout: Checkout, login: str) -> Airflow:
    return Airflow(checkout.holder()["url"], login, checkout.secrets()[f"login:{login}"])


def status(airflow: Airflow, method: str, path: str, body: object = None) -> int:
    """HTTP's answer: 200 for any success."""
    try:
        airflow.call(method, path, body)
    except RestError as refusal:
        return refusal.status
    return 200


@pytest.fixture(scope="module")
def runs(checkout: Checkout) -> dict[str, str]:
    """One run of each small journey, started by `platform`."""
    platform = enter(checkout, "platform")
    deadline = time.monotonic() + 60
    for dag in ("onboard_p02", "onboard_p05"):
        while not platform.has_dag(dag):
            assert time.monotonic() < deadline, platform.import_errors()
            time.sleep(0.5)
    return {dag: platform.trigger(dag) for dag in ("onboard_p02", "onboard_p05")}


def wait_for_state(airflow: Airflow, dag: str, run: str, task: str, state: str) -> None:
    deadline = time.monotonic() + 60
    while (found := {t["task_id"]: t["state"] for t in airflow.task_instances(dag, run)}).get(task) != state:
        assert time.monotonic() < deadline, found
        time.sleep(0.5)


def test_nobody_gets_in_without_a_login(url: str) -> None:
    for path in ("/api/v2/dags", "/ui/dags", "/api/v2/connections", "/api/v2/eventLogs"):
        with pytest.raises(HTTPError) as refusal:
            urlopen(url + path)
        assert refusal.value.code == 401


def test_an_agency_owner_sees_its_own_pilot_in_every_page(checkout: Checkout, runs: dict[str, str]) -> None:
    owner = enter(checkout, "owner_p02")
    listed = owner.call("GET", "/api/v2/dags")
    assert [dag["dag_id"] for dag in listed["dags"]] == ["onboard_p02"]
    assert [dag["dag_id"] for dag in owner.call("GET", "/ui/dags")["dags"]] == ["onboard_p02"]
    for collection, key in (
        ("/api/v2/dags/~/dagRuns", "dag_runs"),
        ("/api/v2/dags/~/dagRuns/~/taskInstances", "task_instances"),
        ("/api/v2/dags/~/dagRuns/~/hitlDetails", "hitl_details"),
    ):
        found = owner.call("GET", collection)[key]
        seen = {str(entry.get("dag_id") or entry["task_instance"]["dag_id"]) for entry in found}
        assert seen <= {"onboard_p02"}, collection
    other = f"/api/v2/dags/onboard_p05/dagRuns/{runs['onboard_p05']}".replace("+", "%2B")
    for path in ("/api/v2/dags/onboard_p05", "/api/v2/dags/onboard_p05/details", other, f"{other}/taskInstances"):
        assert status(owner, "GET", path) in (403, 404), path
    for path in ("connections", "variables", "pools", "eventLogs", "importErrors", "assets", "config", "jobs"):
        assert status(owner, "GET", f"/api/v2/{path}") == 403, path
    assert status(owner, "POST", "/api/v2/dags/onboard_p02/dagRuns", {"logical_date": None}) == 403
    assert status(owner, "PATCH", "/api/v2/dags/onboard_p02", {"is_paused": True}) == 403


def test_who_may_read_rows_logs_and_secrets(checkout: Checkout, runs: dict[str, str]) -> None:
    platform = enter(checkout, "platform")
    run = runs["onboard_p02"]
    wait_for_state(platform, "onboard_p02", run, "read_connections", "success")
    task = f"/api/v2/dags/onboard_p02/dagRuns/{run}/taskInstances/read_connections".replace("+", "%2B")
    may = {
        f"{task}/logs/1": {"platform", "operator", "approver1"},
        f"{task}/xcomEntries": {"platform", "operator"},
        "/api/v2/connections": {"platform"},
        "/api/v2/variables": {"platform"},
        "/auth/fab/v1/users": {"platform"},
        "/api/v2/plugins": {"platform", "operator", "approver1", "stakeholder", "owner_p02"},
        "/ui/dags": {"platform", "operator", "approver1", "stakeholder", "owner_p02"},
    }
    logins = ("platform", "operator", "approver1", "stakeholder", "owner_p02")
    found = {path: {login for login in logins if status(enter(checkout, login), "GET", path) == 200} for path in may}
    assert found == may


def test_who_may_start_and_clear(checkout: Checkout, runs: dict[str, str]) -> None:
    clear = {"dry_run": True, "task_ids": ["read_connections"], "dag_run_id": runs["onboard_p02"]}
    for login, allowed in (("operator", 200), ("approver1", 403), ("stakeholder", 403), ("owner_p02", 403)):
        airflow = enter(checkout, login)
        assert status(airflow, "POST", "/api/v2/dags/onboard_p02/clearTaskInstances", clear) == allowed, login
    for login in ("approver1", "stakeholder", "owner_p02"):
        started = status(enter(checkout, login), "POST", "/api/v2/dags/onboard_p02/dagRuns", {"logical_date": None})
        assert started == 403, login


def test_the_demos_approvers_answer_in_turn_and_nobody_else_can(checkout: Checkout, runs: dict[str, str]) -> None:
    platform, run = enter(checkout, "platform"), runs["onboard_p02"]
    wait_for_state(platform, "onboard_p02", run, "first", "awaiting_input")
    (question,) = [q for q in platform.questions() if q["task_instance"]["dag_id"] == "onboard_p02"]
    for login in ("platform", "operator", "stakeholder", "owner_p02", "approver2"):
        with pytest.raises(RestError) as refusal:
            enter(checkout, login).answer(question, "Approve", {})
        assert refusal.value.status == 403, login
    ids = json.loads((checkout.run / "airflow_setup.json").read_text())["people"]
    acting = approving.approvers(checkout.holder()["url"], ids, checkout.secrets())
    said: list[str] = []
    deadline = time.monotonic() + 60
    while platform.run_state("onboard_p02", run) not in ("success", "failed"):
        assert time.monotonic() < deadline, said
        approving.answer_all(acting, frozenset({"onboard_p02"}), lambda login, *_: said.append(login))
        time.sleep(0.5)
    assert platform.run_state("onboard_p02", run) == "success"
    assert said == ["approver1", "approver2"]


def test_no_secret_is_on_a_command_line_or_readable_by_others(checkout: Checkout) -> None:
    secrets = set(checkout.secrets().values())
    cloud = json.loads((checkout.run / "sandbox.json").read_text())
    agencies = json.loads((checkout.run / "agencies.json").read_text())["pilots"]["p02"]
    secrets |= {cloud["token"], cloud["secret_key"], agencies["owner"]["password"], agencies["service"]["password"]}
    everywhere = "\n".join(" ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"]))
    assert [secret for secret in secrets if secret in everywhere] == []
    for folder in (checkout.state, checkout.run):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for name in (
        "secrets.json",
        "run/sandbox.json",
        "run/agencies.json",
        "run/settings.json",
        "run/airflow/airflow.cfg",
    ):
        assert stat.S_IMODE((checkout.state / name).stat().st_mode) == 0o600, name


def test_nothing_is_written_to_the_home_of_who_started_it(checkout: Checkout) -> None:
    assert list((checkout.root / "home").iterdir()) == []


def test_every_server_listens_on_loopback_only(checkout: Checkout) -> None:
    pids = {process.pid for process in processes.marked(checkout.root)}
    listening: list[Any] = [
        connection.laddr.ip
        for connection in psutil.net_connections("inet")
        if connection.pid in pids and connection.status == psutil.CONN_LISTEN
    ]
    assert len(listening) >= 4
    assert {address for address in listening if not address.startswith("127.")} == set()


def test_a_second_start_is_refused_and_the_first_stays(checkout: Checkout) -> None:
    second = subprocess.run(
        [sys.executable, "-m", "launcher", "up"], capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, "PYTHONPATH": str(checkout.root / "include")},
    )  # fmt: skip
    assert second.returncode == 1
    assert str(checkout.holder()["pid"]) in second.stdout
    assert enter(checkout, "platform").has_dag("onboard_p02")


def test_killed_with_a_task_at_work_it_leaves_nothing(checkout: Checkout, runs: dict[str, str]) -> None:
    # The last test of this file: it ends what the others use.
    wait_for_state(enter(checkout, "platform"), "onboard_p05", runs["onboard_p05"], "work_until_killed", "running")
    holder = checkout.holder()
    before = processes.marked(checkout.root)
    assert len(before) > 15
    os.kill(holder["pid"], signal.SIGTERM)
    deadline = time.monotonic() + GONE_WITHIN_S
    while [process for process in before if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert processes.marked(checkout.root) == []
    assert not checkout.is_locked()
