"""One real stack for the session: sandbox, agencies, Airflow's four processes, in a checkout of its own; pilot p02.

It is started as `./namrong up --detach` starts it. Tests reach it over HTTP with the logins of real people.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import HTTPRedirectHandler, Request, build_opener

import pytest
from airflow_process import MISSPELT

from launcher import front
from launcher.approving import SETTLED_S
from launcher.checkout import ROOT, Checkout
from launcher.journeys import RunningCheckout
from launcher.rest import Airflow, RestError
from onboarding.manifests import load_folder
from onboarding.stages.pilot import Pilot

PILOT, DAG, WAY_BACK, ABANDON = "p02", "onboard_p02", "roll_back_p02", "abandon_p02"
FIRST, SECOND = "cutover.approve_cutover_1", "cutover.approve_cutover_2"
SELECTION, CONFIRM = "select_pilots", "confirm_list"
BAD = "p77.yaml"
UP_WITHIN_S = 600.0
STEP_WITHIN_S = 600.0
POLL_S = 0.7
SLOWLY_MADE_S = 6
"""So that a gate certainly finds the account being made, however busy the machine is."""

States = dict[str, str | None]
Found = TypeVar("Found")


class _Stay(HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """A redirect is an answer, to be looked at."""


_OPENER = build_opener(_Stay)


@dataclass
class Stack:
    """A running checkout."""

    checkout: Checkout
    _entered: dict[str, Airflow] = field(default_factory=dict)

    @cached_property
    def url(self) -> str:
        return str(self.checkout.holder()["url"])

    @cached_property
    def running(self) -> RunningCheckout:
        return RunningCheckout(self.checkout)

    @property
    def pilot(self) -> Pilot:
        """p02 with its two sides, as a task is handed it."""
        manifests = load_folder(self.checkout.pilots()).manifests
        return self.running.pilot(manifests[PILOT], manifests)

    @property
    def agency(self) -> dict[str, Any]:
        """What the agency's side of p02 told of itself."""
        told: dict[str, Any] = json.loads((self.checkout.run / "agencies.json").read_text())["pilots"][PILOT]
        return told

    def enter(self, login: str) -> Airflow:
        if login not in self._entered:
            self._entered[login] = Airflow(self.url, login, self.checkout.secrets()[f"login:{login}"])
        return self._entered[login]

    def status(self, login: str, method: str, path: str, body: object = None) -> int:
        """HTTP's answer to this person: 200 for any success."""
        try:
            self.enter(login).call(method, path, body)
        except RestError as refusal:
            return refusal.status
        return 200

    def fetch(self, login: str | None, path: str, method: str = "GET", body: object = None) -> tuple[int, str]:
        """Status and text of any address, to this person or to nobody in particular."""
        headers = {"Content-Type": "application/json"}
        if login is not None:
            self.enter(login).call("GET", "/api/v2/version")
            headers["Authorization"] = f"Bearer {self.enter(login)._token}"
        content = None if body is None else json.dumps(body).encode()
        try:
            with _OPENER.open(Request(self.url + path, content, headers, method=method), timeout=30) as answer:
                return int(answer.status), answer.read().decode()
        except HTTPError as refusal:
            return refusal.code, refusal.read().decode()

    def trigger(self, dag: str, **params: Any) -> str:
        """Starts a run as `platform`, once the DAG is there and nothing is parsed for the first time."""
        platform = self.enter("platform")
        wait_for(lambda: platform.has_dag(dag), platform.import_errors)
        return platform.trigger(dag, **params)

    def states(self, dag: str, run: str) -> States:
        """Task -> state; of a mapped task, its last instance's."""
        return {task["task_id"]: task["state"] for task in self.enter("platform").task_instances(dag, run)}

    def task(self, run: str, task: str, dag: str = DAG) -> str:
        """The address of a task instance."""
        return f"/api/v2/dags/{dag}/dagRuns/{quote(run)}/taskInstances/{task}"

    def question(self, run: str, task: str, dag: str = DAG) -> dict[str, Any]:
        """The open question of a task, waited for; the run must not end before."""
        platform = self.enter("platform")

        def asked() -> dict[str, Any] | None:
            for found in platform.questions():
                about = found["task_instance"]
                if (about["dag_run_id"], about["task_id"], about["state"]) == (run, task, "awaiting_input"):
                    return dict(found)
            ended = platform.run_state(dag, run)
            assert ended not in ("failed", "success"), (ended, unlike(self.states(dag, run), "success"))
            return None

        found = wait_for(asked, lambda: unlike(self.states(dag, run), "success", None))
        # Airflow 3.3 takes a task that is answered before its worker is gone for a killed one, and asks again.
        time.sleep(SETTLED_S)
        return found

    def answer(self, login: str, question: dict[str, Any], option: str = "Approve") -> int:
        """HTTP's answer to this person's answer."""
        try:
            self.enter(login).answer(question, option, {"automated": True, "comment": "test"})
        except RestError as refusal:
            return refusal.status
        return 200

    def ended(self, run: str, dag: str = DAG) -> str:
        """The run's last state, waited for."""
        platform = self.enter("platform")

        def last() -> str | None:
            state = platform.run_state(dag, run)
            return state if state in ("failed", "success") else None

        return wait_for(last, lambda: unlike(self.states(dag, run), "success", None))

    def clear(self, login: str, run: str, *tasks: str, dag: str = DAG) -> None:
        """Clears these tasks and all after them, or without tasks the whole run."""
        chosen = {"task_ids": list(tasks), "include_downstream": True} if tasks else {}
        self.enter(login).call(
            "POST",
            f"/api/v2/dags/{dag}/clearTaskInstances",
            {"dry_run": False, "dag_run_id": run, "only_failed": False, "reset_dag_runs": True, **chosen},
        )

    def approve_both(self, run: str, dag: str = DAG, tasks: tuple[str, str] = (FIRST, SECOND)) -> None:
        for login, task in zip(("approver1", "approver2"), tasks, strict=True):
            assert self.answer(login, self.question(run, task, dag)) == 200

    def log(self, run: str, task: str, dag: str = DAG, try_number: int = 1) -> str:
        told = self.enter("platform").call("GET", f"{self.task(run, task, dag)}/logs/{try_number}")
        return json.dumps(told["content"], ensure_ascii=False)


def unlike(states: States, *boring: str | None) -> States:
    return {task: state for task, state in states.items() if state not in boring}


def wait_for(
    look: Callable[[], Found | None], otherwise: Callable[[], object], within_s: float = STEP_WITHIN_S
) -> Found:
    """The first truthy answer; what `otherwise` says goes into the failure."""
    deadline = time.monotonic() + within_s
    while not (found := look()):
        assert time.monotonic() < deadline, otherwise()
        time.sleep(POLL_S)
    return found


def checkout_of_its_own(root: Path) -> Checkout:
    """What a clone would hold, with the environment of this one, and one manifest that is no good."""
    for room in ("include", "plugins", "dags"):
        shutil.copytree(ROOT / room, root / room)
    (root / ".namrong").mkdir(mode=0o700)
    (root / ".namrong" / "venv").symlink_to(Path(sys.prefix))
    (root / "home").mkdir()
    sample = (ROOT / "include" / "pilots" / "p05.yaml").read_text(encoding="utf-8")
    bad = root / "include" / "pilots" / BAD
    bad.write_text(sample.replace("id: p05\n", "id: p77\n").replace("    engine: copy\n", MISSPELT), encoding="utf-8")
    return Checkout(root)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Everything is up, nothing is triggered; gone after the session."""
    if not sys.platform.startswith("linux"):
        pytest.skip("live stack: the supervisor needs Linux")
    made = checkout_of_its_own(tmp_path_factory.mktemp("live"))
    up = subprocess.run(
        [sys.executable, "-m", "launcher", "up", "--detach",
         "--pilots", PILOT, "--scale", "0.02", "--parallelism", "4"],
        env={"PATH": os.environ["PATH"], "HOME": str(made.root / "home"), "PYTHONPATH": str(made.root / "include")},
        capture_output=True, text=True, timeout=UP_WITHIN_S, check=False,
    )  # fmt: skip
    try:
        assert up.returncode == 0, up.stdout + up.stderr
        yield Stack(made)
    finally:
        front.take_down(made)


@dataclass
class Journey:
    """The run that all tests share, and every state that a task was seen in on the way to the approvals."""

    run: str
    seen: dict[str, set[str]]


def choose_pilots(stack: Stack) -> str:
    """The list of pilots, confirmed by an approver: without it no gate `intake` opens. Returns the run."""
    run = stack.trigger(SELECTION)
    assert stack.answer("approver1", stack.question(run, CONFIRM, SELECTION)) == 200
    assert stack.ended(run, SELECTION) == "success"
    return run


@pytest.fixture(scope="session")
def journey(stack: Stack) -> Journey:
    """p02 on its way, at the first question put to people."""
    set_sandbox(stack, seconds_to_create_account=SLOWLY_MADE_S)
    choose_pilots(stack)
    run = stack.trigger(DAG)
    seen: dict[str, set[str]] = {}

    def asked() -> bool:
        states = stack.states(DAG, run)
        for task, state in states.items():
            if state is not None:
                seen.setdefault(task, set()).add(state)
        assert "failed" not in states.values(), unlike(states, "success", None)
        return states[FIRST] == "awaiting_input"

    wait_for(asked, lambda: seen)
    return Journey(run, seen)


@pytest.fixture(scope="session")
def live(stack: Stack, journey: Journey) -> Journey:
    """p02 live: the journey approved by both, wherever other tests have left it."""
    if stack.states(DAG, journey.run)["live.declare"] != "success":
        stack.approve_both(journey.run)
        assert stack.ended(journey.run) == "success"
    return journey


def set_sandbox(stack: Stack, **settings: float) -> None:
    """Changes how long the pretended cloud takes for things."""
    cloud = stack.running.cloud
    request = Request(
        f"{cloud['endpoint']}/_sandbox/settings", json.dumps(settings).encode(),
        {"Content-Type": "application/json", "X-Sandbox-Token": cloud["token"]}, method="POST",
    )  # fmt: skip
    with _OPENER.open(request, timeout=30):
        pass
